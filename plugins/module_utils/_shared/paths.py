# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths: from a path to an open folder and a name in it, step by step, so that nobody can exchange anything on the way unnoticed.

Each component is opened relative to its parent without following links; what is done later is done relative to the folder that is
held open. Literal components are the word of who wrote the path. A symbolic link is the word of its owner, and is followed only where
that gives its owner nothing (as systemd's CHASE_SAFE judges, see chase(8) of systemd's sources):

- a link in a folder of an unprivileged user must be that user's own; nor may the way to it have led out of such a user's folder into
  one of somebody else, as the user can exchange what lies in the folder;
- a link of root, or of the user who runs us, counts as if the path had been written out;
- a link of anybody else must end in a folder and at a file of its owner.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import typing as t
import weakref

from .light import NamedTuple
from .problem import Problem, ProblemsError

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: With O_PATH (Linux) a folder needs no right to be listed; elsewhere it does.
_STEP = _DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK)
_MOST_LINKS = 40
_TRIES = 20
_MOST_KNOWN = 100
_MOST_OPEN = 65536
_NOT_A_FOLDER = (errno.ENOTDIR, errno.ELOOP, errno.EMLINK)  # EMLINK: FreeBSD, for a link
_ACL = "system.posix_acl_access"


class UnsafePathError(ProblemsError):
    """A path that would let another user of the host gain something: one problem, ``unsafe-path``."""

    def __init__(self, path: str, what: str, hint: str) -> None:
        self.problem = Problem(path, what, "unsafe-path", hint)
        super().__init__([self.problem])


def trusted(uid: int) -> bool:
    """Root may do everything anyway, and who runs us may do what we do."""
    return uid == 0 or uid == os.geteuid()


class OpenFolder:
    """An open folder, closed when nobody holds it any more.

    path: without links. exposed: somebody else can exchange it, or a folder above it.
    """

    __slots__ = ("path", "fd", "status", "exposed", "__weakref__")

    def __init__(self, path: str, fd: int, above: t.Optional[OpenFolder]) -> None:
        self.path, self.fd = path, fd
        self.status = os.fstat(fd)
        self.exposed: bool = above is not None and (above.exposed or above.can_exchange(self.status.st_uid))

    def __del__(self) -> None:
        os.close(self.fd)

    @property
    def uid(self) -> int:
        """Its owner."""
        return self.status.st_uid

    @property
    def identity(self) -> t.Tuple[int, ...]:
        """What another folder at the same path differs in. Without the device, whose number may change when the host starts again."""
        return (self.status.st_ino, self.status.st_uid)

    @property
    def open_to_others(self) -> bool:
        """Whether somebody whom we do not trust can make or remove names in it."""
        mode = self.status.st_mode
        if not trusted(self.uid) or mode & stat.S_IWOTH:
            return True
        return bool(mode & stat.S_IWGRP) and (self.status.st_gid not in (0, os.getegid()) or self._has_access_list())

    def can_exchange(self, owner: int) -> bool:
        """Whether somebody whom we do not trust can rename what this user owns in it."""
        sticky = self.status.st_mode & stat.S_ISVTX and trusted(self.uid)
        return self.open_to_others and not (sticky and trusted(owner))

    def for_reading(self) -> int:
        """A second descriptor, for what O_PATH does not allow: fsync, a list, attributes. Its caller closes it."""
        return os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=self.fd)

    def _has_access_list(self) -> bool:
        """With one, the group's bits are those of everybody named in it (acl(5)). What cannot be known counts as one."""
        if not hasattr(os, "getxattr"):
            return False
        try:
            fd = self.for_reading()
        except OSError:
            return True
        try:
            os.getxattr(fd, _ACL)
        except OSError as error:
            return error.errno not in (errno.ENODATA, errno.ENOTSUP)
        finally:
            os.close(fd)
        return True


#: Of folders that are open already, so that a set of many files in one folder holds it open once.
_OPEN: t.MutableMapping[str, OpenFolder] = weakref.WeakValueDictionary()


def _shared(folder: OpenFolder) -> OpenFolder:
    other = _OPEN.get(folder.path)
    if other is not None and other.exposed == folder.exposed and os.path.samestat(other.status, folder.status):
        return other
    _OPEN[folder.path] = folder
    return folder


