# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ownership: what of a host is ours. The record is read strictly, written with its version, and never secret.

An older version is migrated when it is read; it is written in the present one as soon as something changes. What is newer, damaged or
of another shape is DamagedError, and never "nothing is ours": only a missing file is that.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._shared.visible import visible
from ..disk.snapshot import Meta
from . import fields
from .fields import DamagedError, Fields
from .migration import Json, migrated

#: The name of a generation: when, and which of that second.
GENERATION = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{1,9}")
_BLOB = re.compile(GENERATION.pattern + r"-[0-9]{1,9}(-kept)?")
_PRINT = re.compile(r"[0-9a-f]{64}")
_ALL_BITS = 0o7777
_WORDS, _KEYS = fields.tuple_of(fields.text), fields.tuple_of(fields.tuple_of(fields.text))

#: How a tool is asked, as the option ``command`` has it (commands.Command).
Spec = t.Mapping[str, t.Any]
#: By key a fingerprint (see drift).
Prints = t.Dict[str, str]


@dataclasses.dataclass(frozen=True)
class UsedFile:
    """One file that an application reads. owns: key paths of what is ours in a shared one. readers: of a file that several have in common."""

    path: str
    dialect: str = ""
    shared: bool = False
    owns: t.Tuple[t.Tuple[str, ...], ...] = ()
    readers: t.Optional[t.Tuple[str, ...]] = None
    live: bool = False

    @classmethod
    def from_json(cls, value: object, place: str) -> UsedFile:
        """Raises DamagedError."""
        found = Fields(value, place)
        used = cls(
            path=found.take("path", fields.text),
            dialect=found.maybe("dialect", fields.text, ""),
            shared=found.maybe("shared", fields.flag, False),
            owns=found.maybe("owns", _KEYS, ()),
            readers=found.optional("readers", _WORDS),
            live=found.maybe("live", fields.flag, False),
        )
        found.end()
        return used

    def to_json(self) -> Json:
        """As the record has it."""
        common = {} if self.readers is None else {"readers": list(self.readers), "live": self.live}
        return {
            "path": self.path,
            "dialect": self.dialect,
            "shared": self.shared,
            "owns": [list(key) for key in self.owns],
            **common,
        }


@dataclasses.dataclass(frozen=True)
class RecordedApp:
    """One application, as the controller noted it. since: when something of it last changed, in seconds since 1970 (see waiting).

    activate: how, in the options of smtp_activate. notes: what else a controller keeps of it.
    """

    app: str = ""
    form: str = ""
    relay: str = ""
    credential_id: str = ""
    activate: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    files: t.Tuple[UsedFile, ...] = ()
    since: t.Optional[float] = None
    notes: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_json(cls, value: object, place: str) -> RecordedApp:
        """Raises DamagedError. What a controller left out is not known."""
        found = Fields(value, place)
        words = {name: found.maybe(name, fields.text, "") for name in ("app", "form", "relay", "credential_id")}
        return cls(
            **words,
            activate=found.maybe("activate", _activate, {}),
            files=found.maybe("files", fields.tuple_of(UsedFile.from_json), ()),
            since=found.optional("since", fields.moment),
            notes=_NOTES(found.rest(), place),
        )

    def to_json(self) -> Json:
        """As the record has it."""
        since = {} if self.since is None else {"since": self.since}
        return {
            **self.notes,
            "app": self.app,
            "form": self.form,
            "relay": self.relay,
            "credential_id": self.credential_id,
            "activate": dict(self.activate),
            "files": [file.to_json() for file in self.files],
            **since,
        }

    def common_files(self) -> t.Dict[str, UsedFile]:
        """Those that it has in common with others, by path."""
        return {file.path: file for file in self.files if file.readers is not None}


