# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy: the four things that can be asked of a host's files (query, present, rolled_back, committed), as one answer each."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._shared.problem import OTHER_STATE_DIR, Problem, ProblemsError, from_os_error
from .._shared.seal import SealError
from . import apply, journal, purge, query, results, rollback
from .notes import fields
from .notes.state import State
from .overlay import View
from .request import DeployCall

__all__ = ["DeployCall", "run"]

Answer = t.Dict[str, t.Any]


def run(request: DeployCall) -> Answer:
    """Do what was asked. Every failure is an answer with ``problems``; none holds a byte of any file."""
    recovered: list[t.Optional[str]] = []
    try:
        answer = _run(request, recovered)
    except ProblemsError as error:
        answer = results.failure(error.problems)
    except OSError as error:
        answer = results.failure([from_os_error(error, request.state_dir, "The run was given up.")])
    except SealError as error:
        answer = results.failure([Problem("", f"The contents cannot be carried: {error}.", "bad-seal")])
    answer["recovered"] = next(iter(recovered), None)
    answer["changed"] = answer["changed"] or answer["recovered"] == "finished"
    return answer


def _run(request: DeployCall, recovered: list[t.Optional[str]]) -> Answer:
    if not fields.is_path(os.path.abspath(request.state_dir)):
        raise ProblemsError(
            [Problem("state_dir", "This is not the path of a folder.", "state-dir", f"Name {OTHER_STATE_DIR}.")]
        )
    state = State(request.state_dir)
    problems = state.problems()
    if problems:
        raise ProblemsError(problems)
    if not request.check and request.state == "present" and not os.path.isdir(state.generations):
        planned = apply.planned_changes(request, state, View.of(state))
        if planned.is_empty:
            return planned.answer(None)
        state.create()
    with _alone(request, state):
        view = _settled(request, state)
        recovered.append(view.recovered)
        return _STATES[request.state](request, state, view)


def _alone(request: DeployCall, state: State) -> t.ContextManager[None]:
    """The lock, unless there is nothing yet that two runs could meet at. Check mode makes no lock, but waits for one."""
    needed = os.path.lexists(os.path.join(state.folder, "lock")) if request.check else os.path.isdir(state.generations)
    return state.locked(request.lock_timeout) if needed else contextlib.nullcontext()


def _settled(request: DeployCall, state: State) -> View:
    if request.check:
        ahead = journal.pending(state)
        return View(
            state, state.load_record() if ahead.record is None else ahead.record, ahead.files, ahead.outcome, {}, {}, {}
        )
    view = View.of(state, journal.settle(state))
    if os.path.isdir(state.generations) and (view.recovered or request.state != "query"):
        state.sweep(view.record)
    return view


_STATES: t.Dict[str, t.Callable[[DeployCall, State, View], Answer]] = {
    "query": query.query,
    "present": apply.present,
    "rolled_back": rollback.rolled_back,
    "committed": rollback.committed,
    "purged": purge.purged,
}