class Place(NamedTuple):
    """Where a path leads: an open folder, and the names below it.

    path: as it was written. names: the file's own name last, before it the folders that are missing; empty when the path is a folder.
    found: what stands at the one name, if anything. dangling: a link leads to nothing. blocked: the first of several names is no folder.
    bound: the user whose link was followed, and who must own what stands there.
    """

    path: str
    folder: OpenFolder
    names: t.Tuple[str, ...]
    found: t.Optional[os.stat_result] = None
    dangling: bool = False
    blocked: bool = False
    bound: t.Optional[int] = None

    @property
    def real(self) -> str:
        """The whole path, without links."""
        return os.path.join(self.folder.path, *self.names)

    @property
    def missing(self) -> t.Tuple[str, ...]:
        """The folders that would have to be made, outermost first."""
        above = self.folder.path
        made = []
        for name in self.names[:-1]:
            above = os.path.join(above, name)
            made.append(above)
        return tuple(made)

    @property
    def exposed(self) -> bool:
        """Whether somebody whom we do not trust can put another file at this path."""
        return self.folder.exposed or self.folder.open_to_others


def enter(here: OpenFolder, name: str) -> t.Optional[OpenFolder]:
    """The folder of this name in another; None where there is none, or a link."""
    path = os.path.join(here.path, name)
    try:
        fd = os.open(name, _STEP, dir_fd=here.fd)
    except OSError as error:
        if error.errno == errno.ENOENT or error.errno in _NOT_A_FOLDER:
            return None
        raise OSError(error.errno, error.strerror, path) from None
    return _shared(OpenFolder(path, fd, here))


class _Link(NamedTuple):
    text: str
    uid: int


class _Name(NamedTuple):
    """A component still to walk, and whether it was read from a link."""

    name: str
    of_link: bool


def walk(path: str, follow: bool = True, known: t.Optional[t.Dict[str, OpenFolder]] = None) -> Place:
    """Where an absolute path leads. UnsafePathError where following a link would not be safe (or, without ``follow``, at any link).

    known: folders that were walked through before and are not opened again; those of this walk are added.
    PermissionError where a folder may not be entered, OSError (ELOOP) for a circle of links.
    """
    return _Walk(path, follow, {} if known is None else known).done()


class _Walk:
    """One walk. stack: the open folders from the root to where we are, for ``..``."""

    def __init__(self, path: str, follow: bool, known: t.Dict[str, OpenFolder]) -> None:
        self.path, self.follow, self.known = path, follow, known
        if "/" not in known:
            known["/"] = _root()
        self.stack = [known["/"]]
        self.todo = _names(path, False)
        self.links = 0
        self.bound: t.Optional[int] = None
        self.left: t.Optional[OpenFolder] = None  # the folder of an unprivileged user that was left for somebody else's

    def done(self) -> Place:
        while self.todo:
            step = self.todo.pop()
            if step.name == "..":
                del self.stack[max(1, len(self.stack) - 1) :]
                continue
            place = self._step(step)
            if place is not None:
                return self._judged(place)
        return self._judged(Place(self.path, self.stack[-1], (), bound=self.bound))

    def _step(self, step: _Name) -> t.Optional[Place]:
        """Into a folder or along a link; a Place when the way ends here."""
        here, last = self.stack[-1], not self.todo
        for _try in range(_TRIES):
            found = _lstat(here, step.name) if last else None
            if found is None or stat.S_ISDIR(found.st_mode):
                if self._enter(here, step.name):
                    return None
                found = _lstat(here, step.name)
            if found is None:
                return self._missing(here, step)
            if not stat.S_ISLNK(found.st_mode):
                if stat.S_ISDIR(found.st_mode):
                    continue  # it was none a moment ago
                return Place(
                    self.path,
                    here,
                    (step.name, *self._rest()),
                    None if self.todo else found,
                    blocked=bool(self.todo),
                    bound=self.bound,
                )
            link = _read_link(here, step.name)
            if link is not None:
                self._along(here, step.name, link)
                return None
        what = f"{os.path.join(here.path, step.name)}, in a folder of {who(here.uid)}, is exchanged all the time."
        raise UnsafePathError(self.path, what, "Find out which process does that, end it, and run again.")

    def _enter(self, here: OpenFolder, name: str) -> bool:
        path = os.path.join(here.path, name)
        folder = self.known.get(path) or enter(here, name)
        if folder is None:
            return False
        if len(self.known) < _MOST_KNOWN:
            self.known[path] = folder
        if not trusted(here.uid) and folder.uid != here.uid:
            self.left = self.left or here
        self.stack.append(folder)
        return True

    def _missing(self, here: OpenFolder, step: _Name) -> Place:
        rest = self._rest()
        if ".." in rest:
            what = f"{os.path.join(here.path, step.name)} does not exist, and .. leads out of it."
            raise UnsafePathError(self.path, what, f"Give the path without ..: {os.path.normpath(self.path)}.")
        return Place(self.path, here, (step.name, *rest), dangling=step.of_link, bound=self.bound)

    def _along(self, here: OpenFolder, name: str, link: _Link) -> None:
        self.links += 1
        if self.links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.path)
        at = os.path.join(here.path, name)
        if not self.follow:
            raise UnsafePathError(
                self.path,
                f"{at} is a symbolic link of {who(link.uid)}.",
                "Put back the folder that was there, and run again.",
            )
        if self.left is not None:
            self._refuse(
                f"{at} is a symbolic link of {who(link.uid)}, below {self.left.path}, whose owner {who(self.left.uid)} can exchange the way to it."
            )
        if not trusted(here.uid) and link.uid != here.uid:
            self._refuse(
                f"{at} is a symbolic link of {who(link.uid)} in a folder of {who(here.uid)}, who can exchange it."
            )
        if not trusted(link.uid):
            if self.bound is not None and self.bound != link.uid:
                self._refuse(
                    f"{at} is a symbolic link of {who(link.uid)}, and a link of {who(self.bound)} leads to it."
                )
            self.bound = link.uid
        self.todo += _names(link.text, True)
        if link.text.startswith("/"):
            del self.stack[1:]

    def _judged(self, place: Place) -> Place:
        """A user's link may lead to that user's own only."""
        if self.bound is None:
            return place
        if place.folder.uid != self.bound:
            self._refuse(
                f"A symbolic link of {who(self.bound)} leads into {place.folder.path}, which belongs to {who(place.folder.uid)}."
            )
        if place.found is not None and place.found.st_uid != self.bound:
            self._refuse(
                f"A symbolic link of {who(self.bound)} leads to {place.real}, which belongs to {who(place.found.st_uid)}."
            )
        return place

    def _refuse(self, what: str) -> t.NoReturn:
        raise UnsafePathError(
            self.path, what, f"If that is the file that is meant, give the resolved path: {_resolved(self.path)}."
        )

    def _rest(self) -> t.Tuple[str, ...]:
        return tuple(step.name for step in reversed(self.todo))


