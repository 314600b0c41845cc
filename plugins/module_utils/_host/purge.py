# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Purge: the end of the state folder itself, once nothing on the host is ours any more. What we did not put there stays, and is named."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from .._shared.problem import Problem, ProblemsError
from .._shared.visible import visible
from . import results
from .disk.durable import remove_file, sync_folder
from .notes.state import State
from .overlay import View
from .request import DeployCall

Answer = t.Dict[str, t.Any]
# The journal is not among them: there is none, as it was settled before. The lock goes last, then the folder.
OUR_FOLDERS = ("generations", "originals", "receipts")
OUR_FILES = ("record.json", "record.json.next", "key", "activated.json")


def purged(request: DeployCall, state: State, view: View) -> Answer:
    """The answer of ``state=purged``. Raises ProblemsError while anything is recorded."""
    recorded = sorted({*view.record.apps, *view.record.files})
    if recorded:
        what = f"Something on this host is still ours: {', '.join(recorded[:5])}{' ...' if len(recorded) > 5 else ''}."
        raise ProblemsError(
            [
                Problem(
                    state.folder,
                    what,
                    "still-recorded",
                    "Revert it first: smarthost.mail.smtp_config with state: removed",
                )
            ]
        )
    if not os.path.isdir(state.folder):
        return {**results.nothing(), "left": []}
    ours = {*OUR_FOLDERS, *OUR_FILES, *(name + ".new" for name in OUR_FILES), "lock"}
    if request.check:
        theirs = sorted(name for name in os.listdir(state.folder) if name not in ours)
        return {**results.nothing(), "changed": True, "left": _shown(state, theirs)}
    for name in OUR_FOLDERS:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(os.path.join(state.folder, name))
    for name in (*sorted(ours - {*OUR_FOLDERS, "lock"}), "lock"):
        remove_file(os.path.join(state.folder, name))
    left = sorted(os.listdir(state.folder))
    if not left:
        os.rmdir(state.folder)
        sync_folder(os.path.dirname(state.folder))
    return {**results.nothing(), "changed": True, "left": _shown(state, left)}


def _shown(state: State, names: t.Iterable[str]) -> list[str]:
    """Names that others gave, which may be no UTF-8: an answer holds nothing else."""
    return [visible(os.path.join(state.folder, name)) for name in names]
