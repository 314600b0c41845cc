# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation as AWX runs it: through ansible-runner, whose artifacts people may read and must not hold a secret."""

from __future__ import annotations

import re
from pathlib import Path

import ansible_runner
from rotation.fleet import HOSTS, NEW, PASSWORDS, Fleet, every


def test_ansible_runner_rotates_and_its_artifacts_hold_the_summary_and_no_secret(fleet: Fleet, tmp_path: Path) -> None:
    inventory = fleet.command("rotate")[2]
    run = ansible_runner.run(
        private_data_dir=str(tmp_path),
        inventory=inventory,
        playbook="smarthost.mail.rotate",
        cmdline="-v --diff --forks 4",
        quiet=True,
        envvars={
            **fleet.environment(),
            "ANSIBLE_CALLBACKS_ENABLED": "smarthost.mail.smtp_progress",
            "SMTP_PROGRESS_INTERVAL": "0",
        },
        timeout=400,
    )
    artifacts = {
        path: path.read_text(errors="replace") for path in (tmp_path / "artifacts").rglob("*") if path.is_file()
    }
    assert (run.status, run.rc) == ("successful", 0), run.stdout.read()[-3000:]
    assert [
        (path.name, secret) for path, text in artifacts.items() for secret in PASSWORDS.values() if secret in text
    ] == []
    assert len(artifacts) > 50 and fleet.users() == every(NEW) == fleet.send()
    ended = [event["event_data"] for event in run.events if event["event"] == "runner_on_ok"]
    (summary,) = [data["res"]["msg"] for data in ended if data["task"].endswith("Summary")]
    assert summary[0] == f"Rotation complete: {len(HOSTS)} on the next credential, verified by a login."
    assert any(line.startswith("Then revoke the old credential") for line in summary)
    (stdout,) = [text for path, text in artifacts.items() if path.name == "stdout"]
    assert "hosts done, 0 failed, 0 left (play 1/" in re.sub(r", [0-9.]+ hosts/[a-z]+", "", stdout), (
        "plain lines, though there is a terminal"
    )
    assert "rotate: " in stdout and f": {len(HOSTS)} done." in stdout, (
        "the callback says by the playbook's own summary what came of each host"
    )
