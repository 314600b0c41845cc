# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed anywhere, the next run finds every file old or every file new, and says what it did."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host import deploy, journal
from ansible_collections.smarthost.mail.plugins.module_utils._host.disk import durable, homes
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes import state

if t.TYPE_CHECKING:
    from .conftest import Host

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.setxattr", "os.removexattr"}
FILES = {module.__file__ for module in (durable, homes, journal, state)}


def die_at_event(number: int) -> None:
    """Before the n-th call that changes the file system, as the interpreter itself announces them."""
    left = [number]

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if event in EVENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def die_at_line(number: int) -> None:
    """Before the n-th line of the code that writes: also between a write and its sync."""
    left = [number]

    def trace(frame: t.Any, event: str, _argument: t.Any) -> t.Any:
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def killed(request: deploy.DeployCall, prepare: t.Callable[[], None]) -> bool:
    """Run in a process of its own that is prepared to die; whether it died."""
    pid = os.fork()
    if pid == 0:
        try:
            prepare()
            deploy.run(request)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def old_files(host: Host) -> None:
    host.put("app.ini", "[mailer]\nPASSWD = old\n", 0o640)
    host.put("real.conf", "relay old\n", 0o600)
    (host.root / "link.conf").symlink_to("real.conf")


NEW = {"app.ini": "[mailer]\nPASSWD = new\n", "made/for us/mail.env": "PASSWORD=new\n", "link.conf": "relay new\n"}


def apply_three(host: Host) -> deploy.DeployCall:
    old_files(host)
    return host.request(
        NEW, host.change("app.ini", secret=True), record={"apps": {"wiki": {"credential_id": "2026-11"}}}
    )


def take_back_three(host: Host) -> deploy.DeployCall:
    host.deploy_first = deploy.run(apply_three(host))  # type: ignore[attr-defined]
    changes = [
        host.change("app.ini", "restore"),
        host.change("made/for us/mail.env", "restore"),
        host.change("link.conf"),
    ]
    return host.request({"link.conf": "relay newer\n"}, *changes, record={"remove": ["wiki"]})


def roll_back_three(host: Host) -> deploy.DeployCall:
    deploy.run(apply_three(host))
    return host.request(state="rolled_back")


SCENARIOS = [apply_three, take_back_three, roll_back_three]


class Stage:
    """One scenario, put back to its beginning before each try."""

    def __init__(self, host: Host, folder: pathlib.Path, scenario: t.Callable[[Host], deploy.DeployCall]) -> None:
        self.host, self.folder = host, folder
        self.request = scenario(host)
        self.old = self.facts()
        self._save()
        assert "failed" not in deploy.run(self.request)
        self.new = self.facts()
        assert self.old != self.new
        self.reset()

    def facts(self) -> tuple[t.Any, ...]:
        record = self.host.query()["record"]
        return self.host.tree(), sorted(record["apps"]), sorted(record["files"])

    def _save(self) -> None:
        for part in ("root", "state"):
            if (self.folder / part).exists():
                shutil.copytree(self.folder / part, self.folder / f"saved-{part}", symlinks=True)

    def reset(self) -> None:
        for part in ("root", "state"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            if (self.folder / f"saved-{part}").exists():
                shutil.copytree(self.folder / f"saved-{part}", self.folder / part, symlinks=True)

    def check(self) -> t.Optional[str]:
        """After a kill: the next run settles it, all old or all new; the run after that gets where the first was going."""
        left = (self.host.state_dir / "journal.json").exists()
        answer = self.host.query()
        assert "failed" not in answer
        assert bool(answer["recovered"]) == left
        facts = self.facts()
        assert facts in (self.old, self.new)
        if answer["recovered"]:
            assert facts == {"finished": self.new, "undone": self.old}[answer["recovered"]]
        if facts == self.old:
            assert deploy.run(self.request)["changed"]
            assert self.facts() == self.new
        found: t.Optional[str] = answer["recovered"]
        return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_set_of_three_is_all_old_or_all_new_whichever_system_call_the_kill_precedes_in_the_run_or_in_the_recovery(
    host: Host, tmp_path: pathlib.Path, scenario: t.Callable[[Host], deploy.DeployCall]
) -> None:
    stage = Stage(host, tmp_path, scenario)
    outcomes: t.List[t.Optional[str]] = []
    while killed(stage.request, lambda: die_at_event(len(outcomes) + 1)):
        outcomes.append(stage.check())
        stage.reset()
    assert len(outcomes) > 19
    last_undone = len(outcomes) - outcomes[::-1].index("undone")
    for first in (last_undone, outcomes.index("finished") + 1):
        again = 1
        while True:
            stage.reset()
            assert killed(stage.request, lambda: die_at_event(first))
            if not killed(host.request(state="query"), lambda: die_at_event(again)):
                break
            stage.check()
            again += 1
        assert again > 3


@pytest.mark.parametrize("first", [1, 2, 3, 4])  # four processes can share the lines
def test_a_set_of_three_is_all_old_or_all_new_whichever_line_the_kill_precedes(
    host: Host, tmp_path: pathlib.Path, first: int
) -> None:
    stage = Stage(host, tmp_path, apply_three)
    outcomes, number = set(), first
    while killed(stage.request, lambda: die_at_line(number)):
        outcomes.add(stage.check())
        stage.reset()
        number += 4
    assert outcomes >= {"undone", "finished"}
    assert number > 200


def obstruct(path: str, number: int = 0) -> None:
    """While the first file is renamed into place somebody makes a folder at the last one's; then die at the n-th event."""
    armed = [True]

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if armed[0] and event == "os.rename" and "smarthost" in str(arguments[0]):
            armed[0] = False
            os.unlink(path)
            os.makedirs(path + "/taken")
            if number:
                die_at_event(number)

    sys.addaudithook(hook)


def test_a_rename_that_fails_after_the_point_of_no_return_undoes_the_set_even_when_killed(
    host: Host, tmp_path: pathlib.Path
) -> None:
    stage = Stage(host, tmp_path, apply_three)
    expected = {name: shape for name, shape in stage.old[0].items() if name != "real.conf"}
    number = 1
    while True:
        died = killed(stage.request, lambda: obstruct(host.path("real.conf"), number))
        host.query()
        left = {name: shape for name, shape in host.tree().items() if not name.startswith("real.conf")}
        assert left == expected
        assert host.query()["record"]["files"] == {}
        stage.reset()
        if not died:
            break
        number += 1
    assert number > 10


def test_check_mode_looks_through_the_journal_of_a_killed_run_and_leaves_it(host: Host, tmp_path: pathlib.Path) -> None:
    stage = Stage(host, tmp_path, apply_three)
    for number in range(1, 60):
        if killed(stage.request, lambda: die_at_event(number)) and stage.host.state_dir.exists():
            before, notes = host.tree(), host.notes()
            predicted = host.deploy(NEW, host.change("app.ini", secret=True), record=stage.request.record, check=True)
            assert (host.tree(), host.notes()) == (before, notes)
            actual = deploy.run(stage.request)
            told = [(file["path"], file["changed"], file["mode"]) for file in predicted["files"]]
            assert told == [(file["path"], file["changed"], file["mode"]) for file in actual["files"]]
            assert (predicted["changed"], predicted["recovered"]) == (actual["changed"], actual["recovered"])
        stage.reset()
