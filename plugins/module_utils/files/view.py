# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""View: the host as it stands, or in check mode as it will stand once a killed run is settled."""

from __future__ import annotations

import dataclasses
import typing as t

from . import commands
from .look import FILE, MISSING, Seen, look
from .state import Record, State

Spec = t.Mapping[str, t.Any]


class View(t.NamedTuple):
    """record: what is ours. files: by real path what takes its place, None for none. told: what tools have told already."""

    state: State
    record: Record
    files: t.Mapping[str, t.Optional[str]]
    recovered: t.Optional[str]
    told: dict[str, Seen]

    @classmethod
    def of(cls, state: State, recovered: t.Optional[str] = None) -> View:
        """The host with nothing left to settle."""
        return cls(state, state.load_record(), {}, recovered, {})

    def command(self, path: str) -> t.Optional[Spec]:
        """How a tool reads and writes what stands there, where the record says so."""
        return self.record["files"].get(path, {}).get("command")

    def look(self, path: str, command: t.Optional[Spec] = None) -> Seen:
        """What stands at ``path``; with ``command``, what its tool reads there, asked once. Raises ProblemsError where that fails."""
        if command:
            if path not in self.told:
                self.told[path] = self._ask(path, commands.Command(**command))
            return self.told[path]
        seen = look(path)
        if seen.real not in self.files:
            return seen
        instead = self.files[seen.real]
        return Seen(path, seen.real, MISSING) if instead is None else dataclasses.replace(look(instead), path=path, real=seen.real)

    def _ask(self, path: str, command: commands.Command) -> Seen:
        ahead, kept = self.files.get(path), self.record["files"].get(path, {}).get("kept")
        if ahead is not None:
            return Seen(path, path, FILE, commands.META, look(ahead).data)
        return commands.look_at(path, command, look(self.state.original(kept)).data if kept else None)
