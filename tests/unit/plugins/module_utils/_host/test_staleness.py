# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs with settings older than those on disk is activated even if no file changed; with real processes."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import activation, staleness
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import systemd as systemd_state
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation

SYSTEMCTL = """#!/bin/sh
case "$*" in
  *show*) echo LoadState=loaded; echo ActiveState=active; echo "MainPID=$(cat "{folder}/unit.pid")" ;;
  *) echo "$@" >> "{folder}/calls" ;;
esac
"""
INIT_SCRIPT = """#!/bin/sh
case "$1" in
  status) kill -0 "$(cat {folder}/wiki.pid)" 2> /dev/null || exit 3 ;;
  restart) kill "$(cat {folder}/wiki.pid)"; cp {folder}/settings {folder}/read; sleep 60 > /dev/null 2>&1 & echo $! > {folder}/wiki.pid ;;
esac
"""
STALE = "stale"


class Daemon:
    """A process of the test's own with a pid file."""

    def __init__(self, pid_file: pathlib.Path) -> None:
        self.process = subprocess.Popen(["sleep", "60"])
        self.pid_file = pid_file
        pid_file.write_text(f"{self.process.pid}\n")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> t.Iterator[Daemon]:
    running = Daemon(tmp_path / "unit.pid")
    yield running
    running.stop()


