# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored: our own files on a host, read within bounds. What cannot be used is a problem that says what to do, and never "nothing there"."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

from ..._shared.problem import Problem, ProblemsError
from . import fields

MIB = 1 << 20
#: A record of 5,000 applications has some 7 MiB; a journal has it twice.
RECORD_BYTES, JOURNAL_BYTES, NOTES_BYTES = 16 * MIB, 48 * MIB, 4 * MIB
#: Twice what a file may have that we replace (see ``regular_file``).
BLOB_BYTES = 16 * MIB

T = t.TypeVar("T")


def load(path: str, most: int, read: t.Callable[[object], T], hint: str) -> t.Optional[T]:
    """The content of a JSON file of ours, None when there is no such file. Raises ProblemsError (``state-damaged``) with the hint."""
    try:
        data = content(path, most)
        return None if data is None else read(fields.parse(data))
    except fields.DamagedError as error:
        raise ProblemsError([damaged(path, error, hint)]) from None


def content(path: str, most: int) -> t.Optional[bytes]:
    """The bytes of a file of ours, None when there is none. Raises DamagedError for what is none of our files, and OSError."""
    try:
        fd = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise fields.DamagedError(f"it is larger than {most // MIB or 1} MiB")
    return data


def open_file(path: str, flags: int) -> int:
    """A file of ours, opened without waiting for anybody (as for a pipe). Raises DamagedError for what is none, and OSError."""
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise fields.DamagedError("it is not a file") from None
        raise
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise fields.DamagedError("it is not a file")


def damaged(path: str, error: fields.DamagedError, hint: str) -> Problem:
    """A file of ours that cannot be used, and what to do."""
    if error.newer:
        return Problem(
            path,
            f"A later release of smarthost.mail has written this: {error}.",
            "state-damaged",
            "Use that release, or a later one.",
        )
    return Problem(path, f"Our own notes cannot be used: {error}.", "state-damaged", hint)
