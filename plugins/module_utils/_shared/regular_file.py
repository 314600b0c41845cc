# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular: files that are opened where a walk has ended, and read. Nothing else is ever opened, and nothing that is a trick."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

from .paths import Place, UnsafePathError, walk, who

#: No settings file is larger; nor is a certificate, a key or a file with a process id.
MAX_BYTES = 8 * 1024 * 1024

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_file(place: Place) -> int:
    """The regular file at a place, open for reading. OSError where there is none that is one, or it may not be read."""
    found = place.found
    if found is None or not stat.S_ISREG(found.st_mode):
        number = (
            errno.EINVAL
            if found is not None
            else errno.ENOTDIR
            if place.blocked
            else errno.ENOENT
            if place.names
            else errno.EISDIR
        )
        raise OSError(number, "Not a regular file" if found is not None else os.strerror(number), place.path)
    fd = os.open(place.names[-1], _READ, dir_fd=place.folder.fd)
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode) and (place.bound is None or status.st_uid == place.bound):
        return fd
    os.close(fd)
    raise OSError(errno.ELOOP, "exchanged a moment ago", place.path)


def is_plausible(place: Place, status: os.stat_result, one_name: bool = True) -> None:
    """UnsafePathError for an open file that is somebody's trick or no such file as we work with."""
    if status.st_nlink != 1 and (one_name or place.exposed):
        what = f"This file of {who(status.st_uid)} has {status.st_nlink} names (hard links), so it may be another one as well."
        raise UnsafePathError(place.path, what, "Replace it by a copy of its own, and run again.")
    if status.st_size > MAX_BYTES:
        what = f"This file of {who(status.st_uid)} has {status.st_size} bytes; no file of this kind has more than {MAX_BYTES}."
        raise UnsafePathError(place.path, what, "Name another file.")


def read_open(fd: int, place: Place) -> bytes:
    """All of an open file that is_plausible, which may have grown meanwhile."""
    parts: t.List[bytes] = []
    size = 0
    while size <= MAX_BYTES:
        part = _part(fd, place)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    raise UnsafePathError(place.path, f"This file has more than {MAX_BYTES} bytes.", "Name another file.")


def _part(fd: int, place: Place) -> bytes:
    try:
        return os.read(fd, 1 << 18)
    except OSError as error:  # of a descriptor it names no path
        raise OSError(error.errno, error.strerror, place.path) from None


def read_file(path: str) -> t.Tuple[bytes, os.stat_result, Place]:
    """A file that is only read (a certificate, a key, a process id), and where it was found. UnsafePathError, OSError."""
    place = walk(path)
    fd = open_file(place)
    try:
        status = os.fstat(fd)
        is_plausible(place, status, one_name=False)
        return read_open(fd, place), status, place
    finally:
        os.close(fd)


class Passed:
    """A file as a path that a library can open by itself, and that leads to what was looked at and nowhere else: ``with`` it."""

    def __init__(self, path: str) -> None:
        """UnsafePathError, OSError."""
        place = walk(path)
        self._fd = open_file(place)
        try:
            is_plausible(place, os.fstat(self._fd), one_name=False)
        except UnsafePathError:
            os.close(self._fd)
            raise
        self._place = place
        self._copy: t.Any = None

    def __enter__(self) -> str:
        if os.path.exists(f"/proc/self/fd/{self._fd}"):
            return f"/proc/self/fd/{self._fd}"
        import tempfile  # not Linux

        self._copy = tempfile.NamedTemporaryFile()
        self._copy.write(read_open(self._fd, self._place))
        self._copy.flush()
        return str(self._copy.name)

    def __exit__(self, *_error: object) -> None:
        os.close(self._fd)
        if self._copy is not None:
            self._copy.close()
