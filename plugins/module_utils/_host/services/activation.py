# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Activation: applications come to know of their new settings, each unit, command or process once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t

from ..._shared.paths import UnsafePathError, who
from ..._shared.problem import Problem, ProblemsError, from_os_error
from ..tools import bounded_run, safe_command
from . import staleness, systemd, units
from .compose import Project

INIT_SCRIPTS = "/etc/init.d"
PID_FILES = "/run"
_LAST_LINES = 5


class Activation(t.NamedTuple):
    """One element of the option ``activations``. ``signal``: {"pid_file": path, "signal": "HUP"}; ``command``: words; ``compose``: see
    compose.Project.

    since: when its settings were last written, in seconds since 1970. only_if_stale: they did not change in this run.
    """

    app: str
    how: t.Optional[str] = None
    systemd: t.Optional[str] = None
    command: t.Optional[tuple[str, ...]] = None
    signal: t.Optional[t.Mapping[str, str]] = None
    compose: t.Optional[t.Mapping[str, t.Any]] = None
    reason: t.Optional[str] = None
    since: t.Optional[float] = None
    only_if_stale: bool = False

    @property
    def wanted(self) -> str:
        """restart, reload or none; restart where a way is given and nothing else was said."""
        known = self.systemd or self.command or self.signal or self.compose
        return "none" if self.how == "none" or not known else self.how or "restart"

    @property
    def target(self) -> tuple[str, ...]:
        """What is acted on. Two applications with the same target are activated by one act."""
        if self.systemd:
            return ("systemd", self.systemd if "." in self.systemd else self.systemd + ".service")
        if self.command:
            return ("command", *self.command)
        if self.compose:
            project = Project.from_option(self.compose)
            return ("compose", project.program, project.folder, *project.files, "", *project.services)
        signalled = self.signal or {}
        return ("signal", signalled["pid_file"], signalled["signal"])


class ActivationOutcome(t.NamedTuple):
    """What came of one target: carried out, or why not; ``problem`` when it was tried and failed.

    down: it was seen not to run. missing: there is nothing to act on.
    """

    activated: bool
    reason: str
    problem: t.Optional[Problem] = None
    fresh: bool = False
    down: bool = False
    missing: bool = False


def _is_down(what: str) -> ActivationOutcome:
    return ActivationOutcome(False, f"{what}; it reads its settings when it starts", down=True)


class Round(t.NamedTuple):
    """What is the same for all activations of one run."""

    activations: t.Sequence[Activation]
    check: bool
    timeout: float
    notes: staleness.Notes

    def same(self, item: Activation) -> list[Activation]:
        """Every activation that acts on the same target."""
        return [other for other in self.activations if other.wanted != "none" and other.target == item.target]

    def fresh(self, item: Activation, start: t.Optional[float]) -> t.Optional[ActivationOutcome]:
        """What to tell where no application of this target needs to be activated. start: since when it runs, if that is known."""
        if not all(other.only_if_stale for other in self.same(item)):
            return None
        since = max((other.since for other in self.same(item) if other.since is not None), default=None)
        why = staleness.fresh(since, start, self.notes.last(item.target))
        return ActivationOutcome(False, why, fresh=True) if why else None


def activate(
    activations: t.Sequence[Activation], check: bool, timeout: float, state_dir: t.Optional[str] = None
) -> dict[str, t.Any]:
    """Activate all, also after one has failed; in check mode say what would be done.

    timeout: seconds for each. state_dir: where it is noted when what was activated.
    """
    try:
        this = Round(activations, check, timeout, staleness.Notes(state_dir))
    except ProblemsError as error:
        return _with_problems({"changed": False, "activations": []}, error.problems)
    done: dict[tuple[str, ...], ActivationOutcome] = {}
    first: dict[tuple[str, ...], str] = {}
    told = []
    for item in activations:
        if item.wanted == "none":
            told.append(
                _tell(item, ActivationOutcome(False, item.reason or "nothing says how this application is activated"))
            )
            continue
        if item.target not in done:
            began = time.time()
            done[item.target] = _act(item, this)
            if done[item.target].activated:
                this.notes.activated(item.target, began)
            elif done[item.target].problem:
                this.notes.failed(item.target)
            first[item.target] = item.app
            told.append(_tell(item, done[item.target]))
        else:
            shared = done[item.target]
            told.append(
                _tell(
                    item, shared._replace(reason=f"together with {first[item.target]}") if shared.activated else shared
                )
            )
    answer: dict[str, t.Any] = {"changed": any(item["activated"] for item in told), "activations": told}
    problems = [one.problem for one in done.values() if one.problem] + ([] if check else _keep(this.notes))
    return _with_problems(answer, problems)


def _with_problems(answer: dict[str, t.Any], problems: t.Sequence[Problem]) -> dict[str, t.Any]:
    if not problems:
        return answer
    return {
        **answer,
        "failed": True,
        "msg": "\n".join(map(str, problems)),
        "problems": [problem.as_dict() for problem in problems],
    }


