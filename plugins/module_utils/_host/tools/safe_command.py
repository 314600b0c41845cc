# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Safe commands: which program a word means, and as which user root may start it.

Root starts a program as root only where root owns it and every folder on the way to it, links included, and nobody else can write
any of them: else whoever can would be root with our next run. A program that somebody else owns is started as that user, who gains
nothing by it; one that anybody can replace is not started at all. Programs are looked for in a fixed PATH, after those folders of the
task's own PATH of which all this is true. Whoever is not root starts what they would start anyway.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import typing as t

from . import bounded_run

#: Where root looks for programs, whatever its environment says.
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/snap/bin")
#: A program of these runs what its arguments name: that file is looked at as well.
INTERPRETERS = (
    "ash",
    "bash",
    "bun",
    "dash",
    "deno",
    "java",
    "ksh",
    "lua",
    "node",
    "nodejs",
    "perl",
    "php",
    "python",
    "ruby",
    "sh",
    "tclsh",
    "zsh",
)
_MOST_LINKS = 40
_NOBODY = 65534
_LONGEST_LINE = 256


class UnsafeCommandError(Exception):
    """This program is not started; the text says why, as the end of a sentence."""

    HINT = (
        "Give it and every folder it is in to root, and take the right to write from others; or name another program."
    )


class Start(t.NamedTuple):
    """How a program is started. uid: as which user, None where it stays the user of this process. why: for another user, the reason."""

    words: t.Tuple[str, ...]
    uid: t.Optional[int] = None
    why: str = ""

    @property
    def preexec(self) -> t.Optional[t.Callable[[], None]]:
        """For ``subprocess``: become that user in the child, with all of its groups and none of ours."""
        return None if self.uid is None else _become(self.uid)

    @property
    def as_whom(self) -> str:
        """For whoever reads that it failed: as which other user it ran; a sentence after a space, or nothing."""
        return f" It ran as {_name(self.uid)}, as {self.why}." if self.uid is not None else ""

    @property
    def popen(self) -> t.Dict[str, t.Any]:
        """What ``subprocess.Popen`` is told beside the words."""
        return {"env": self.environment, "preexec_fn": self.preexec}

    @property
    def environment(self) -> t.Dict[str, str]:
        """That of this process with a PATH of root's alone; for another user a clean one."""
        if os.geteuid() != 0:
            return dict(os.environ)
        if self.uid is None:
            return {**os.environ, "PATH": os.pathsep.join(_folders())}
        return {"PATH": os.pathsep.join(PATH), "HOME": _home(self.uid), "LC_ALL": "C.UTF-8"}


def find(name: str) -> t.Optional[str]:
    """The program of that name (for root in folders of root's, for other users in their PATH), or None. A name with a slash is a path."""
    if "/" in name:
        return name if os.path.isabs(name) and _is_program(name) else None
    return next((path for path in (os.path.join(folder, name) for folder in _folders()) if _is_program(path)), None)


def start(words: t.Sequence[str], folder: t.Optional[str] = None) -> t.Optional[Start]:
    """How root may start this; None where there is no such program. folder: where it runs. Raises UnsafeCommandError.

    The first of program, interpreted file and folder that is not root's decides whose rights it has.
    """
    program = find(words[0])
    if program is None:
        return None
    # The first word stays as it is written: a program may look at the name it is called by.
    given = (program, *words[1:])
    if os.geteuid() != 0:
        return Start(given)
    for path in [program, *_interpreted(program, words[1:]), *([folder] if folder else [])]:
        uid, why = weakest(path)
        if uid != 0:
            return Start(given, uid, why)
    return Start(given)


def run(
    words: t.Sequence[str], timeout: float, most: int, folder: t.Optional[str] = None, any_status: bool = False
) -> t.Tuple[t.Optional[bytes], str]:
    """What a program prints, at most so many bytes; or None and the reason, as a sentence without its end. Never raises for what it does."""
    try:
        begun = start(words, folder)
    except UnsafeCommandError as error:
        return None, f"{words[0]} is not started: {error}"
    if begun is None:
        return None, f"there is no program {words[0]}"
    try:
        done = bounded_run.run(begun.words, timeout, most, cwd=folder or "/", stderr=subprocess.DEVNULL, **begun.popen)
    except subprocess.TimeoutExpired:
        return None, f"{words[0]} did not end within {timeout:g} seconds"
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"{words[0]} could not be started ({type(error).__name__})"
    if done.status != 0 and not any_status:
        return None, f"{words[0]} ended with status {done.status}"
    return (None, f"{words[0]} printed more than {most} bytes") if done.cut else (done.output, "")


