# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common files: a secret that several applications read from one file. Who may read it, and when the last of them is gone.

The record's applications say by their ``files`` which common files they use, and as whom they read them (``readers``). One group, or one
user, gets the file by its owner and mode alone; several get an access list (acl(5)), so that there is one file however many read it.
"""

from __future__ import annotations

import base64
import dataclasses
import errno
import os
import struct
import typing as t

from .._shared.problem import Problem
from .disk.snapshot import Meta, Seen
from .notes.change import Change
from .notes.ownership import OwnershipRecord, RecordChange, RecordedApp, RecordedFile

ACL = "system.posix_acl_access"
# linux/posix_acl_xattr.h: a version, then tag, permissions and id of each entry, in this order.
_VERSION, _USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER, _NOBODY = (
    2,
    0x01,
    0x02,
    0x04,
    0x08,
    0x10,
    0x20,
    0xFFFFFFFF,
)
_READ, _WRITE = 4, 2


def readers(path: str, asked: t.Iterable[str], before: OwnershipRecord, noted: RecordChange) -> tuple[str, ...]:
    """Everybody who reads a common file: those of this run, and of what the host's record (before it) has and this run leaves alone."""
    gone = {*noted.apps, *noted.remove}
    others = [reader for name, app in before.apps.items() if name not in gone for reader in _used(app).get(path, ())]
    return tuple(sorted({*asked, *others}))


def with_readers(change: Change, before: OwnershipRecord, noted: RecordChange) -> Change:
    """One change, with all of a common file's readers."""
    return (
        change
        if change.readers is None
        else dataclasses.replace(change, readers=readers(change.path, change.readers, before, noted))
    )


def users(paths: t.Container[str], record: OwnershipRecord) -> set[str]:
    """The applications that must be told of a change of these common files: but for those that read them at each use."""
    return {
        name
        for name, app in record.apps.items()
        for path, file in app.common_files().items()
        if not file.live and path in paths
    }


def unused(before: OwnershipRecord, noted: RecordChange) -> list[tuple[str, RecordedFile]]:
    """The common files of the host's record that no application uses any more after this run."""
    after = {**before.apps, **noted.apps}
    used = {path for name, app in after.items() if name not in noted.remove for path in app.common_files()}
    return [(path, file) for path, file in before.files.items() if file.common and path not in used]


def access(
    path: str, names: t.Sequence[str], seen: Seen, find: t.Callable[[str, str], t.Optional[int]]
) -> tuple[Meta, list[Problem]]:
    """Owner, mode and access list with which these (``user:NAME``, ``group:NAME``) can read the file and nobody else.

    find: kind and name to an id, None where there is none.
    """
    kept = {} if seen.meta is None else {name: value for name, value in seen.meta.xattrs.items() if name != ACL}
    ids = {
        kind: [find(kind, name.partition(":")[2]) for name in names if name.startswith(kind)]
        for kind in ("user", "group")
    }
    if None in ids["user"] + ids["group"]:
        return Meta(os.geteuid(), os.getegid(), 0o600, kept), [
            _missing(path, name) for name in names if find(*_split(name)) is None
        ]
    users, groups = (sorted(set(t.cast(t.List[int], ids[kind]))) for kind in ("user", "group"))
    if len(users) + len(groups) < 2:
        return Meta(
            users[0] if users else os.geteuid(), groups[0] if groups else os.getegid(), 0o640 if groups else 0o600, kept
        ), []
    if not _keeps_lists(seen):
        what = "Several applications of different groups read this secret, and the file system keeps no access lists."
        return Meta(os.geteuid(), os.getegid(), 0o600, kept), [
            Problem(path, what, "no-acl", "Give these applications one group, by group: in each.")
        ]
    return Meta(os.geteuid(), os.getegid(), 0o640, {**kept, ACL: _access_list(users, groups)}), []


def _used(app: RecordedApp) -> dict[str, tuple[str, ...]]:
    return {path: file.readers or () for path, file in app.common_files().items()}


def _split(name: str) -> tuple[str, str]:
    kind, _colon, rest = name.partition(":")
    return kind, rest


def _missing(path: str, name: str) -> Problem:
    kind, rest = _split(name)
    code, other = ("no-such-group", "group") if kind == "group" else ("no-such-owner", "owner")
    return Problem(
        path,
        f'There is no {kind} "{rest}" on this host.',
        code,
        f"Install the application first, or name another {other}.",
    )


def _keeps_lists(seen: Seen) -> bool:
    """Whether the file system that a path is on has access lists."""
    if seen.place is None or not hasattr(os, "getxattr"):  # not Linux
        return False
    fd = -1
    try:
        fd = seen.place.folder.for_reading()
        os.getxattr(fd, ACL)
    except OSError as error:
        return error.errno == errno.ENODATA
    finally:
        if fd >= 0:
            os.close(fd)
    return True


def _access_list(users: t.Sequence[int], groups: t.Sequence[int]) -> str:
    entries = [
        (_USER_OBJ, _READ | _WRITE, _NOBODY),
        *((_USER, _READ, user) for user in users),
        (_GROUP_OBJ, 0, _NOBODY),
        *((_GROUP, _READ, group) for group in groups),
        (_MASK, _READ, _NOBODY),
        (_OTHER, 0, _NOBODY),
    ]
    packed = struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    return base64.b64encode(packed).decode("ascii")
