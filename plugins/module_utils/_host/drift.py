# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: what somebody else has changed of what we wrote, and whether it is left, written again or taken as ours.

The record keeps fingerprints, by key in a shared file and of the whole in a file of ours (key ``""``): ``wrote`` of what we last
declared, ``stands`` of what was last accepted as standing there. The two differ only after ``adopt``.

A fingerprint is HMAC-SHA-256 (RFC 2104) under a random key of this host. Who reads the record alone (a backup of it, the
output of a query) can guess nothing from it, however weak a password is. Who has the host's key as well can try out guesses
as fast as they can hash; but the key lies 0600 beside the record, and who may read it may read the applications' files.
Path and key go into the fingerprint, so that equal secrets at two places do not look equal.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t

from .disk.snapshot import FILE, MISSING, Seen
from .notes.change import Change
from .notes.ownership import Prints, RecordedFile
from .tools import tool_settings

WHOLE = ""

#: By key a value in its dialect-independent spelling; ``WHOLE``: all bytes of a file.
Facts = t.Mapping[str, bytes]


class DriftVerdict(t.NamedTuple):
    """What one change comes to. ``leave``: what stands there stays. ``drift``: None, or what to tell about it."""

    leave: bool
    wrote: Prints
    stands: Prints
    drift: t.Optional[dict[str, t.Any]]


def prints(key: bytes, path: str, facts: Facts) -> Prints:
    """The fingerprint of every fact."""
    return {name: _print(key, path, name, value) for name, value in facts.items()}


def judge(change: Change, seen: Seen, file: t.Optional[RecordedFile], key: bytes) -> DriftVerdict:
    """One change against what the record says we wrote. ``file``: None where nothing is recorded.

    A declaration that changed is always written. Where only somebody else's change differs, the policy decides; a key or file
    that is merely gone is put back by ``report`` too, as nobody's value is lost by that.
    """
    wanted = prints(key, change.path, _wanted(change))
    present = prints(key, change.path, _present(change, seen))
    unknown = change.shared and not change.facts
    if unknown or file is None:
        return DriftVerdict(False, wanted, wanted, None)
    stands = file.stands
    leave = (
        change.writes_ours
        and seen.kind == FILE
        and wanted == file.wrote
        and change.drift != "enforce"
        and (
            present == stands
            or change.drift == "adopt"
            or any(wanted.get(name) != value for name, value in present.items())
        )
    )
    adopt = leave and change.drift == "adopt"
    accepted = present if adopt else stands if leave else wanted
    differ = sorted(name for name in {**stands, **present} if stands.get(name) != present.get(name))
    done = "adopted" if adopt else "left" if leave else "overwritten" if change.writes_ours else "taken_back"
    drift = {
        "name": change.app,
        "path": change.path,
        "keys": [name for name in differ if name != WHOLE],
        "what": "changed" if any(name in present for name in differ) else "removed",
        "done": done,
    }
    return DriftVerdict(leave, wanted, accepted, drift if differ else None)


def _wanted(change: Change) -> Facts:
    if not change.writes_ours:
        return {}
    if change.command:
        return tool_settings.facts(change.content or b"{}")
    return change.facts.get("wanted", {}) if change.shared else {WHOLE: change.content or b""}


def _present(change: Change, seen: Seen) -> Facts:
    """In a shared file what the controller read there; ``based_on`` sees to it that it still stands there."""
    if seen.kind == MISSING:
        return {}
    if change.command:
        return tool_settings.facts(seen.data)
    return change.facts.get("present", {}) if change.shared or change.facts else {WHOLE: seen.data}


def _print(key: bytes, path: str, name: str, value: bytes) -> str:
    parts = (path.encode("utf-8", "surrogateescape"), name.encode("utf-8", "surrogateescape"), value)
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key, framed, hashlib.sha256).hexdigest()
