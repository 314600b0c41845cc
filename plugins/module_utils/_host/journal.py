# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journal: a set of files and the record change together, or not at all, whenever the process is killed.

    prepared   the journal names everything that will be made; then it is made, beside the files it will replace
    go         one rename of the journal: from here on the set is new. Each file is renamed into place, the record last
    undo       a rename failed after all: what was replaced comes back
    (gone)     renamed to the manifest of its generation, or removed

A run that finds a journal settles it first: ``prepared`` and ``undo`` are undone, ``go`` is finished. Every step may be
repeated. New bytes live in temporary files beside their targets, replaced bytes in the generation; the journal holds none.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._shared.problem import Problem, ProblemsError, from_os_error
from .disk.durable import make_folder, remove_file, sync_folder, sync_folders, to_json, write_json, write_new
from .disk.homes import Homes, changed, seen_stamp
from .notes.manifest import Journal, JournalEntry
from .notes.ownership import OwnershipRecord
from .notes.state import State
from .step import PathStep
from .tools import tool_settings
from .tools.tool_command import ToolCommand

NOTHING_CHANGED = "Nothing was changed."
UNFINISHED = "Undoing the run failed as well; the next run goes on with it."


class ChangeSet(t.NamedTuple):
    """One set.

    steps: only those that change something. record: the record afterwards. originals: steps whose replaced bytes become
    originals, by blob name. drops: generations that this roll-back ends; such a run leaves no generation of its own.
    kept: steps whose new bytes the state keeps beside the application, by blob name.
    """

    name: str
    steps: tuple[PathStep, ...]
    record: OwnershipRecord
    originals: dict[str, PathStep]
    drops: tuple[str, ...] = ()
    kept: t.Mapping[str, PathStep] = {}


class Pending(t.NamedTuple):
    """What settling a journal would come to. files: by real path the file that takes its place, None for none."""

    outcome: t.Optional[str]
    files: dict[str, t.Optional[str]]
    record: t.Optional[OwnershipRecord]


def perform(state: State, work: ChangeSet) -> None:
    """Make every step and the record true. Raises ProblemsError when the system refused something: nothing was changed then."""
    homes = _homes(work.steps)
    journal = _plan(state, work, homes)
    try:
        _keep(state, journal)
        _prepare(state, journal, work, homes)
        _refuse_touched(work.steps, homes)
        journal = _keep(state, dataclasses.replace(journal, phase="go", folders=homes.identities()))
        _swap(state, journal, homes)
    except (OSError, ProblemsError) as error:
        raise ProblemsError(_failed(state, journal, error, homes)) from None
    _close(state, journal)


def settle(state: State) -> t.Optional[str]:
    """What an earlier run left undone: ``finished`` or ``undone``, None without a journal. OSError: the journal stays.

    Raises ProblemsError, once, where a folder is not the one that the run worked in: everything else is settled then.
    """
    journal = state.load_journal()
    if journal is None:
        return None
    homes = _homes_again(journal)
    if journal.phase == "go":
        try:
            _swap(state, journal, homes)
        except (OSError, ProblemsError):
            _undo_or_say(state, journal, homes)
            return _unless_lost("undone", journal, homes)
        _close(state, journal)
        return _unless_lost("finished", journal, homes)
    _undo_or_say(state, journal, homes)
    return _unless_lost("undone", journal, homes)


def _keep(state: State, journal: Journal) -> Journal:
    """The journal, once it is on disk."""
    write_json(state.journal, journal.to_json())
    return journal


def _homes(steps: t.Iterable[PathStep]) -> Homes:
    """The folders as they were opened when their files were looked at, and those above the ones that are to go."""
    homes = Homes()
    for step in steps:
        if step.seen.place is not None:
            homes.hold(step.seen.place.folder)
        for folder in step.drop:
            homes.folder(os.path.dirname(folder))
    return homes


def _homes_again(journal: Journal) -> Homes:
    return Homes(journal.folders)


def _unless_lost(outcome: str, journal: Journal, homes: Homes) -> str:
    what = "An earlier run worked in this file's folder, which is another one now. What that run left in it is left alone; all else was %s."
    hint = "See who has moved it, then run again; the next run works in the folder that is there."
    lost = [entry.path for entry in _files(journal) if os.path.dirname(entry.real) in homes.lost]
    if lost:
        raise ProblemsError([Problem(path, what % outcome, "unsafe-path", hint) for path in lost])
    return outcome


