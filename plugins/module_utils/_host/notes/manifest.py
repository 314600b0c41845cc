# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifest: what the journal of a set holds, and what is left of it as the manifest of a finished generation."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..disk.snapshot import Meta
from . import fields, ownership
from .fields import DamagedError, Fields
from .migration import Json, migrated
from .ownership import OwnershipRecord, Spec

PHASES = ("prepared", "go", "undo")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PATHS = fields.tuple_of(fields.path)


@dataclasses.dataclass(frozen=True)
class JournalEntry:
    """One path of a set.

    real: with symbolic links followed. temp: its new bytes until they have their place, None when there shall be no file. back: the
    bytes that were there, on their way back. blob: the same in the generation. before: who might do what with them, None when there was
    no file. make, drop: folders. command: how the tool is asked that reads and writes it. stamp: of the file that was looked at, None when
    there was none; empty in a journal of an older version, which has none.
    """

    path: str
    real: str
    temp: t.Optional[str]
    back: str
    blob: str
    before: t.Optional[Meta]
    make: t.Tuple[str, ...] = ()
    drop: t.Tuple[str, ...] = ()
    command: t.Optional[Spec] = None
    stamp: t.Optional[t.Tuple[int, ...]] = ()

    @classmethod
    def from_json(cls, value: object, place: str) -> JournalEntry:
        """Raises DamagedError."""
        found = Fields(value, place)
        command = found.optional("command", ownership.command)
        named = fields.text if command else fields.path
        entry = cls(
            path=found.take("path", named),
            real=found.take("real", named),
            temp=found.take("temp", fields.nullable(fields.path)),
            back=found.take("back", fields.path),
            blob=found.take("blob", _number),
            before=found.take("before", fields.nullable(ownership.meta)),
            make=found.take("make", _PATHS),
            drop=found.take("drop", _PATHS),
            command=command,
            stamp=found.maybe("stamp", _STAMP, _NO_STAMP),
        )
        found.end()
        if command and entry.temp is None:
            raise DamagedError(f"{fields.shown(place)} has no settings for its tool")
        return entry

    def to_json(self) -> Json:
        """As the journal has it."""
        told: Json = {
            "path": self.path,
            "real": self.real,
            "temp": self.temp,
            "back": self.back,
            "blob": self.blob,
            "before": None if self.before is None else self.before.as_dict(),
            "make": list(self.make),
            "drop": list(self.drop),
        }
        if self.stamp != ():
            told["stamp"] = self.stamp and list(self.stamp)
        return told if self.command is None else {**told, "command": dict(self.command)}


@dataclasses.dataclass(frozen=True)
class Journal:
    """A set on its way (see journal). drops: generations that this roll-back ends. folders: by path inode and owner of each that it works in."""

    VERSION: t.ClassVar[int] = 2

    id: str
    phase: str
    entries: t.Tuple[JournalEntry, ...]
    record_before: OwnershipRecord
    record: OwnershipRecord
    drops: t.Tuple[str, ...] = ()
    folders: t.Mapping[str, t.Tuple[int, ...]] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_json(cls, value: object, place: str = "the journal") -> Journal:
        """From any version that there ever was. Raises DamagedError."""
        found, name, phase = _begun(value, place)
        journal = cls(
            id=name,
            phase=phase,
            entries=found.take("entries", _ENTRIES),
            record_before=found.take("record_before", OwnershipRecord.from_json),
            record=found.take("record", OwnershipRecord.from_json),
            drops=found.take("drops", fields.tuple_of(ownership.generation)),
            folders=found.maybe("folders", fields.mapping_of(fields.tuple_of(fields.whole), fields.path), {}),
        )
        found.end()
        return journal

    def to_json(self) -> Json:
        """As it is written."""
        return {
            "version": self.VERSION,
            "id": self.id,
            "phase": self.phase,
            "entries": [entry.to_json() for entry in self.entries],
            "record_before": self.record_before.to_json(),
            "record": self.record.to_json(),
            "drops": list(self.drops),
            "folders": {path: list(identity) for path, identity in self.folders.items()},
        }


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A finished generation: the journal that made it, of which the record afterwards is history."""

    id: str
    entries: t.Tuple[JournalEntry, ...]
    record_before: OwnershipRecord

    @classmethod
    def from_json(cls, value: object, name: str) -> Manifest:
        """From any version that there ever was; ``name``: of its folder. Raises DamagedError."""
        found, own, phase = _begun(value, "the manifest")
        manifest = cls(own, found.take("entries", _ENTRIES), found.take("record_before", OwnershipRecord.from_json))
        if phase != "go" or own != name:
            raise DamagedError("the manifest is not one of a finished generation of this name")
        return manifest


def _begun(value: object, place: str) -> t.Tuple[Fields, str, str]:
    found = Fields(migrated(value, place, Journal.VERSION, {1: _from_1}), place)
    return found, found.take("id", ownership.generation), found.take("phase", _phase)


def _from_1(document: Json) -> Json:
    """Version 1 had no number. It named a temporary file whose name is fixed, and said once more whether generations end."""
    return {key: value for key, value in document.items() if key not in ("record_temp", "rollback")}


def _phase(value: object, place: str) -> str:
    if value not in PHASES:
        raise DamagedError(f"{fields.shown(place)} is none of {', '.join(PHASES)}")
    return str(value)


def _whole(value: object, place: str) -> int:
    """Also below 0: times before 1970."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise DamagedError(f"{fields.shown(place)} is not a whole number")
    return value


def _number(value: object, place: str) -> str:
    name = fields.text(value, place)
    if not _NUMBER.fullmatch(name):
        raise DamagedError(f"{fields.shown(place)} is not a number")
    return name


_ENTRIES = fields.tuple_of(JournalEntry.from_json)
_STAMP: fields.Reader[t.Optional[t.Tuple[int, ...]]] = fields.nullable(fields.tuple_of(_whole))
_NO_STAMP: t.Optional[t.Tuple[int, ...]] = ()
