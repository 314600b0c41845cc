# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query: what stands at paths, what is ours and what can be rolled back. Changes nothing; contents are sealed, and all is bounded."""

from __future__ import annotations

import dataclasses
import typing as t

from .._shared.problem import Problem, ProblemsError
from .._shared.seal import fingerprint, original_label, read_label, seal
from . import results
from .disk.snapshot import FILE
from .notes.ownership import Spec
from .notes.state import State
from .overlay import View
from .request import DeployCall, Reading
from .tools import tool_settings
from .tools.tool_command import ToolCommand

Answer = t.Dict[str, t.Any]
EVERY_APP = "*"
#: Only the latest are listed, should there be more.
MOST_GENERATIONS = 100
#: Of all files together; sealed, in base64 and in JSON it is some twice as much.
MOST_CONTENT = 64 << 20


def query(request: DeployCall, state: State, view: View) -> Answer:
    """The answer of ``state=query``. Raises ProblemsError."""
    wanted = {item.path: item for item in request.readings}
    for path, file in view.record.files.items():
        if file.shared and (EVERY_APP in request.read_apps or file.app in request.read_apps):
            wanted[path] = wanted.get(path, Reading(path))._replace(original=True)
    view.ask([(item.path, item.command or view.command(item.path)) for item in wanted.values()])
    _refuse_too_much(view, wanted.values())
    read = {path: _told(request, view, item, item.command or view.command(path)) for path, item in wanted.items()}
    generations = [_summary(state, name) for name in state.finished()[-MOST_GENERATIONS:]]
    return {
        "changed": False,
        "files": [],
        "generation": None,
        "record": view.record.answer(),
        "read": read,
        "generations": generations,
    }


def _refuse_too_much(view: View, wanted: t.Iterable[Reading]) -> None:
    """Before any of it is carried: what one answer holds is read whole, on both sides."""
    size = 0
    for item in wanted:
        size += len(view.look(item.path, item.command or view.command(item.path)).data)
        file = view.record.files.get(item.path)
        if item.original and file is not None and file.original is not None:
            size += view.state.size_of_original(file.original)
    if size > MOST_CONTENT:
        what = f"The files that are asked for have {size} bytes, and one answer carries no more than {MOST_CONTENT}."
        raise ProblemsError([Problem("", what, "answer-too-large", "Name fewer applications in one run.")])


def _told(request: DeployCall, view: View, item: Reading, command: t.Optional[Spec]) -> Answer:
    seen = view.look(item.path, command)
    told = results.seen(dataclasses.replace(seen, meta=None) if command else seen)
    data = tool_settings.without_stars(ToolCommand(**command), seen.data) if command else seen.data
    told["content"] = seal(request.seal_key, read_label(item.path), data) if seen.kind == FILE else None
    told["fingerprint"] = fingerprint(request.seal_key, seen.data) if seen.kind == FILE else None
    file = view.record.files.get(item.path)
    blob = file.original if file is not None and item.original else None
    told["original"] = (
        seal(request.seal_key, original_label(item.path), view.state.load_original(blob)) if blob else None
    )
    return told


def _summary(state: State, name: str) -> Answer:
    """One generation; of one whose manifest is damaged only that it is there."""
    try:
        manifest = state.load_manifest(name)
    except ProblemsError:
        return {"id": name, "paths": [], "credentials": {}, "damaged": True}
    before = {app: noted.credential_id for app, noted in manifest.record_before.apps.items()}
    return {"id": name, "paths": [entry.path for entry in manifest.entries], "credentials": before}