def _undo_or_say(state: State, journal: Journal, homes: Homes) -> None:
    try:
        _undo(state, journal, homes)
    except ProblemsError as error:
        what = "An earlier run is neither finished nor undone; nothing else is done on this host until it is."
        raise ProblemsError(
            [*error.problems, Problem(state.journal, what, "not-settled", "Make the tool work, then run again.")]
        ) from None


def pending(state: State) -> Pending:
    """What ``settle`` would do, for check mode."""
    journal = state.load_journal()
    if journal is None:
        return Pending(None, {}, None)
    if journal.phase != "go":
        return Pending("undone", {}, journal.record_before)
    homes = _homes_again(journal)
    return Pending(
        "finished", {entry.real: entry.temp for entry in journal.entries if _is_ahead(entry, homes)}, journal.record
    )


def _is_ahead(entry: JournalEntry, homes: Homes) -> bool:
    """Whether the new file is not in its place yet. What a tool is to write lies in our own folder."""
    return entry.temp is None or (os.path.lexists(entry.temp) if entry.command else homes.exists(entry.temp))


def _plan(state: State, work: ChangeSet, homes: Homes) -> Journal:
    token = os.urandom(8).hex()  # nobody shall be there first
    return Journal(
        id=work.name,
        phase="prepared",
        entries=tuple(_entry(state, work.name, token, number, step) for number, step in enumerate(work.steps)),
        record_before=state.load_record(),
        record=work.record,
        drops=work.drops,
        folders=homes.identities(),
    )


def _entry(state: State, name: str, token: str, number: int, step: PathStep) -> JournalEntry:
    beside = os.path.join(os.path.dirname(step.real), f".smarthost-{name}-{token}-{number}")
    if step.command:
        beside = os.path.join(state.generation(name), f"new-{number}")
    return JournalEntry(
        path=step.path,
        real=step.real,
        temp=None if step.data is None else beside,
        back=beside + "-back",
        blob=str(number),
        before=step.seen.meta,
        make=step.make,
        drop=step.drop,
        command=step.command,
        stamp=seen_stamp(step.seen),
    )


def _prepare(state: State, journal: Journal, work: ChangeSet, homes: Homes) -> None:
    """Everything that needs room or permission, so that only renames are left after ``go``."""
    generation = state.generation(journal.id)
    make_folder(generation, 0o700)
    for blob, step in work.originals.items():
        write_new(state.original(blob), step.seen.data)
    for blob, step in work.kept.items():
        write_new(state.original(blob), step.data or b"")
    for entry, step in zip(journal.entries, work.steps):
        if entry.before is not None:
            write_new(os.path.join(generation, entry.blob), step.seen.data)
        if entry.temp is None:
            continue
        if step.command:
            write_new(entry.temp, step.data or b"")
            continue
        for folder in entry.make:
            homes.make(folder, 0o711 if step.narrow else 0o755)
        homes.write(entry.temp, step.data or b"", step.meta)
    remove_file(state.record_next)
    write_new(state.record_next, to_json(journal.record.to_json()))
    sync_folders([generation, state.generations, state.originals, state.folder])
    homes.sync()


def _refuse_touched(steps: t.Sequence[PathStep], homes: Homes) -> None:
    touched = [changed(step.path) for step in steps if not step.command and not homes.is_still(step.seen)]
    if touched:
        raise ProblemsError(touched)


def _swap(state: State, journal: Journal, homes: Homes) -> None:
    """Every new file into its place; one that is there already has no temporary file left. Tools first: they may well refuse."""
    for entry in journal.entries:
        if entry.command and entry.temp is not None and os.path.lexists(entry.temp):
            tool_settings.make_so(ToolCommand(**entry.command), state.load_blob(entry.temp))
            remove_file(entry.temp)
    for entry in _files(journal):
        _into_place(entry, homes)
    for entry in journal.entries:
        for folder in reversed(entry.drop):
            homes.drop(folder)
    homes.sync()
    if os.path.lexists(state.record_next):
        os.rename(state.record_next, state.record)
    sync_folder(state.folder)