@dataclasses.dataclass(frozen=True)
class RecordedFile:
    """One path that is ours.

    original: blob of the bytes that stood there before us, None when there was no file; original_meta: who might do what with it.
    folders: made for it. wrote, stands: fingerprints (see drift). common: several applications read it.
    command: how the tool is asked that reads and writes it. kept: blob of what we last wrote, where the tool does not show secrets.
    """

    app: str
    shared: bool
    secret: bool
    original: t.Optional[str]
    original_meta: t.Optional[Meta]
    folders: t.Tuple[str, ...]
    wrote: Prints
    stands: Prints
    common: bool = False
    command: t.Optional[Spec] = None
    kept: t.Optional[str] = None

    @classmethod
    def from_json(cls, value: object, place: str) -> RecordedFile:
        """Raises DamagedError."""
        found = Fields(value, place)
        file = cls(
            app=found.take("app", fields.text),
            shared=found.take("shared", fields.flag),
            secret=found.take("secret", fields.flag),
            original=found.take("original", fields.nullable(blob)),
            original_meta=found.take("original_meta", fields.nullable(meta)),
            folders=found.take("folders", fields.tuple_of(fields.path)),
            wrote=found.take("wrote", _PRINTS),
            stands=found.take("stands", _PRINTS),
            common=found.maybe("common", fields.flag, False),
            command=found.optional("command", command),
            kept=found.optional("kept", blob),
        )
        found.end()
        if (file.original is None) != (file.original_meta is None):
            raise DamagedError(f"{fields.shown(place)} has half of an original")
        return file

    def to_json(self) -> Json:
        """As the record has it."""
        told: Json = {
            "app": self.app,
            "shared": self.shared,
            "secret": self.secret,
            "original": self.original,
            "original_meta": None if self.original_meta is None else self.original_meta.as_dict(),
            "folders": list(self.folders),
            "wrote": dict(self.wrote),
            "stands": dict(self.stands),
        }
        if self.common:
            told["common"] = True
        if self.command is not None:
            told["command"] = dict(self.command)
        if self.kept is not None:
            told["kept"] = self.kept
        return told

    @property
    def blobs(self) -> t.Set[str]:
        """What of our originals it needs."""
        return {name for name in (self.original, self.kept) if name is not None}


@dataclasses.dataclass(frozen=True)
class Gone:
    """An application that was taken back and has not been activated since (see waiting)."""

    activate: t.Mapping[str, t.Any]
    since: float

    @classmethod
    def from_json(cls, value: object, place: str) -> Gone:
        """Raises DamagedError."""
        found = Fields(value, place)
        gone = cls(found.take("activate", _activate), found.take("since", fields.moment))
        found.end()
        return gone

    def to_json(self) -> Json:
        """As the record has it."""
        return {"activate": dict(self.activate), "since": self.since}


@dataclasses.dataclass(frozen=True)
class OwnershipRecord:
    """Everything of a host that is ours. last: the latest generation there ever was, so that no id is taken twice."""

    VERSION: t.ClassVar[int] = 2

    apps: t.Mapping[str, RecordedApp] = dataclasses.field(default_factory=dict)
    files: t.Mapping[str, RecordedFile] = dataclasses.field(default_factory=dict)
    gone: t.Mapping[str, Gone] = dataclasses.field(default_factory=dict)
    last: str = dataclasses.field(default="", compare=False)

    @classmethod
    def from_json(cls, value: object, place: str = "the record") -> OwnershipRecord:
        """From any version that there ever was. Raises DamagedError."""
        found = Fields(migrated(value, place, cls.VERSION, _MIGRATIONS), place)
        record = cls(
            apps=found.take("apps", fields.mapping_of(RecordedApp.from_json)),
            files=found.take("files", fields.mapping_of(RecordedFile.from_json)),
            gone=found.maybe("gone", fields.mapping_of(Gone.from_json), {}),
            last=found.take("last", _last),
        )
        found.end()
        for path, file in record.files.items():
            if file.command is None:
                fields.path(path, f"the name of {place}.files[{path[:80]!r}]")
        return record

    @classmethod
    def from_answer(cls, value: object) -> OwnershipRecord:
        """From the answer of smtp_deploy. Raises DamagedError: a host may answer anything."""
        place = "the record in the host's answer"
        return cls.from_json({"version": cls.VERSION, "last": "", **fields.mapping(value, place)}, place)

    def to_json(self) -> Json:
        """As it is written."""
        return {"version": self.VERSION, "last": self.last, **self._told()}

    def answer(self) -> Json:
        """As smtp_deploy answers it: a folder whose name is not UTF-8 is shown, as no answer can hold it."""
        told = self._told()
        for file in told["files"].values():
            file["folders"] = [visible(folder) for folder in file["folders"]]
        return told

    def _told(self) -> Json:
        told: Json = {
            "apps": {name: app.to_json() for name, app in self.apps.items()},
            "files": {path: file.to_json() for path, file in self.files.items()},
        }
        if self.gone:
            told["gone"] = {name: gone.to_json() for name, gone in self.gone.items()}
        return told

    @property
    def blobs(self) -> t.Set[str]:
        """Every original that it needs."""
        return {name for file in self.files.values() for name in file.blobs}


