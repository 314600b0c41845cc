# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Activation: applications come to know of their new settings, each unit, command or process once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import typing as t

from .problems import Problem

SYSTEMD_RUNNING = "/run/systemd/system"
_LAST_LINES = 5


class Activation(t.NamedTuple):
    """One element of the option ``activations``. ``signal``: {"pid_file": path, "signal": "HUP"}; ``command``: words."""

    app: str
    how: t.Optional[str] = None
    systemd: t.Optional[str] = None
    command: t.Optional[tuple[str, ...]] = None
    signal: t.Optional[t.Mapping[str, str]] = None
    reason: t.Optional[str] = None

    @property
    def wanted(self) -> str:
        """restart, reload or none; restart where a way is given and nothing else was said."""
        known = self.systemd or self.command or self.signal
        return "none" if self.how == "none" or not known else self.how or "restart"

    @property
    def target(self) -> tuple[str, ...]:
        """What is acted on. Two applications with the same target are activated by one act."""
        if self.systemd:
            return ("systemd", self.systemd if "." in self.systemd else self.systemd + ".service")
        if self.command:
            return ("command", *self.command)
        signalled = self.signal or {}
        return ("signal", signalled["pid_file"], signalled["signal"])


class Done(t.NamedTuple):
    """What came of one target: carried out, or why not; ``problem`` when it was tried and failed."""

    activated: bool
    reason: str
    problem: t.Optional[Problem] = None


def activate(activations: t.Sequence[Activation], check: bool, timeout: float) -> dict[str, t.Any]:
    """Activate all, also after one has failed; in check mode say what would be done. ``timeout``: seconds for each."""
    done: dict[tuple[str, ...], Done] = {}
    first: dict[tuple[str, ...], str] = {}
    told = []
    for item in activations:
        if item.wanted == "none":
            told.append(_tell(item, Done(False, item.reason or "nothing says how this application is activated")))
            continue
        if item.target not in done:
            done[item.target] = _act(item, _strongest(item, activations), check, timeout)
            first[item.target] = item.app
            told.append(_tell(item, done[item.target]))
        else:
            shared = done[item.target]
            told.append(_tell(item, shared._replace(reason=f"together with {first[item.target]}") if shared.activated else shared))
    answer: dict[str, t.Any] = {"changed": any(item["activated"] for item in told), "activations": told}
    problems = [one.problem for one in done.values() if one.problem]
    if problems:
        answer.update(failed=True, msg="\n".join(map(str, problems)), problems=[problem.as_dict() for problem in problems])
    return answer


def _tell(item: Activation, done: Done) -> dict[str, t.Any]:
    return {"app": item.app, "activated": done.activated, "how": item.wanted, "reason": done.reason}


def _strongest(item: Activation, activations: t.Sequence[Activation]) -> str:
    """A restart does what a reload does."""
    same = (other for other in activations if other.wanted != "none" and other.target == item.target)
    return "restart" if any(other.wanted == "restart" for other in same) else "reload"


def _act(item: Activation, how: str, check: bool, timeout: float) -> Done:
    if item.systemd:
        return _systemd(item, how, check, timeout)
    if item.command:
        if shutil.which(item.command[0]) is None:
            what = f"Cannot be activated: there is no program {item.command[0]}."
            return Done(False, "the program is missing", Problem(item.app, what, "activation-failed"))
        return _run(item, item.command, check, timeout)
    return _signal(item, check)


def _systemd(item: Activation, how: str, check: bool, timeout: float) -> Done:
    unit = item.target[1]
    if not os.path.isdir(SYSTEMD_RUNNING) or shutil.which("systemctl") is None:
        return Done(False, "systemd is not running on this host")
    try:
        shown = subprocess.run(
            ["systemctl", "show", "--property=LoadState,ActiveState", "--", unit],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout, check=False,
        ).stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return _timed_out(item, ("systemctl", "show", unit), timeout)
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if state.get("LoadState") != "loaded":
        return Done(False, f"there is no unit {unit} on this host")
    if state.get("ActiveState") == "inactive":
        return Done(False, f"{unit} is not running; it reads its settings when it starts")
    verb = "restart" if how == "restart" else "reload-or-restart"
    return _run(item, ("systemctl", verb, "--", unit), check, timeout)


def _run(item: Activation, command: t.Sequence[str], check: bool, timeout: float) -> Done:
    """Without a shell, and without an input to wait for."""
    if check:
        return Done(True, "")
    try:
        ended = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout, check=False,
        )
    except subprocess.TimeoutExpired:
        return _timed_out(item, command, timeout)
    except OSError as error:
        what = f"Could not be activated: {' '.join(command)}: {error.strerror}."
        return Done(False, "the command could not be started", Problem(item.app, what, "activation-failed"))
    if ended.returncode == 0:
        return Done(True, "")
    what = f"Could not be activated: {' '.join(command)} ended with status {ended.returncode}."
    hint = "\n".join(ended.stderr.decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
    return Done(False, f"the command ended with status {ended.returncode}", Problem(item.app, what, "activation-failed", hint))


def _timed_out(item: Activation, command: t.Sequence[str], timeout: float) -> Done:
    what = f"Could not be activated: {' '.join(command)} did not end within {timeout:g} seconds."
    return Done(False, "the command did not end in time", Problem(item.app, what, "activation-failed"))


def _signal(item: Activation, check: bool) -> Done:
    """Signal 0 in check mode: the system says whether the process could be signalled, and does nothing."""
    _kind, path, name = item.target
    try:
        with open(path, "rb") as file:
            pid = int(file.read().split()[0])
        if pid <= 1:
            raise ValueError
        os.kill(pid, 0 if check else signal.Signals["SIG" + name])
    except (FileNotFoundError, ProcessLookupError):
        return Done(False, f"no process runs that {path} names; it reads its settings when it starts")
    except (ValueError, IndexError):
        what = f"{item.app} cannot be activated: this file holds no process id."
        return Done(False, "the pid file is not valid", Problem(path, what, "activation-failed"))
    except OSError as error:
        what = f"{item.app} could not be sent {name}: {error.strerror}."
        return Done(False, "the signal could not be sent", Problem(path, what, "activation-failed"))
    return Done(True, "")
