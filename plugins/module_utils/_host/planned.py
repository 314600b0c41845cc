# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned: what a run would do, once nothing stands in its way; the same for applying and for rolling back."""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t

from .._shared.problem import OTHER_STATE_DIR, Problem, ProblemsError
from . import journal, obstacles, results
from .disk import durable
from .notes import stored_json
from .notes.ownership import OwnershipRecord
from .notes.state import State
from .overlay import View
from .services import pending_activation
from .services.staleness import Notes
from .step import Outcome, PathStep

Answer = t.Dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Planned:
    """Every step that was asked for, the unchanged too, and the work they come to."""

    steps: t.Tuple[PathStep, ...]
    work: journal.ChangeSet
    before: OwnershipRecord
    apps: t.Tuple[Answer, ...]
    drift: t.Tuple[Answer, ...] = ()
    key: bytes = dataclasses.field(default=b"", repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.work.steps or self.work.record != self.before or self.work.drops)

    def answer(self, generation: t.Optional[str]) -> Answer:
        """What was done."""
        files = [(results.settings if step.command else results.file)(step) for step in self.steps]
        told = {"changed": not self.is_empty, "files": files, "generation": generation, "drift": list(self.drift)}
        return {**told, "applications": list(self.apps)}


def of(
    state: State, view: View, steps: t.Tuple[PathStep, ...], work: journal.ChangeSet, touched: t.Collection[str]
) -> Planned:
    """The work, with what waits for activation noted in its record. Raises ProblemsError where that record cannot be kept."""
    record = pending_activation.noted(view.record, work.record, touched, time.time())
    if work.steps or record != view.record:
        record = pending_activation.forgotten(record, Notes(state.folder))
    plan = Planned(
        steps,
        work._replace(record=record),
        view.record,
        tuple(pending_activation.applications(view.record, record, touched)),
    )
    if not plan.is_empty and len(durable.to_json(record.to_json())) > stored_json.RECORD_BYTES:
        what = f"What is ours on this host does not fit into a record of {stored_json.RECORD_BYTES // stored_json.MIB} MiB."
        raise ProblemsError(
            [Problem(state.record, what, "record-too-large", f"Give some of these applications {OTHER_STATE_DIR}.")]
        )
    return plan


def all_clear(outcomes: t.Sequence[Outcome], state: State) -> t.Tuple[PathStep, ...]:
    """The steps, when nothing stands in the way of any; else raises ProblemsError with all of it."""
    steps = tuple(outcome for outcome in outcomes if isinstance(outcome, PathStep))
    problems = [problem for outcome in outcomes if isinstance(outcome, list) for problem in outcome] + _same_file(steps)
    if any(step.changed for step in steps):
        problems += obstacles.state_folder(state.folder) + obstacles.no_space(steps, state.folder)
    if problems:
        raise ProblemsError(problems)
    return steps


def above(real: str, made: t.Container[str]) -> t.Tuple[str, ...]:
    """Which of these folders a path lies in, outermost first: whichever file in a folder of ours is the last to go takes it along."""
    found: t.List[str] = []
    folder = os.path.dirname(real)
    while folder not in ("", os.sep):
        if folder in made:
            found.insert(0, folder)
        folder = os.path.dirname(folder)
    return tuple(found)


def _same_file(steps: t.Sequence[PathStep]) -> t.List[Problem]:
    first: t.Dict[str, str] = {}
    problems = []
    for step in steps:
        if step.real in first:
            what = f"This is the same file as {first[step.real]}, which this run changes as well."
            problems.append(Problem(step.path, what, "same-file", "Let one application own it."))
        first.setdefault(step.real, step.path)
    return problems
