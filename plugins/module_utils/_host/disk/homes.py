# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Homes: the folders that the files of one set live in, held open until the set is in place. Everything is done relative to them.

A run that settles what another has left opens them again without following any link, and has nothing to do with a folder that is
not the one that the other run worked in: what its owner moved away is the owner's.
"""

from __future__ import annotations

import errno
import os
import typing as t

from ..._shared import paths
from ..._shared.paths import OpenFolder
from ..._shared.problem import Problem, ProblemsError
from . import durable
from .snapshot import Meta, Seen, stamp_of

Identities = t.Mapping[str, t.Tuple[int, ...]]


class Homes:
    """expected: by path the identity of each folder, as the journal keeps it; None in the run that made the set.

    lost: the paths of folders that are not what was expected.
    """

    def __init__(self, expected: t.Optional[Identities] = None) -> None:
        self._open: dict[str, t.Optional[OpenFolder]] = {}
        self._expected = expected
        self.lost: set[str] = set()

    def hold(self, folder: OpenFolder) -> None:
        """Work in a folder that was opened when its files were looked at."""
        other = self._open.setdefault(folder.path, folder)
        if other is None or other.identity != folder.identity:
            raise ProblemsError([changed(folder.path, "folder")])

    def identities(self) -> Identities:
        """For the journal."""
        return {path: folder.identity for path, folder in self._open.items() if folder is not None}

    def folder(self, path: str) -> t.Optional[OpenFolder]:
        """The folder at a path that has no links in it; None where there is none, or another one."""
        if path not in self._open:
            self._open[path] = self._find(path)
        return self._open[path]

    def make(self, path: str, mode: int) -> None:
        """A folder that has its owner and mode from the beginning; fine when it is held already."""
        if self.folder(path) is not None or self._above(path) is None:
            return
        above, name = t.cast(OpenFolder, self._above(path)), os.path.basename(path)
        before = os.umask(0)
        try:
            os.mkdir(name, mode, dir_fd=above.fd)
        except FileExistsError:
            raise ProblemsError([changed(path, "folder")]) from None
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
        finally:
            os.umask(before)
        self._open[path] = self._just_made(path, above)

    def drop(self, path: str) -> None:
        """Remove a folder that nobody else uses by now."""
        above = self._above(path)
        if above is not None and path not in self.lost:
            durable.remove_folder_if_empty(os.path.basename(path), above.fd)
            self._open.pop(path, None)

    def exists(self, path: str) -> bool:
        """Whether anything stands there."""
        return self.stamp(path) is not None

    def stamp(self, path: str) -> t.Optional[t.Tuple[int, ...]]:
        """What differs as soon as somebody else has been at the file; None where nothing stands. Without the device, as identity."""
        above = self._above(path)
        if above is None:
            return None
        try:
            return stamp_of(os.stat(os.path.basename(path), dir_fd=above.fd, follow_symlinks=False))[1:]
        except FileNotFoundError:
            return None

    def is_still(self, seen: Seen) -> bool:
        """Whether nobody has touched the path since it was looked at."""
        return self.stamp(seen.real) == seen_stamp(seen)

    def write(self, path: str, data: bytes, meta: t.Optional[Meta]) -> None:
        """A new file, as ``durable.write_new``."""
        above = self._above(path)
        if above is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        durable.write_new(path, data, meta, above.fd)

    def remove(self, path: str) -> None:
        """Fine when it is gone."""
        above = self._above(path)
        if above is not None:
            durable.remove_file(os.path.basename(path), above.fd)

    def rename(self, source: str, target: str) -> None:
        """Within one folder."""
        above = t.cast(OpenFolder, self._above(source))
        try:
            os.rename(os.path.basename(source), os.path.basename(target), src_dir_fd=above.fd, dst_dir_fd=above.fd)
        except OSError as error:
            raise OSError(error.errno, error.strerror, source, None, target) from None

    def sync(self) -> None:
        """All names in all folders are on disk."""
        for path, folder in sorted(self._open.items()):
            if folder is not None:
                durable.sync_folder(path, folder.fd)

    def _above(self, path: str) -> t.Optional[OpenFolder]:
        return self.folder(os.path.dirname(path))

    def _find(self, path: str) -> t.Optional[OpenFolder]:
        try:
            place = paths.walk(path, follow=False)
        except (paths.UnsafePathError, PermissionError):
            self.lost.add(path)
            return None
        if place.names:
            if place.blocked or place.found is not None:
                self.lost.add(path)
            return None
        if self._expected is not None and place.folder.exposed and not self._is_expected(path, place.folder):
            self.lost.add(path)
            return None
        return place.folder

    def _is_expected(self, path: str, folder: OpenFolder) -> bool:
        """One that the killed run was still to make, or that was made again by settling it, is not known, but ours."""
        expected = (self._expected or {}).get(path)
        return paths.trusted(folder.uid) if expected is None else folder.identity == expected

    @staticmethod
    def _just_made(path: str, above: OpenFolder) -> OpenFolder:
        """Open it. In a folder of somebody else it may have been exchanged meanwhile: an empty one of our own is as good as ours."""
        folder = paths.enter(above, os.path.basename(path))
        if folder is None or not paths.trusted(folder.uid) or _listed(folder):
            raise ProblemsError([changed(path, "folder")])
        return folder


def seen_stamp(seen: Seen) -> t.Optional[t.Tuple[int, ...]]:
    """As ``Homes.stamp`` gives it."""
    return None if seen.stamp is None else seen.stamp[1:]


def changed(path: str, kind: str = "file") -> Problem:
    """Somebody else was at work there."""
    what = f"Somebody else has changed this {kind} during the run."
    return Problem(path, what, "file-changed", "Run the same task again; it reads what is there then.")


def _listed(folder: OpenFolder) -> list[str]:
    fd = folder.for_reading()
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)
