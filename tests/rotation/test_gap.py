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

from rotation.fleet import OLD, PASSWORDS, RECIPIENT, Fleet, Relay, Values, programs

CHANGED = "the only p@ss w\"o'r\\d $HOME #;%s`{{x}}"


class Queueing(Fleet):
    """One host: Gitea sends through the local Postfix, which logs in at the relay."""

    def __init__(self, folder: Path, relay: Relay) -> None:
        super().__init__(folder, relay)
        self.variables = {"web1": {"smtp_relay_rotation_gap_delay": 1, "smtp_relay_rotation_gap_wait": 60, "smtp_relay_probe": False}}
        # Nothing listens at port 25 here, so the local MTA is not probed.
        self.config = programs.prepare_satellite(folder / "web1" / "mta")
        self.next = {"id": "2026-11", "password": CHANGED}

    def declaration(self, rotating: bool) -> Values:
        """The provider's relay, and the local MTA that forwards to it."""
        main = {**super().declaration(rotating), "overlap": False}
        return {"default": "main", "relays": {"main": main, "queue": {"type": "local_mta", "via": "main", "from": "apps@site.test"}}}

    def apps(self, name: str) -> t.List[Values]:
        """Postfix, and an application that uses it."""
        gitea = {**super().apps(name)[1], "relay": "queue"}
        return [{"name": "postfix", "path": str(self.config), "activate": {"command": ["postfix", "-c", str(self.config), "reload"]}}, gitea]


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
    rotating = subprocess.Popen(host.command("rotate"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=host.environment())
    assert rotating.stdout is not None
    said = ""
    for line in rotating.stdout:
        said += line
        if "RETRYING" in line and "works now" in line:
            break
    host.relay.set_password(OLD, CHANGED)  # at the provider: from here on the old one is dead
    subject = str(uuid.uuid4())
    subprocess.run(["sendmail", "-C", str(host.config), RECIPIENT], input=programs.mail(subject, RECIPIENT), text=True, check=True)
    said += rotating.stdout.read()
    assert rotating.wait() == 0, said[-5000:]
    assert "1 application sends through a local MTA and need not be touched" in said
    assert "there is no way back" in said and "Rotation complete: 1" in said
    assert host.relay.wait_for(subject, timeout=30).user.startswith(OLD)
    assert host.text("web1") == before, "the application was not touched: one secret a host"


@pytest.mark.whole
def test_mail_that_was_already_deferred_is_flushed(host: Queueing) -> None:
    host.relay.set_password(OLD, CHANGED)
    subject = str(uuid.uuid4())
    subprocess.run(["sendmail", "-C", str(host.config), RECIPIENT], input=programs.mail(subject, RECIPIENT), text=True, check=True)
    log = host.folder / "web1" / "mta" / "log"
    end = time.monotonic() + 20
    while "status=deferred" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert "status=deferred" in log.read_text() and "status=bounced" not in log.read_text()
    said = host.rotate()
    assert "Rotation complete: 1" in said
    assert host.relay.wait_for(subject, timeout=30).user.startswith(OLD), "Postfix would have tried again in minutes only"
