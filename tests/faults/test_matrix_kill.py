# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that is killed at any step of a rotation over SSH: every host can send at once, and the same command completes it."""

from __future__ import annotations

import re

import pytest
from faults.fleet import AT_ONCE, DONE, NEW, OLD, Fleet, Moment, messages
from lab.faults import break_it, heal

BEFORE = (
    "Plan every host, offline",
    "The next credential works, seen from the controller",
    "What stands on each host, and whether it works",
    "Nothing stands against it on any host",
    "The next credential works, seen from a host of every group",
    "This host goes first",
)
ON_A_HOST = ("Write the next credential", "Activate", "Log in with what stands in the files", "Record")
AT_THE_END = (
    "What came of it on every host",
    "Remove the replaced bytes, and the old secret with them",
    "Write the report",
)
GOING_BACK = ("Put back what stood there", "Activate again", "Log in with what stood in the files before")
STEPS = (
    *(Moment(task, number) for number in (1, 2) for task in ON_A_HOST),  # on the first host, then on the others
    *(Moment(task, 2, DONE) for task in ON_A_HOST[:3]),
    *(Moment(task) for task in AT_THE_END),
    Moment(AT_THE_END[1], 1, DONE),
)


def completed(fleet: Fleet) -> str:
    """The same command again brings every host to the next credential; what it said."""
    said = fleet.rotate(*AT_ONCE)
    assert messages(said).startswith("Rotation complete: 3 on the next credential, verified by a login.")
    assert fleet.sends() == fleet.every(NEW) and set(fleet.kept().values()) == {0}
    return said


@pytest.mark.parametrize("at", [Moment(task) for task in BEFORE], ids=str)
def test_killed_before_anything_is_written(fleet: Fleet, at: Moment) -> None:
    fleet.killed(at)
    assert fleet.sends() == fleet.every(OLD) and set(fleet.kept().values()) == {1}
    changing = re.findall(
        r"^TASK \[smarthost.mail.smtp_relay : (.*)\] \**\n(?:(?!TASK).*\n)*?changed: ",
        completed(fleet),
        flags=re.MULTILINE,
    )
    assert set(changing) <= {moment.task for moment in STEPS}, (
        "these steps change something, and no test here kills the controller at them"
    )


@pytest.mark.parametrize("at", STEPS, ids=str)
def test_killed_while_hosts_change(fleet: Fleet, at: Moment) -> None:
    fleet.killed(at)
    fleet.sends()
    completed(fleet)


@pytest.mark.parametrize("task", GOING_BACK)
def test_killed_while_a_batch_is_taken_back(fleet: Fleet, task: str) -> None:
    break_it(fleet.lab, "no-restart", "h003", "notifier")
    fleet.killed(Moment(task, 1, DONE))
    heal(fleet.lab)
    completed(fleet)
