# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a host plan to one set of changes for ``smtp_deploy``, and to the ownership record that goes with it."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ...module_utils._host.notes import fields
from ...module_utils._host.notes.change import Change
from ...module_utils._host.notes.fields import DamagedError, Fields
from ...module_utils._host.notes.ownership import OwnershipRecord, RecordChange, RecordedApp, UsedFile
from ...module_utils._shared.seal import SealError, original_label, read_label, seal_contents, seal_facts, unseal
from ..declaration.model import AppPlan, FilePlan, Refusal
from ..planning.status import Facts, facts_of
from ..problems import Problem, ProblemsError
from ..rendering import merge_guard
from ..rendering.render import Rendered, holds_secret, not_valid, render_app

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
        content, original, print_ = (
            found.optional(name, fields.text) for name in ("content", "original", "fingerprint")
        )
        return cls(content, original, print_, found.optional("mode", _mode) or 0)


class HostState(t.NamedTuple):
    """What a query told about the host: the ownership record, the shared files by path, and what was seen of each application."""

    record: OwnershipRecord
    files: t.Mapping[str, Stands]
    seal_key: str
    detected: t.Mapping[str, Facts] = {}

    @classmethod
    def from_answer(cls, answer: t.Mapping[str, t.Any], seal_key: str) -> HostState:
        """Raises ProblemsError for an answer that is none: what runs on a host may answer anything."""
        try:
            read = fields.mapping_of(Stands.from_answer)(answer.get("read"), "read")
            return cls(OwnershipRecord.from_answer(answer.get("record")), read, seal_key, facts_of(answer))
        except DamagedError as error:
            hint = "See whether the collection's module runs on this host as it was sent, and nothing in between changes what it answers."
            raise ProblemsError(
                [Problem("", f"The host's answer cannot be used: {error}.", "answer-not-valid", hint)]
            ) from None

    def text(self, path: str, part: str = "content") -> str | None:
        """The text of a file as it stands (``content``) or stood before us (``original``); None where there is none. Raises ProblemsError."""
        stands = self.files.get(path, Stands())
        sealed, label = (
            (stands.content, read_label(path)) if part == "content" else (stands.original, original_label(path))
        )
        try:
            return None if sealed is None else unseal(self.seal_key, label, sealed).decode(ENCODING, ERRORS)
        except SealError as error:
            raise ProblemsError([Problem(path, f"The contents cannot be carried: {error}.", "bad-seal")]) from None

    def recorded(self, name: str) -> tuple[UsedFile, ...]:
        """The files that the record holds for an application."""
        return self.record.apps[name].files if name in self.record.apps else ()

    def undeclared(self, listed: t.Collection[str]) -> list[dict[str, str]]:
        """What is ours on the host and not listed any more, with the relay and the credential that it has."""
        return [
            {"name": name, "relay": app.relay, "credential_id": app.credential_id}
            for name, app in self.record.apps.items()
            if name not in listed
        ]

    @property
    def in_force(self) -> dict[str, str]:
        """By application the label of the credential that is in force."""
        return {name: app.credential_id for name, app in self.record.apps.items()}


NOTHING_KNOWN = HostState(OwnershipRecord(), {}, "")


#: By key what our settings in a shared file are to be (``wanted``) and are (``present``).
KeyFacts = t.Dict[str, t.Dict[str, str]]


class RenderedChange(t.NamedTuple):
    """One change, with the text that it writes and what it makes of our keys."""

    change: Change
    text: str | None = None
    facts: KeyFacts | None = None


