# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the lab does what its name says, to whom it is said, and ends."""

from __future__ import annotations

import typing as t

import pytest

from lab.faults import FAULTS, break_it, broken, heal, standing
from lab.laboratory import Lab
from lab.processes import Failed
from lab.sending import AT_GREETING, NO_ANSWER, OLD, REFUSED, SENT, UNREACHABLE, send


class Shown(t.NamedTuple):
    """What msmtp on h001 ends with while the fault stands, what it says (in part), and how long it takes at least and at most."""

    words: tuple[str, ...]
    status: int
    said: str = ""
    least: float = 0.0
    most: float = 10.0


SHOWN = {
    "relay-down": Shown((), UNREACHABLE, "Connection refused", most=2),
    "relay-hangs": Shown((), NO_ANSWER, "timed out", least=1.5),
    "busy": Shown(("h001",), AT_GREETING, "421 4.3.2"),
    "auth-down": Shown((), REFUSED, "454 4.7.0"),
    "tarpit": Shown(("h001", "1"), SENT, least=3),
    "delay": Shown(("h001", "60"), SENT, least=1),
    "slow-wire": Shown(("relay", "60", "1"), SENT, least=1, most=20),
    "unreachable": Shown(("h001",), UNREACHABLE, least=1.5),
    "loss": Shown(("h001", "100"), UNREACHABLE, least=1.5),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_fault_of_the_way_or_the_relay_shows_in_a_sending_and_ends(lab: Lab, name: str) -> None:
    shown, host = SHOWN[name], lab.hosts[0]
    with broken(lab, name, *shown.words):
        sent = send(host, *OLD, timeout=2 if shown.status else 20)
        assert (sent.status, shown.said in sent.said) == (shown.status, True), sent
        assert shown.least <= sent.seconds <= shown.most
    assert send(host, *OLD).status == SENT


def test_a_fault_on_one_host_leaves_the_others_alone(lab: Lab) -> None:
    with broken(lab, "busy", "h001"), broken(lab, "unreachable", "h002"):
        assert [send(host, *OLD, timeout=2).status for host in lab.hosts] == [AT_GREETING, UNREACHABLE, SENT]


def test_a_full_disk_takes_not_a_byte_and_gives_everything_back(lab: Lab) -> None:
    host = lab.hosts[0]
    host.run("sh", "-c", "echo before > /etc/kept")
    with broken(lab, "disk-full", "h001"):
        for path in ("/etc/new", "/var/lib/new", "/home/deploy/new"):
            refused = host.run("cp", "/bin/true", path, check=False)
            assert "No space left on device" in refused.stdout
        host.run("cp", "/bin/true", "/tmp/new")  # Ansible's modules start there
        assert host.run("cat", "/etc/kept").stdout == "before\n"
    host.run("cp", "/bin/true", "/etc/new")


def test_a_read_only_etc_is_one_and_other_folders_are_not(lab: Lab) -> None:
    host = lab.hosts[0]
    with broken(lab, "read-only-etc", "h001"):
        assert "Read-only file system" in host.run("touch", "/etc/x", check=False).stdout
        host.run("touch", "/var/lib/x")
    host.run("touch", "/etc/x")


@pytest.mark.parametrize("service", ["notifier", "postfix"])
def test_a_service_that_does_not_restart_stops_and_stays_down(lab: Lab, service: str) -> None:
    host = lab.hosts[0]
    with broken(lab, "no-restart", "h001", service):
        assert host.run("service", service, "status", check=False).returncode == 0
        refused = host.run("service", service, "restart", check=False)
        assert (refused.returncode, "cannot restart" in refused.stdout) == (1, True)
        assert host.run("service", service, "status", check=False).returncode != 0
        assert host.run("service", service, "start", check=False).returncode == 1
    host.run("service", service, "restart")
    assert host.run("service", service, "status", check=False).returncode == 0


def test_every_fault_is_shown_here() -> None:
    assert set(FAULTS) == {*SHOWN, "disk-full", "read-only-etc", "no-restart"}


def test_faults_that_stand_are_listed_and_all_end_at_once(lab: Lab) -> None:
    break_it(lab, "unreachable", "h002")
    break_it(lab, "auth-down")
    assert standing(lab) == [("auth-down", "relay"), ("unreachable", "h002")]
    heal(lab)
    assert standing(lab) == []
    assert send(lab.hosts[1], *OLD).status == SENT


def test_a_fault_that_is_said_wrong_is_refused_in_words(lab: Lab) -> None:
    for words, said in (
        (("delay", "h001"), "wants HOST MILLISECONDS"),
        (("unreachable", "h009"), "there is no host h009"),
    ):
        with pytest.raises(Failed, match=said):
            break_it(lab, *words)
    with broken(lab, "unreachable", "h001"), pytest.raises(Failed, match="stands on h001 already"):
        break_it(lab, "unreachable", "h001")
    assert standing(lab) == []


def test_a_relay_that_was_down_knows_its_credentials_and_its_mail(lab: Lab) -> None:
    before = (lab.relay.credentials(), len(lab.relay.mail()))
    with broken(lab, "relay-down"):
        assert (lab.relay.credentials(), len(lab.relay.mail())) == before
        lab.relay.add("later@lab.test", "secret")
    assert send(lab.hosts[0], "later@lab.test", "secret").status == SENT
    lab.relay.revoke("later@lab.test")
    assert lab.relay.credentials() == before[0]
