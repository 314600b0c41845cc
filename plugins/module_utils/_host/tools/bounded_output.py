# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Output: what a program of the host prints, within bounds of time and memory."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
import typing as t

#: Of what a program says about its failure only the end is kept.
TAIL_BYTES = 64 * 1024
_PIECE = 64 * 1024


class TooMuchError(Exception):
    """It printed more than anybody should have to read."""


def collect(process: subprocess.Popen[bytes], timeout: float, most: int) -> t.Tuple[bytes, bytes]:
    """All of its output, of at most this many bytes, and the end of its errors, once it has closed both and ended.

    Raises TooMuchError or subprocess.TimeoutExpired; the process still runs then.
    """
    deadline = time.monotonic() + timeout
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as ready:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                ready.register(stream, selectors.EVENT_READ)
        while ready.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, timeout)
            for key, _events in ready.select(left):
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    output += piece
                else:
                    errors += piece
                    del errors[: max(0, len(errors) - TAIL_BYTES)]
            if len(output) > most:
                raise TooMuchError
    process.wait(max(0, deadline - time.monotonic()))
    return bytes(output), bytes(errors)


def last_lines(output: bytes) -> t.List[str]:
    """The whole lines at the end of it. Where the beginning is cut, the first of them is left out: half a secret could not be recognized."""
    end = output[-TAIL_BYTES:]
    whole = len(output) < TAIL_BYTES  # what was cut to so many bytes may have been longer
    lines = end.decode("utf-8", "replace").splitlines()
    return lines if whole else lines[1:]