class Deployment:
    """Collects changes; every problem and refusal on the way is kept, nothing is written."""

    def __init__(self, host: HostState) -> None:
        self.host = host
        self._changes: dict[str, list[Change]] = {}
        self.texts: dict[str, str] = {}
        self.facts: dict[str, KeyFacts] = {}
        self.apps: dict[str, RecordedApp] = {}
        self.removed: list[str] = []
        self.planned: dict[str, FilePlan] = {}
        self.refusals: list[Refusal] = []
        self.problems: list[Problem] = []

    @property
    def changes(self) -> list[Change]:
        """All that is queued, in its order."""
        return [change for changes in self._changes.values() for change in changes]

    def add(self, plan: AppPlan) -> bool:
        """Render one application and queue its files. False (and nothing queued) when it has a problem or refusal."""
        existing = {file.path: self.host.text(file.path) or "" for file in plan.files if file.shared}
        rendered, refusals, problems = render_app(plan, existing)
        self.refusals += refusals
        self.problems += problems
        if refusals or problems:
            return False
        where = f"{plan.request.where} ({plan.request.name})"
        facts = {item.file.path: self._facts(where, item.file, item.text) for item in rendered if item.file.shared}
        # Who else has a secret file in common with it the host knows: there it is taken back when the last one is gone.
        ours = {item.file.path for item in rendered}
        back = self._take_back(
            plan.request.name, [file for file in self.host.recorded(plan.request.name) if file.path not in ours]
        )
        if back is None or None in facts.values():
            return False
        for item in rendered:
            self._write(plan, item, facts.get(item.file.path))
        self._queue(back)
        credential = plan.relay.credential
        self.apps[plan.request.name] = RecordedApp(
            app=plan.request.app,
            form=plan.form,
            relay=plan.relay.name,
            credential_id=credential.id if credential else "",
            activate=dict(plan.activate),
            files=tuple(_used(file, plan.live) for file in plan.files),
        )
        return True

    def take_back(self, name: str) -> None:
        """Queue the taking back of everything that the record holds for an application: of all of it, or of nothing."""
        back = self._take_back(name, self.host.recorded(name))
        if back is None:
            return
        self._queue(back)
        if name in self.host.record.apps:
            self.removed.append(name)

    def _write(self, plan: AppPlan, item: Rendered, facts: KeyFacts | None) -> None:
        path = item.file.path
        self.planned[path] = item.file
        # What another application leaves at this path, this one takes over; a secret file they have in common.
        before = next(iter(self._changes.pop(path, [])), None)
        change = Change(
            plan.request.name,
            path,
            "write",
            shared=item.file.shared,
            secret=holds_secret(item.file),
            drift=plan.request.drift,
            based_on=self._based_on(path) if item.file.shared else None,
            owner=item.file.owner,
            group=item.file.group or self._group_if_open(item.file, path),
            mode=item.file.mode,
            command=item.file.command or None,
        )
        self._queue(
            [
                RenderedChange(
                    change if item.file.readers is None else _in_common(change, before, item.file.readers),
                    item.text,
                    facts,
                )
            ]
        )

    def _queue(self, steps: t.Iterable[RenderedChange]) -> None:
        for change, text, facts in steps:
            self._changes.setdefault(change.path, []).append(change)
            self.facts.pop(change.path, None)
            if text is not None:
                self.texts[change.path] = text
            if facts is not None:
                self.facts[change.path] = facts

    def _group_if_open(self, file: FilePlan, path: str) -> str | None:
        open_to_all = self.host.files.get(path, Stands()).mode & OTHERS_READ
        return file.group_if_open if open_to_all and holds_secret(file) else None

    def _take_back(self, name: str, files: t.Iterable[UsedFile]) -> list[RenderedChange] | None:
        """How these files become as they were before us; None (and problems) where one of them cannot."""
        steps: list[RenderedChange | None] = []
        for file in files:
            if file.path in self.planned or file.readers is not None:
                continue
            if not file.shared:
                steps.append(RenderedChange(Change(name, file.path, "restore")))
            elif self.host.text(file.path) is not None:
                steps.append(self._take_out(name, file))
        sure = [step for step in steps if step is not None]
        return sure if len(sure) == len(steps) else None

    def _take_out(self, name: str, file: UsedFile) -> RenderedChange | None:
        path = file.path
        text, original = self.host.text(path) or "", self.host.text(path, "original") or ""
        try:
            rest = merge_guard.remove(file.dialect, text, file.owns, original)
        except Exception as error:
            # LookupError: our own notes on the host name a dialect that this version does not have.
            self.problems.append(not_valid(name, path, file.dialect, error))
            return None
        facts = self._facts(name, file, "")
        if facts is None:
            return None
        if rest == original:
            return RenderedChange(Change(name, path, "restore"), None, facts)  # its permissions too are as before then
        return RenderedChange(
            Change(name, path, "write", shared=True, release=True, based_on=self._based_on(path)), rest, facts
        )

    def _facts(self, where: str, file: FilePlan | UsedFile, text: str) -> KeyFacts | None:
        """What our keys have in a shared file, by which the host finds out what somebody else has changed."""
        try:
            present = key_values(file.dialect, self.host.text(file.path) or "", file.owns)
            return {"wanted": key_values(file.dialect, text, file.owns), "present": present}
        except Exception as error:
            self.problems.append(not_valid(where, file.path, file.dialect, error))
            return None

    def _based_on(self, path: str) -> str | None:
        return self.host.files.get(path, Stands()).fingerprint

    def arguments(self, seal_key: str) -> dict[str, t.Any]:
        """The options of the one ``smtp_deploy`` call that makes it so; contents are sealed."""
        contents = {path: text.encode(ENCODING, ERRORS) for path, text in self.texts.items()}
        return {
            "changes": [change.to_option() for change in self.changes],
            "record": RecordChange(self.apps, tuple(self.removed)).to_json(),
            "seal_key": seal_key,
            "contents": seal_contents(seal_key, contents),
            "facts": seal_facts(seal_key, self.facts),
        }


def _used(file: FilePlan, live: bool) -> UsedFile:
    readers = None if file.readers is None else tuple(file.readers)
    return UsedFile(
        file.path, file.dialect, file.shared, tuple(map(tuple, file.owns)), readers, live and readers is not None
    )


def _in_common(change: Change, before: Change | None, readers: t.Sequence[str]) -> Change:
    """One change for all applications with this secret file: its readers are theirs, and the strictest of them says what drift becomes."""
    everybody = tuple(sorted({*readers, *(before and before.readers or ())}))
    if before is None:
        return dataclasses.replace(change, readers=everybody)
    return dataclasses.replace(
        change, readers=everybody, app=before.app, drift=min(change.drift, before.drift, key=STRICTEST.index)
    )


def _mode(value: object, place: str) -> int:
    text = fields.text(value, place)
    if not re.fullmatch("[0-7]{1,5}", text):
        raise DamagedError(f"{place} is not a file mode")
    return int(text, 8)


def key_values(name: str, text: str, owns: t.Sequence[t.Sequence[str]]) -> dict[str, str]:
    """Our keys in a shared file with their values in one spelling, whatever the file's own; those that are there."""
    found = merge_guard.values(name, text, owns)
    return {
        ".".join(key): json.dumps(found[tuple(key)], sort_keys=True, default=str)
        for key in owns
        if found.get(tuple(key)) is not None
    }
