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

#: Extended attributes that decide who may read a file: POSIX ACLs (acl(5)) and the SELinux label.
XATTRS = ("system.posix_acl_access", "security.selinux")

FILE = "file"
MISSING = "missing"
FOLDER = "folder"
DANGLING = "dangling_link"
OTHER = "other"
UNREADABLE = "unreadable"

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
    """

    path: str
    real: str
    kind: str
    meta: t.Optional[Meta] = None
    data: bytes = dataclasses.field(default=b"", repr=False)
    stamp: t.Optional[tuple[int, ...]] = None


def look(path: str) -> Seen:
    """What stands at ``path``. Never raises for what it finds; other OSErrors (an input/output error) pass through."""
    real = os.path.realpath(path)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Seen(path, real, DANGLING if os.path.islink(path) else MISSING)
    except PermissionError:
        return Seen(path, real, UNREADABLE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Seen(path, real, DANGLING)
        raise
    if stat.S_ISDIR(found.st_mode):
        return Seen(path, real, FOLDER)
    if not stat.S_ISREG(found.st_mode):
        return Seen(path, real, OTHER)
    return _read(path, real)


def _read(path: str, real: str) -> Seen:
    try:
        fd = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        return Seen(path, real, UNREADABLE)
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        data = file.read()
        meta = Meta(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), read_xattrs(fd))
    return Seen(path, real, FILE, meta, data, stamp_of(status))


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What differs as soon as somebody else has been at the file."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_still(seen: Seen) -> bool:
    """Whether nobody has touched the path since it was looked at."""
    try:
        return stamp_of(os.stat(seen.real)) == seen.stamp
    except FileNotFoundError:
        return seen.kind == MISSING


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
