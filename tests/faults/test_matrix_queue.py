# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that send through the Postfix of their host: a rotation touches one secret a host, and a gap loses nothing."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest
from faults.fleet import NEW, OLD, Fleet, Moment, Values, messages
from lab.laboratory import Lab
from lab.load import every_second
from lab.relay import FIRST
from lab.sending import send_as_configured

CHANGED = "changed-secret"
OF_APPLICATIONS = ("etc/msmtprc", "etc/notifier/mail.json")


class Queueing(Fleet):
    """msmtp and the notifier send through the local Postfix, which alone logs in at the relay."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        super().__init__(lab, folder)
        self.apps = {name: [{"name": "postfix", "relay": "main"}, "msmtp", "notifier"] for name in self.names}

    def declaration(self) -> Values:
        """The provider's relay, and the local MTA that forwards to it."""
        return {
            "default": "queue",
            "relays": {"main": self.relay, "queue": {"type": "local_mta", "via": "main", "from": "fleet@lab.test"}},
        }

    def secrets_of_applications(self) -> t.Dict[str, t.List[str]]:
        """By host what stands in the files of the applications that use the local Postfix, as digests."""
        return {
            host.name: [hashlib.sha256(host.reach(path).read_bytes()).hexdigest() for path in OF_APPLICATIONS]
            for host in self.lab.hosts
        }

    def deferred(self) -> int:
        """How many messages the hosts' Postfixes keep."""
        return sum(host.run("postqueue", "-j").stdout.count('"queue_name"') for host in self.lab.hosts)


@pytest.fixture
def queueing(applied: Fleet, lab: Lab, tmp_path: pathlib.Path) -> Queueing:
    """That fleet after its first apply, with nothing of another fleet's left."""
    applied.load("blank")
    made = Queueing(lab, tmp_path)
    made.run("apply")
    return made


def test_one_secret_a_host_is_touched_and_no_message_is_lost_or_refused(
    queueing: Queueing, tmp_path: pathlib.Path
) -> None:
    before = queueing.secrets_of_applications()
    with every_second(queueing.lab, tmp_path / "words", queueing.programs()) as load:
        said = queueing.rotate()
    assert "6 applications send through a local MTA and need not be touched" in said
    assert messages(said).startswith("Rotation complete: 3 on the next credential, verified by a login.")
    assert load.attempts() and load.refused() == [] and load.lost(30) == []
    assert [line for lines in queueing.notified().values() for line in lines if not line.endswith(" ok")] == []
    assert queueing.secrets_of_applications() == before and queueing.sends() == queueing.every(NEW)


def test_mail_of_a_gap_is_kept_by_the_hosts_and_sent_after_the_rotation(
    queueing: Queueing, tmp_path: pathlib.Path
) -> None:
    queueing.relay.update(overlap=False, next={"id": "2", "password": CHANGED})
    at, kept = (
        Moment(
            "Change the credential at the provider now, this waits until the next one works", 1, ("FAILED - RETRYING",)
        ),
        [],
    )

    def provider_changes_it() -> None:
        queueing.lab.relay.set(OLD, CHANGED)
        for host in queueing.lab.hosts:
            assert send_as_configured(host, "msmtp", f"{host.name} gap").status == 0, "taken by the local Postfix"
        kept.append(queueing.deferred())

    waiting = ("-e", '{"smtp_relay_rotation_gap_delay": 4, "smtp_relay_rotation_gap_wait": 120}')
    with every_second(queueing.lab, tmp_path / "words", queueing.programs()) as load:
        said = queueing.rotate(*waiting, at=at, then=provider_changes_it)
    assert kept and kept[0] >= 3, "the relay refuses the old login, and Postfix keeps what it was given"
    assert "there is no way back" in said and messages(said).startswith("Rotation complete: 3 ")
    assert load.refused() == [] and load.lost(60) == []
    arrived = {message.subject: message.login for message in queueing.mail()}
    assert {arrived.get(f"{name} gap") for name in queueing.names} == {OLD}
    assert queueing.sends() == queueing.every(OLD) and sorted(queueing.lab.relay.credentials()) == sorted(
        [(OLD, CHANGED), (NEW, FIRST[NEW])]
    )
