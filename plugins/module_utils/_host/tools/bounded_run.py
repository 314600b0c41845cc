# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounded: runs a program and keeps as much of what it prints as is wanted; the rest is read and forgotten, whoever prints how much."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
import typing as t

#: Of what a program prints when it fails, people need the last lines.
FEW = 65536
_PIECE = 65536
#: How long a program that has ended may still have something to say: what it started may hold its output open for ever.
_GRACE, _MOST_GRACES = 0.2, 50


class FinishedRun(t.NamedTuple):
    """The beginning of standard output, the end of standard error. cut: there was more on standard output."""

    status: int
    output: bytes
    errors: bytes
    cut: bool


def run(words: t.Sequence[str], timeout: float, most: int, **popen: t.Any) -> FinishedRun:
    """Run it, without a shell and without an input unless one is given. Raises OSError, and subprocess.TimeoutExpired once all of it is ended.

    most: bytes that are kept of standard output. popen: what else ``subprocess.Popen`` is told.
    """
    given = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "start_new_session": True,
        **popen,
    }
    process = subprocess.Popen(list(words), **given)
    output, errors = bytearray(), bytearray()
    cut = False
    end = time.monotonic() + timeout
    try:
        with selectors.DefaultSelector() as waiting:
            for stream in filter(None, (process.stdout, process.stderr)):
                waiting.register(stream, selectors.EVENT_READ)
            left = _MOST_GRACES
            while waiting.get_map() and left:
                ended = process.poll() is not None
                if time.monotonic() > end and not ended:
                    raise subprocess.TimeoutExpired(list(words), timeout)
                ready = waiting.select(_GRACE if ended else min(_GRACE, max(end - time.monotonic(), 0)))
                left = (left - 1 if ready else 0) if ended else left
                for key, _events in ready:
                    data = os.read(key.fd, _PIECE)
                    if not data:
                        waiting.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        errors += data
                        del errors[:-FEW]
                    else:
                        cut = cut or len(output) + len(data) > most
                        output += data[: most - len(output)]
        status = process.wait(timeout=max(end - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        _end(process)
        raise
    finally:
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()
    return FinishedRun(status, bytes(output), bytes(errors), cut)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started: it leads a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
