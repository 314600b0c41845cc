# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examine: every wanted change against what stands there, before anything is written. Reads only.

The answer is one Step per path, or every problem there is. A Step says what a path shall become; it does not say how.
"""

from __future__ import annotations

import dataclasses
import grp
import os
import pwd
import re
import typing as t

from . import common, obstacles
from .change import Change
from .look import DANGLING, FILE, FOLDER, MISSING, OTHER, UNREADABLE, Meta, Seen
from .problems import Problem
from .seal import fingerprint


_MODE = re.compile(r"^0?[0-7]{3}$")


@dataclasses.dataclass(frozen=True)
class Step:
    """What one path shall become. ``data`` None: it shall not exist. ``drop``: folders to remove then, if empty.

    command: the settings are not a file's, but what this tool reads and writes (see commands).
    narrow: folders made for it let others pass, and do not list what is in them.
    """

    path: str
    real: str
    seen: Seen = dataclasses.field(repr=False)
    data: t.Optional[bytes] = dataclasses.field(repr=False)
    meta: t.Optional[Meta]
    make: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    command: t.Optional[t.Mapping[str, t.Any]] = None
    narrow: bool = False

    @property
    def changed(self) -> bool:
        """Bytes, owner, group, mode or access attributes differ from what stands there."""
        if self.data is None:
            return self.seen.kind != MISSING
        return self.seen.kind != FILE or (self.data, self.meta) != (self.seen.data, self.seen.meta)


Outcome = t.Union[Step, t.List[Problem]]


def examine_write(change: Change, seen: Seen) -> Outcome:
    """A whole file of ours, or the user's file with our part merged in."""
    problems = _wrong_place(seen) or _wrong_base(change, seen)
    if change.content is None:
        problems.append(Problem(change.path, "The content to write was not handed over.", "no-content"))
    if change.readers is None:
        meta = _wanted_meta(change, seen, problems)
    else:
        meta, more = common.access(change.path, change.readers, seen, _account)
        problems += more
    step = Step(seen.path, seen.real, seen, change.content, meta, make=missing_folders(seen.real), narrow=change.readers is not None)
    return problems or obstacles.of(step) or step


def examine_removal(change: Change, seen: Seen, folders: t.Sequence[str], ours: bool) -> Outcome:
    """Delete a file of ours, with the folders that were made for it. Nothing to do where there is none."""
    problems = _wrong_place(seen)
    if not problems and seen.kind != MISSING and not ours:
        problems.append(not_ours(change.path))
    step = Step(seen.path, seen.real, seen, None, None, drop=tuple(folders))
    return problems or obstacles.of(step) or step


def examine_return(seen: Seen, data: bytes, meta: Meta) -> Outcome:
    """Exactly these bytes with exactly this owner, mode and attributes: what stood there once."""
    step = Step(seen.path, seen.real, seen, data, meta, make=missing_folders(seen.real))
    return _wrong_place(seen) or obstacles.of(step) or step


def examine_settings(seen: Seen, data: bytes, command: t.Mapping[str, t.Any]) -> Outcome:
    """These settings of an application, by its own tool; that it answers has been seen."""
    return Step(seen.path, seen.real, seen, data, seen.meta, command=command)


def not_ours(path: str) -> Problem:
    """We take back only what we wrote."""
    return Problem(path, "This file was never written by us, so there is nothing to take back.", "not-ours")


def missing_folders(real: str) -> tuple[str, ...]:
    """Parents that have to be made first, outermost first."""
    missing: list[str] = []
    folder = os.path.dirname(real)
    while not os.path.lexists(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    return tuple(missing)


def _wrong_place(seen: Seen) -> list[Problem]:
    if not os.path.isabs(seen.path):
        return [Problem(seen.path, "This is not an absolute path.", "not-absolute", "Begin it with a slash.")]
    wrong = {
        FOLDER: ("This is a folder; a file is to be written here.", "target-is-folder", "Name a file inside it, or move the folder away."),
        DANGLING: ("This is a symbolic link to nothing.", "dangling-link", "Make the file it points to, or remove the link."),
        OTHER: ("This is neither a file nor a link to one (a socket, a pipe or a device).", "not-a-file", "Name another path."),
        UNREADABLE: ("This file cannot be read by the user who runs the task.", "not-readable", "Use become, or give that user the right."),
    }
    if seen.kind in wrong:
        what, code, hint = wrong[seen.kind]
        return [Problem(seen.path, what, code, hint)]
    return []


def _wrong_base(change: Change, seen: Seen) -> list[Problem]:
    """A merge is only as good as the bytes it began with."""
    if change.shared and seen.kind == MISSING and change.based_on != "absent":
        what = "This file is shared with its application and does not exist."
        return [Problem(change.path, what, "shared-file-missing", "Install or start the application first, or correct the path.")]
    if change.based_on is None:
        return []
    now = "absent" if seen.kind == MISSING else fingerprint(change.seal_key, seen.data)
    if now != change.based_on:
        what = "Somebody else has changed this file since it was read."
        return [Problem(change.path, what, "file-changed", "Run the same task again; it reads the file anew.")]
    return []


def _wanted_meta(change: Change, seen: Seen, problems: list[Problem]) -> Meta:
    """What was asked for wins, then what the file has, then the process's user and 0600 or 0644. Adds to ``problems``."""
    before = seen.meta or Meta(os.geteuid(), os.getegid(), 0o600 if change.secret else 0o644, {})
    uid, gid, mode = before.uid, before.gid, before.mode
    if change.owner is not None:
        uid = _account("user", change.owner)
        if uid is None:
            hint = "Install the application first, or name another owner."
            problems.append(Problem(change.path, f'There is no user "{change.owner}" on this host.', "no-such-owner", hint))
    if change.group is not None:
        gid = _account("group", change.group)
        if gid is None:
            hint = "Install the application first, or name another group."
            problems.append(Problem(change.path, f'There is no group "{change.group}" on this host.', "no-such-group", hint))
    if change.mode is not None:
        if _MODE.match(change.mode):
            mode = int(change.mode, 8)
        else:
            problems.append(Problem(change.path, f'"{change.mode}" is not a file mode.', "bad-mode", 'Write it as "0640".'))
    return Meta(uid, gid, mode & ~0o007 if change.secret else mode, before.xattrs)


def _account(kind: str, name: str) -> t.Optional[int]:
    if kind == "user":
        return _id_of(name, lambda user: pwd.getpwnam(user).pw_uid)
    return _id_of(name, lambda group: grp.getgrnam(group).gr_gid)


def _id_of(name: str, find: t.Callable[[str], int]) -> t.Optional[int]:
    try:
        return int(name) if name.isdigit() else find(name)
    except KeyError:
        return None
