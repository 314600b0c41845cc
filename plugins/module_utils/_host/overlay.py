# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""View: the host as it stands, or in check mode as it will stand once a killed run is settled."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._shared import paths
from .._shared.paths import OpenFolder
from .._shared.problem import Problem, ProblemsError
from .disk.snapshot import FILE, MISSING, Seen, look
from .notes import fields, stored_json
from .notes.ownership import OwnershipRecord, Spec
from .notes.state import State
from .tools import tool_settings
from .tools.tool_command import ToolCommand

_MANY = 200


class View(t.NamedTuple):
    """record: what is ours. files: by real path what takes its place, None for none. told: what tools have told already.

    seen: what stood at each path that was looked at, once a run. folders: those on the way, held open.
    """

    state: State
    record: OwnershipRecord
    files: t.Mapping[str, t.Optional[str]]
    recovered: t.Optional[str]
    told: dict[str, Seen]
    seen: dict[str, Seen]
    folders: dict[str, OpenFolder]

    @classmethod
    def of(cls, state: State, recovered: t.Optional[str] = None) -> View:
        """The host with nothing left to settle."""
        return cls(state, state.load_record(), {}, recovered, {}, {}, {})

    def command(self, path: str) -> t.Optional[Spec]:
        """How a tool reads and writes what stands there, where the record says so."""
        file = self.record.files.get(path)
        return None if file is None else file.command

    def ask(self, wanted: t.Iterable[t.Tuple[str, t.Optional[Spec]]]) -> None:
        """Ask every tool once. Raises ProblemsError with all that do not answer."""
        problems: t.List[Problem] = []
        for path, command in wanted:
            try:
                if command:
                    self.look(path, command)
            except ProblemsError as error:
                problems += error.problems
        if problems:
            raise ProblemsError(problems)

    def look(self, path: str, command: t.Optional[Spec] = None) -> Seen:
        """What stands at ``path``; with ``command``, what its tool reads there, asked once. Raises ProblemsError where that fails."""
        if command:
            if path not in self.told:
                self.told[path] = self._ask(path, ToolCommand(**command))
            return self.told[path]
        if path not in self.seen:
            if len(self.seen) == _MANY:
                paths.hold_many()
            self.seen[path] = self._look(path)
        return self.seen[path]

    def _look(self, path: str) -> Seen:
        seen = look(path, self.folders)
        if seen.real not in self.files:
            return seen
        instead = self.files[seen.real]
        if instead is None:
            return Seen(path, seen.real, MISSING, place=seen.place)
        return dataclasses.replace(look(instead, self.folders), path=path, real=seen.real)

    def _ask(self, path: str, command: ToolCommand) -> Seen:
        ahead = self.files.get(path)
        if ahead is not None:
            return Seen(path, path, FILE, tool_settings.META, look(ahead).data)
        file = self.record.files.get(path)
        return tool_settings.look_at(path, command, self._kept(file.kept) if file is not None and file.kept else None)

    def _kept(self, blob: str) -> t.Optional[bytes]:
        """What we last wrote by a tool that does not show it."""
        if not os.path.lexists(self.state.original(blob)):
            return None
        data = self.state.load_original(blob)
        try:
            fields.mapping(fields.parse(data), "it")
        except fields.DamagedError as error:
            hint = "Delete it: the tool is then believed to hold what it shows, until its settings are written again."
            raise ProblemsError([stored_json.damaged(self.state.original(blob), error, hint)]) from None
        return data