@dataclasses.dataclass(frozen=True)
class RecordChange:
    """The option ``record``: applications to set by name, and those to take out."""

    apps: t.Mapping[str, RecordedApp] = dataclasses.field(default_factory=dict)
    remove: t.Tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object, place: str = "record") -> RecordChange:
        """Raises DamagedError."""
        found = Fields(value, place)
        apps = found.optional("apps", fields.mapping_of(RecordedApp.from_json))
        change = cls(apps or {}, found.optional("remove", _WORDS) or ())
        found.end()
        return change

    def to_json(self) -> Json:
        """As the option has it."""
        return {"apps": {name: app.to_json() for name, app in self.apps.items()}, "remove": list(self.remove)}

    @property
    def stays(self) -> t.Dict[str, RecordedApp]:
        """The applications that are set and not taken out."""
        return {name: app for name, app in self.apps.items() if name not in self.remove}


def generation(value: object, place: str) -> str:
    """The name of a generation."""
    return _matching(GENERATION, value, place)


def blob(value: object, place: str) -> str:
    """The name of an original, which is one of a file in our folder and of nothing else."""
    return _matching(_BLOB, value, place)


def meta(value: object, place: str) -> Meta:
    """Who may do what with a file."""
    found = Fields(value, place)
    read = Meta(
        found.take("uid", fields.account),
        found.take("gid", fields.account),
        found.take("mode", _mode),
        found.take("xattrs", fields.mapping_of(fields.text)),
    )
    found.end()
    return read


def command(value: object, place: str) -> Spec:
    """How a tool is asked, as the option ``command`` has it."""
    found = Fields(value, place)
    spec: Json = {name: list(found.take(name, _WORDS)) for name in ("tool", "read", "write")}
    spec["keys"] = [list(key) for key in found.take("keys", _KEYS)]
    secrets = found.optional("secrets", _KEYS)
    spec["secrets"] = [list(key) for key in secrets or ()]
    for name in ("masked", "token"):
        spec[name] = found.optional(name, fields.text)
    found.end()
    if not spec["tool"] or not all(spec["keys"]) or not all(spec["secrets"]):
        raise DamagedError(f"{fields.shown(place)} has an empty list")
    if spec["token"] and (len(spec["read"]), len(spec["write"])) != (3, 2):
        raise DamagedError(f"{fields.shown(place)} has too few words for an API")
    return {name: spec[name] for name in fields.mapping(value, place)}


def _matching(pattern: t.Pattern[str], value: object, place: str) -> str:
    name = fields.text(value, place)
    if not pattern.fullmatch(name):
        raise DamagedError(f"{fields.shown(place)} is not a name of ours")
    return name


def _mode(value: object, place: str) -> int:
    mode = fields.whole(value, place)
    if mode > _ALL_BITS:
        raise DamagedError(f"{fields.shown(place)} is not a file mode")
    return mode


def _print(value: object, place: str) -> str:
    return _matching(_PRINT, value, place)


def _last(value: object, place: str) -> str:
    return "" if value == "" else generation(value, place)


def _activate(value: object, place: str) -> t.Mapping[str, t.Any]:
    """Options of smtp_activate. One that this release does not know stays as it is."""
    found = fields.mapping(value, place)
    for key, item in found.items():
        _ACTIVATE.get(key, fields.anything)(item, f"{place}.{key}")
        fields.text(key, f"the name of {place}.{key}")
    return found


def _compose(value: object, place: str) -> object:
    found = Fields(value, place)
    found.take("folder", fields.text)
    found.take("services", _WORDS)
    found.optional("files", _WORDS)
    found.optional("program", fields.text)
    return value


def _signal(value: object, place: str) -> object:
    found = Fields(value, place)
    found.take("pid_file", fields.text)
    found.take("signal", fields.text)
    return value


_PRINTS, _NOTES = fields.mapping_of(_print), fields.mapping_of(fields.anything)
_ACTIVATE: t.Dict[str, fields.Reader[object]] = {
    "how": fields.nullable(fields.text),
    "systemd": fields.nullable(fields.text),
    "reason": fields.nullable(fields.text),
    "command": fields.nullable(_WORDS),
    "signal": fields.nullable(_signal),
    "compose": fields.nullable(_compose),
}
#: From version 1, which had no number, and no memory of ids that are gone.
_MIGRATIONS: t.Dict[int, t.Callable[[Json], Json]] = {1: lambda document: {**document, "last": ""}}