def _tell(item: Activation, done: ActivationOutcome) -> dict[str, t.Any]:
    told = {
        "app": item.app,
        "activated": done.activated,
        "how": item.wanted,
        "reason": done.reason,
        "down": done.down,
        "missing": done.missing,
    }
    return {**told, "stale": done.activated or done.problem is not None} if item.only_if_stale else told


def _keep(notes: staleness.Notes) -> list[Problem]:
    try:
        notes.keep()
    except OSError as error:
        return [
            from_os_error(
                error, notes.path or "", "What was activated could not be noted; the next run may activate it again."
            )
        ]
    return []


def _strongest(item: Activation, this: Round) -> str:
    """A restart does what a reload does."""
    return "restart" if any(other.wanted == "restart" for other in this.same(item)) else "reload"


def _act(item: Activation, this: Round) -> ActivationOutcome:
    if item.systemd:
        return _systemd(item, this) if systemd.is_running() else _init_script(item, this)
    if item.command:
        fresh = this.fresh(item, None)
        if fresh:
            return fresh
        if safe_command.find(item.command[0]) is None:
            return _failed(
                item, f"Cannot be activated: there is no program {item.command[0]}.", "the program is missing"
            )
        return _run(item, item.command, this)
    if item.compose:
        return _compose(item, Project.from_option(item.compose), this)
    return this.fresh(item, staleness.started(staleness.pid_in(item.target[1]))) or _signal(item, this.check)


