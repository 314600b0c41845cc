# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staleness: whether what runs can know of its settings, by the age of its process or by our note of the last activation.

A process that started after its settings were written has read them. One that was reloaded is older and has read them too, and
a command tells of no process at all: for these a note is kept, per target, of when it was last activated. Whatever neither can
vouch for is stale, as after a run that died between writing and activating.
"""

from __future__ import annotations

import os
import time
import typing as t

from ..._shared import regular_file
from ..._shared.paths import UnsafePathError, private_folder, trusted
from ..._shared.problem import ProblemsError
from ..disk.durable import write_json
from ..notes import fields, stored_json

Target = t.Tuple[str, ...]
_LONGEST_PID = 10
NEVER = 0.0  # older than any settings


class Notes:
    """When each target was last activated, in seconds since 1970, kept in the state folder; nowhere without one."""

    def __init__(self, state_dir: t.Optional[str]) -> None:
        """Raises ProblemsError when they are damaged, or others can exchange the folder."""
        self.path = os.path.join(state_dir, "activated.json") if state_dir and os.path.isdir(state_dir) else None
        problem = private_folder(os.path.abspath(state_dir)) if self.path and state_dir else None
        if problem is not None:
            raise ProblemsError([problem])
        self._times = _times(self.path) if self.path else {}
        self._new = False

    def last(self, target: Target) -> t.Optional[float]:
        """When it was, or None."""
        return self._times.get(_name(target))

    def activated(self, target: Target, when: float) -> None:
        """Remember; on disk after ``keep``."""
        self._times[_name(target)] = when
        self._new = True

    def failed(self, target: Target) -> None:
        """Remember that it could not be: it may be down because of us. On disk after ``keep``."""
        self._times[_name(target)] = NEVER
        self._new = True

    def has_failed(self, target: Target) -> bool:
        """Whether the last try could not be carried out: what is not running then was not stopped by its people."""
        return self.last(target) == NEVER

    def keep(self) -> None:
        """Write what is new. Raises OSError."""
        if self.path and self._new:
            write_json(self.path, self._times)


def started(pid: t.Optional[int]) -> t.Optional[float]:
    """When a process started, in seconds since 1970 to some hundredths; None where that cannot be known (no Linux, no process)."""
    if not pid or pid <= 1:
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            ticks = int(
                file.read().rpartition(b")")[2].split()[19]
            )  # field 22 of proc(5); the name before it may hold anything
    except (OSError, ValueError, IndexError):
        return None
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def pid_in(path: str) -> t.Optional[int]:
    """The process id that a file holds, or None."""
    try:
        return read_pid(path)[0]
    except (OSError, ValueError, IndexError, UnsafePathError):
        return None


def read_pid(path: str) -> t.Tuple[int, t.Optional[int]]:
    """The process id that a file holds, and whose word that is; None for root's or our own. Raises OSError, ValueError, UnsafePathError."""
    data, status, _place = regular_file.read_file(path)
    return int(data.split(None, 1)[0][:_LONGEST_PID]), None if trusted(status.st_uid) else status.st_uid


def runs_as(pid: int) -> t.Optional[int]:
    """Whose process that is; None where nobody can say (no Linux)."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def fresh(since: t.Optional[float], start: t.Optional[float], noted: t.Optional[float]) -> str:
    """Why what runs knows of settings that were written at ``since``; empty where nothing says so."""
    if since is None:
        return "nothing says when its settings were written"
    if start is not None and start >= since:
        return "its process is younger than its settings"
    if noted is not None and noted >= since:
        return "it was activated after its settings were written"
    return ""


def _times(path: str) -> dict[str, float]:
    hint = "Delete it: what may run with older settings is then activated once more."
    return (
        stored_json.load(
            path, stored_json.NOTES_BYTES, lambda value: fields.mapping_of(fields.moment)(value, "it"), hint
        )
        or {}
    )


def _name(target: Target) -> str:
    return "\n".join(target)
