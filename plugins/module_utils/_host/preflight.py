# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examine: every wanted change against what stands there, before anything is written. Reads only.

The answer is one Step per path, or every problem there is. A Step says what a path shall become; it does not say how.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import typing as t

from .._shared.paths import trusted, who
from .._shared.problem import Problem
from .._shared.seal import fingerprint
from . import obstacles, shared_secret
from .disk.snapshot import DANGLING, FOLDER, MISSING, OTHER, UNREADABLE, Meta, Seen
from .notes.change import Change
from .step import Outcome, PathStep

_GROUP_READ, _ALL_READ = 0o040, 0o004
_HIGHEST_ID = 2**32 - 2  # the one above means "leave it" to chown(2)
_LONGEST_ID = 20
_MODE = re.compile(r"^0?[0-7]{3}$")


def examine_write(change: Change, seen: Seen) -> Outcome:
    """A whole file of ours, or the user's file with our part merged in."""
    problems = _wrong_place(seen) or _wrong_base(change, seen)
    if change.content is None:
        problems.append(Problem(change.path, "The content to write was not handed over.", "no-content"))
    if change.readers is None:
        meta = _wanted_meta(change, seen, problems)
    else:
        meta, more = shared_secret.access(change.path, change.readers, seen, _account)
        problems += more
    step = PathStep(
        seen.path, seen.real, seen, change.content, meta, make=missing_folders(seen), narrow=change.readers is not None
    )
    return problems or _gives_away(change, step) or obstacles.of(step) or step


def examine_left(change: Change, seen: Seen) -> Outcome:
    """What somebody else has made of a file stays: its bytes, and its owner, mode and access list too."""
    return _wrong_place(seen) or _wrong_base(change, seen) or PathStep(seen.path, seen.real, seen, seen.data, seen.meta)


def examine_removal(change: Change, seen: Seen, folders: t.Sequence[str], ours: bool) -> Outcome:
    """Delete a file of ours, with the folders that were made for it. Nothing to do where there is none."""
    problems = _wrong_place(seen)
    if not problems and seen.kind != MISSING and not ours:
        problems.append(not_ours(change.path))
    step = PathStep(seen.path, seen.real, seen, None, None, drop=tuple(folders))
    return problems or obstacles.of(step) or step


def examine_return(seen: Seen, data: bytes, meta: Meta) -> Outcome:
    """Exactly these bytes with exactly this owner, mode and attributes: what stood there once."""
    step = PathStep(seen.path, seen.real, seen, data, meta, make=missing_folders(seen))
    return _wrong_place(seen) or obstacles.of(step) or step


def examine_settings(seen: Seen, data: bytes, command: t.Mapping[str, t.Any]) -> Outcome:
    """These settings of an application, by its own tool; that it answers has been seen."""
    return PathStep(seen.path, seen.real, seen, data, seen.meta, command=command)


def not_ours(path: str) -> Problem:
    """We take back only what we wrote."""
    return Problem(path, "This file was never written by us, so there is nothing to take back.", "not-ours")


def missing_folders(seen: Seen) -> tuple[str, ...]:
    """Parents that have to be made first, outermost first."""
    return seen.place.missing if seen.place is not None else ()


def _wrong_place(seen: Seen) -> list[Problem]:
    if not os.path.isabs(seen.path):
        return [Problem(seen.path, "This is not an absolute path.", "not-absolute", "Begin it with a slash.")]
    if seen.unsafe is not None:
        return [seen.unsafe]
    wrong = {
        FOLDER: (
            "This is a folder; a file is to be written here.",
            "target-is-folder",
            "Name a file inside it, or move the folder away.",
        ),
        DANGLING: (
            "This is a symbolic link to nothing.",
            "dangling-link",
            "Make the file it points to, or remove the link.",
        ),
        OTHER: (
            "This is neither a file nor a link to one (a socket, a pipe or a device).",
            "not-a-file",
            "Name another path.",
        ),
        UNREADABLE: (
            "This file cannot be read by the user who runs the task.",
            "not-readable",
            "Use become, or give that user the right.",
        ),
    }
    if seen.kind in wrong:
        what, code, hint = wrong[seen.kind]
        return [Problem(seen.path, what, code, hint)]
    return []


