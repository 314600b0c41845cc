# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Activations run once each, tell why not, and name what failed; with real processes and a stand-in for systemctl."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import activation
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import systemd as systemd_state
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  *show*absent*) echo LoadState=not-found; echo ActiveState=inactive ;;
  *show*stopped*) echo LoadState=loaded; echo ActiveState=inactive ;;
  *show*timed*) echo LoadState=loaded; echo ActiveState=inactive; echo TriggeredBy=timed.timer ;;
  *show*picky*) echo LoadState=loaded; grep -q restart "$(dirname "$0")/calls" && echo ActiveState=failed || echo ActiveState=active ;;
  *show*) echo LoadState=loaded; echo ActiveState=active ;;
  *broken*) for n in 1 2 3 4 5 6 7; do echo "line $n" >&2; done; exit 4 ;;
esac
"""


def activate(*items: Activation, check: bool = False, timeout: float = 20) -> t.Any:
    return activation.activate(items, check, timeout)


def told(answer: t.Any) -> list[tuple[t.Any, ...]]:
    return [(item["app"], item["activated"], item["how"], item["reason"]) for item in answer["activations"]]


@pytest.fixture
def systemd(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[], list[str]]:
    """A host that has a running systemd, as far as systemctl can tell; answers what systemctl was asked to do."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(systemd_state, "RUNNING", str(tmp_path))
    calls = program.parent / "calls"
    return lambda: (
        [line for line in calls.read_text().splitlines() if not line.startswith("show")] if calls.exists() else []
    )


def test_units_are_restarted_or_reloaded_and_two_applications_of_one_unit_once(
    systemd: t.Callable[[], list[str]],
) -> None:
    items = [
        Activation("wiki", systemd="php-fpm"),
        Activation("shop", "reload", systemd="php-fpm.service"),
        Activation("queue", "reload", systemd="postfix"),
    ]
    predicted = activate(*items, check=True)
    assert systemd() == []
    answer = activate(*items)
    assert systemd() == ["restart -- php-fpm.service", "reload-or-restart -- postfix.service"]
    assert told(answer) == [
        ("wiki", True, "restart", ""),
        ("shop", True, "reload", "together with wiki"),
        ("queue", True, "reload", ""),
    ]
    assert predicted == answer and answer["changed"]


def test_a_unit_that_is_not_there_or_not_running_is_told_and_no_failure(systemd: t.Callable[[], list[str]]) -> None:
    answer = activate(Activation("a", systemd="absent"), Activation("b", systemd="stopped"))
    assert told(answer) == [
        ("a", False, "restart", "there is no unit absent.service on this host"),
        ("b", False, "restart", "stopped.service is not running; it reads its settings when it starts"),
    ]
    assert (answer["changed"], "failed" in answer, systemd()) == (False, False, [])


def test_what_is_seen_not_to_run_is_told_but_not_of_what_a_timer_starts(systemd: t.Callable[[], list[str]]) -> None:
    answer = activate(
        Activation("a", systemd="absent"),
        Activation("b", systemd="stopped"),
        Activation("c", systemd="timed"),
        Activation("d", systemd="d"),
    )
    assert [item["down"] for item in answer["activations"]] == [False, True, False, False]


def test_a_program_that_ends_with_its_new_settings_is_a_failure_of_the_restart(
    systemd: t.Callable[[], list[str]],
) -> None:
    answer = activate(Activation("wiki", systemd="picky"))
    (problem,) = answer["problems"]
    assert (
        "picky.service was started again and has ended with a failure." in problem["what"]
        and "journalctl --unit picky.service" in problem["hint"]
    )
    assert told(answer) == [("wiki", False, "restart", "it has failed since")] and answer["activations"][0]["down"]


