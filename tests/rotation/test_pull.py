# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that pull their own settings with ansible-pull from a git repository, as docs/ansible-pull.md says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rotation.fleet import NEW, OLD, PASSWORDS, Fleet


def repository(folder: Path, inventory: Path) -> str:
    """A git repository with an inventory and two playbooks that are the collection's."""
    folder.mkdir()
    (folder / "inventory.yml").write_text(inventory.read_text())
    for name in ("apply", "rotate"):
        (folder / f"{name}.yml").write_text(f"- import_playbook: smarthost.mail.{name}\n")
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@site.test"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "settings"]):
        subprocess.run([*git, *words], check=True)
    return f"file://{folder}"


def pull(fleet: Fleet, url: str, playbook: str, host: str) -> str:
    """What ansible-pull says on one host."""
    command = [
        str(Path(sys.executable).with_name("ansible-pull")),
        "--url",
        url,
        "--directory",
        str(fleet.folder / host / "pulled"),
    ]
    # The second one is for ansible-pull itself, which runs git on localhost or on the host that has this machine's name.
    command += [
        "--inventory",
        str(fleet.folder / host / "pulled" / "inventory.yml"),
        "--inventory",
        "localhost,",
        "--limit",
        host,
        f"{playbook}.yml",
    ]
    environment = {**fleet.environment(), "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.whole
def test_a_host_that_pulls_applies_its_own_settings_and_a_rotation_stays_open_until_every_host_is_known(
    fleet: Fleet, tmp_path: Path
) -> None:
    url = repository(tmp_path / "repository", Path(fleet.command("rotate")[2]))
    (fleet.folder / "web1" / "etc" / "msmtprc").unlink()
    said = pull(fleet, url, "apply", "web1")
    assert fleet.users()["web1"] == OLD and "changed=1" in said, "the file that was lost"
    said += pull(fleet, url, "rotate", "web1")
    assert (
        "Rotation NOT complete: 1 on the next credential, verified by a login." in said
        and "must not be revoked" in said
    )
    assert (fleet.users()["web1"], fleet.users()["web2"]) == (NEW, OLD), "nobody else was touched"
    assert [secret for secret in PASSWORDS.values() if secret in said] == []
