# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test` tries of a rotation over SSH: nothing is lost or refused, a host that fails, a controller that is killed."""

from __future__ import annotations

import contextlib
import pathlib

from faults.fleet import AT_ONCE, DONE, NEW, OLD, Fleet, Moment, messages
from lab.faults import broken
from lab.load import every_second


def test_during_a_rotation_over_a_slow_lossy_wire_no_message_is_lost_or_refused(
    fleet: Fleet, tmp_path: pathlib.Path
) -> None:
    with contextlib.ExitStack() as faults:
        for name in fleet.names[1:]:
            faults.enter_context(broken(fleet.lab, "slow-wire", name, "40", "2"))
        with every_second(fleet.lab, tmp_path / "words", fleet.programs()) as load:
            said = fleet.rotate(*AT_ONCE)
    assert messages(said).startswith("Rotation complete: 3 on the next credential, verified by a login.")
    attempts = load.attempts()
    assert {attempt.subject.split()[0] for attempt in attempts} == set(fleet.names)
    assert load.refused() == [] and load.lost() == []
    assert [line for lines in fleet.notified().values() for line in lines if not line.endswith(" ok")] == []
    logins = {message.subject: message.login for message in fleet.mail()}
    for name in fleet.names:
        mine = [logins[attempt.subject] for attempt in attempts if attempt.subject.split()[0] == name]
        assert mine == sorted(mine, reverse=True) and set(mine) == {OLD, NEW}, (
            "each host goes over once, and does not come back"
        )
    assert fleet.sends() == fleet.every(NEW) and set(fleet.kept().values()) == {0}


def test_a_controller_killed_with_a_host_half_written_is_followed_by_the_same_command(fleet: Fleet) -> None:
    fleet.killed(Moment("Write the next credential", 2, DONE))
    fleet.sends()
    assert messages(fleet.rotate(*AT_ONCE)).startswith(
        "Rotation complete: 3 on the next credential, verified by a login."
    )
    assert fleet.sends() == fleet.every(NEW) and set(fleet.kept().values()) == {0}
