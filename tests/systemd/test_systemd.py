# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Activation against a real systemd: units restart, reload, fail and are told apart by the age of their main process."""

from __future__ import annotations

import json
import os
import sys
import time
import typing as t
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Machine, missing  # noqa: E402

#: Reads its settings when it starts and when it is told to, and tells what it has read.
SERVICE = """
import signal, time
def read(*_):
    with open("/srv/told", "a") as told:
        told.write(open("/srv/settings").read())
signal.signal(signal.SIGHUP, read)
read()
while True:
    time.sleep(0.05)
"""
ASK = """
import json, sys
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation, activate
asked = json.load(sys.stdin)
print(json.dumps(activate([Activation(**item) for item in asked["items"]], asked["check"], 30, "/srv/state")))
"""
LOOK = """
import json, sys
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence import detection
wiring = {"path": "/srv/mail.env", "unit": "wiki"}
print(json.dumps(detection.detect([{"app": "wiki", "units": ["wiki"], "wiring": wiring}])["wiki"]["wiring"]["unit"]))
"""
READ = """
import json, sys
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import units
print(json.dumps(units.load(sys.argv[1]).values("EnvironmentFile")))
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Machine]:
    """With a service that runs, one that reloads, one that cannot start, and one that was never started."""
    if missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing())
    started = Machine(tmp_path_factory.mktemp("machine"))
    try:
        (started.root / "srv/state").mkdir()
        (started.root / "srv/service.py").write_text(SERVICE)
        settings(started, "first")
        started.unit("wiki", ["ExecStart=/usr/bin/python3 /srv/service.py", "ExecReload=/bin/kill -HUP $MAINPID"])
        started.unit("broken", ["Type=exec", "ExecStart=/srv/not-there"])
        started.unit("stopped", ["ExecStart=/bin/sleep infinity"])
        assert (
            started.run("systemctl", "start", "wiki").returncode == 0
            and started.run("systemctl", "start", "broken").returncode != 0
        )
        wait_for(started, "first")
        yield started
    finally:
        started.stop()


def settings(machine: Machine, text: str) -> float:
    """Write the service's settings; answers when."""
    (machine.root / "srv/settings").write_text(text + "\n")
    return time.time()


def wait_for(machine: Machine, last: str) -> t.List[str]:
    """All that the service has read, once the last of it is this."""
    deadline = time.monotonic() + 30
    told = machine.root / "srv/told"
    while not (told.exists() and told.read_text().endswith(last + "\n")):
        assert time.monotonic() < deadline, "the service did not read its settings"
        time.sleep(0.02)
    found: t.List[str] = told.read_text().split()
    return found


def activate(machine: Machine, *items: t.Dict[str, t.Any], check: bool = False) -> t.Any:
    words = ("env", "PYTHONPATH=/srv/collections", "/usr/bin/python3", "-B", "-c", ASK)
    done = machine.run(*words, text=json.dumps({"items": items, "check": check}))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(answer: t.Any) -> t.List[t.Tuple[bool, str]]:
    return [(item["activated"], item["reason"]) for item in answer["activations"]]


def main_pid(machine: Machine) -> str:
    found: str = machine.run("systemctl", "show", "--property=MainPID", "--value", "wiki").stdout.strip()
    return found


def test_the_first_process_is_a_real_systemd(machine: Machine) -> None:
    assert machine.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert machine.run("systemctl", "is-active", "wiki", "broken", "stopped").stdout.split() == [
        "active",
        "failed",
        "inactive",
    ]


def test_a_restart_gives_the_unit_a_new_process_that_has_read_its_settings(machine: Machine) -> None:
    before = main_pid(machine)
    settings(machine, "restarted")
    assert (
        told(activate(machine, {"app": "wiki", "systemd": "wiki"}, check=True)) == [(True, "")]
        and main_pid(machine) == before
    )
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki"})) == [(True, "")]
    wait_for(machine, "restarted")
    assert main_pid(machine) != before


def test_a_reload_keeps_the_process_and_is_remembered(machine: Machine) -> None:
    before, since = main_pid(machine), settings(machine, "reloaded")
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki", "how": "reload"})) == [(True, "")]
    wait_for(machine, "reloaded")
    assert main_pid(machine) == before
    again = {"app": "wiki", "systemd": "wiki", "how": "reload", "since": since, "only_if_stale": True}
    assert told(activate(machine, again)) == [(False, "it was activated after its settings were written")]


