# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look: what stands at a path right now, with everything needed to put it back. Reads only, never a device or a pipe."""

from __future__ import annotations

import base64
import dataclasses
import errno
import os
import stat
import typing as t

from ..._shared import paths, regular_file
from ..._shared.paths import OpenFolder, Place
from ..._shared.problem import Problem

#: Extended attributes that decide who may read a file: POSIX ACLs (acl(5)) and the SELinux label.
XATTRS = ("system.posix_acl_access", "security.selinux")

FILE = "file"
MISSING = "missing"
FOLDER = "folder"
DANGLING = "dangling_link"
OTHER = "other"
UNREADABLE = "unreadable"
UNSAFE = "unsafe"

#: Set-user-id, set-group-id and sticky are never carried over to anything that we write.
PERMISSIONS = 0o777

_TRIES = 20
_ABSENT_XATTR = (errno.ENODATA, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class Meta(t.NamedTuple):
    """Who may do what with a file. ``mode`` is the permission bits; ``xattrs`` name: base64, only those of XATTRS."""

    uid: int
    gid: int
    mode: int
    xattrs: dict[str, str]

    def as_dict(self) -> dict[str, t.Any]:
        """For the journal and the record. Nothing in it is secret."""
        return self._asdict()

    @classmethod
    def from_dict(cls, data: t.Mapping[str, t.Any]) -> Meta:
        """Back from ``as_dict``."""
        return cls(data["uid"], data["gid"], data["mode"], dict(data["xattrs"]))


@dataclasses.dataclass(frozen=True)
class Seen:
    """One path as it was found.

    path: as the user wrote it; real: with symbolic links followed (a link is kept, its target replaced).
    meta, data: of a readable file. stamp: changes when anybody writes, renames or chmods the file.
    place: the folder that it is in, held open; None for what is no file (a tool's settings) or where the way is not safe.
    unsafe: why the way is not safe, or the file not one to work with.
    """

    path: str
    real: str
    kind: str
    meta: t.Optional[Meta] = None
    data: bytes = dataclasses.field(default=b"", repr=False)
    stamp: t.Optional[tuple[int, ...]] = None
    place: t.Optional[Place] = dataclasses.field(default=None, repr=False, compare=False)
    unsafe: t.Optional[Problem] = None


def look(path: str, known: t.Optional[dict[str, OpenFolder]] = None) -> Seen:
    """What stands at ``path``. Never raises for what it finds; other OSErrors (an input/output error) pass through.

    known: folders that this run has walked through already, to which those of this path are added.
    """
    if not os.path.isabs(path):
        return Seen(path, path, MISSING)
    try:
        for _try in range(_TRIES):
            seen = _look(path, known)
            if seen is not None:
                return seen
        what = "This file is exchanged all the time."
        raise paths.UnsafePathError(path, what, "Find out which process does that, end it, and run again.")
    except paths.UnsafePathError as error:
        return Seen(path, path, UNSAFE, unsafe=error.problem)
    except PermissionError:
        return Seen(path, path, UNREADABLE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Seen(path, path, DANGLING)
        raise
    except ValueError:  # NUL, or characters that the host's encoding has not
        return Seen(
            path,
            path,
            UNSAFE,
            unsafe=Problem(path, "No file can have this name.", "path-not-valid", "Write it in the host's encoding."),
        )


def _look(path: str, known: t.Optional[dict[str, OpenFolder]]) -> t.Optional[Seen]:
    """None where the file was exchanged on the way to it."""
    place = paths.walk(path, known=known)
    if place.found is None:
        kind = DANGLING if place.dangling else MISSING if place.names else FOLDER
        return Seen(path, place.real, kind, place=place)
    if not stat.S_ISREG(place.found.st_mode):
        return Seen(path, place.real, OTHER, place=place)
    try:
        fd = regular_file.open_file(place)
    except PermissionError:
        return Seen(path, place.real, UNREADABLE, place=place)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EMLINK):
            return None
        raise
    try:
        status = os.fstat(fd)
        regular_file.is_plausible(place, status)
        data = regular_file.read_open(fd, place)
        meta = Meta(status.st_uid, status.st_gid, status.st_mode & PERMISSIONS, read_xattrs(fd))
    finally:
        os.close(fd)
    return Seen(path, place.real, FILE, meta, data, stamp_of(status), place)


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What differs as soon as somebody else has been at the file."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def read_xattrs(fd: int) -> dict[str, str]:
    """The attributes of XATTRS that an open file has, base64; empty where the platform or file system has none."""
    found: dict[str, str] = {}
    if not hasattr(os, "getxattr"):
        return found
    for name in XATTRS:
        try:
            found[name] = base64.b64encode(os.getxattr(fd, name)).decode("ascii")
        except OSError as error:
            if error.errno not in _ABSENT_XATTR:
                raise
    return found


def write_xattrs(fd: int, wanted: t.Mapping[str, str]) -> None:
    """Give an open file exactly these access attributes (of XATTRS). OSError when the system refuses one it knows."""
    present = read_xattrs(fd)
    for name in XATTRS:
        if wanted.get(name) == present.get(name):
            continue
        try:
            if name in wanted:
                os.setxattr(fd, name, base64.b64decode(wanted[name]))
            elif name == "system.posix_acl_access":  # inherited from the folder's default; a label cannot be taken off
                os.removexattr(fd, name)
        except OSError as error:
            if error.errno not in _ABSENT_XATTR:
                raise
