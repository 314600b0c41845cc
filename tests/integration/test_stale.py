# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that died between writing and activating: the next one activates, though no file changes any more; with a real daemon."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from integration.tasks import Result, task

RELAY = {
    "host": "smtp.example.com",
    "username": "apps",
    "password": "canary-of-a-secret",
    "from": "noreply@example.com",
}
#: Reads its settings when it starts and when it gets a HUP, and tells how often it has.
DAEMON = """
import signal, sys, time
settings, told = sys.argv[1:]
def read(*_):
    with open(told, "a") as out:
        out.write(str(len(open(settings).read()) if __import__("os").path.exists(settings) else 0) + "\\n")
signal.signal(signal.SIGHUP, read)
read()
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> t.Iterator[Path]:
    """A running daemon; answers what it tells."""
    told = tmp_path / "told"
    process = subprocess.Popen([sys.executable, "-c", DAEMON, str(tmp_path / "mailer.env"), str(told)])
    (tmp_path / "daemon.pid").write_text(str(process.pid))
    while not told.exists() or not told.read_text():
        assert process.poll() is None
    yield told
    process.kill()
    process.wait()


def write(folder: Path) -> Result:
    activate = {"signal": {"pid_file": str(folder / "daemon.pid"), "signal": "HUP"}}
    app = {"name": "gitea", "path": str(folder / "mailer.env"), "owner": "root", "group": "root", "activate": activate}
    return task(folder, "smtp_config", {"relay": RELAY, "apps": [app], "state_dir": str(folder / "state")})


def activate(folder: Path, written: Result, *more: str) -> t.List[t.Tuple[bool, t.Any]]:
    found = task(
        folder, "smtp_activate", {"activations": written["activations"], "state_dir": str(folder / "state")}, *more
    )
    return [(item["activated"], item.get("stale")) for item in found["activations"]]


def test_settings_that_were_written_and_not_activated_are_activated_by_the_next_run(
    tmp_path: Path, daemon: Path
) -> None:
    assert write(tmp_path)["changed"]  # and here the run died
    again = write(tmp_path)
    assert not again["changed"] and [item["only_if_stale"] for item in again["activations"]] == [True]
    assert activate(tmp_path, again, "--check") == [(True, True)] and daemon.read_text() == "0\n"
    assert activate(tmp_path, again) == [(True, True)]
    while len(daemon.read_text().splitlines()) < 2:
        pass
    assert daemon.read_text() == f"0\n{(tmp_path / 'mailer.env').stat().st_size}\n", "it has read what was written"
    assert activate(tmp_path, write(tmp_path)) == [(False, False)], "and is left alone from then on"


def test_what_was_activated_in_the_run_that_wrote_it_is_left_alone(tmp_path: Path, daemon: Path) -> None:
    assert activate(tmp_path, write(tmp_path)) == [(True, None)]
    assert activate(tmp_path, write(tmp_path)) == [(False, False)]


@pytest.mark.parametrize("way", ["absent", "prune", "rolled_back"])
def test_what_was_taken_back_and_not_activated_is_activated_by_the_next_run(
    tmp_path: Path, daemon: Path, way: str
) -> None:
    """Also when that run knows nothing of the application any more."""
    assert activate(tmp_path, write(tmp_path)) == [(True, None)]
    state = str(tmp_path / "state")
    ways: t.Dict[str, t.Dict[str, t.Any]] = {
        "absent": {"apps": [{"name": "gitea", "state": "absent"}], "relay": RELAY},
        "prune": {"apps": [], "relay": RELAY, "prune": True},
        "rolled_back": {"state": "rolled_back"},
    }
    done = task(tmp_path, "smtp_config", {**ways[way], "state_dir": state})  # and here the run died
    assert not (tmp_path / "mailer.env").exists() and [item["app"] for item in done["activations"]] == ["gitea"]
    again = task(tmp_path, "smtp_config", {"relay": RELAY, "apps": [], "state_dir": state})
    assert not again["changed"] and [(item["app"], item["only_if_stale"]) for item in again["activations"]] == [
        ("gitea", True)
    ]
    assert activate(tmp_path, again) == [(True, True)]
    while len(daemon.read_text().splitlines()) < 3:
        pass
    assert daemon.read_text().endswith("\n0\n"), "it knows that its settings are gone"
    assert activate(tmp_path, again) == [(False, False)]
    other = {"name": "msmtp", "path": str(tmp_path / "msmtprc")}
    later = task(tmp_path, "smtp_config", {"relay": RELAY, "apps": [other], "state_dir": state})
    assert [item["app"] for item in later["activations"]] == ["msmtp"], "a run that writes forgets it then"
