# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function in a process of its own, stopped before each system call that is given a name, by ptrace(2): deterministic, and as fast as a fork.

What a call does that is given a descriptor does not depend on where names lead; nor does one with a name elsewhere.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
import typing as t

_TRACEME, _CONT, _DETACH, _SYSCALL, _SETOPTIONS = 0, 7, 17, 24, 0x4200
_SYSGOOD, _EXITKILL = 0x1, 0x100000
_GET_SYSCALL_INFO = 0x420E  # since Linux 5.3
_SECONDS = 20
#: openat newfstatat statx faccessat faccessat2 readlinkat renameat renameat2 unlinkat mkdirat
_AT = {
    "x86_64": {257, 262, 332, 269, 439, 267, 264, 316, 263, 258},
    "aarch64": {56, 79, 291, 48, 439, 78, 38, 276, 35, 34},
}.get(os.uname().machine)
#: open stat lstat access readlink rename unlink mkdir rmdir
_PLAIN = {2, 4, 6, 21, 89, 82, 87, 83, 84} if os.uname().machine == "x86_64" else set()
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Ended(t.NamedTuple):
    """calls: how many system calls were stopped at. answer: what the function returned, None when it did not."""

    calls: int
    answer: t.Any


def traced(act: t.Callable[[], t.Any], at: t.Callable[[int], bool], within: str) -> Ended:
    """Run ``act``; before its n-th such call with a relative name, or one with ``within`` in it, ``at(n)`` is called.

    Once that returns False, the rest runs by itself.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(act, writing)
    os.close(writing)
    try:
        return Ended(_steps(pid, at, within), _answer(reading, pid))
    finally:
        os.close(reading)


def _child(act: t.Callable[[], t.Any], writing: int) -> t.NoReturn:
    try:
        _libc.ptrace(_TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        answer = act()
        os.write(writing, json.dumps(answer).encode("ascii")[:60_000])
    except BaseException as error:  # pylint: disable=broad-except
        os.write(writing, json.dumps({"traceback": repr(error)}).encode("ascii"))
    finally:
        os._exit(0)


def _steps(pid: int, at: t.Callable[[int], bool], within: str) -> int:
    os.waitpid(pid, 0)
    _do(_SETOPTIONS, pid, _SYSGOOD | _EXITKILL)
    calls, entry = 0, True
    while True:
        _do(_SYSCALL, pid)
        _pid, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return calls
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            continue
        if entry and _counts(pid, within.encode()):
            calls += 1
            if not at(calls):
                _do(_DETACH, pid)
                return calls
        entry = not entry


def _counts(pid: int, within: bytes) -> bool:
    """Every call counts where its number is not known."""
    told = (ctypes.c_uint64 * 11)()
    if _AT is None or _libc.ptrace(_GET_SYSCALL_INFO, pid, ctypes.sizeof(told), ctypes.addressof(told)) < 0:
        return True
    number, arguments = told[3], told[4:10]
    if number not in _AT and number not in _PLAIN:
        return False
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(arguments[1 if number in _AT else 0])
        name = memory.read(256).partition(b"\0")[0]
    return within in name if name.startswith(b"/") else bool(name)  # an empty one: the descriptor itself


def _answer(reading: int, pid: int) -> t.Any:
    """None after a while: it hangs, and is ended."""
    end = time.monotonic() + _SECONDS
    os.set_blocking(reading, False)
    told = b""
    while time.monotonic() < end:
        try:
            part = os.read(reading, 65536)
            if not part:
                break
            told += part
        except BlockingIOError:
            time.sleep(0.001)
    else:
        os.kill(pid, signal.SIGKILL)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass
    return json.loads(told) if told else None


def _do(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"ptrace {request}")
