# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation of twenty hosts over a slow wire that loses packets, with senders on every host."""

from __future__ import annotations

import contextlib
import pathlib

from faults.fleet import NEW, OLD, Fleet, messages
from lab.faults import broken
from lab.fixture import started
from lab.load import every_second

HOSTS = 20
WIRE = ("60", "3")  # milliseconds and percent, each way


def test_twenty_hosts_over_a_slow_lossy_wire_lose_nothing(tmp_path: pathlib.Path) -> None:
    with started(hosts=HOSTS, name="wire") as lab, contextlib.ExitStack() as faults:
        fleet = Fleet(lab, tmp_path)
        fleet.run("apply")
        for name in fleet.names:
            faults.enter_context(broken(lab, "slow-wire", name, *WIRE))
        begun = {
            name: len(lines) for name, lines in fleet.notified().items()
        }  # changing a cable takes a host's network away for a moment
        with every_second(lab, tmp_path / "words", fleet.programs()) as load:
            said = fleet.rotate()
        assert messages(said).startswith("Rotation complete: 20 on the next credential, verified by a login.")
        assert load.refused() == [] and load.lost(60) == []
        assert [
            line
            for name, lines in fleet.notified().items()
            for line in lines[begun[name] :]
            if not line.endswith(" ok")
        ] == []
        assert {message.login for message in fleet.mail()} == {OLD, NEW}
        assert fleet.sends() == fleet.every(NEW)