@pytest.fixture
def systemd(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[], t.List[str]]:
    """systemctl says that the daemon is the main process of every unit; answers what else it was asked to do."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.replace("{folder}", str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(systemd_state, "RUNNING", str(tmp_path))
    return lambda: (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []


def activate(folder: pathlib.Path, *items: Activation, check: bool = False) -> t.List[t.Tuple[t.Any, ...]]:
    answer = activation.activate(items, check, 20, str(folder))
    assert "failed" not in answer, answer["msg"]
    return [(item["activated"], item.get(STALE)) for item in answer["activations"]]


def unchanged(since: float, **way: t.Any) -> Activation:
    return Activation("wiki", since=since, only_if_stale=True, **way)


def test_the_start_of_a_process_is_known_to_a_tenth_of_a_second() -> None:
    before = time.time()
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            found = staleness.started(process.pid)
            assert found is not None and before - 0.1 <= found <= time.time() + 0.1
        finally:
            process.kill()
    process.wait()
    assert [staleness.started(pid) for pid in (process.pid, None, 0, 1)] == [None] * 4


def test_a_unit_whose_process_is_older_than_its_settings_is_restarted(
    tmp_path: pathlib.Path, daemon: Daemon, systemd: t.Callable[[], t.List[str]]
) -> None:
    item = unchanged(time.time(), systemd="wiki")
    assert activate(tmp_path, item, check=True) == [(True, True)] and systemd() == []
    assert activate(tmp_path, item) == [(True, True)]
    assert systemd() == ["restart -- wiki.service"]


def test_a_unit_whose_process_is_younger_than_its_settings_is_left_alone(
    tmp_path: pathlib.Path, daemon: Daemon, systemd: t.Callable[[], t.List[str]]
) -> None:
    assert activate(tmp_path, unchanged(time.time() - 60, systemd="wiki")) == [(False, False)]
    assert systemd() == []


def test_a_reload_is_noted_as_the_process_stays_old(
    tmp_path: pathlib.Path, daemon: Daemon, systemd: t.Callable[[], t.List[str]]
) -> None:
    item = unchanged(time.time(), systemd="wiki", how="reload")
    assert [activate(tmp_path, item), activate(tmp_path, item)] == [[(True, True)], [(False, False)]]
    assert activate(tmp_path, unchanged(time.time(), systemd="wiki", how="reload")) == [(True, True)], (
        "written again since"
    )
    assert systemd() == ["reload-or-restart -- wiki.service"] * 2


def test_a_command_is_carried_out_once_for_each_writing(tmp_path: pathlib.Path) -> None:
    marker = tmp_path / "up"
    command = (sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('x')", str(marker))
    item = unchanged(time.time(), command=command)
    assert [activate(tmp_path, item), activate(tmp_path, item)] == [[(True, True)], [(False, False)]]
    assert marker.read_text() == "x"
    assert (tmp_path / "activated.json").stat().st_mode & 0o777 == 0o600


def test_a_command_that_failed_is_tried_again(tmp_path: pathlib.Path) -> None:
    item = unchanged(time.time(), command=("sh", "-c", "exit 3"))
    for _time in range(2):
        assert activation.activate([item], False, 20, str(tmp_path))["failed"]


def test_a_process_with_a_pid_file_is_signalled_when_it_is_older(tmp_path: pathlib.Path, daemon: Daemon) -> None:
    way = {"signal": {"pid_file": str(daemon.pid_file), "signal": "TERM"}}
    assert activate(tmp_path, unchanged(time.time() - 60, **way)) == [(False, False)] and daemon.process.poll() is None
    assert activate(tmp_path, unchanged(time.time(), **way)) == [(True, True)]
    assert daemon.process.wait(timeout=10) == -signal.SIGTERM
    assert activate(tmp_path, unchanged(time.time() + 60, **way)) == [(False, False)], "what does not run is not stale"


def test_an_application_that_changed_is_activated_however_young_its_process(
    tmp_path: pathlib.Path, daemon: Daemon, systemd: t.Callable[[], t.List[str]]
) -> None:
    items = [unchanged(time.time() - 60, systemd="wiki"), Activation("shop", systemd="wiki.service")]
    assert activate(tmp_path, *items) == [(True, True), (True, None)]
    assert systemd() == ["restart -- wiki.service"]


def test_an_init_script_restarts_what_runs_without_systemd(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "wiki"
    script.write_text(INIT_SCRIPT.replace("{folder}", str(tmp_path)))
    script.chmod(0o755)
    monkeypatch.setattr(systemd_state, "RUNNING", str(tmp_path / "none"))
    monkeypatch.setattr(activation, "INIT_SCRIPTS", str(tmp_path))
    monkeypatch.setattr(activation, "PID_FILES", str(tmp_path))
    daemon = Daemon(tmp_path / "wiki.pid")
    (tmp_path / "settings").write_text("new\n")
    written = time.time()
    time.sleep(0.05)  # the system knows a process's start to a hundredth of a second
    try:
        assert activate(tmp_path, unchanged(written, systemd="wiki")) == [(True, True)]
        assert (tmp_path / "read").read_text() == "new\n" and daemon.process.wait(timeout=10) == -signal.SIGTERM
        (tmp_path / "activated.json").unlink()  # the process alone tells it
        assert activate(tmp_path, unchanged(written, systemd="wiki")) == [(False, False)]
    finally:
        os.kill(int((tmp_path / "wiki.pid").read_text()), signal.SIGKILL)
    daemon.pid_file.write_text(str(daemon.process.pid))
    assert activate(tmp_path, Activation("wiki", systemd="wiki")) == [(False, None)], "it does not run"


def test_what_is_down_since_our_own_restart_failed_is_started_and_what_its_people_stopped_is_not(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "wiki"
    script.write_text(
        '#!/bin/sh\ncd "${0%/*}"\ncase $1 in status) test -e up || exit 3 ;; restart) rm -f up; test ! -e broken && touch up ;; esac\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(systemd_state, "RUNNING", str(tmp_path / "none"))
    monkeypatch.setattr(activation, "INIT_SCRIPTS", str(tmp_path))
    item = Activation("wiki", systemd="wiki")
    assert activate(tmp_path, item) == [(False, None)] and not (tmp_path / "up").exists(), "its people have stopped it"
    (tmp_path / "up").touch()
    (tmp_path / "broken").touch()
    assert activation.activate([item], False, 20, str(tmp_path))["failed"] and not (tmp_path / "up").exists()
    (tmp_path / "broken").unlink()
    assert activate(tmp_path, unchanged(time.time(), systemd="wiki"), check=True) == [(True, True)]
    assert activate(tmp_path, unchanged(time.time(), systemd="wiki")) == [(True, True)] and (tmp_path / "up").exists()
    (tmp_path / "up").unlink()
    assert activate(tmp_path, unchanged(time.time() + 60, systemd="wiki", how="reload")) == [(False, False)], (
        "that was started, and then stopped"
    )