def private_folder(path: str) -> t.Optional[Problem]:
    """Why a folder for our own notes, which may have to be made, is not safe from others; None when it is."""
    try:
        place = walk(path)
    except UnsafePathError as error:
        return error.problem
    folder = place.folder
    if not folder.exposed and not (folder.can_exchange(os.geteuid()) if place.names else folder.open_to_others):
        return None
    what = f"{folder.path}, which belongs to {who(folder.uid)}, or a folder above it can be written by others, who could exchange what we keep."
    return Problem(path, what, "unsafe-path", "Name a folder that only root, or the user of the task, can write.")


def hold_many() -> None:
    """As many folders may be held open as the system lets us; by default some hundred."""
    import resource  # few runs have so many

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def who(uid: int) -> str:
    """A user as a message names it."""
    try:
        return f'user "{pwd.getpwuid(uid).pw_name}"'
    except (KeyError, OverflowError):
        return f"user {uid}"


def _resolved(path: str) -> str:
    """For people to judge, and for nothing else."""
    try:
        return os.path.realpath(path)
    except OSError:  # exchanged between two of its steps
        return path


def _root() -> OpenFolder:
    return OpenFolder("/", os.open("/", _STEP), None)


def _names(path: str, of_link: bool) -> t.List[_Name]:
    """The components of a path, the next one last."""
    return [_Name(name, of_link) for name in reversed(path.split("/")) if name not in ("", ".")]


def _lstat(folder: OpenFolder, name: str) -> t.Optional[os.stat_result]:
    try:
        return os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.path.join(folder.path, name)) from None


def _read_link(folder: OpenFolder, name: str) -> t.Optional[_Link]:
    """What a link says, and who says it, both of the same link. None when it is none any more."""
    try:
        if not hasattr(os, "O_PATH"):
            before = _lstat(folder, name)
            text = os.readlink(name, dir_fd=folder.fd)
            after = _lstat(folder, name)
            same = before and after and (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)
            return _Link(text, after.st_uid) if same and after else None
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINVAL):
            return None
        raise
    try:
        return _Link(os.readlink("", dir_fd=fd), os.fstat(fd).st_uid)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINVAL):  # no link: readlinkat(2)
            return None
        raise
    finally:
        os.close(fd)
