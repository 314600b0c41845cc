# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow and lossy cable, where the kernel has no tc netem: a tap in the switch's namespace, one in the host's, and this process between.

``wire.py SWITCH PORT HOST MAC MILLISECONDS PERCENT``: names of the namespaces, of the switch's port, the hardware address of eth0 in the
host, the delay of each frame each way, and the share that is lost each way. Prints "ready"; the cable lives as long as the process.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SIOCSIFHWADDR, ARPHRD_ETHER = 0x8924, 1
LARGEST = 65535


def tap(namespace: str, name: str, hardware: str = "") -> int:
    """Make a tap in a network namespace, which this process enters; return its file descriptor."""
    enter(namespace)
    tap_fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap_fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    if hardware:
        address = bytes(int(part, 16) for part in hardware.split(":"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFHWADDR, struct.pack("16sH6s8x", name.encode(), ARPHRD_ETHER, address))
    return tap_fd


def enter(namespace: str) -> None:
    """Enter a named network namespace. (os.setns is of Python 3.12.)"""
    handle = os.open("/run/netns/" + namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, 0):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(handle)


def forward(here: int, there: int, delay: float, loss: float) -> None:
    """Carry frames between two taps for ever. delay: seconds. loss: 0 to 1."""
    other = {here: there, there: here}
    due: list[
        tuple[float, int, int, bytes]
    ] = []  # a heap; the number keeps frames of the same instant in the order they came
    number = 0
    while True:
        left = max(0.0, due[0][0] - time.monotonic()) if due else None
        for tap_fd in select.select([here, there], [], [], left)[0]:
            try:
                frame = os.read(tap_fd, LARGEST)
            except OSError:
                continue  # an end that is down
            if random.random() >= loss:
                number += 1
                heapq.heappush(due, (time.monotonic() + delay, number, other[tap_fd], frame))
        while due and due[0][0] <= time.monotonic():
            out_of, frame = heapq.heappop(due)[2:]
            try:
                os.write(out_of, frame)
            except OSError:
                pass  # the other end is down: the frame is lost


def main(switch: str, port: str, host: str, hardware: str, milliseconds: str, percent: str) -> None:
    """Make both taps, say so, and carry."""
    there = tap(host, "eth0", hardware)
    here = tap(switch, port)  # last, so that this process is the switch's and does not end with the host
    print("ready", flush=True)
    forward(here, there, float(milliseconds) / 1000, float(percent) / 100)


if __name__ == "__main__":
    main(*sys.argv[1:])