def _into_place(entry: JournalEntry, homes: Homes) -> None:
    """Looked at once more first: what somebody else has written since is not overwritten."""
    there = homes.stamp(entry.real)
    if there is None if entry.temp is None else not homes.exists(entry.temp):
        return
    if entry.stamp != () and entry.stamp != there:
        raise ProblemsError([changed(entry.path)])
    if entry.temp is None:
        homes.remove(entry.real)
    else:
        homes.rename(entry.temp, entry.real)


def _close(state: State, journal: Journal) -> None:
    """The set is in place: the journal becomes the manifest of its generation, or ends the generations rolled back."""
    if journal.drops:
        for name in journal.drops:
            state.drop_generation(name)
        remove_file(state.journal)
    else:
        os.rename(state.journal, state.manifest(journal.id))
        sync_folder(state.generation(journal.id))
    sync_folder(state.folder)


def _undo(state: State, journal: Journal, homes: Homes) -> None:
    """Back to what was. Blobs are removed (by the next sweep) only after the journal, so this may be repeated."""
    if journal.phase == "go":
        dropped = {
            folder
            for entry in journal.entries
            for folder in entry.drop
            if homes.folder(folder) is None and folder not in homes.lost
        }
        kept = {path: known for path, known in journal.folders.items() if path not in dropped}  # they are made again
        journal = _keep(state, dataclasses.replace(journal, phase="undo", folders=kept))
    if journal.phase == "undo":
        for entry in reversed(journal.entries):
            _put_back(state, journal, entry, homes)
        homes.sync()
        if not os.path.lexists(state.record_next):
            write_json(state.record, journal.record_before.to_json())
        # Without its temporary file an entry would look as if it had to be put back.
        journal = _keep(state, dataclasses.replace(journal, phase="prepared"))
    for entry in reversed(journal.entries):
        _clean_up(entry, homes)
    remove_file(state.record_next)
    homes.sync()
    remove_file(state.journal)
    sync_folder(state.folder)


def _clean_up(entry: JournalEntry, homes: Homes) -> None:
    """What was made beside the files, and the folders for them."""
    if entry.command:
        for path in filter(None, (entry.back, entry.temp)):
            remove_file(path)
        return
    homes.remove(entry.back)
    if entry.temp is not None:
        homes.remove(entry.temp)
        for folder in reversed(entry.make):
            homes.drop(folder)


def _put_back(state: State, journal: Journal, entry: JournalEntry, homes: Homes) -> None:
    blob = os.path.join(state.generation(journal.id), entry.blob)
    if entry.command and entry.temp is not None:
        tool_settings.put_back(
            ToolCommand(**entry.command), state.load_blob(blob), done=not os.path.lexists(entry.temp)
        )
        return
    untouched = homes.exists(entry.real if entry.temp is None else entry.temp)
    if untouched:
        return
    if entry.before is None:
        homes.remove(entry.real)
        return
    for folder in entry.drop:
        homes.make(folder, 0o755)
    if homes.folder(os.path.dirname(entry.real)) is None:
        homes.lost.add(os.path.dirname(entry.real))
        return
    homes.remove(entry.back)
    homes.write(entry.back, state.load_blob(blob), entry.before)
    homes.rename(entry.back, entry.real)


def _failed(state: State, journal: Journal, error: t.Union[OSError, ProblemsError], homes: Homes) -> list[Problem]:
    """Undo, and say what was refused and how it ended."""
    ending = NOTHING_CHANGED
    try:
        _undo(state, state.load_journal() or journal, homes)  # the phase that counts is the one on disk
        state.sweep()
    except (OSError, ProblemsError):
        ending = UNFINISHED
    if isinstance(error, ProblemsError):
        return [*error.problems, *([Problem(state.journal, ending, "not-settled")] if ending == UNFINISHED else [])]
    meant = {beside: entry.path for entry in journal.entries for beside in (entry.temp, entry.back)}
    problem = from_os_error(error, state.folder, ending)
    return [problem._replace(where=meant.get(problem.where, problem.where))]


def _files(journal: Journal) -> list[JournalEntry]:
    """The entries that are files; the others are settings that a tool reads and writes."""
    return [entry for entry in journal.entries if not entry.command]
