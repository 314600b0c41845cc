# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd itself knows of a unit that runs now; what its files say is in units."""

from __future__ import annotations

import os
import typing as t

from ..tools import bounded_run, safe_command
from . import staleness

RUNNING = "/run/systemd/system"
_PROPERTIES = "LoadState,ActiveState,MainPID,NeedDaemonReload,DropInPaths,Type,TriggeredBy"

State = t.Dict[str, str]


def is_running() -> bool:
    """Whether systemd is this host's first process, and can be asked."""
    return os.path.isdir(RUNNING) and safe_command.find("systemctl") is not None


def state_of(unit: str, timeout: float) -> t.Tuple[t.Optional[State], str]:
    """The properties of a unit, or None and why there are none."""
    shown, why = safe_command.run(
        ("systemctl", "show", f"--property={_PROPERTIES}", "--", unit), timeout, bounded_run.FEW, any_status=True
    )
    if shown is None:
        return None, why
    return dict(line.split("=", 1) for line in shown.decode("utf-8", "replace").splitlines() if "=" in line), ""


def main_process_start(state: State) -> t.Optional[float]:
    """When the main process of a unit started, in seconds since 1970; None where it has none."""
    pid = state.get("MainPID", "")
    return staleness.started(int(pid)) if pid.isdigit() else None


def is_down(state: State) -> bool:
    """Whether it should run and does not: what a timer, a socket or a person starts now and then is as it should be."""
    now_and_then = state.get("Type") == "oneshot" or bool(state.get("TriggeredBy"))
    return state.get("ActiveState") == "failed" or state.get("ActiveState") == "inactive" and not now_and_then
