# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong in a rotation over SSH: each run ends with every host able to send, and says honestly what came of it."""

from __future__ import annotations

import typing as t

import pytest
from faults.fleet import AT_ONCE, NEW, OLD, Fleet, Moment, messages
from lab.faults import break_it, broken, heal

BATCH = 2  # the first time is the canary's, h001; the second is that of the batch of h002 and h003
HALF = {"h001": NEW, "h002": OLD, "h003": OLD}
GO_ON = "The old credential must not be revoked yet. Go on with: ansible-playbook smarthost.mail.rotate -i "


def completed(fleet: Fleet) -> None:
    """The same command again brings every host to the next credential."""
    assert messages(fleet.rotate(*AT_ONCE)).startswith(
        "Rotation complete: 3 on the next credential, verified by a login."
    )
    assert fleet.sends() == fleet.every(NEW) and set(fleet.kept().values()) == {0}


def test_a_new_password_that_is_wrong_is_found_before_anything_is_written(fleet: Fleet) -> None:
    fleet.relay["next"] = {**fleet.relay["next"], "password": "not-the-password"}
    said = fleet.rotate(*AT_ONCE, fails=True)
    assert "the next credential does not work: auth_failed (535 5.7.8)" in said and "[next-fails]" in said
    assert (
        "Correct it in the declaration, or at the provider; then run the same command again." in said
        and "not-the-password" not in said
    )
    assert fleet.sends() == fleet.every(OLD) and set(fleet.kept().values()) == {1}


def test_a_relay_that_dies_after_the_canary_stops_the_rotation_and_every_host_sends_when_it_is_back(
    fleet: Fleet,
) -> None:
    said = fleet.rotate(
        *AT_ONCE,
        fails=True,
        at=Moment("Write the next credential", BATCH),
        then=lambda: break_it(fleet.lab, "relay-down"),
    )
    heal(fleet.lab)
    told = messages(said)
    assert told.startswith(
        "Rotation NOT complete: 1 on the next credential, verified by a login, 2 rolled back, on the current credential, NOT VERIFIED."
    )
    for name in ("h002", "h003"):
        assert (
            f"{name}: rolled back, on the current credential, NOT VERIFIED (at: Log in with what stands in the files; "
            in told
        )
    assert (
        "after that: msmtp: connect_refused" in told
        and "after that: notifier: connect_refused" in told
        and GO_ON in told
    )
    assert fleet.sends() == HALF
    completed(fleet)


def spoil(fleet: Fleet) -> object:
    """Somebody's own tool writes another password into the file, just after we have."""
    return fleet.lab.host("h003").run("sed", "-i", "s/new-secret/other/", "/etc/msmtprc")


def fault(name: str, *words: str) -> t.Callable[[Fleet], object]:
    """A fault of the lab, as something that happens to a fleet."""
    return lambda fleet: break_it(fleet.lab, name, *words)


@pytest.mark.parametrize(
    "task, happens, told",
    [
        ("Write the next credential", fault("disk-full", "h003"), "(at: Write the next credential; "),
        ("Write the next credential", fault("read-only-etc", "h003"), "(at: Write the next credential; /etc/"),
        ("Activate", spoil, "msmtp: auth_failed 535 5.7.8"),
        ("Activate", fault("busy", "h003"), "421 4.3.2"),
    ],
    ids=["disk-full", "read-only-etc", "wrong-secret-in-the-file", "relay-answers-421"],
)
def test_one_host_that_fails_takes_its_batch_back_and_every_host_can_send(
    fleet: Fleet, task: str, happens: t.Callable[[Fleet], object], told: str
) -> None:
    summary = messages(fleet.rotate(*AT_ONCE, fails=True, at=Moment(task, BATCH), then=lambda: happens(fleet)))
    heal(fleet.lab)
    assert summary.startswith("Rotation NOT complete: 1 on the next credential, verified by a login, ")
    assert (
        told in summary.split("h003: ")[1]
        and "h002: rolled back, on the current credential, verified by a login (with its batch)" in summary
    )
    assert GO_ON in summary
    assert fleet.sends() == HALF
    completed(fleet)


