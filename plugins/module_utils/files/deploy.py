# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy: the four things that can be asked of a host's files (query, present, rolled_back, committed), as one answer each.

Only here the stages meet: look, examine, journal. The record, per path: ``{"app", "shared", "secret", "original": blob name or
null when there was no file, "original_meta", "folders": made for it, "wrote", "stands": fingerprints (see drift)}``, and per
application whatever the controller keeps there, and what waiting does. What a tool reads and writes (see commands) has "command" as
well, and "kept": blob name of what we last wrote, where the tool does not show secrets.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import time
import typing as t

from . import answers, commands, common, drift, examine, journal, obstacles, waiting
from .durable import read_json
from .examine import Change, Step
from .look import FILE, Meta
from .problems import Problem, ProblemsError, from_os_error
from .seal import SealError, fingerprint, original_label, read_label, seal, unseal_contents, unseal_facts
from .staleness import Notes
from .state import KEY_BYTES, Record, State, copy_record
from .view import Spec, View

Answer = t.Dict[str, t.Any]
EVERY_APP = "*"


@dataclasses.dataclass(frozen=True)
class Request:
    """The options of ``smtp_deploy``; ``seal_key`` and ``contents`` are never shown."""

    state: str
    state_dir: str
    check: bool = False
    read: tuple[dict[str, t.Any], ...] = ()
    read_apps: tuple[str, ...] = ()
    changes: tuple[dict[str, t.Any], ...] = ()
    record: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    generation: t.Optional[str] = None
    keep: int = 5
    lock_timeout: float = 60
    seal_key: str = dataclasses.field(default="", repr=False)
    contents: str = dataclasses.field(default="", repr=False)
    facts: str = dataclasses.field(default="", repr=False)


def run(request: Request) -> Answer:
    """Do what was asked. Every failure is an answer with ``problems``; none holds a byte of any file."""
    recovered: list[t.Optional[str]] = []
    try:
        answer = _run(request, recovered)
    except ProblemsError as error:
        answer = answers.failure(error.problems)
    except OSError as error:
        answer = answers.failure([from_os_error(error, request.state_dir, "The run was given up.")])
    except SealError as error:
        answer = answers.failure([Problem("", f"The contents cannot be carried: {error}.", "bad-seal")])
    except ValueError as error:
        hint = "Restore it from a backup, or name another state_dir."
        answer = answers.failure([Problem(request.state_dir, f"Our own notes cannot be read: {error}.", "state-damaged", hint)])
    answer["recovered"] = next(iter(recovered), None)
    answer["changed"] = answer["changed"] or answer["recovered"] == "finished"
    return answer


def _run(request: Request, recovered: list[t.Optional[str]]) -> Answer:
    state = State(request.state_dir)
    problems = state.problems()
    if problems:
        raise ProblemsError(problems)
    if not request.check and request.state == "present" and not os.path.isdir(state.generations):
        planned = _plan(request, state, View.of(state))
        if planned.is_empty:
            return planned.answer(None)
        state.create()
    with _alone(request, state):
        view = _settled(request, state)
        recovered.append(view.recovered)
        return _STATES[request.state](request, state, view)


def _alone(request: Request, state: State) -> t.ContextManager[None]:
    """The lock, unless there is nothing yet that two runs could meet at. Check mode makes no lock, but waits for one."""
    needed = os.path.exists(os.path.join(state.folder, "lock")) if request.check else os.path.isdir(state.generations)
    return state.locked(request.lock_timeout) if needed else contextlib.nullcontext()


def _settled(request: Request, state: State) -> View:
    if request.check:
        ahead = journal.pending(state)
        return View(state, state.load_record() if ahead.record is None else ahead.record, ahead.files, ahead.outcome, {})
    recovered = journal.settle(state)
    if os.path.isdir(state.generations) and (recovered or request.state != "query"):
        state.sweep()
    return View.of(state, recovered)


@dataclasses.dataclass(frozen=True)
class Planned:
    """Every step that was asked for, the unchanged too, and the work they come to."""

    steps: tuple[Step, ...]
    work: journal.Work
    before: Record
    apps: tuple[Answer, ...]
    drift: tuple[Answer, ...] = ()
    key: bytes = dataclasses.field(default=b"", repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.work.steps or self.work.record != self.before or self.work.drops)

    def answer(self, generation: t.Optional[str]) -> Answer:
        """What was done."""
        files = [(answers.settings if step.command else answers.file)(step) for step in self.steps]
        told = {"changed": not self.is_empty, "files": files, "generation": generation, "drift": list(self.drift)}
        return {**told, "applications": list(self.apps)}


