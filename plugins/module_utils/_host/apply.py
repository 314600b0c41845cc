# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply: every change is examined against what stands there, and all of them are made with the record that they come to, or none."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import drift, journal, planned, preflight, shared_secret
from .disk.snapshot import Meta
from .notes.change import Change
from .notes.ownership import OwnershipRecord, RecordedFile
from .notes.state import KEY_BYTES, State
from .overlay import View
from .planned import Planned
from .query import query
from .request import DeployCall
from .step import Outcome, PathStep
from .tools import tool_settings
from .tools.tool_command import ToolCommand

Answer = t.Dict[str, t.Any]


class Judged(t.NamedTuple):
    """One change, what its path becomes, and what somebody else did there."""

    change: Change
    step: PathStep
    verdict: drift.DriftVerdict


def present(request: DeployCall, state: State, view: View) -> Answer:
    """The answer of ``state=present``. Raises ProblemsError."""
    if any(file.shared for _path, file in _left_over(request, view)):
        # Only the controller can take our part out of the user's file: answer what it would have queried, write nothing.
        return {
            **query(dataclasses.replace(request, read_apps=tuple(request.noted.apps)), state, view),
            "look_again": True,
        }
    plan = planned_changes(request, state, view)
    if plan.is_empty or request.check:
        return plan.answer(None)
    if state.load_key() is None:
        state.make_key(plan.key)
    journal.perform(state, plan.work)
    finished = state.finished()
    for name in finished[: max(0, len(finished) - request.keep)]:
        state.drop_generation(name)
    state.sweep()
    return plan.answer(plan.work.name)


def planned_changes(request: DeployCall, state: State, view: View) -> Planned:
    """Examine every change. Raises ProblemsError with everything that stands in the way."""
    asked = [shared_secret.with_readers(change, view.record, request.noted) for change in request.asked]
    left = [Change(file.app, path, "restore") for path, file in _left_over(request, view) if not file.shared]
    # What is asked for comes last: an old tool may lead to the same application as the new one.
    changes = [_by_tool(change, view) for change in [*left, *asked]]
    view.ask([(change.path, change.command) for change in changes])
    known = state.load_key()
    key = known or os.urandom(KEY_BYTES)
    verdicts = [_judge(change, view, key, known is not None) for change in changes]
    steps = planned.all_clear(
        [_examine(change, verdict, view, state) for change, verdict in zip(changes, verdicts)], state
    )
    name = state.next_id(view.record)
    judged = [Judged(*each) for each in zip(changes, steps, verdicts)]
    record, originals, kept = _new_record(name, view.record, request, judged)
    touched = {each.change.app for each in judged if each.step.changed and each.change.readers is None}
    touched |= shared_secret.users({step.path for step in steps if step.changed}, record)
    work = journal.ChangeSet(name, tuple(step for step in steps if step.changed), record, originals, kept=kept)
    drifted = tuple(verdict.drift for verdict in verdicts if verdict.drift)
    return dataclasses.replace(planned.of(state, view, steps, work, touched), drift=drifted, key=key)


def _left_over(request: DeployCall, view: View) -> t.List[t.Tuple[str, RecordedFile]]:
    """What is ours for one of these applications and no longer asked for, as after a move to another path or form."""
    asked = {change.path for change in request.asked}
    own = [
        (path, file) for path, file in view.record.files.items() if file.app in request.noted.stays and not file.common
    ]
    return [(path, file) for path, file in own + shared_secret.unused(view.record, request.noted) if path not in asked]


def _by_tool(change: Change, view: View) -> Change:
    """The change with how its tool is asked, from the record where it is taken back, and its settings as that tool spells them."""
    command = change.command or view.command(change.path)
    if not command:
        return change
    content = None if change.content is None else tool_settings.canonical(ToolCommand(**command), change.content)
    return dataclasses.replace(change, command=command, content=content)


def _judge(change: Change, view: View, key: bytes, known: bool) -> drift.DriftVerdict:
    """Without the key that they were made with, the record's fingerprints say nothing."""
    return drift.judge(
        change, view.look(change.path, change.command), view.record.files.get(change.path) if known else None, key
    )


def _examine(change: Change, verdict: drift.DriftVerdict, view: View, state: State) -> Outcome:
    seen = view.look(change.path, change.command)
    if verdict.leave and not change.command and (verdict.drift or verdict.wrote != verdict.stands):
        return preflight.examine_left(change, seen)
    if verdict.leave:
        change = dataclasses.replace(change, content=seen.data)  # its owner and mode are as declared all the same
    file = view.record.files.get(change.path)
    original = file.original if file is not None else None
    if change.command:
        data = (
            change.content
            if change.action == "write"
            else state.load_original(original)
            if original is not None
            else None
        )
        return preflight.examine_settings(seen, data or b"{}", change.command)
    if change.action == "write":
        return preflight.examine_write(change, seen)
    if change.action == "restore":
        if file is None:
            return [preflight.not_ours(change.path)]
        if file.original is not None and file.original_meta is not None:
            return preflight.examine_return(seen, state.load_original(file.original), file.original_meta)
    return preflight.examine_removal(change, seen, file.folders if file is not None else (), ours=file is not None)


def _new_record(
    name: str, before: OwnershipRecord, request: DeployCall, done: t.Sequence[Judged]
) -> t.Tuple[OwnershipRecord, t.Dict[str, PathStep], t.Dict[str, PathStep]]:
    """The record afterwards, whose bytes become originals (those of each path that is ours for the first time), and whose new ones are kept."""
    files = dict(before.files)
    originals: t.Dict[str, PathStep] = {}
    kept: t.Dict[str, PathStep] = {}
    made = {folder for file in before.files.values() for folder in file.folders}
    made |= {folder for each in done for folder in each.step.make}
    for change, step, verdict in done:
        file = files.pop(change.path, None)
        if change.action != "write" or change.app in request.noted.remove or change.release:
            continue
        blob, meta, folders = _original(file, step, f"{name}-{len(originals)}", made)
        if file is None and blob is not None:
            originals[blob] = step
        last = file.kept if file is not None else None
        if change.command and step.changed and change.command.get("masked") is not None:
            last = f"{name}-{len(kept)}-kept"
            kept[last] = step
        files[change.path] = RecordedFile(
            app=change.app,
            shared=change.shared,
            secret=change.secret,
            original=blob,
            original_meta=meta,
            folders=folders,
            wrote=verdict.wrote,
            stands=verdict.stands,
            common=change.readers is not None or (file is not None and file.common),
            command=change.command or (file.command if file is not None else None),
            kept=last,
        )
    apps = {
        name: app for name, app in {**before.apps, **request.noted.apps}.items() if name not in request.noted.remove
    }
    return OwnershipRecord(apps, files, before.gone, name), originals, kept


def _original(
    file: t.Optional[RecordedFile], step: PathStep, blob: str, made: t.Container[str]
) -> t.Tuple[t.Optional[str], t.Optional[Meta], t.Tuple[str, ...]]:
    """Blob, owner and mode of what stood there before us, and the folders that were made for it."""
    if file is not None:
        return file.original, file.original_meta, file.folders
    folders = planned.above(step.real, made)
    return (None, None, folders) if step.seen.meta is None else (blob, step.seen.meta, folders)
