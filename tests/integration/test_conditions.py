# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_config under the conditions of real hosts: no root, become, any umask, odd paths, links, files that may not be changed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from integration.tasks import Result, task
from leave_out import leave_out

RELAY = {
    "host": "smtp.example.com",
    "username": "apps",
    "password": "canary-of-a-secret",
    "from": "noreply@example.com",
}
SYSTEM_PYTHON = "/usr/bin/python3"


def config(folder: Path, apps: t.Sequence[t.Any], *more: str, fails: bool = False, **variables: t.Any) -> Result:
    options = {"relay": RELAY, "apps": list(apps), "state_dir": str(folder / "state")}
    return task(folder, "smtp_config", options, *more, fails=fails, **variables)


def env(path: Path, **more: t.Any) -> Result:
    return {"name": "gitea", "path": str(path), **more}


def modes(folder: Path) -> t.Set[str]:
    """Permissions of our own notes: folders, then files."""
    return {f"{path.stat().st_mode & 0o777:o}" for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def as_user(site: Path) -> t.Dict[str, t.Any]:
    """Variables that make a task run as an ordinary user, by become; the folder is that user's."""
    if os.geteuid() != 0 or not os.access(SYSTEM_PYTHON, os.X_OK) or shutil.which("su") is None:
        leave_out("only root can become another user without a password; and the system needs a python3 of its own")
    shutil.chown(site, "daemon", "daemon")
    return {
        "ansible_become": True,
        "ansible_become_user": "daemon",
        "ansible_become_method": "ansible.builtin.su",
        "ansible_become_flags": "-s /bin/sh",
        "ansible_python_interpreter": SYSTEM_PYTHON,
        "ansible_remote_tmp": str(site / "tmp"),
    }


def test_without_root_everything_is_the_users_own(site: Path, as_user: t.Dict[str, t.Any]) -> None:
    path = site / "conf" / "mailer.env"
    apps = [env(path, owner="daemon", group="daemon")]
    assert config(site, apps, **as_user)["changed"]
    owners = {
        pwd.getpwuid(item.stat().st_uid).pw_name
        for item in (path, path.parent, site / "state", site / "state" / "record.json")
    }
    assert owners == {"daemon"} and modes(site / "state") == {"700", "600"} and path.stat().st_mode & 0o007 == 0
    assert not config(site, apps, **as_user)["changed"]


def test_without_root_what_only_root_may_do_is_said_before_anything_is_written(
    site: Path, as_user: t.Dict[str, t.Any]
) -> None:
    (site / "root").mkdir(mode=0o755)
    result = config(site, [env(site / "root" / "mailer.env", owner="daemon", group="daemon")], fails=True, **as_user)
    assert [problem["code"] for problem in result["problems"]] == ["not-writable"] and "Use become" in result["msg"]
    result = config(site, [env(site / "mailer.env", owner="root", group="root")], fails=True, **as_user)
    assert {problem["code"] for problem in result["problems"]} == {"not-permitted"} and not (
        site / "mailer.env"
    ).exists()


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_the_umask_changes_nothing(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        config(tmp_path, [env(tmp_path / "new" / "mailer.env", owner="root", group="root")])
    finally:
        os.umask(before)
    assert f"{(tmp_path / 'new').stat().st_mode & 0o777:o}" == "755"
    assert (tmp_path / "new" / "mailer.env").stat().st_mode & 0o007 == 0
    assert modes(tmp_path / "state") == {"700", "600"}


def test_a_path_may_hold_spaces_and_letters_of_any_language(tmp_path: Path) -> None:
    path = tmp_path / "Größe 1 $HOME ; {x}" / "почта 'm'.env"
    apps = [env(path, owner="root", group="root")]
    assert config(tmp_path, apps)["changed"] and RELAY["password"] in path.read_text()
    assert not config(tmp_path, apps)["changed"]
    assert config(tmp_path, [env(path, state="absent")])["changed"] and not path.parent.exists()


def test_a_link_is_kept_and_its_target_replaced_and_given_back(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mailer.env").write_text("THEIRS=1\n")
    link = tmp_path / "mailer.env"
    link.symlink_to("real/mailer.env")
    config(tmp_path, [env(link, owner="root", group="root")])
    assert link.is_symlink() and RELAY["password"] in (tmp_path / "real" / "mailer.env").read_text()
    config(tmp_path, [env(link, state="absent")])
    assert link.is_symlink() and (tmp_path / "real" / "mailer.env").read_text() == "THEIRS=1\n"


def test_a_file_marked_immutable_is_a_clear_error_and_its_set_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "mailer.env"
    path.write_text("THEIRS=1\n")
    if (
        shutil.which("chattr") is None
        or subprocess.run(["chattr", "+i", str(path)], check=False, stderr=subprocess.DEVNULL).returncode != 0
    ):
        leave_out("chattr is missing, not permitted, or unknown to this file system")
    try:
        apps = [
            env(path, owner="root", group="root"),
            env(tmp_path / "other.env", owner="root", group="root", name="other", app="gitea"),
        ]
        result = config(tmp_path, apps, fails=True)
        assert "marked immutable" in result["msg"] and [problem["where"] for problem in result["problems"]] == [
            str(path)
        ]
        assert not (tmp_path / "other.env").exists() and path.read_text() == "THEIRS=1\n"
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)