def _query(request: Request, state: State, view: View) -> Answer:
    wanted = {item["path"]: bool(item.get("original")) for item in request.read}
    asked = {item["path"]: item.get("command") for item in request.read}
    for path, entry in view.record["files"].items():
        if entry["shared"] and (EVERY_APP in request.read_apps or entry["app"] in request.read_apps):
            wanted[path] = True
    _ask_tools(view, [(path, command or view.command(path)) for path, command in asked.items()])
    read = {path: _told(request, view, path, original, asked.get(path)) for path, original in wanted.items()}
    generations = [_summary(state, name) for name in state.finished()]
    return {"changed": False, "files": [], "generation": None, "record": view.record, "read": read, "generations": generations}


def _told(request: Request, view: View, path: str, original: bool, command: t.Optional[Spec]) -> Answer:
    command = command or view.command(path)
    seen = view.look(path, command)
    told = answers.seen(dataclasses.replace(seen, meta=None) if command else seen)
    data = commands.without_stars(commands.Command(**command), seen.data) if command else seen.data
    told["content"] = seal(request.seal_key, read_label(path), data) if seen.kind == FILE else None
    told["fingerprint"] = fingerprint(request.seal_key, seen.data) if seen.kind == FILE else None
    blob = view.record["files"].get(path, {}).get("original") if original else None
    told["original"] = seal(request.seal_key, original_label(path), _blob(view.state.original(blob))) if blob else None
    return told


def _summary(state: State, name: str) -> Answer:
    manifest = read_json(state.manifest(name))
    before = {app: noted.get("credential_id", "") for app, noted in manifest["record_before"]["apps"].items()}
    return {"id": name, "paths": [entry["path"] for entry in manifest["entries"]], "credentials": before}


def _left_over(request: Request, view: View) -> list[tuple[str, dict[str, t.Any]]]:
    """What is ours for one of these applications and no longer asked for, as after a move to another path or form."""
    asked = {item["path"] for item in request.changes}
    apps = set(request.record.get("apps") or {}) - set(request.record.get("remove") or ())
    own = [(path, entry) for path, entry in view.record["files"].items() if entry["app"] in apps and not entry.get("common")]
    return [(path, entry) for path, entry in own + common.unused(view.record, request.record) if path not in asked]


def _present(request: Request, state: State, view: View) -> Answer:
    if any(entry["shared"] for _path, entry in _left_over(request, view)):
        # Only the controller can take our part out of the user's file: answer what it would have queried, write nothing.
        return {**_query(dataclasses.replace(request, read_apps=tuple(request.record["apps"])), state, view), "look_again": True}
    planned = _plan(request, state, view)
    if planned.is_empty or request.check:
        return planned.answer(None)
    if state.load_key() is None:
        state.make_key(planned.key)
    journal.perform(state, planned.work)
    finished = state.finished()
    for name in finished[:max(0, len(finished) - request.keep)]:
        state.drop_generation(name)
    state.sweep()
    return planned.answer(planned.work.name)


def _plan(request: Request, state: State, view: View) -> Planned:
    """Examine every change. Raises ProblemsError with everything that stands in the way."""
    contents = unseal_contents(request.seal_key, request.contents) if request.contents else {}
    facts = unseal_facts(request.seal_key, request.facts) if request.facts else {}
    asked = [
        Change(
            **common.with_readers(item, view.record, request.record), seal_key=request.seal_key,
            content=contents.get(item["path"]), facts=facts.get(item["path"], {}),
        )
        for item in request.changes
    ]
    left = [Change(entry["app"], path, "restore") for path, entry in _left_over(request, view) if not entry["shared"]]
    # What is asked for comes last: an old tool may lead to the same application as the new one.
    changes = [_by_tool(change, view) for change in [*left, *asked]]
    _ask_tools(view, [(change.path, change.command) for change in changes])
    known = state.load_key()
    key = known or secrets.token_bytes(KEY_BYTES)
    verdicts = [_judge(change, view, key, known is not None) for change in changes]
    steps = _all_clear([_examine(change, verdict, view, state) for change, verdict in zip(changes, verdicts)], state)
    name = state.next_id()
    record, originals, kept = _new_record(name, view.record, request, list(zip(changes, steps, verdicts)))
    touched = {change.app for change, step in zip(changes, steps) if step.changed and change.readers is None}
    touched |= common.users([step.path for step in steps if step.changed], record)
    work = journal.Work(name, tuple(step for step in steps if step.changed), record, originals, kept=kept)
    drifted = tuple(verdict.drift for verdict in verdicts if verdict.drift)
    return dataclasses.replace(_planned(state, view, steps, work, touched), drift=drifted, key=key)