def _wrong_base(change: Change, seen: Seen) -> list[Problem]:
    """A merge is only as good as the bytes it began with."""
    if change.shared and seen.kind == MISSING and change.based_on != "absent":
        what = "This file is shared with its application and does not exist."
        return [
            Problem(
                change.path, what, "shared-file-missing", "Install or start the application first, or correct the path."
            )
        ]
    if change.based_on is None:
        return []
    now = "absent" if seen.kind == MISSING else fingerprint(change.seal_key, seen.data)
    if now != change.based_on:
        what = "Somebody else has changed this file since it was read."
        return [Problem(change.path, what, "file-changed", "Run the same task again; it reads the file anew.")]
    return []


def _gives_away(change: Change, step: PathStep) -> list[Problem]:
    """Bytes that somebody else may have put there (a file of root's renamed, say) must not become readable for anybody new.

    And behind a user's link everything is and stays that user's.
    """
    place, before, after = step.seen.place, step.seen.meta, step.meta
    if place is None or after is None or not step.changed:
        return []
    if place.bound is not None and (after.uid != place.bound or place.missing):
        what, owner = ("a folder", os.geteuid()) if place.missing else ("the file", after.uid)
        what = f"A symbolic link of {who(place.bound)} leads here, and {what} would belong to {who(owner)}."
        return [
            Problem(
                step.path,
                what,
                "unsafe-path",
                f"If that is the file that is meant, give the resolved path: {step.real}.",
            )
        ]
    carried = change.shared or change.content == step.seen.data
    if (
        before is None
        or not place.exposed
        or not carried
        or (before.uid == place.folder.uid and not trusted(before.uid))
    ):
        return []
    if before.mode & _ALL_READ or (_can_read(after, before) and not _group_gains(before, after)):
        return []
    what = f"This file belongs to {who(before.uid)}, in a folder where others ({who(place.folder.uid)}) can put it, and would become readable for others."
    return [
        Problem(
            step.path,
            what,
            "unsafe-path",
            "If that is the file that is meant, give it the declared owner, group and mode yourself, and run again.",
        )
    ]


def _can_read(after: Meta, before: Meta) -> bool:
    """Whether the owner afterwards can read the file already."""
    try:
        name = pwd.getpwuid(after.uid)
        groups = os.getgrouplist(name.pw_name, name.pw_gid)
    except KeyError:
        groups = [after.gid]
    return after.uid in (0, before.uid) or bool(before.mode & _GROUP_READ and before.gid in groups)


def _group_gains(before: Meta, after: Meta) -> bool:
    """Whether somebody but the owner can read the file afterwards who could not before."""
    more = after.mode & ~before.mode & (_GROUP_READ | _ALL_READ)
    return bool(more or after.mode & _GROUP_READ and after.gid != before.gid or after.xattrs != before.xattrs)


def _named(change: Change, kind: str, before: int, problems: list[Problem]) -> int:
    """The id of the user or group that was asked for, else what the file has. Adds to ``problems``."""
    name, word, code = (
        (change.owner, "owner", "no-such-owner") if kind == "user" else (change.group, "group", "no-such-group")
    )
    found = before if name is None else _account(kind, name)
    if found is None:
        hint = f"Install the application first, or name another {word}."
        problems.append(Problem(change.path, f'There is no {kind} "{name}" on this host.', code, hint))
    return before if found is None else found


def _wanted_meta(change: Change, seen: Seen, problems: list[Problem]) -> Meta:
    """What was asked for wins, then what the file has, then the process's user and 0600 or 0644. Adds to ``problems``."""
    before = seen.meta or Meta(os.geteuid(), os.getegid(), 0o600 if change.secret else 0o644, {})
    uid, gid, mode = (
        _named(change, "user", before.uid, problems),
        _named(change, "group", before.gid, problems),
        before.mode,
    )
    if change.mode is not None:
        if _MODE.match(change.mode):
            mode = int(change.mode, 8)
        else:
            problems.append(
                Problem(change.path, f'"{change.mode}" is not a file mode.', "bad-mode", 'Write it as "0640".')
            )
    return Meta(uid, gid, mode & ~0o007 if change.secret else mode, before.xattrs)


def _account(kind: str, name: str) -> t.Optional[int]:
    if kind == "user":
        return _id_of(name, lambda user: pwd.getpwnam(user).pw_uid)
    return _id_of(name, lambda group: grp.getgrnam(group).gr_gid)


def _id_of(name: str, find: t.Callable[[str], int]) -> t.Optional[int]:
    """None where there is none of this name, and where no user or group can have this number."""
    if name.isascii() and name.isdigit():
        return int(name) if len(name) <= _LONGEST_ID and int(name) <= _HIGHEST_ID else None
    try:
        return find(name)
    except (KeyError, ValueError):  # ValueError: a name that the host's encoding has not
        return None