def test_a_restart_that_fails_is_named_with_its_last_lines_and_the_others_go_on(
    systemd: t.Callable[[], list[str]],
) -> None:
    answer = activate(Activation("wiki", systemd="broken"), Activation("queue", systemd="postfix"))
    assert answer["failed"] and answer["changed"] and systemd()[-1] == "restart -- postfix.service"
    (problem,) = answer["problems"]
    assert problem["where"] == "wiki" and "systemctl restart -- broken.service ended with status 4" in problem["what"]
    assert problem["hint"] == "line 3\nline 4\nline 5\nline 6\nline 7"


def test_a_host_without_systemd_says_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_state, "RUNNING", str(tmp_path / "none"))
    assert told(activate(Activation("gitea", systemd="gitea"))) == [
        ("gitea", False, "restart", "systemd is not running on this host")
    ]


def test_a_command_runs_without_a_shell_and_once(tmp_path: pathlib.Path) -> None:
    marker = tmp_path / "a $HOME; b"
    command = (sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('x')", str(marker))
    items = [Activation("one", command=command), Activation("two", command=command)]
    assert activate(*items, check=True)["changed"] and not marker.exists()
    assert activate(*items)["changed"]
    assert marker.read_text() == "x"


@pytest.mark.parametrize(
    ("command", "reason", "what"),
    [
        (("sh", "-c", "exit 3"), "the command ended with status 3", "sh -c exit 3 ended with status 3"),
        (("no-such-program-here",), "the program is missing", "there is no program no-such-program-here"),
        (("sleep", "30"), "the command did not end in time", "sleep 30 did not end within 0.3 seconds"),
    ],
)
def test_a_command_that_fails_is_a_failure(command: tuple[str, ...], reason: str, what: str) -> None:
    answer = activate(Activation("wiki", command=command), timeout=0.3)
    assert told(answer) == [("wiki", False, "restart", reason)]
    assert answer["failed"] and what in answer["msg"] and "[activation-failed]" in answer["msg"]


def test_a_program_that_cannot_be_executed_is_a_failure(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    answer = activate(Activation("wiki", command=(str(program),)))
    assert answer["failed"] and "No such file or directory" in answer["msg"]


def test_a_signal_reaches_the_process_that_the_pid_file_names(tmp_path: pathlib.Path) -> None:
    pid_file = tmp_path / "app.pid"
    with subprocess.Popen(["sleep", "30"]) as process:
        pid_file.write_text(f"{process.pid}\n")
        item = Activation("wiki", "reload", signal={"pid_file": str(pid_file), "signal": "TERM"})
        assert told(activate(item, check=True)) == [("wiki", True, "reload", "")]
        assert process.poll() is None
        assert activate(item)["changed"]
        assert process.wait(timeout=10) == -signal.SIGTERM
    gone = f"no process runs that {pid_file} names; it reads its settings when it starts"
    assert told(activate(item)) == [("wiki", False, "reload", gone)]
    pid_file.unlink()
    assert told(activate(item)) == [("wiki", False, "reload", gone)]


@pytest.mark.parametrize("content", ["", "not a number", "1", "-1", "0"])
def test_a_pid_file_that_names_no_process_of_an_application_is_a_failure(tmp_path: pathlib.Path, content: str) -> None:
    (tmp_path / "app.pid").write_text(content)
    answer = activate(Activation("wiki", signal={"pid_file": str(tmp_path / "app.pid"), "signal": "HUP"}))
    assert answer["failed"] and "holds no process id" in answer["msg"]


def test_a_pid_file_that_cannot_be_read_is_a_failure(tmp_path: pathlib.Path) -> None:
    answer = activate(Activation("wiki", signal={"pid_file": str(tmp_path), "signal": "HUP"}))
    assert answer["failed"] and "Is a directory" in answer["msg"]


def test_none_passes_its_reason_on_and_no_way_is_said() -> None:
    answer = activate(
        Activation("msmtp", "none", reason="it reads its file for each message"), Activation("other", "restart")
    )
    assert told(answer) == [
        ("msmtp", False, "none", "it reads its file for each message"),
        ("other", False, "none", "nothing says how this application is activated"),
    ]
    assert not answer["changed"]