def _planned(state: State, view: View, steps: tuple[Step, ...], work: journal.Work, touched: t.Collection[str]) -> Planned:
    """The work with what waits for activation noted in its record."""
    waiting.note(view.record, work.record, touched, time.time())
    if work.steps or work.record != view.record:
        waiting.forget(work.record, Notes(state.folder))
    return Planned(steps, work, view.record, tuple(waiting.applications(view.record, work.record, touched)))


def _by_tool(change: Change, view: View) -> Change:
    """The change with how its tool is asked, from the record where it is taken back, and its settings as that tool spells them."""
    command = change.command or view.command(change.path)
    if not command:
        return change
    content = None if change.content is None else commands.canonical(commands.Command(**command), change.content)
    return dataclasses.replace(change, command=command, content=content)


def _ask_tools(view: View, wanted: t.Iterable[tuple[str, t.Optional[Spec]]]) -> None:
    """Ask every tool once. Raises ProblemsError with all that do not answer."""
    problems: list[Problem] = []
    for path, command in wanted:
        try:
            if command:
                view.look(path, command)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)


def _judge(change: Change, view: View, key: bytes, known: bool) -> drift.Verdict:
    """Without the key that they were made with, the record's fingerprints say nothing."""
    entry = view.record["files"].get(change.path, {})
    return drift.judge(change, view.look(change.path, change.command), entry if known else {}, key)


def _examine(change: Change, verdict: drift.Verdict, view: View, state: State) -> examine.Outcome:
    seen = view.look(change.path, change.command)
    if verdict.leave:
        change = dataclasses.replace(change, content=seen.data)  # its owner and mode are as declared all the same
    entry = view.record["files"].get(change.path)
    if change.command:
        data = change.content if change.action == "write" else _blob(state.original(entry["original"])) if entry else None
        return examine.examine_settings(seen, data or b"{}", change.command)
    if change.action == "write":
        return examine.examine_write(change, seen)
    if change.action == "restore":
        if entry is None:
            return [examine.not_ours(change.path)]
        if entry["original"] is not None:
            return examine.examine_return(seen, _blob(state.original(entry["original"])), Meta.from_dict(entry["original_meta"]))
    return examine.examine_removal(change, seen, entry["folders"] if entry else (), ours=entry is not None)


def _all_clear(outcomes: t.Sequence[examine.Outcome], state: State) -> tuple[Step, ...]:
    """The steps, when nothing stands in the way of any; else raises ProblemsError with all of it."""
    steps = tuple(outcome for outcome in outcomes if isinstance(outcome, Step))
    problems = [problem for outcome in outcomes if isinstance(outcome, list) for problem in outcome] + _same_file(steps)
    if any(step.changed for step in steps):
        problems += obstacles.state_folder(state.folder) + obstacles.no_space(steps, state.folder)
    if problems:
        raise ProblemsError(problems)
    return steps


