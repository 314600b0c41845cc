# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a host plan to one set of changes for ``smtp_deploy``, and to the ownership record that goes with it."""

from __future__ import annotations

import json
import typing as t

from ..module_utils.files.seal import original_label, read_label, seal_contents, seal_facts, unseal
from .dialect import dialect
from .dialects.base import NotValid
from .model import AppPlan, FilePlan, Refusal
from .problems import Problem
from .render import Rendered, holds_secret, not_valid, render_app

OTHERS_READ = 0o004
STRICTEST = ("enforce", "report", "adopt")
ENCODING, ERRORS = "utf-8", "surrogateescape"


class Host(t.NamedTuple):
    """What a query told about the host: the ownership record, and the shared files by path."""

    record: t.Mapping[str, t.Any]
    files: t.Mapping[str, t.Mapping[str, t.Any]]
    seal_key: str

    def text(self, path: str, part: str = "content") -> str | None:
        """The text of a file as it stands (``content``) or stood before us (``original``); None where there is none."""
        sealed = self.files.get(path, {}).get(part)
        label = read_label(path) if part == "content" else original_label(path)
        return None if sealed is None else unseal(self.seal_key, label, sealed).decode(ENCODING, ERRORS)

    def recorded(self, name: str) -> list[t.Mapping[str, t.Any]]:
        """The files that the record holds for an application."""
        return self.record.get("apps", {}).get(name, {}).get("files", [])


NOTHING_KNOWN = Host({}, {}, "")


class Deployment:
    """Collects changes; every problem and refusal on the way is kept, nothing is written."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.changes: list[dict[str, t.Any]] = []
        self.texts: dict[str, str] = {}
        self.facts: dict[str, dict[str, dict[str, str]]] = {}
        self.apps: dict[str, dict[str, t.Any]] = {}
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
        self._take_back(plan.request.name, [file for file in self.host.recorded(plan.request.name) if file["path"] not in kept])
        credential = plan.relay.credential
        self.apps[plan.request.name] = {
            "app": plan.request.app, "form": plan.form, "relay": plan.relay.name, "credential_id": credential.id if credential else "",
            "activate": dict(plan.activate),
            "files": [self._noted(file, plan.live) for file in plan.files],
        }
        return True

    def _noted(self, file: FilePlan, live: bool) -> dict[str, t.Any]:
        noted = {"path": file.path, "dialect": file.dialect, "shared": file.shared, "owns": [list(key) for key in file.owns]}
        return noted if file.readers is None else {**noted, "readers": list(file.readers), "live": live}

    def take_back(self, name: str) -> None:
        """Queue the taking back of everything that the record holds for an application."""
        if self._take_back(name, self.host.recorded(name)) and name in self.host.record.get("apps", {}):
            self.removed.append(name)

    def _write(self, plan: AppPlan, item: Rendered) -> None:
        path = item.file.path
        self.planned[path], self.texts[path] = item.file, item.text
        self.facts.pop(path, None)
        # What another application leaves at this path, this one takes over; a secret file they have in common.
        before = next((change for change in self.changes if change["path"] == path), None)
        self.changes = [change for change in self.changes if change["path"] != path]
        if item.file.shared:
            self._note_facts(path, item.file.dialect, item.file.owns, item.text)
        self._change(
            plan.request.name, path, "write", shared=item.file.shared, secret=holds_secret(item.file), drift=plan.request.drift,
            owner=item.file.owner, group=item.file.group or self._group_if_open(item.file, path), mode=item.file.mode, command=item.file.command,
        )
        if item.file.readers is not None:
            self._have_in_common(self.changes[-1], before, item.file.readers)

    @staticmethod
    def _have_in_common(change: dict[str, t.Any], before: t.Mapping[str, t.Any] | None, readers: t.Sequence[str]) -> None:
        """One change for all applications with this secret file: its readers are theirs, and the strictest of them says what drift becomes."""
        change["readers"] = sorted({*readers, *(before or {}).get("readers", ())})
        if before:
            change.update(app=before["app"], drift=min(change["drift"], before["drift"], key=STRICTEST.index))

    def _group_if_open(self, file: FilePlan, path: str) -> str | None:
        mode = int(self.host.files.get(path, {}).get("mode") or "0", 8)
        return file.group_if_open if mode & OTHERS_READ and holds_secret(file) else None

    def _take_back(self, name: str, files: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
        fine = True
        for file in files:
            if file["path"] in self.planned or "readers" in file:
                continue
            if not file["shared"]:
                self._change(name, file["path"], "restore")
            elif self.host.text(file["path"]) is not None:
                fine = self._take_out(name, file) and fine
        return fine

    def _take_out(self, name: str, file: t.Mapping[str, t.Any]) -> bool:
        path = file["path"]
        text, original = self.host.text(path) or "", self.host.text(path, "original") or ""
        try:
            rest = dialect(file["dialect"]).remove(text, file["owns"], original)
        except (NotValid, LookupError) as error:
            # LookupError: our own notes on the host name a dialect that this version does not have.
            self.problems.append(not_valid(name, path, file["dialect"], error))
            return False
        self._note_facts(path, file["dialect"], file["owns"], "")
        if rest == original:
            self._change(name, path, "restore")  # its permissions too are as before then
        else:
            self.texts[path] = rest
            self._change(name, path, "write", shared=True, release=True)
        return True

    def _change(
        self, name: str, path: str, action: str, shared: bool = False, secret: bool = False, release: bool = False, drift: str = "report",
        command: t.Mapping[str, t.Any] | None = None, **placing: str | None,
    ) -> None:
        self.changes.append({
            "app": name, "path": path, "action": action, "shared": shared, "secret": secret, "release": release, "drift": drift,
            "based_on": self._based_on(path) if shared else None, **placing, **({"command": command} if command else {}),
        })

    def _note_facts(self, path: str, name: str, owns: t.Iterable[t.Sequence[str]], text: str) -> None:
        """What our keys have in a shared file, by which the host finds out what somebody else has changed."""
        self.facts[path] = {"wanted": key_values(name, text, owns), "present": key_values(name, self.host.text(path) or "", owns)}

    def _based_on(self, path: str) -> str | None:
        return self.host.files.get(path, {}).get("fingerprint")

    def arguments(self, seal_key: str) -> dict[str, t.Any]:
        """The options of the one ``smtp_deploy`` call that makes it so; contents are sealed."""
        contents = {path: text.encode(ENCODING, ERRORS) for path, text in self.texts.items()}
        record = {"apps": self.apps, "remove": self.removed}
        return {
            "changes": self.changes, "record": record, "seal_key": seal_key, "contents": seal_contents(seal_key, contents),
            "facts": seal_facts(seal_key, self.facts),
        }


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
