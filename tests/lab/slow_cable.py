# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a slow and lossy cable (wire.py) in the place of a host's good one, and back."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from lab import network, processes
from lab.host import Host
from lab.places import Places
from lab.processes import Failed, Process, run

WIRE = pathlib.Path(__file__).resolve().parent / "wire.py"


def put(places: Places, host: Host, milliseconds: float, percent: float) -> None:
    """Carry the host's frames by a process that adds a delay each way and loses some. Connections that stand go on."""
    switch = places.namespace("switch")
    run("ip", "-n", switch, "link", "del", host.name)
    command = [
        sys.executable,
        str(WIRE),
        switch,
        host.name,
        places.namespace(host.name),
        places.hardware(host.name),
        str(milliseconds),
        str(percent),
    ]
    with open(host.folder / "wire.log", "ab") as log:
        begun = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True
        )
    process = Process.of(begun.pid)
    assert begun.stdout
    with begun.stdout as said:
        if said.readline().strip() != "ready" or not process:
            raise Failed(
                "the slow cable of {}: {}".format(host.name, (host.folder / "wire.log").read_text(encoding="utf-8"))
            )
    (host.folder / "wire").write_text("%d %d" % process, encoding="ascii")
    run("ip", "-n", switch, "link", "set", host.name, "master", "br0", "up")
    network.configure(places, host.name)


def take_away(places: Places, host: Host) -> None:
    """Give the host its good cable back."""
    note = host.folder / "wire"
    pid, started = note.read_text(encoding="ascii").split()
    process = Process(int(pid), int(started))
    processes.end(lambda: [process] if process.alive() else [])  # and its taps go with it
    note.unlink()
    switch = places.namespace("switch")
    run(
        "ip",
        "-n",
        switch,
        "-batch",
        "-",
        given=f"{network.cable(places, host.name)}\nlink set {host.name} master br0 up\n",
    )
    network.configure(places, host.name)