def _same_file(steps: t.Sequence[Step]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for step in steps:
        if step.real in first:
            what = f"This is the same file as {first[step.real]}, which this run changes as well."
            problems.append(Problem(step.path, what, "same-file", "Let one application own it."))
        first.setdefault(step.real, step.path)
    return problems


def _new_record(
    name: str, before: Record, request: Request, done: t.Sequence[tuple[Change, Step, drift.Verdict]],
) -> tuple[Record, dict[str, Step], dict[str, Step]]:
    """The record afterwards, whose bytes become originals (those of each path that is ours for the first time), and whose new ones are kept."""
    record, originals, kept = copy_record(before), {}, {}
    removed = request.record.get("remove") or []
    made = [folder for entry in before["files"].values() for folder in entry["folders"]]
    made += [folder for _change, step, _verdict in done for folder in step.make]
    for change, step, verdict in done:
        entry = record["files"].pop(change.path, None)
        if change.action != "write" or change.app in removed or change.release:
            continue
        if entry is None:
            entry = {"original": None, "original_meta": None, "folders": _above(step.real, made)}
            if step.seen.meta is not None:
                entry.update(original=f"{name}-{len(originals)}", original_meta=step.seen.meta.as_dict())
                originals[entry["original"]] = step
        if change.command:
            entry["command"] = dict(change.command)
            if step.changed and change.command.get("masked") is not None:
                entry["kept"] = f"{name}-{len(kept)}-kept"
                kept[entry["kept"]] = step
        record["files"][change.path] = {
            **entry, **({} if change.readers is None else {"common": True}), "app": change.app, "shared": change.shared,
            "secret": change.secret, "wrote": verdict.wrote, "stands": verdict.stands,
        }
    record["apps"].update(request.record.get("apps") or {})
    for app in removed:
        record["apps"].pop(app, None)
    return copy_record(record), originals, kept


def _rolled_back(request: Request, state: State, view: View) -> Answer:
    doomed = _generations(request, state)
    doomed = doomed[doomed.index(request.generation):] if request.generation else doomed[-1:]
    if not doomed:
        return answers.nothing()
    manifests = [read_json(state.manifest(name)) for name in doomed]
    entries = _oldest_first(manifests)
    _ask_tools(view, [(entry["path"], entry.get("command")) for entry, _name in entries])
    outcomes = [_examine_roll_back(view, entry, name) for entry, name in entries]
    steps = _all_clear(outcomes, state)
    record = manifests[0]["record_before"]
    changed = tuple(step for step in steps if step.changed)
    # Whose a path is, before or after: the application that has it loses it, or gets it back.
    touched = {known["files"][step.path]["app"] for known in (view.record, record) for step in changed if step.path in known["files"]}
    touched |= common.users([step.path for step in changed], record)
    planned = _planned(state, view, steps, journal.Work(state.next_id(), changed, record, {}, tuple(doomed)), touched)
    if not request.check:
        journal.perform(state, planned.work)
        state.sweep()
    return planned.answer(doomed[0])


def _oldest_first(manifests: t.Sequence[Answer]) -> list[tuple[Answer, str]]:
    """For each path what stood there before the first of these generations, with every folder above it made since."""
    found: dict[str, tuple[Answer, str]] = {}
    for manifest in manifests:
        for entry in manifest["entries"]:
            found.setdefault(entry["real"], (dict(entry), manifest["id"]))
    made = [folder for manifest in manifests for entry in manifest["entries"] for folder in entry["make"]]
    return [({**entry, "make": _above(real, made)}, name) for real, (entry, name) in found.items()]


def _above(real: str, made: t.Iterable[str]) -> list[str]:
    """Which of these folders a path lies in, outermost first: whichever file in a folder of ours is the last to go takes it along."""
    return sorted({folder for folder in made if real.startswith(folder + os.sep)}, key=len)


def _examine_roll_back(view: View, entry: Answer, name: str) -> examine.Outcome:
    blob = os.path.join(view.state.generation(name), entry["blob"])
    if "command" in entry:
        return examine.examine_settings(view.look(entry["path"], entry["command"]), _blob(blob), entry["command"])
    seen = dataclasses.replace(view.look(entry["real"]), path=entry["path"])
    if entry["before"] is None:
        return examine.examine_removal(Change("", entry["path"], "delete"), seen, entry["make"], ours=True)
    return examine.examine_return(seen, _blob(blob), Meta.from_dict(entry["before"]))


def _committed(request: Request, state: State, view: View) -> Answer:
    names = _generations(request, state)
    if request.generation:
        names = names[:names.index(request.generation) + 1]
    if names and not request.check:
        for name in names:
            state.drop_generation(name)
        state.sweep()
    return {**answers.nothing(), "changed": bool(names), "generation": names[-1] if names else None}


def _generations(request: Request, state: State) -> list[str]:
    names = state.finished()
    if request.generation and request.generation not in names:
        hint = "There are: " + ", ".join(names) + "." if names else "There are none."
        raise ProblemsError([Problem(state.folder, f'There is no generation "{request.generation}".', "no-such-generation", hint)])
    return names


def _blob(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


_STATES: dict[str, t.Callable[[Request, State, View], Answer]] = {
    "query": _query, "present": _present, "rolled_back": _rolled_back, "committed": _committed,
}
