# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rendering to a folder on the controller: nothing is asked of the host, and nothing of the controller but to write as the caller.

Which owner, group and mode a file has on the host stands in the folder's manifest. What an earlier render left there for applications that
are no longer listed is removed, unless it was there before or somebody has changed it since.
"""

from __future__ import annotations

import dataclasses
import os
import posixpath
import re
import typing as t

from ....module_utils._shared.seal import fingerprint, new_key
from ...declaration.model import AppPlan, FilePlan, Refusal
from ...problems import Problem, ProblemsError
from ..difference import difference
from ..render import Rendered, holds_secret, render_app
from . import manifest
from .folder import FILE_MODE, RenderFolder
from .manifest import ManifestFile, RenderManifest

ENCODING, ERRORS = "utf-8", "surrogateescape"
_OTHERS = 0o007
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


class Destination:
    """Collects the files of one host; every problem and refusal on the way is kept, nothing is written before ``write``."""

    def __init__(self, folder: RenderFolder, host: str) -> None:
        """Raises ProblemsError when the folder holds something else than renders of this host."""
        self._folder, self._host = folder, host
        self._before = self._manifest()
        self._items: dict[str, tuple[Rendered, tuple[str, ...]]] = {}
        self._kept: set[str] = set()
        self.refusals: list[Refusal] = []
        self.problems: list[Problem] = []

    def add(self, plan: AppPlan) -> bool:
        """Render one application. False (and nothing of it will be written) when it has a problem or refusal."""
        try:
            existing = {file.path: self._text(name_of(file)) or "" for file in plan.files if file.shared}
        except ProblemsError as error:
            self.problems += error.problems
            return False
        rendered, refusals, problems = render_app(plan, existing)
        self.refusals += refusals
        self.problems += problems
        if refusals or problems:
            return False
        for item in rendered:
            self._take(plan.request.name, item)
        return True

    def leave_out(self) -> list[Problem]:
        """The files of a user that could not be changed: they no longer stand in the way of the other applications."""
        left = [problem for problem in self.problems if problem.code == "file-not-valid"]
        self.problems = [problem for problem in self.problems if problem not in left]
        return left

    def keep(self, names: t.Iterable[str]) -> None:
        """What an earlier render wrote for these applications stays."""
        self._kept.update(names)

    def paths(self, plan: AppPlan) -> list[str]:
        """Where the files of an application are in the folder."""
        return [self._folder.at(name_of(file)) for file in plan.files]

    def touches(self, plan: AppPlan, outcome: t.Mapping[str, t.Any]) -> bool:
        """Whether a file of an application is among those that were written."""
        written = {item["path"] for item in outcome["files"] if item["changed"]}
        return bool(written.intersection(self.paths(plan)))

    def write(self, check: bool, diff: bool) -> dict[str, t.Any]:
        """Make the folder so, as a set, and return what the task returns of it.

        Raises ProblemsError with everything that stands in the way; nothing was written then.
        """
        contents = {name: item.text.encode(ENCODING, ERRORS) for name, (item, _apps) in self._items.items()}
        before = self._examined(contents)
        changed = {name: data for name, data in contents.items() if not _is(before[name], data)}
        known = {file.file: file for file in self._before.files} if self._before else {}
        gone = [file for name, file in known.items() if name not in contents and not self._kept.intersection(file.apps)]
        removed = [file for file in gone if self._is_untouched(file)]
        left = [file for file in gone if file not in removed and self._stands(file.file)]
        entries = [self._entry(name, known.get(name), contents[name], before[name]) for name in contents]
        entries += [file for name, file in known.items() if name not in contents and file not in gone]
        after = RenderManifest(
            self._host, self._salt, self._folders(entries), tuple(sorted(entries, key=lambda entry: entry.file))
        )
        is_changed = bool(changed or removed or after != self._before)
        if is_changed and not check:
            self._perform(after, changed, removed)
        shown = {"diff": list(self._differences(changed, before, removed))} if diff else {}
        return {
            "changed": is_changed,
            "generation": None,
            "activations": [],
            "manifest": self._folder.at(manifest.NAME),
            "files": [{"path": self._folder.at(name), "changed": name in changed} for name in contents],
            "removed": [self._folder.at(file.file) for file in removed],
            "drift": [self._kept_by_others(file) for file in left],
            **shown,
        }

    # -- what is there ------------------------------------------------------------------------

    def _manifest(self) -> RenderManifest | None:
        found = self._folder.read(manifest.NAME)
        before = RenderManifest.from_json(found.data, self._folder.at(manifest.NAME)) if found else None
        self._salt = before.salt if before else new_key()
        if before and before.host != self._host:
            what = f"This folder holds the files of {before.host}, not of {self._host}."
            raise ProblemsError(
                [
                    Problem(
                        self._folder.path,
                        what,
                        "dest-of-other-host",
                        "Give each host a folder: dest: ./out/{{ inventory_hostname }}.",
                    )
                ]
            )
        return before

    def _text(self, name: str) -> str | None:
        found = self._folder.read(name)
        return found.data.decode(ENCODING, ERRORS) if found else None

    def _examined(self, contents: t.Mapping[str, bytes]) -> dict[str, t.Any]:
        """What stands at each name. Raises ProblemsError with all that was not ours to replace."""
        before, problems = {}, [*self.problems, *_nested([*contents, manifest.NAME], self._folder)]
        ours = {file.file for file in self._before.files} if self._before else set()
        for name, data in contents.items():
            try:
                before[name] = found = self._folder.read(name)
            except ProblemsError as error:
                problems += error.problems
                continue
            if found and found.data != data and name not in ours and not self._items[name][0].file.shared:
                what = "This file is there already, and no earlier render wrote it."
                problems.append(
                    Problem(self._folder.at(name), what, "dest-not-ours", "Move it away, or render to another folder.")
                )
        if problems:
            raise ProblemsError(problems)
        return before

    def _stands(self, name: str) -> bool:
        try:
            return self._folder.read(name) is not None
        except ProblemsError:
            return True  # something else, which is not ours

    def _is_untouched(self, file: ManifestFile) -> bool:
        try:
            found = self._folder.read(file.file)
        except ProblemsError:
            return False
        return found is not None and not file.existed and fingerprint(self._salt, found.data) == file.fingerprint

    def _kept_by_others(self, file: ManifestFile) -> dict[str, t.Any]:
        return {
            "name": ", ".join(file.apps),
            "path": self._folder.at(file.file),
            "keys": [],
            "what": "changed",
            "done": "kept",
        }

    # -- what is to be there ------------------------------------------------------------------

    def _take(self, app: str, item: Rendered) -> None:
        name = name_of(item.file)
        other = self._items.get(name)
        if other and item.file.readers is not None and other[0].file.readers is not None:
            readers = tuple(sorted({*other[0].file.readers, *item.file.readers}))
            self._items[name] = (Rendered(item.file._replace(readers=readers), item.text), (*other[1], app))
        elif other:
            what = f"{name} is already rendered for {other[1][0]}."
            self.problems.append(
                Problem(f"{self._folder.path} ({app})", what, "same-file", "Give one of them another path.")
            )
        else:
            self._items[name] = (item, (app,))

    def _entry(self, name: str, known: ManifestFile | None, data: bytes, before: t.Any) -> ManifestFile:
        item, apps = self._items[name]
        file = item.file
        owner, group, mode = _placed(file)
        return ManifestFile(
            file=name,
            path=None if file.command else file.path,
            tool=file.path if file.command else None,
            apps=apps,
            owner=owner,
            group=group,
            mode=mode,
            group_if_readable=file.group_if_open if holds_secret(file) else None,
            readers=file.readers or (),
            secret=holds_secret(file),
            shared=file.shared,
            existed=known.existed if known else before is not None,
            fingerprint=fingerprint(self._salt, data),
        )

    def _folders(self, entries: t.Sequence[ManifestFile]) -> tuple[str, ...]:
        """Those of our folders that hold a file still."""
        needed = {file.file[:number] for file in entries for number, char in enumerate(file.file) if char == "/"}
        return tuple(name for name in self._before.folders if name in needed) if self._before else ()

    def _differences(
        self, changed: t.Mapping[str, bytes], before: t.Mapping[str, t.Any], removed: t.Iterable[ManifestFile]
    ) -> t.Iterator[dict[str, str]]:
        for name in changed:
            found = before[name]
            item = self._items[name][0]
            shown = difference(item.file, found.data.decode(ENCODING, ERRORS) if found else None, item.text)
            yield {**shown, "before_header": self._folder.at(name), "after_header": self._folder.at(name)}
        for file in removed:
            yield {
                "before_header": self._folder.at(file.file),
                "after_header": "/dev/null",
                "before": f"(the file of {', '.join(file.apps)} that an earlier run rendered)\n",
                "after": "",
            }

    def _perform(
        self, after: RenderManifest, changed: t.Mapping[str, bytes], removed: t.Iterable[ManifestFile]
    ) -> None:
        """Every new file is complete before anything is removed or replaced, and the manifest names them before they take their places."""
        made: list[str] = []
        try:
            self._folder.make()
            self._folder.make_folders(changed, made)
            folders = sorted({*after.folders, *made})
            contents = {manifest.NAME: dataclasses.replace(after, folders=tuple(folders)).to_json(), **changed}
            self._folder.prepare(contents)
        except ProblemsError:
            self._folder.unmake(made)
            raise
        for file in removed:
            self._folder.remove(file.file)
        self._folder.replace(contents)
        self._folder.sweep([manifest.NAME, *(file.file for file in after.files)])
        self._folder.remove_folders(set(self._before.folders if self._before else ()) - set(folders))


def absolute(dest: str) -> str:
    """Where a folder given by the user is: relative to the folder in which Ansible was started. Raises ProblemsError."""
    path = os.path.abspath(os.path.expanduser(dest)) if dest.strip() else ""
    if path in ("", "/", "//"):
        what = "This is no folder to render to." if path else "No folder is named."
        raise ProblemsError(
            [
                Problem(
                    "dest",
                    what,
                    "dest-required",
                    "Example: dest: ./out/{{ inventory_hostname }}. Leave dest out to write in place.",
                )
            ]
        )
    return path


def no_state(state: str) -> Problem:
    """Why a folder is asked in vain for what is kept on a host."""
    return Problem(
        "dest",
        f"A folder has nothing for state: {state}; records and generations are kept on the host.",
        "dest-state",
        "Leave dest out.",
    )


def name_of(file: FilePlan) -> str:
    """The name of a file below the folder. No tool is called here: what one would be given is a file."""
    if file.command:
        return _UNFIT.sub("_", file.path).strip("_") + ".json"
    return posixpath.normpath("/" + file.path).lstrip("/")


def _is(found: t.Any, data: bytes) -> bool:
    return found is not None and found.data == data and found.mode == FILE_MODE


def _placed(file: FilePlan) -> tuple[str | None, str | None, str | None]:
    """Owner, group and mode on the host; None: as the file has it there."""
    if file.command:
        return None, None, None
    if file.readers is not None:
        users, groups = (
            [reader.partition(":")[2] for reader in file.readers if reader.startswith(kind)]
            for kind in ("user", "group")
        )
        alone = len(users) + len(groups) < 2
        return (
            (users[0] if users and alone else None),
            (groups[0] if groups and alone else None),
            "0640" if groups or not alone else "0600",
        )
    secret = holds_secret(file)
    mode = file.mode or (None if file.shared else "0600" if secret else "0644")
    if mode and secret:
        mode = f"{int(mode, 8) & ~_OTHERS:04o}"
    return file.owner, file.group, mode


def _nested(names: t.Sequence[str], folder: RenderFolder) -> list[Problem]:
    """Files that are to be folders for others."""
    above = {name[:number] for name in names for number, char in enumerate(name) if char == "/"}
    what = "Another file is to stand below this one, or this is the manifest."
    return [
        Problem(folder.at(name), what, "same-file", "Give one of them another path.")
        for name in names
        if name in above or names.count(name) > 1
    ]
