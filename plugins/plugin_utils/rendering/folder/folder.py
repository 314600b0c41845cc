# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder on the controller that is rendered to: the caller's own files, 0600 below folders of 0700.

Every name below the folder is opened relative to its parent and never through a link, so that a link in the folder leads nowhere. All
new files are complete beside the old ones before the first of them is replaced.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import time
import typing as t

from ....module_utils._shared.problem import from_os_error
from ...problems import Problem, ProblemsError

FILE_MODE, FOLDER_MODE = 0o600, 0o700
MOST_BYTES = 8 * 1024 * 1024
LOCK_SECONDS = 60.0
_TEMP = (".smarthost-", ".new")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
NOTHING = "Nothing was written."


class Content(t.NamedTuple):
    """What a file in the folder holds, and its permissions."""

    data: bytes
    mode: int


class RenderFolder:
    """The folder at a path, which need not exist yet. A context manager: between its ends no other render works there."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._root = -1
        self._umask = 0o077
        self._made: list[str] = []

    def __enter__(self) -> RenderFolder:
        with self._told(), contextlib.suppress(FileNotFoundError):
            self._root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._lock()
        self._umask = os.umask(0o077)  # whatever the caller's is, a folder that was just made can be entered
        return self

    def __exit__(self, *_error: object) -> None:
        os.umask(self._umask)
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def at(self, name: str) -> str:
        """A name below the folder as a path, for messages."""
        return f"{self.path}/{name}"

    def read(self, name: str) -> Content | None:
        """What stands there; None where nothing does. Raises ProblemsError for a link, or what is no file."""
        if self._root < 0:
            return None
        with self._told(name), contextlib.ExitStack() as opened:
            try:
                parent = self._parent(name, opened)
                base = _base(name)
                self._refuse_other(os.stat(base, dir_fd=parent, follow_symlinks=False), name)
                fd = os.open(base, _READ, dir_fd=parent)
            except FileNotFoundError:
                return None
            with open(fd, "rb") as file:
                found = os.fstat(fd)
                self._refuse_other(found, name)
                return Content(file.read(MOST_BYTES + 1), stat.S_IMODE(found.st_mode))

    def make(self) -> None:
        """Make the folder where it is missing. Raises ProblemsError, also when another run has made it in the meantime."""
        if self._root >= 0:
            return
        with self._told():
            _make_above(self.path, self._made)
            try:
                os.mkdir(self.path, FOLDER_MODE)
            except FileExistsError:
                raise ProblemsError([self._locked()]) from None
            self._made.append(self.path)
            self._root = os.open(self.path, _FOLDER)
            os.fchmod(self._root, FOLDER_MODE)
        self._lock()

    def unmake(self, names: t.Iterable[str]) -> None:
        """Remove the folders that were made below this one, and this one with those above it where ``make`` made them."""
        self.remove_folders(names)
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                os.rmdir(path)

    def make_folders(self, names: t.Iterable[str], made: list[str]) -> None:
        """Make what is missing on the way to each file, and note in ``made`` what that is."""
        for name in names:
            with self._told(name), contextlib.ExitStack() as opened:
                self._parent(name, opened, made)

    def prepare(self, contents: t.Mapping[str, bytes]) -> None:
        """Write every new file beside the old one. When one cannot be written, none is left."""
        try:
            for name, data in contents.items():
                self._write_beside(name, data)
        except ProblemsError:
            for name in contents:
                with contextlib.suppress(ProblemsError):
                    self.remove(_temp(name))
            raise

    def replace(self, names: t.Iterable[str]) -> None:
        """Let what was prepared take its places, in this order."""
        for name in names:
            with self._told(
                name, "Some files are new, others are not: render again."
            ), contextlib.ExitStack() as opened:
                parent = self._parent(name, opened)
                os.rename(_base(_temp(name)), _base(name), src_dir_fd=parent, dst_dir_fd=parent)
                _sync(parent)

    def remove(self, name: str) -> None:
        """Remove a file; fine when it is gone."""
        with self._told(name), contextlib.ExitStack() as opened, contextlib.suppress(FileNotFoundError):
            os.unlink(_base(name), dir_fd=self._parent(name, opened))

    def remove_folders(self, names: t.Iterable[str]) -> None:
        """Remove those that are empty, the deepest first."""
        for name in sorted(names, key=lambda one: one.count("/"), reverse=True):
            with contextlib.suppress(OSError, ProblemsError), contextlib.ExitStack() as opened:
                os.rmdir(_base(name), dir_fd=self._parent(name, opened))

    def sweep(self, names: t.Iterable[str]) -> None:
        """Remove what a killed render left beside these files."""
        for folder in sorted({name.rpartition("/")[0] for name in names}):
            with contextlib.ExitStack() as opened, contextlib.suppress(OSError, ProblemsError):
                parent = self._parent(f"{folder}/x".lstrip("/"), opened)
                for found in os.listdir(parent):
                    if found.startswith(_TEMP[0]) and found.endswith(_TEMP[1]):
                        os.unlink(found, dir_fd=parent)

    def _write_beside(self, name: str, data: bytes) -> None:
        with self._told(name), contextlib.ExitStack() as opened:
            parent = self._parent(name, opened)
            with contextlib.suppress(FileNotFoundError):
                os.stat(_base(name), dir_fd=parent, follow_symlinks=False)  # a name that cannot be is known now
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_base(_temp(name)), dir_fd=parent)
            fd = os.open(_base(_temp(name)), _CREATE, FILE_MODE, dir_fd=parent)
            with open(fd, "wb") as file:
                os.fchmod(fd, FILE_MODE)  # whatever the umask
                file.write(data)
                file.flush()
                os.fsync(fd)

    def _parent(self, name: str, opened: contextlib.ExitStack, made: list[str] | None = None) -> int:
        """A descriptor of the folder that a name stands in. ``made``: folders that are missing are made, and noted in it."""
        parent = self._root
        parts = name.split("/")[:-1]
        for number, part in enumerate(parts):
            above = "/".join(parts[: number + 1])
            try:
                child = os.open(part, _FOLDER, dir_fd=parent)
            except FileNotFoundError:
                if made is None:
                    raise
                os.mkdir(part, FOLDER_MODE, dir_fd=parent)
                made.append(above)
                child = os.open(part, _FOLDER, dir_fd=parent)
                os.fchmod(child, FOLDER_MODE)
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                if stat.S_ISLNK(os.stat(part, dir_fd=parent, follow_symlinks=False).st_mode):
                    raise ProblemsError([self._link(above)]) from None
                raise ProblemsError(
                    [Problem(self.at(above), "A file stands where a folder is to be.", "parent-not-folder", _MOVE)]
                ) from None
            opened.callback(os.close, child)
            parent = child
        return parent

    def _refuse_other(self, found: os.stat_result, name: str) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise ProblemsError([self._link(name)])
        if stat.S_ISDIR(found.st_mode):
            raise ProblemsError(
                [Problem(self.at(name), "A folder stands where the file is to be.", "target-is-folder", _MOVE)]
            )
        if not stat.S_ISREG(found.st_mode):
            raise ProblemsError([Problem(self.at(name), "A socket, pipe or device stands here.", "not-a-file", _MOVE)])
        if found.st_size > MOST_BYTES:
            raise ProblemsError(
                [Problem(self.at(name), f"This file has more than {MOST_BYTES} bytes.", "not-a-file", _MOVE)]
            )

    def _link(self, name: str) -> Problem:
        return Problem(
            self.at(name),
            "This is a symbolic link; below dest none is followed.",
            "dest-link",
            "Remove it, or render to another folder.",
        )

    def _lock(self) -> None:
        """Only one render at a time; the lock is the folder itself, so nothing lies about."""
        if self._root < 0:
            return
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ProblemsError([self._locked()]) from None
                time.sleep(0.05)
            except OSError:
                return  # a file system without locks
            else:
                return

    def _locked(self) -> Problem:
        return Problem(
            self.path,
            "Another run renders to this folder.",
            "locked",
            "Give each host a folder: dest: ./out/{{ inventory_hostname }}.",
        )

    @contextlib.contextmanager
    def _told(self, name: str = "", after: str = NOTHING) -> t.Iterator[None]:
        """A failed system call as a problem that names the path."""
        try:
            yield
        except OSError as error:
            error.filename = error.filename2 = None
            raise ProblemsError([from_os_error(error, self.at(name) if name else self.path, after)]) from None


_MOVE = "Move it away, or render to another folder."


def _make_above(path: str, made: list[str]) -> None:
    """Make the folders on the way to a path, for nobody else's eyes: they hold the names of hosts."""
    above = os.path.dirname(path)
    if not os.path.lexists(above):
        _make_above(above, made)
        with contextlib.suppress(FileExistsError):
            os.mkdir(above, FOLDER_MODE)
            os.chmod(above, FOLDER_MODE)
            made.append(above)


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _temp(name: str) -> str:
    """Where a file is written before it takes its place; short, whatever the name."""
    above, slash, base = name.rpartition("/")
    return (
        f"{above}{slash}{_TEMP[0]}{hashlib.sha256(base.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}{_TEMP[1]}"
    )


def _sync(folder: int) -> None:
    with contextlib.suppress(OSError):  # a file system that cannot sync a folder
        os.fsync(folder)
