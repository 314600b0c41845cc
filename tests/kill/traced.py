# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function in a process of its own, stopped before each system call that is given a name, by ptrace(2) and seccomp(2): deterministic, and fast.

What a call does that is given a descriptor does not depend on where names lead; nor does one with a name elsewhere.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import typing as t

_TRACEME, _CONT, _SETOPTIONS = 0, 7, 0x4200
_TRACESECCOMP, _EXITKILL = 0x80, 0x100000
_SECCOMP_STOP = signal.SIGTRAP | 7 << 8
_GET_SYSCALL_INFO = 0x420E  # since Linux 5.3
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2  # prctl(2)
_LOAD_NUMBER, _IS, _RETURN, _STOP, _PASS = 0x20, 0x15, 0x06, 0x7FF00000, 0x7FFF0000  # bpf(4), seccomp(2)
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
        return Ended(_steps(pid, at, within), _answer(reading))
    finally:
        os.close(reading)


def _child(act: t.Callable[[], t.Any], writing: int) -> t.NoReturn:
    try:
        signal.alarm(_SECONDS)  # one that hangs is ended
        _libc.ptrace(_TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        _stop_at_names()
        answer = act()
        os.write(writing, json.dumps(answer).encode("ascii")[:60_000])
    except BaseException as error:  # pylint: disable=broad-except
        os.write(writing, json.dumps({"traceback": repr(error)}).encode("ascii"))
    finally:
        os._exit(0)


def _stop_at_names() -> None:
    """From here on the tracer is told of these calls alone; of every one where their numbers are not known."""
    steps = [(_LOAD_NUMBER, 0, 0, 0)]
    for number in sorted(_PLAIN | (_AT or set())):
        steps += [(_IS, 0, 1, number), (_RETURN, 0, 0, _STOP)]
    code = b"".join(struct.pack("HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _PASS if _AT else _STOP)])
    kept = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(kept))
    assert _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert _libc.prctl(_SET_SECCOMP, _FILTER, program) == 0, os.strerror(ctypes.get_errno())


def _steps(pid: int, at: t.Callable[[int], bool], within: str) -> int:
    os.waitpid(pid, 0)
    _do(_SETOPTIONS, pid, _TRACESECCOMP | _EXITKILL)
    calls, more, passed_on = 0, True, 0
    while True:
        _do(_CONT, pid, passed_on)
        _pid, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return calls
        passed_on = 0
        if status >> 8 != _SECCOMP_STOP:
            passed_on = os.WSTOPSIG(status)
        elif more and _counts(pid, within.encode()):
            calls += 1
            more = at(calls)


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


def _answer(reading: int) -> t.Any:
    """None where there is none: it hung."""
    told = os.read(reading, 65536)
    return json.loads(told) if told else None


def _do(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"ptrace {request}")
