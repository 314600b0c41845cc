# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Obstacles: why the system would refuse a step, found out without trying. What cannot be known fails later and is undone."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import stat
import typing as t

from .._shared import paths
from .._shared.paths import OpenFolder, Place
from .._shared.problem import OTHER_STATE_DIR, Problem
from .disk.snapshot import FILE
from .step import PathStep

# ioctl_iflags(2); another number on a few architectures, where the call then fails and tells nothing.
_GET_FLAGS = 0x80086601 if array.array("l").itemsize == 8 else 0x80046601
_IMMUTABLE_OR_APPEND_ONLY = 0x10 | 0x20
_BLOCK = 4096
_READ_ONLY, _MARKED = "is on a file system that is mounted read-only", "is marked immutable or append-only (chattr)"
_MOUNTED = "is a mount point (bind-mounted, as into a container)"
_NO_RIGHTS_HELP = {
    _READ_ONLY: "Mount it so that it can be written, or name another path.",
    _MARKED: "Take the mark off with chattr -ia, in a task before this one, and find out who set it.",
    _MOUNTED: "Name the file that is mounted there, or mount its folder instead.",
}


def of(step: PathStep) -> list[Problem]:
    """Every reason known beforehand why this step cannot be done; empty for a step that changes nothing."""
    place = step.seen.place
    if not step.changed or place is None:
        return []
    if place.blocked:
        return [
            Problem(
                step.path,
                f"{os.path.join(place.folder.path, place.names[0])} is not a folder.",
                "parent-not-folder",
                "Correct the path.",
            )
        ]
    reason = _folder_refuses(place.folder) or _file_refuses(step, place)
    if reason:
        return [
            Problem(
                step.path,
                reason,
                "not-writable",
                _way_out(reason, "Use become, or make it writable for the user who runs the task."),
            )
        ]
    return _not_permitted(step)


def state_folder(path: str) -> list[Problem]:
    """The same for the folder of our own state, which may have to be made first."""
    place = paths.walk(path)
    reason = "This is not a folder." if place.found is not None or place.blocked else _folder_refuses(place.folder)
    return (
        [
            Problem(
                place.folder.path, reason, "not-writable", _way_out(reason, f"Use become, or name {OTHER_STATE_DIR}.")
            )
        ]
        if reason
        else []
    )


def _way_out(reason: str, usual: str) -> str:
    """What ends it: more rights take no mark off, and make no mount writable."""
    return next((hint for words, hint in _NO_RIGHTS_HELP.items() if words in reason), usual)


def no_space(steps: t.Iterable[PathStep], state_dir: str) -> list[Problem]:
    """Folders whose file system has too little room for the new files, the replaced bytes and our notes."""
    needs: dict[int, tuple[OpenFolder, int]] = {}
    state = paths.walk(state_dir).folder

    def need(folder: OpenFolder, size: int) -> None:
        before = needs.get(folder.status.st_dev, (folder, 0))[1]
        needs[folder.status.st_dev] = (folder, before + size // _BLOCK * _BLOCK + _BLOCK)

    for step in steps:
        if step.changed:
            need(state if step.command or step.seen.place is None else step.seen.place.folder, len(step.data or b""))
            need(state, 2 * len(step.seen.data))
    return [problem for folder, size in needs.values() for problem in _too_full(folder, size)]


def _too_full(folder: OpenFolder, size: int) -> t.Iterator[Problem]:
    room = os.fstatvfs(folder.fd)
    free = (room.f_bfree if os.geteuid() == 0 else room.f_bavail) * room.f_frsize
    if free < size:
        yield Problem(
            folder.path,
            f"The file system is full: {size} bytes are needed, {free} are free.",
            "no-space",
            "Make room and run again.",
        )
    elif room.f_files and not room.f_ffree:
        what = f"The file system is full: it has no inodes left for a new file, though {free} bytes are free."
        yield Problem(
            folder.path, what, "no-space", "Remove files that are not needed (df -i shows the numbers), and run again."
        )


def _folder_refuses(folder: OpenFolder) -> str:
    if os.fstatvfs(folder.fd).f_flag & os.ST_RDONLY:
        return f"{folder.path} {_READ_ONLY}."
    if _flags(folder, ".") & _IMMUTABLE_OR_APPEND_ONLY:
        return f"{folder.path} {_MARKED}."
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder.fd):
        return f"{folder.path} is not writable for the user who runs the task."
    return ""


def _file_refuses(step: PathStep, place: Place) -> str:
    if step.seen.kind != FILE or step.seen.meta is None:
        return ""
    if _flags(place.folder, place.names[-1]) & _IMMUTABLE_OR_APPEND_ONLY:
        return f"This file {_MARKED}."
    if step.real in _mount_points():
        return f"This file {_MOUNTED}, so it cannot be replaced."
    status = place.folder.status
    if status.st_mode & stat.S_ISVTX and os.geteuid() not in (0, status.st_uid, step.seen.meta.uid):
        return f"This file is another user's in the sticky folder {place.folder.path}."
    return ""


_SAY = "Use become, or say the %s for this application: without a word of yours it is its entry's."


def _not_permitted(step: PathStep) -> list[Problem]:
    """Only root may give files away."""
    user, meta = os.geteuid(), step.meta
    if meta is None or user == 0:
        return []
    if meta.uid != user:
        what = f"Only root can let this file belong to user {meta.uid}."
        return [Problem(step.path, what, "not-permitted", _SAY % "owner")]
    if meta.gid not in (os.getegid(), *os.getgroups()):
        what = f"Only root can let this file belong to group {meta.gid}, which the user of the task is not in."
        return [Problem(step.path, what, "not-permitted", _SAY % "group")]
    return []


def _flags(folder: OpenFolder, name: str) -> int:
    """The flags of a file in a folder, or of the folder itself; none where they cannot be read."""
    flags = array.array("l", [0])
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=folder.fd)
    except OSError:
        return 0
    try:
        fcntl.ioctl(fd, _GET_FLAGS, flags, True)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EACCES):
            raise
        return 0
    finally:
        os.close(fd)
    return flags[0]


def _mount_points() -> set[str]:
    """Linux lists them, with octal escapes for spaces and the like (proc(5)); elsewhere nothing is known."""
    try:
        with open("/proc/self/mountinfo", "rb") as lines:
            return {os.fsdecode(line.split()[4].decode("unicode_escape").encode("latin-1")) for line in lines}
    except OSError:
        return set()
