# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load on the lab tells of every message what became of it."""

from __future__ import annotations

import pathlib

from lab.laboratory import Lab
from lab.load import every_second

MSMTPRC = """defaults
tls on
account default
host relay.lab.test
port 587
from x@lab.test
auth on
user old@lab.test
password %s
"""


def test_senders_tell_of_every_message_what_became_of_it(lab: Lab, tmp_path: pathlib.Path) -> None:
    for host, secret in zip(lab.hosts, ("old-secret", "wrong")):
        host.run("sh", "-c", "cat > /etc/msmtprc", given=MSMTPRC % secret)
    with every_second(lab, tmp_path / "words", {"h001": "msmtp", "h002": "msmtp"}) as load:
        lab.hosts[0].run("sleep", "1.5")
    subjects = {attempt.subject for attempt in load.attempts()}
    assert {"h001 msmtp 1", "h001 msmtp 2", "h002 msmtp 1"} <= subjects
    assert {attempt.subject.split()[0] for attempt in load.refused()} == {"h002"}
    assert "535" in load.refused()[0].said
    assert load.lost() == []


def test_a_message_that_was_taken_and_never_came_is_lost(lab: Lab, tmp_path: pathlib.Path) -> None:
    lab.hosts[0].run("sh", "-c", "cat > /etc/msmtprc", given=MSMTPRC % "old-secret")
    with every_second(lab, tmp_path / "words", {"h001": "msmtp"}) as load:
        lab.hosts[0].run("sleep", "0.3")
    assert load.lost() == []
    lab.relay.forget_mail()
    assert "h001 msmtp 1" in load.lost(seconds=0)