def _folders() -> t.Tuple[str, ...]:
    """Where programs are looked for."""
    own = tuple(folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder)
    return own if os.geteuid() != 0 else tuple(dict.fromkeys([*filter(_is_roots, own), *PATH]))


def _is_roots(folder: str) -> bool:
    try:
        return os.path.isabs(folder) and os.path.isdir(folder) and weakest(folder) == (0, "")
    except UnsafeCommandError:
        return False


def weakest(path: str) -> t.Tuple[int, str]:
    """The first user other than root who can change what stands at a path, and how; (0, "") where nobody can. Raises UnsafeCommandError where everybody can.

    Every component is judged, and of a link both the link and what it leads to.
    """
    place, left, links = "/", [part for part in path.split("/") if part not in ("", ".")], 0
    found = _judge(place, bool(left), True)
    while left and found == (0, ""):
        part = left.pop(0)
        if part == "..":
            place = os.path.dirname(place)
            continue
        place = os.path.join(place, part)
        try:
            target = os.readlink(place) if os.path.islink(place) else None
        except OSError:
            raise UnsafeCommandError(f"{place} cannot be read") from None
        if target is None:
            found = _judge(place, bool(left), len(left) != 1)
            continue
        found, links = _judge_link(place), links + 1
        if links > _MOST_LINKS:
            raise UnsafeCommandError(f"{place} is one link too many")
        left = [piece for piece in target.split("/") if piece not in ("", ".")] + left
        place = "/" if os.path.isabs(target) else os.path.dirname(place)
    return found


def _judge_link(place: str) -> t.Tuple[int, str]:
    """A link has no permissions of its own: its owner and its folder, which is judged already, say who can change it."""
    uid = os.lstat(place).st_uid
    return (uid, f"{place} is a link of {_name(uid)}'s") if uid else (0, "")


def _judge(place: str, is_folder: bool, sticky_is_enough: bool) -> t.Tuple[int, str]:
    """One component. In a sticky folder nobody exchanges what is root's; the program itself may not stand in one."""
    try:
        status = os.lstat(place)
    except OSError:
        raise UnsafeCommandError(f"{place} is not there") from None
    if status.st_uid != 0:
        return status.st_uid, f"{place} belongs to {_name(status.st_uid)}"
    open_to = status.st_mode & (stat.S_IWOTH | (stat.S_IWGRP if status.st_gid else 0))
    if open_to and not (is_folder and sticky_is_enough and status.st_mode & stat.S_ISVTX):
        raise UnsafeCommandError(f"others than root can write {place}")
    return 0, ""


def _interpreted(program: str, arguments: t.Sequence[str]) -> t.List[str]:
    """The other files that decide what happens: the scripts that an interpreter is given, or the interpreter that a script names."""
    if os.path.basename(os.path.realpath(program)).rstrip("0123456789.") in INTERPRETERS:
        return [word for word in arguments if os.path.isabs(word) and os.path.isfile(word)]
    with open(program, "rb") as file:
        line = os.fsdecode(file.read(_LONGEST_LINE).partition(b"\n")[0])
    named = line[2:].split() if line.startswith("#!") else []
    if named and os.path.basename(named[0]) == "env":
        named += [
            path
            for path in [find(next((word for word in named[1:] if not word.startswith("-") and "=" not in word), ""))]
            if path
        ]
    return [word for word in named if os.path.isabs(word) and os.path.exists(word)]


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _become(uid: int) -> t.Callable[[], None]:
    """Looked up before the child is made: after that it may not wait for a name service."""
    try:
        account = pwd.getpwuid(uid)
        gid, groups = account.pw_gid, os.getgrouplist(account.pw_name, account.pw_gid)
    except KeyError:
        gid, groups = _NOBODY, []

    def become() -> None:
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)

    return become


def _home(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return "/"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
