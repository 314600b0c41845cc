# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a host plan to one set of changes for ``smtp_deploy``, and to the ownership record that goes with it."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ..module_utils.files import fields
from ..module_utils.files.change import Change
from ..module_utils.files.fields import DamagedError, Fields
from ..module_utils.files.ownership import OwnershipRecord, RecordChange, RecordedApp, UsedFile
from ..module_utils.files.seal import SealError, original_label, read_label, seal_contents, seal_facts, unseal
from .dialect import dialect
from .dialects.base import NotValid
from .model import AppPlan, FilePlan, Refusal
from .problems import Problem, ProblemsError
from .render import Rendered, holds_secret, not_valid, render_app

OTHERS_READ = 0o004
STRICTEST = ("enforce", "report", "adopt")
ENCODING, ERRORS = "utf-8", "surrogateescape"


class Stands(t.NamedTuple):
    """What a query told about one path: sealed contents now and before us, and who may read it."""

    content: str | None = None
    original: str | None = None
    fingerprint: str | None = None
    mode: int = 0

    @classmethod
    def from_answer(cls, value: object, place: str) -> Stands:
        """Raises DamagedError."""
        found = Fields(value, place)
        content, original, print_ = (found.optional(name, fields.text) for name in ("content", "original", "fingerprint"))
        return cls(content, original, print_, found.optional("mode", _mode) or 0)


class Host(t.NamedTuple):
    """What a query told about the host: the ownership record, and the shared files by path."""

    record: OwnershipRecord
    files: t.Mapping[str, Stands]
    seal_key: str

    @classmethod
    def from_answer(cls, answer: t.Mapping[str, t.Any], seal_key: str) -> Host:
        """Raises ProblemsError for an answer that is none: what runs on a host may answer anything."""
        try:
            read = fields.mapping_of(Stands.from_answer)(answer.get("read"), "read")
            return cls(OwnershipRecord.from_answer(answer.get("record")), read, seal_key)
        except DamagedError as error:
            hint = "See whether the collection's module runs on this host as it was sent, and nothing in between changes what it answers."
            raise ProblemsError([Problem("", f"The host's answer cannot be used: {error}.", "answer-not-valid", hint)]) from None

    def text(self, path: str, part: str = "content") -> str | None:
        """The text of a file as it stands (``content``) or stood before us (``original``); None where there is none. Raises ProblemsError."""
        stands = self.files.get(path, Stands())
        sealed, label = (stands.content, read_label(path)) if part == "content" else (stands.original, original_label(path))
        try:
            return None if sealed is None else unseal(self.seal_key, label, sealed).decode(ENCODING, ERRORS)
        except SealError as error:
            raise ProblemsError([Problem(path, f"The contents cannot be carried: {error}.", "bad-seal")]) from None

    def recorded(self, name: str) -> tuple[UsedFile, ...]:
        """The files that the record holds for an application."""
        return self.record.apps[name].files if name in self.record.apps else ()

    @property
    def in_force(self) -> dict[str, str]:
        """By application the label of the credential that is in force."""
        return {name: app.credential_id for name, app in self.record.apps.items()}


NOTHING_KNOWN = Host(OwnershipRecord(), {}, "")