def _init_script(item: Activation, this: Round) -> ActivationOutcome:
    """A host without systemd, where the same name is a script that start, stop and the like are said to (LSB)."""
    name = item.target[1].rpartition(".")[0]
    script = os.path.join(INIT_SCRIPTS, name)
    if not os.access(script, os.X_OK):
        return ActivationOutcome(False, "systemd is not running on this host", missing=True)
    fresh = this.fresh(item, staleness.started(staleness.pid_in(os.path.join(PID_FILES, f"{name}.pid"))))
    if fresh:
        return fresh
    try:
        begun = safe_command.start([script, "status"])
        if begun is None:
            return ActivationOutcome(False, "systemd is not running on this host", missing=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        status = bounded_run.run(begun.words, this.timeout, 0, **quiet, **begun.popen).status
    except subprocess.TimeoutExpired:
        return _timed_out(item, (script, "status"), this.timeout)
    except safe_command.UnsafeCommandError as error:
        return _unsafe(item, (script, "status"), error)
    down = status in (1, 2, 3)  # "program is dead" or "not running"; other numbers say that this is not known
    if down and not this.notes.has_failed(item.target):
        return _is_down(f"{name} is not running")
    return _run(item, (script, "restart" if down else _strongest(item, this)), this)


def _systemd(item: Activation, this: Round) -> ActivationOutcome:
    unit = item.target[1]
    state, why = systemd.state_of(unit, this.timeout)
    if state is None:
        return _failed(item, f"Could not be activated: {why}.", "systemctl does not answer")
    if state.get("LoadState") != "loaded":
        return ActivationOutcome(False, f"there is no unit {unit} on this host", missing=True)
    if state.get("NeedDaemonReload") == "yes" or _knows_another_drop_in(unit, state.get("DropInPaths", "")):
        # Also where nothing is restarted: a drop-in that is new, or gone, counts when it next starts.
        reloaded = _run(item, ("systemctl", "daemon-reload"), this)
        if reloaded.problem:
            return reloaded
    if state.get("ActiveState") == "inactive" and not this.notes.has_failed(item.target):
        return _is_down(f"{unit} is not running")._replace(down=systemd.is_down(state))
    fresh = this.fresh(item, systemd.main_process_start(state))
    if fresh:
        return fresh._replace(down=systemd.is_down(state))
    lacking = _lacking(item)
    if lacking:
        return lacking
    verb = "restart" if _strongest(item, this) == "restart" else "reload-or-restart"
    return _still_runs(item, _run(item, ("systemctl", verb, "--", unit), this), this)


def _lacking(item: Activation) -> t.Optional[ActivationOutcome]:
    """A unit that would be stopped and not come back, as a file that it requires is not there, such as ours after it was removed."""
    name = item.target[1]
    unit = units.load(name)
    path = unit.lacks() if unit is not None else None
    if path is None:
        return None
    hint = f"Write EnvironmentFile=-{path} there, or take that line out; then: systemctl daemon-reload && systemctl restart {name}"
    what = (
        f"{name} was not started again, and would not come back: it names EnvironmentFile={path}, which is not there."
    )
    return _failed(item, what, "it would not start", hint)


def _still_runs(item: Activation, done: ActivationOutcome, this: Round) -> ActivationOutcome:
    """systemctl is content as soon as a program was started; one that cannot read its settings ends then."""
    if not done.activated:
        return done
    unit = item.target[1]
    failed = (systemd.state_of(unit, this.timeout)[0] or {}).get("ActiveState") == "failed"
    if not failed or this.check:
        return done._replace(down=failed)
    hint = f"systemctl status {unit} and journalctl --unit {unit} show why."
    return _failed(
        item, f"{unit} was started again and has ended with a failure.", "it has failed since", hint
    )._replace(down=True)


def _knows_another_drop_in(unit: str, known: str) -> bool:
    """Whether our drop-in has come or gone since systemd last read its files: of one in a folder that is new it says that nothing has changed."""
    ours = units.drop_in(unit)
    return os.path.exists(ours) != (ours in known.split())


def _compose(item: Activation, project: Project, this: Round) -> ActivationOutcome:
    """A Compose project, where one is on this host and its services run."""
    if not os.path.isdir(project.folder):
        return ActivationOutcome(False, f"there is no folder {project.folder} on this host", missing=True)
    if safe_command.find(project.program) is None:
        return _failed(item, f"Cannot be activated: there is no program {project.program}.", "the program is missing")
    asked = project.command("ps")
    try:
        made = project.made(this.timeout)
    except subprocess.TimeoutExpired:
        return _timed_out(item, asked, this.timeout)
    except subprocess.CalledProcessError as error:
        return _ended(item, asked, error.returncode, error.stderr)
    except safe_command.UnsafeCommandError as error:
        return _unsafe(item, asked, error)
    if not made:
        why = f"no container of {', '.join(project.services)} is running; it reads its settings when it is made"
        return ActivationOutcome(False, why, down=True)
    return this.fresh(item, min(made)) or _run(item, project.made_anew, this, project.folder)


def _run(item: Activation, command: t.Sequence[str], this: Round, folder: t.Optional[str] = None) -> ActivationOutcome:
    """Without a shell, and without an input to wait for."""
    if this.check:
        return ActivationOutcome(True, "")
    try:
        begun = safe_command.start(command, folder)
        if begun is None:
            return _failed(item, f"Cannot be activated: there is no program {command[0]}.", "the program is missing")
        ended = bounded_run.run(begun.words, this.timeout, 0, cwd=folder, stdout=subprocess.DEVNULL, **begun.popen)
    except subprocess.TimeoutExpired:
        return _timed_out(item, command, this.timeout)
    except safe_command.UnsafeCommandError as error:
        return _unsafe(item, command, error)
    except OSError as error:
        return _failed(
            item, f"Could not be activated: {' '.join(command)}: {error.strerror}.", "the command could not be started"
        )
    return (
        ActivationOutcome(True, "")
        if ended.status == 0
        else _ended(item, command, ended.status, ended.errors, begun.as_whom)
    )


def _unsafe(item: Activation, command: t.Sequence[str], error: safe_command.UnsafeCommandError) -> ActivationOutcome:
    what = f"Could not be activated: {' '.join(command)} is not started as root: {error}."
    return ActivationOutcome(
        False, "the command is not started as root", Problem(item.app, what, "unsafe-command", error.HINT)
    )


def _ended(
    item: Activation, command: t.Sequence[str], status: int, said: bytes, as_whom: str = ""
) -> ActivationOutcome:
    hint = "\n".join(said.decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
    return _failed(
        item,
        f"Could not be activated: {' '.join(command)} ended with status {status}.{as_whom}",
        f"the command ended with status {status}",
        hint,
    )


def _timed_out(item: Activation, command: t.Sequence[str], timeout: float) -> ActivationOutcome:
    what = f"Could not be activated: {' '.join(command)} did not end within {timeout:g} seconds."
    return _failed(item, what, "the command did not end in time")


def _failed(item: Activation, what: str, reason: str, hint: str = "") -> ActivationOutcome:
    return ActivationOutcome(False, reason, Problem(item.app, what, "activation-failed", hint))


def _signal(item: Activation, check: bool) -> ActivationOutcome:
    """Signal 0 in check mode: the system says whether the process could be signalled, and does nothing."""
    _kind, path, name = item.target
    try:
        pid, whose = staleness.read_pid(path)
        if pid <= 1:
            raise ValueError
        if whose is not None and staleness.runs_as(pid) != whose:
            what = f"This file of {who(whose)} names process {pid}, which is not that user's; nothing was sent to it."
            hint = "Have the application write the process id of its own, or let root own the file."
            return ActivationOutcome(False, "the pid file is not safe", Problem(path, what, "unsafe-path", hint))
        os.kill(pid, 0 if check else signal.Signals["SIG" + name])
    except (FileNotFoundError, ProcessLookupError):
        return _is_down(f"no process runs that {path} names")
    except (ValueError, IndexError):
        what = f"{item.app} cannot be activated: this file holds no process id."
        return ActivationOutcome(False, "the pid file is not valid", Problem(path, what, "activation-failed"))
    except UnsafePathError as error:
        return ActivationOutcome(False, "the pid file is not safe", error.problem)
    except OSError as error:
        what = f"{item.app} could not be sent {name}: {error.strerror}."
        return ActivationOutcome(False, "the signal could not be sent", Problem(path, what, "activation-failed"))
    return ActivationOutcome(True, "")
