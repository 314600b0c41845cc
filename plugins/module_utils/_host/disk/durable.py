# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durable: the few ways in which anything is ever written, each on disk before it returns."""

from __future__ import annotations

import errno
import json
import os
import typing as t

from .snapshot import PERMISSIONS, Meta, write_xattrs

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_new(path: str, data: bytes, meta: t.Optional[Meta] = None, folder: t.Optional[int] = None) -> None:
    """A new file, 0600 from its first instant, then dressed as ``meta`` says; synced. FileExistsError when it exists.

    folder: descriptor of the folder that it is made in; without one, the path leads there.
    """
    try:
        fd = os.open(path if folder is None else os.path.basename(path), _CREATE, 0o600, dir_fd=folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    with open(fd, "wb") as file:
        try:
            file.write(data)
            file.flush()
            _dress(fd, meta)
            os.fsync(fd)
        except OSError as error:  # calls on a descriptor do not name the file
            raise OSError(error.errno, error.strerror, path) from None


def _dress(fd: int, meta: t.Optional[Meta]) -> None:
    if meta is None:
        os.fchmod(fd, 0o600)
        return
    status = os.fstat(fd)
    if (status.st_uid, status.st_gid) != (meta.uid, meta.gid):
        os.fchown(fd, meta.uid, meta.gid)
    write_xattrs(fd, meta.xattrs)
    os.fchmod(fd, meta.mode & PERMISSIONS)  # last: writing an ACL changes the group bits


def sync_folder(path: str, folder: t.Optional[int] = None) -> None:
    """Names in the folder are on disk. File systems that cannot sync a folder (EINVAL) are left alone. folder: its descriptor."""
    fd = os.open(path if folder is None else ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(fd)


def sync_folders(paths: t.Iterable[str]) -> None:
    """Each folder once; those that are gone have nothing to sync."""
    for path in sorted(set(paths)):
        if os.path.isdir(path):
            sync_folder(path)


def make_folder(path: str, mode: int) -> None:
    """One folder of our own state with exactly this mode whatever the umask; fine when it is there."""
    before = os.umask(0)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    finally:
        os.umask(before)


def remove_file(path: str, folder: t.Optional[int] = None) -> None:
    """Fine when it is gone. folder: descriptor of the folder that the name is in."""
    try:
        os.unlink(path, dir_fd=folder)
    except FileNotFoundError:
        pass


def remove_folder_if_empty(path: str, folder: t.Optional[int] = None) -> None:
    """A folder that somebody else uses by now stays."""
    try:
        os.rmdir(path, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EBUSY):
            raise


def write_json(path: str, data: t.Any) -> None:
    """Replace a JSON file (0600) in one step: after a kill it holds the old or the new text."""
    temp = path + ".new"
    remove_file(temp)
    try:
        write_new(temp, to_json(data))
        os.rename(temp, path)
    except OSError:
        remove_file(temp)
        raise
    sync_folder(os.path.dirname(path))


def to_json(data: t.Any) -> bytes:
    """As ``write_json`` spells it."""
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode("ascii")