class Deployment:
    """Collects changes; every problem and refusal on the way is kept, nothing is written."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.changes: list[Change] = []
        self.texts: dict[str, str] = {}
        self.facts: dict[str, dict[str, dict[str, str]]] = {}
        self.apps: dict[str, RecordedApp] = {}
        self.removed: list[str] = []
        self.planned: dict[str, FilePlan] = {}
        self.refusals: list[Refusal] = []
        self.problems: list[Problem] = []

    def add(self, plan: AppPlan) -> bool:
        """Render one application and queue its files. False (and nothing queued) when it has a problem or refusal."""
        existing = {file.path: self.host.text(file.path) or "" for file in plan.files if file.shared}
        rendered, refusals, problems = render_app(plan, existing)
        self.refusals += refusals
        self.problems += problems
        if refusals or problems:
            return False
        for item in rendered:
            self._write(plan, item)
        # Who else has a secret file in common with it the host knows: there it is taken back when the last one is gone.
        kept = {item.file.path for item in rendered}
        self._take_back(plan.request.name, [file for file in self.host.recorded(plan.request.name) if file.path not in kept])
        credential = plan.relay.credential
        self.apps[plan.request.name] = RecordedApp(
            app=plan.request.app, form=plan.form, relay=plan.relay.name, credential_id=credential.id if credential else "",
            activate=dict(plan.activate), files=tuple(_used(file, plan.live) for file in plan.files),
        )
        return True

    def take_back(self, name: str) -> None:
        """Queue the taking back of everything that the record holds for an application."""
        if self._take_back(name, self.host.recorded(name)) and name in self.host.record.apps:
            self.removed.append(name)

    def _write(self, plan: AppPlan, item: Rendered) -> None:
        path = item.file.path
        self.planned[path], self.texts[path] = item.file, item.text
        self.facts.pop(path, None)
        # What another application leaves at this path, this one takes over; a secret file they have in common.
        before = next((change for change in self.changes if change.path == path), None)
        if before is not None:
            self.changes.remove(before)
        if item.file.shared:
            self._note_facts(path, item.file.dialect, item.file.owns, item.text)
        change = Change(
            plan.request.name, path, "write", shared=item.file.shared, secret=holds_secret(item.file), drift=plan.request.drift,
            based_on=self._based_on(path) if item.file.shared else None, owner=item.file.owner,
            group=item.file.group or self._group_if_open(item.file, path), mode=item.file.mode, command=item.file.command or None,
        )
        self.changes.append(change if item.file.readers is None else _in_common(change, before, item.file.readers))

    def _group_if_open(self, file: FilePlan, path: str) -> str | None:
        open_to_all = self.host.files.get(path, Stands()).mode & OTHERS_READ
        return file.group_if_open if open_to_all and holds_secret(file) else None

    def _take_back(self, name: str, files: t.Iterable[UsedFile]) -> bool:
        fine = True
        for file in files:
            if file.path in self.planned or file.readers is not None:
                continue
            if not file.shared:
                self.changes.append(Change(name, file.path, "restore"))
            elif self.host.text(file.path) is not None:
                fine = self._take_out(name, file) and fine
        return fine

    def _take_out(self, name: str, file: UsedFile) -> bool:
        path = file.path
        text, original = self.host.text(path) or "", self.host.text(path, "original") or ""
        try:
            rest = dialect(file.dialect).remove(text, file.owns, original)
        except (NotValid, LookupError) as error:
            # LookupError: our own notes on the host name a dialect that this version does not have.
            self.problems.append(not_valid(name, path, file.dialect, error))
            return False
        self._note_facts(path, file.dialect, file.owns, "")
        if rest == original:
            self.changes.append(Change(name, path, "restore"))  # its permissions too are as before then
        else:
            self.texts[path] = rest
            self.changes.append(Change(name, path, "write", shared=True, release=True, based_on=self._based_on(path)))
        return True

    def _note_facts(self, path: str, name: str, owns: t.Iterable[t.Sequence[str]], text: str) -> None:
        """What our keys have in a shared file, by which the host finds out what somebody else has changed."""
        self.facts[path] = {"wanted": key_values(name, text, owns), "present": key_values(name, self.host.text(path) or "", owns)}

    def _based_on(self, path: str) -> str | None:
        return self.host.files.get(path, Stands()).fingerprint

    def arguments(self, seal_key: str) -> dict[str, t.Any]:
        """The options of the one ``smtp_deploy`` call that makes it so; contents are sealed."""
        contents = {path: text.encode(ENCODING, ERRORS) for path, text in self.texts.items()}
        return {
            "changes": [change.to_option() for change in self.changes], "record": RecordChange(self.apps, tuple(self.removed)).to_json(),
            "seal_key": seal_key, "contents": seal_contents(seal_key, contents), "facts": seal_facts(seal_key, self.facts),
        }


def _used(file: FilePlan, live: bool) -> UsedFile:
    readers = None if file.readers is None else tuple(file.readers)
    return UsedFile(file.path, file.dialect, file.shared, tuple(map(tuple, file.owns)), readers, live and readers is not None)


def _in_common(change: Change, before: Change | None, readers: t.Sequence[str]) -> Change:
    """One change for all applications with this secret file: its readers are theirs, and the strictest of them says what drift becomes."""
    everybody = tuple(sorted({*readers, *(before and before.readers or ())}))
    if before is None:
        return dataclasses.replace(change, readers=everybody)
    return dataclasses.replace(change, readers=everybody, app=before.app, drift=min(change.drift, before.drift, key=STRICTEST.index))


def _mode(value: object, place: str) -> int:
    text = fields.text(value, place)
    if not re.fullmatch("[0-7]{1,5}", text):
        raise DamagedError(f"{place} is not a file mode")
    return int(text, 8)


def key_values(name: str, text: str, owns: t.Iterable[t.Sequence[str]]) -> dict[str, str]:
    """Our keys in a shared file with their values in one spelling, whatever the file's own; those that are there."""
    values: dict[str, str] = {}
    tree = dialect(name).read(text)
    for key in owns:
        found = tree
        for part in key:
            found = found.get(part) if isinstance(found, t.Mapping) else None
        if found is not None:
            values[".".join(key)] = json.dumps(found, sort_keys=True, default=str)
    return values