def test_a_main_process_older_than_its_settings_is_stale_and_a_younger_one_is_not(machine: Machine) -> None:
    since = settings(machine, "stale")  # and here the run died
    item = {"app": "wiki", "systemd": "wiki", "since": since, "only_if_stale": True}
    assert told(activate(machine, item)) == [(True, "")]
    read = wait_for(machine, "stale")
    (machine.root / "srv/state/activated.json").unlink()
    assert told(activate(machine, item)) == [(False, "its process is younger than its settings")]
    assert wait_for(machine, "stale") == read


def test_a_unit_that_does_not_start_is_a_clear_failure_and_the_others_are_activated(machine: Machine) -> None:
    settings(machine, "after a failure")
    answer = activate(machine, {"app": "shop", "systemd": "broken"}, {"app": "wiki", "systemd": "wiki"})
    assert answer["failed"] and told(answer) == [(False, "the command ended with status 1"), (True, "")]
    (problem,) = answer["problems"]
    assert problem["where"] == "shop" and problem["code"] == "activation-failed" and "broken.service" in problem["hint"]
    wait_for(machine, "after a failure")


def test_what_is_not_there_or_not_running_is_told_and_left_so(machine: Machine) -> None:
    answer = activate(machine, {"app": "a", "systemd": "absent"}, {"app": "b", "systemd": "stopped"})
    assert told(answer) == [
        (False, "there is no unit absent.service on this host"),
        (False, "stopped.service is not running; it reads its settings when it starts"),
    ]
    assert [item["down"] for item in answer["activations"]] == [False, True]
    assert machine.run("systemctl", "is-active", "stopped").stdout == "inactive\n" and "failed" not in answer


def test_what_runs_now_and_then_is_not_down_and_what_has_failed_is(machine: Machine) -> None:
    machine.unit("mailing", ["Type=oneshot", "ExecStart=/bin/true"])
    item = {"since": time.time() - 3600, "only_if_stale": True}
    answer = activate(
        machine, {"app": "a", "systemd": "mailing", **item}, {"app": "b", "systemd": "broken", **item}, check=True
    )
    assert [item["down"] for item in answer["activations"]] == [False, True]


def test_what_a_unit_names_is_read_by_a_process_that_was_started_since(machine: Machine) -> None:
    """A person adds the line that we advise, has systemd read its files again, and restarts nothing."""
    drop_in = machine.root / "etc/systemd/system/wiki.service.d/by-hand.conf"
    drop_in.parent.mkdir(exist_ok=True)
    (machine.root / "srv/mail.env").write_text("SMTP_HOST=smtp.example.com\n")
    drop_in.write_text("[Service]\nEnvironmentFile=-/srv/mail.env\n")
    machine.run("systemctl", "daemon-reload")
    try:
        found = look(machine)
        assert (found["seen"], found["remedy"]) == (False, "Restart wiki.service.") and "SMTP_HOST" not in environment(
            machine
        )
        machine.run("systemctl", "restart", "wiki")
        assert look(machine) == {
            "seen": True,
            "why": "wiki.service reads /srv/mail.env",
        } and "SMTP_HOST" in environment(machine)
    finally:
        drop_in.unlink()
        drop_in.parent.rmdir()
        (machine.root / "srv/mail.env").unlink()
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "wiki")


def test_a_drop_in_is_in_force_after_the_activation_and_gone_after_the_next(machine: Machine) -> None:
    """What a form ``service`` writes and takes back: a restart alone would go on with the unit as systemd last read it."""
    drop_in = machine.root / "etc/systemd/system/wiki.service.d/smarthost-mail.conf"
    drop_in.parent.mkdir()
    (machine.root / "srv/mail.env").write_text("SMTP_HOST=smtp.example.com\n")
    drop_in.write_text("[Service]\nEnvironmentFile=/srv/mail.env\n")
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki"}, check=True)) == [(True, "")]
    assert drop_ins(machine, "wiki") == [], "check mode changes nothing"
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki"})) == [(True, "")]
    assert "SMTP_HOST=smtp.example.com" in environment(machine)
    drop_in.unlink()
    drop_in.parent.rmdir()
    (machine.root / "srv/mail.env").unlink()
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki"})) == [(True, "")], (
        "it would not start with a file that is gone"
    )
    assert "SMTP_HOST" not in environment(machine)