def test_a_service_that_does_not_restart_is_named_and_the_same_command_starts_it_when_it_is_mended(
    fleet: Fleet,
) -> None:
    happens = fault("no-restart", "h003", "notifier")
    summary = messages(fleet.rotate(*AT_ONCE, fails=True, at=Moment("Activate", BATCH), then=lambda: happens(fleet)))
    assert (
        "h003: rolled back, on the current credential, verified by a login (at: Activate; notifier: Could not be activated"
        in summary
    )
    assert (
        "STILL NOT ACTIVATED: Could not be activated: /etc/init.d/notifier restart ended with status 1." in summary
        and GO_ON in summary
    )
    assert fleet.lab.host("h003").run("service", "notifier", "status", check=False).returncode != 0, (
        "it is down, because we restarted it"
    )
    heal(fleet.lab)
    completed(fleet)


def test_a_host_that_is_down_all_the_time_keeps_the_rotation_open_until_the_day_after(fleet: Fleet) -> None:
    with broken(fleet.lab, "unreachable", "h003"):
        summary = messages(fleet.rotate(*AT_ONCE, fails=True))
    assert summary.startswith("Rotation NOT complete: 2 on the next credential, verified by a login, 1 not reached.")
    assert "h003: not reached" in summary and GO_ON in summary
    assert fleet.sends() == {**fleet.every(NEW), "h003": OLD} and set(fleet.kept().values()) == {1, 2}
    fleet.day_after()
    fleet.run("apply")
    assert fleet.sends() == {**fleet.every(NEW), "h003": OLD}, (
        "a routine run of the day after undoes nothing and brings nothing forward"
    )
    completed(fleet)


@pytest.mark.parametrize(
    "name, number, told, others",
    [
        ("h001", 1, "1 not reached.", OLD),  # no other host is begun after the first
        ("h003", BATCH, "2 on the next credential, verified by a login, 1 not reached.", NEW),
    ],
    ids=["the-first", "one-of-a-batch"],
)
def test_a_host_that_is_lost_after_it_was_written_is_finished_when_it_is_back(
    fleet: Fleet, name: str, number: int, told: str, others: str
) -> None:
    with broken(fleet.lab, "delay", name, "1"):  # its cable can be pulled while Ansible's own connection stands
        summary = messages(
            fleet.rotate(
                *AT_ONCE,
                fails=True,
                at=Moment("Activate", number),
                then=lambda: break_it(fleet.lab, "unreachable", name),
            )
        )
        heal(fleet.lab, "unreachable")
        fleet.day_after()
    assert summary.startswith("Rotation NOT complete: " + told)
    assert f"{name}: not reached" in summary and GO_ON in summary
    assert {each: user for each, user in fleet.sends().items() if each != name} == {
        each: others for each in fleet.names if each != name
    }
    completed(fleet)


@pytest.mark.parametrize("number", [1, BATCH])
def test_an_old_credential_that_is_revoked_in_the_middle_is_not_gone_back_to(fleet: Fleet, number: int) -> None:
    said = fleet.rotate(
        *AT_ONCE, at=Moment("Write the next credential", number), then=lambda: fleet.lab.relay.revoke(OLD)
    )
    assert messages(said).startswith("Rotation complete: 3 on the next credential, verified by a login.")
    assert fleet.sends() == fleet.every(NEW)


def test_an_old_credential_that_was_revoked_before_the_rotation_is_said_and_left_behind(fleet: Fleet) -> None:
    fleet.lab.relay.revoke(OLD)
    said = fleet.rotate()
    assert "THE CURRENT CREDENTIAL IS REFUSED by the relay" in said
    assert messages(said).startswith("Rotation complete: 3 on the next credential, verified by a login.")
    assert fleet.sends() == fleet.every(NEW)
