# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider that knows one credential at a time: applications send through a local Postfix, which keeps mail during the gap."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import typing as t
import uuid
from pathlib import Path

import pytest
from integration import programs
from integration.relay import Relay
from rotation.fleet import OLD, PASSWORDS, RECIPIENT, Fleet, Values, every

WAITING = {"smtp_relay_rotation_gap_delay": 1, "smtp_relay_rotation_gap_wait": 60}
CHANGED = "the only p@ss w\"o'r\\d $HOME #;%s`{{x}}"


class Queueing(Fleet):
    """One host: Gitea sends through the local Postfix, which logs in at the relay."""

    def __init__(self, folder: Path, relay: Relay) -> None:
        super().__init__(folder, relay)
        self.variables = {"web1": {**WAITING, "smtp_relay_probe": False}}
        # Nothing listens at port 25 here, so the local MTA is not probed.
        self.config = programs.prepare_satellite(folder / "web1" / "mta")
        self.next = {"id": "2026-11", "password": CHANGED}

    def declaration(self, rotating: bool) -> Values:
        """The provider's relay, and the local MTA that forwards to it."""
        main = {**super().declaration(rotating), "overlap": False}
        return {
            "default": "main",
            "relays": {"main": main, "queue": {"type": "local_mta", "via": "main", "from": "apps@site.test"}},
        }

    def apps(self, name: str) -> t.List[Values]:
        """Postfix, and an application that uses it."""
        gitea = {**super().apps(name)[1], "relay": "queue"}
        return [
            {
                "name": "postfix",
                "path": str(self.config),
                "activate": {"command": ["postfix", "-c", str(self.config), "reload"]},
            },
            gitea,
        ]


@pytest.fixture
def host(relay: Relay) -> t.Iterator[Queueing]:
    """That host after its first apply."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-queue-"))
    folder.chmod(0o755)
    relay.set_password(OLD, PASSWORDS[OLD])
    made = Queueing(folder, relay)
    with programs.PostfixSatellite(made.config):
        done = made.run("apply", rotating=False)
        assert done.returncode == 0, done.stdout[-3000:]
        yield made
    relay.set_password(OLD, PASSWORDS[OLD])
    shutil.rmtree(folder)


def test_mail_of_the_gap_is_kept_by_the_local_mta_and_sent_after_the_rotation(host: Queueing) -> None:
    before = host.text("web1")
    subject = str(uuid.uuid4())

    def provider_changes_it() -> None:
        host.relay.set_password(OLD, CHANGED)  # from here on the old one is dead
        subprocess.run(
            ["sendmail", "-C", str(host.config), RECIPIENT],
            input=programs.mail(subject, RECIPIENT),
            text=True,
            check=True,
        )

    said = host.rotate_once_changed(provider_changes_it)
    assert "1 application sends through a local MTA and need not be touched" in said
    assert "there is no way back" in said and "Rotation complete: 1" in said
    assert host.relay.wait_for(subject, timeout=30).user.startswith(OLD)
    assert host.text("web1") == before, "the application was not touched: one secret a host"


@pytest.mark.whole
def test_mail_that_was_already_deferred_is_flushed(host: Queueing) -> None:
    host.relay.set_password(OLD, CHANGED)
    subject = str(uuid.uuid4())
    subprocess.run(
        ["sendmail", "-C", str(host.config), RECIPIENT], input=programs.mail(subject, RECIPIENT), text=True, check=True
    )
    log = host.folder / "web1" / "mta" / "log"
    end = time.monotonic() + 20
    while "status=deferred" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert "status=deferred" in log.read_text() and "status=bounced" not in log.read_text()
    said = host.rotate()
    assert "Rotation complete: 1" in said
    assert host.relay.wait_for(subject, timeout=30).user.startswith(OLD), (
        "Postfix would have tried again in minutes only"
    )


@pytest.mark.whole
def test_a_gap_that_nothing_bridges_is_refused_until_it_is_accepted(fleet: Fleet) -> None:
    fleet.declared["overlap"], fleet.next = False, {"id": "2026-11", "password": CHANGED}
    for variables in fleet.variables.values():
        variables.update(WAITING)
    refused = fleet.rotate(fails=True)
    assert all(f"{title} keeps no mail while its login is refused" in refused for title in ("msmtp", "Gitea"))
    assert "[rotation-gap]" in refused and "accept_gap: true" in refused
    before = {name: fleet.text(name) for name in fleet.variables}
    fleet.declared["accept_gap"] = True

    def provider_changes_it() -> None:
        assert {name: fleet.text(name) for name in fleet.variables} == before, (
            "nothing is written while the new one does not work yet"
        )
        fleet.relay.set_password(OLD, CHANGED)

    said = fleet.rotate_once_changed(provider_changes_it)
    assert (
        "all hosts at once, and no way back" in said
        and "Rotation complete: 3 on the next credential, verified by a login." in said
    )
    assert fleet.send() == every(OLD) and set(fleet.kept().values()) == {0}, (
        "the user is the same, with another password"
    )
    assert [secret for secret in (PASSWORDS[OLD], CHANGED) if secret in refused + said] == []
