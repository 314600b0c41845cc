# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs come and go by name, and what a killed one has left is removed by the next command."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from lab import laboratory, network, processes
from lab.laboratory import Lab
from lab.places import RUN
from lab.processes import Failed, Process, wait_until
from lab.sending import OLD, SENT, send

COMMAND = [sys.executable, str(pathlib.Path(__file__).parent)]
TESTS = str(pathlib.Path(__file__).parent.parent)
# A test run that is killed: it has a lab, and no chance to say goodbye.
OWNER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from lab import laboratory, processes
laboratory.up(1, sys.argv[2], owner=processes.Process.of(os.getpid()))
print("up", flush=True)
time.sleep(600)
"""


def traces(name: str) -> list[str]:
    """Return whatever there is of a lab on this machine."""
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return [
        *network.namespaces(name),
        *map(str, processes.inside(network.namespaces(name))),
        *(line for line in mounts if " %s/" % (RUN / name) in line or " %s " % (RUN / name) in line),
        *map(str, RUN.glob(name)),
    ]


@pytest.fixture
def name() -> t.Iterator[str]:
    """A name for one more lab, which is gone after the test."""
    name = "more-%d" % os.getpid()
    yield name
    laboratory.down(name)


def test_labs_of_different_names_are_up_at_once_with_addresses_of_their_own(lab: Lab, name: str) -> None:
    other = laboratory.up(1, name)
    assert not other.places.network.overlaps(lab.places.network)
    other.relay.revoke(OLD[0])
    assert send(lab.hosts[0], *OLD).status == SENT
    with pytest.raises(Failed, match=f"the lab {name} is up"):
        laboratory.up(1, name)
    other.down()
    assert traces(name) == []
    assert send(lab.hosts[0], *OLD).status == SENT
    with pytest.raises(Failed, match="is not up"):
        laboratory.find(name)


def test_the_command_starts_shows_and_ends_a_lab(lab: Lab, name: str) -> None:
    def command(*words: str) -> str:
        return processes.run(*COMMAND, "--name", name, *words)

    assert "1 hosts and the relay" in command("up", "1")
    assert "h001" in command("status")
    assert command("cred", "list").splitlines() == ["old@lab.test old-secret", "new@lab.test new-secret"]
    command("cred", "del", "old@lab.test")
    assert command("cred", "list").splitlines() == ["new@lab.test new-secret"]
    command("fault", "unreachable", "h001")
    assert "fault unreachable on h001" in command("status")
    command("heal")
    assert "fault" not in command("status")
    assert command("sh", "h001", "hostname") == "h001\n"
    command("down")
    assert traces(name) == []
    assert "unreachable 198.18.0.0/15" in processes.run("ip", "route")


@pytest.mark.parametrize(
    "stage", ["lab.json", "skeleton", "hosts/h002/disk", "hosts/relay/process", "hosts/h002/process"]
)
def test_what_an_up_has_left_that_was_killed_halfway_is_removed_by_the_next(name: str, stage: str) -> None:
    making = subprocess.Popen([*COMMAND, "--name", name, "up", "2"], stdout=subprocess.DEVNULL)
    wait_until((RUN / name / stage).exists, f"the lab gets as far as {stage}", step=0.0005)
    making.kill()
    making.wait()
    assert traces(name) != []
    laboratory.down("another")
    assert traces(name) == []


def test_the_lab_of_a_killed_test_run_is_removed_by_the_next_command(name: str) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, TESTS, name], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout and owner.stdout.readline() == "up\n"
        laboratory.down("another")
        assert traces(name) != [], "its owner lives"
        owner.kill()
    laboratory.down("another")
    assert traces(name) == []


def test_a_lab_that_nobody_owns_stays(name: str) -> None:
    processes.run(*COMMAND, "--name", name, "up", "1")
    laboratory.down("another")
    assert laboratory.find(name).hosts[0].ready()


def test_an_ssh_connection_that_is_kept_open_ends_with_the_lab(name: str) -> None:
    lab = laboratory.up(1, name)
    folder = lab.places.folder
    processes.run(
        "ssh",
        "-i",
        folder / "id_ed25519",
        "-o",
        "UserKnownHostsFile=%s" % (folder / "known_hosts"),
        "-o",
        "ControlMaster=auto",
        "-o",
        "ControlPersist=60",
        "-o",
        "ControlPath=%s" % (folder / "ssh" / "master"),
        "deploy@" + lab.hosts[0].address,
        "true",
    )
    assert masters(folder) != []
    lab.down()
    wait_until(lambda: masters(folder) == [], "the master ends")


def masters(folder: pathlib.Path) -> list[str]:
    """Return the ssh processes that keep a connection to the lab in this folder."""
    shown = subprocess.run(["ps", "-e", "-o", "args="], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [line for line in shown.splitlines() if line.startswith(f"ssh: {folder}/")]


def test_a_process_is_never_taken_for_an_older_one_with_its_id() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        real = Process.of(sleeper.pid)
        assert real
        real._replace(started=real.started - 1).signal(signal.SIGKILL)
        time.sleep(0.05)
        assert real.alive()
        real.signal(signal.SIGKILL)
    assert not real.alive()
