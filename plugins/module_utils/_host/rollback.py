# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollback: back before a generation, and the end of generations. One whose manifest is damaged can be committed, and no other is lost by it."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._shared.problem import Problem, ProblemsError
from . import journal, planned, preflight, results, shared_secret
from .notes import fields
from .notes.change import Change
from .notes.manifest import JournalEntry, Manifest
from .notes.state import State
from .overlay import View
from .request import DeployCall
from .step import Outcome

Answer = t.Dict[str, t.Any]


def rolled_back(request: DeployCall, state: State, view: View) -> Answer:
    """The answer of ``state=rolled_back``. Raises ProblemsError."""
    doomed = _generations(request, state)
    doomed = doomed[doomed.index(request.generation) :] if request.generation else doomed[-1:]
    if not doomed:
        return results.nothing()
    manifests = [state.load_manifest(name) for name in doomed]
    entries = _oldest_first(manifests)
    view.ask([(entry.path, entry.command) for entry, _name in entries])
    steps = planned.all_clear([_examine(view, entry, name) for entry, name in entries], state)
    name = state.next_id(view.record)
    record = dataclasses.replace(manifests[0].record_before, last=name)
    changed = tuple(step for step in steps if step.changed)
    # Whose a path is, before or after: the application that has it loses it, or gets it back.
    touched = {
        known.files[step.path].app for known in (view.record, record) for step in changed if step.path in known.files
    }
    touched |= shared_secret.users({step.path for step in changed}, record)
    plan = planned.of(state, view, steps, journal.ChangeSet(name, changed, record, {}, tuple(doomed)), touched)
    if not request.check:
        journal.perform(state, plan.work)
        state.sweep()
    return plan.answer(doomed[0])


def committed(request: DeployCall, state: State, view: View) -> Answer:
    """The answer of ``state=committed``. Raises ProblemsError."""
    names = _generations(request, state)
    if request.generation:
        names = names[: names.index(request.generation) + 1]
    if names and not request.check:
        for name in names:
            state.drop_generation(name)
        state.sweep()
    return {**results.nothing(), "changed": bool(names), "generation": names[-1] if names else None}


def _oldest_first(manifests: t.Sequence[Manifest]) -> t.List[t.Tuple[JournalEntry, str]]:
    """For each path what stood there before the first of these generations, with every folder above it made since."""
    found: t.Dict[str, t.Tuple[JournalEntry, str]] = {}
    for manifest in manifests:
        for entry in manifest.entries:
            found.setdefault(entry.real, (entry, manifest.id))
    made = {folder for manifest in manifests for entry in manifest.entries for folder in entry.make}
    return [(dataclasses.replace(entry, make=planned.above(real, made)), name) for real, (entry, name) in found.items()]


def _examine(view: View, entry: JournalEntry, name: str) -> Outcome:
    blob = os.path.join(view.state.generation(name), entry.blob)
    if entry.command:
        return preflight.examine_settings(
            view.look(entry.path, entry.command), view.state.load_blob(blob), entry.command
        )
    seen = dataclasses.replace(view.look(entry.real), path=entry.path)
    if entry.before is None:
        return preflight.examine_removal(Change("", entry.path, "delete"), seen, entry.make, ours=True)
    return preflight.examine_return(seen, view.state.load_blob(blob), entry.before)


def _generations(request: DeployCall, state: State) -> t.List[str]:
    names = state.finished()
    if request.generation and request.generation not in names:
        hint = "There are: " + ", ".join(names) + "." if names else "There are none."
        what = f'There is no generation "{fields.shown(request.generation)}".'
        raise ProblemsError([Problem(state.folder, what, "no-such-generation", hint)])
    return names