def test_a_unit_that_requires_a_file_that_was_removed_goes_on_and_what_ends_that_is_told(machine: Machine) -> None:
    """A line without the hyphen, as users write it: a restart would only end the service."""
    drop_in = machine.root / "etc/systemd/system/wiki.service.d/by-hand.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nEnvironmentFile=/srv/removed.env\n")
    before = main_pid(machine)
    answer = activate(machine, {"app": "wiki", "systemd": "wiki"})
    (problem,) = answer["problems"]
    assert (
        told(answer) == [(False, "it would not start")]
        and problem["code"] == "activation-failed"
        and main_pid(machine) == before != "0"
    )
    line = problem["hint"].partition("Write ")[2].partition(" there")[0]
    drop_in.write_text(f"[Service]\n{line}\n")
    assert told(activate(machine, {"app": "wiki", "systemd": "wiki"})) == [(True, "")] and main_pid(machine) not in (
        "0",
        before,
    )
    drop_in.unlink()
    drop_in.parent.rmdir()


def test_a_drop_in_of_a_unit_that_is_stopped_counts_when_it_is_started(machine: Machine) -> None:
    drop_in = machine.root / "etc/systemd/system/stopped.service.d/smarthost-mail.conf"
    drop_in.parent.mkdir()
    (machine.root / "srv/mail.env").write_text("SMTP_HOST=smtp.example.com\n")
    machine.run("systemctl", "start", "stopped")
    machine.run("systemctl", "stop", "stopped")
    drop_in.write_text("[Service]\nEnvironmentFile=/srv/mail.env\n")
    assert told(activate(machine, {"app": "b", "systemd": "stopped"})) == [
        (False, "stopped.service is not running; it reads its settings when it starts")
    ]
    assert drop_ins(machine, "stopped") == ["/etc/systemd/system/stopped.service.d/smarthost-mail.conf"]
    drop_in.unlink()
    drop_in.parent.rmdir()


def test_a_units_files_are_read_as_systemd_reads_them(machine: Machine) -> None:
    """Our reading of unit files against systemd's own, for every unit with a drop-in of each kind."""
    system = machine.root / "etc/systemd/system"
    cases = {"wiki.service.d": "10.conf", "service.d": "20.conf", "pre-.service.d": "30.conf"}
    machine.unit("pre-fix", ["ExecStart=/bin/sleep infinity", "EnvironmentFile=-/etc/default/%p"])
    for folder, name in cases.items():
        (system / folder).mkdir(exist_ok=True)
        (system / folder / name).write_text(f"[Service]\nEnvironmentFile=-/srv/{name}%%\n")
    machine.run("systemctl", "daemon-reload")
    try:
        for unit in ("wiki", "pre-fix", "stopped"):
            words = ("env", "PYTHONPATH=/srv/collections", "/usr/bin/python3", "-B", "-c", READ, unit)
            ours = json.loads(machine.run(*words).stdout)
            shown = machine.run("systemctl", "show", "--property=EnvironmentFiles", unit).stdout
            theirs = [line.split("=", 1)[1].split(" (")[0] for line in shown.splitlines() if "=/" in line]
            assert [value.lstrip("-") for value in ours] == theirs, unit
    finally:
        for folder, name in cases.items():
            (system / folder / name).unlink()
            (system / folder).rmdir()
        machine.run("systemctl", "daemon-reload")


def look(machine: Machine) -> t.Any:
    """Whether the unit is seen to read its file."""
    done = machine.run("env", "PYTHONPATH=/srv/collections", "/usr/bin/python3", "-B", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def drop_ins(machine: Machine, unit: str) -> t.List[str]:
    """Those that systemd knows of."""
    found: t.List[str] = machine.run("systemctl", "show", "--property=DropInPaths", "--value", unit).stdout.split()
    return found


def environment(machine: Machine) -> str:
    """The variables of the unit's process."""
    found: str = machine.run("cat", f"/proc/{main_pid(machine)}/environ").stdout.replace("\0", "\n")
    return found
