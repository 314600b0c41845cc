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

from .look import FILE
from .problems import Problem

if t.TYPE_CHECKING:
    from .examine import Step

# ioctl_iflags(2); another number on a few architectures, where the call then fails and tells nothing.
_GET_FLAGS = 0x80086601 if array.array("l").itemsize == 8 else 0x80046601
_IMMUTABLE_OR_APPEND_ONLY = 0x10 | 0x20
_BLOCK = 4096


def of(step: Step) -> list[Problem]:
    """Every reason known beforehand why this step cannot be done; empty for a step that changes nothing."""
    if not step.changed:
        return []
    folder = os.path.dirname(step.make[0] if step.make else step.real)
    if not os.path.isdir(folder):
        return [Problem(step.path, f"{folder} is not a folder.", "parent-not-folder", "Correct the path.")]
    reason = _folder_refuses(folder) or _file_refuses(step, folder)
    if reason:
        return [Problem(step.path, reason, "not-writable", "Use become, or make it writable for the user who runs the task.")]
    return _not_permitted(step)


def state_folder(folder: str) -> list[Problem]:
    """The same for the folder of our own state, which may have to be made first."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    reason = _folder_refuses(folder) if os.path.isdir(folder) else "This is not a folder."
    return [Problem(folder, reason, "not-writable", "Use become, or name another state_dir.")] if reason else []


def no_space(steps: t.Iterable[Step], state_dir: str) -> list[Problem]:
    """Folders whose file system has too little room for the new files, the replaced bytes and our notes."""
    needs: dict[int, tuple[str, int]] = {}

    def need(folder: str, size: int) -> None:
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        device = os.stat(folder).st_dev
        needs[device] = (folder, needs.get(device, ("", 0))[1] + size // _BLOCK * _BLOCK + _BLOCK)

    for step in steps:
        if step.changed:
            need(state_dir if step.command else os.path.dirname(step.real), len(step.data or b""))
            need(state_dir, 2 * len(step.seen.data))
    problems = []
    for folder, size in needs.values():
        room = os.statvfs(folder)
        free = (room.f_bfree if os.geteuid() == 0 else room.f_bavail) * room.f_frsize
        if free < size or (room.f_files and not room.f_ffree):
            what = f"The file system is full: {size} bytes are needed, {free} are free."
            problems.append(Problem(folder, what, "no-space", "Make room and run again."))
    return problems


def _folder_refuses(folder: str) -> str:
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is on a file system that is mounted read-only."
    if _flags(folder) & _IMMUTABLE_OR_APPEND_ONLY:
        return f"{folder} is marked immutable or append-only (chattr)."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is not writable for the user who runs the task."
    return ""


def _file_refuses(step: Step, folder: str) -> str:
    if step.seen.kind != FILE or step.seen.meta is None:
        return ""
    if _flags(step.real) & _IMMUTABLE_OR_APPEND_ONLY:
        return "This file is marked immutable or append-only (chattr)."
    if step.real in _mount_points():
        return "This file is a mount point (bind-mounted, as into a container), so it cannot be replaced."
    status = os.stat(folder)
    if status.st_mode & stat.S_ISVTX and os.geteuid() not in (0, status.st_uid, step.seen.meta.uid):
        return f"This file is another user's in the sticky folder {folder}."
    return ""


def _not_permitted(step: Step) -> list[Problem]:
    """Only root may give files away."""
    user, meta = os.geteuid(), step.meta
    if meta is None or user == 0:
        return []
    if meta.uid != user:
        what = f"Only root can let this file belong to user {meta.uid}."
        return [Problem(step.path, what, "not-permitted", "Use become, or leave the owner out.")]
    if meta.gid not in (os.getegid(), *os.getgroups()):
        what = f"Only root can let this file belong to group {meta.gid}, which the user of the task is not in."
        return [Problem(step.path, what, "not-permitted", "Use become, or leave the group out.")]
    return []


def _flags(path: str) -> int:
    flags = array.array("l", [0])
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK) if os.access(path, os.R_OK) else -1
    if fd < 0:
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
