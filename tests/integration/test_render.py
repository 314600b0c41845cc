# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rendering to a folder as people do it: the playbook, several hosts, relative folders, become, a user without any rights, and mistakes."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

import pytest
from ansible_server.start import ansible_playbook
from integration.tasks import task

SECRET = "canary-5ecret"
RELAY = {"host": "smtp.example.com", "username": "apps@example.com", "password": SECRET, "from": "noreply@example.com"}
APPS: t.List[t.Any] = [
    "nextcloud",
    {"name": "gitea", "form": "ini", "path": "/srv/gitea/app.ini"},
    {"name": "vaultwarden", "owner": "no-such-user"},
]
Hosts = t.Dict[str, t.Dict[str, t.Any]]


def render(site: pathlib.Path, hosts: Hosts, *options: str, **common: t.Any) -> "subprocess.CompletedProcess[str]":
    """README's command, started in the site's folder; the hosts cannot be reached."""
    variables = {"smtp_relay": RELAY, "smtp_relay_apps": APPS, "ansible_host": "127.0.0.1", "ansible_port": 1, **common}
    (site / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    command = [ansible_playbook(), "smarthost.mail.render", "-i", "inventory.json", *options]
    env = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(command, cwd=site, env=env, capture_output=True, text=True, timeout=120, check=False)


def names(folder: pathlib.Path) -> t.List[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


ALL = [
    "etc/vaultwarden/mail.env",
    "manifest.json",
    "srv/gitea/app.ini",
    "var/www/nextcloud/config/zz-smarthost.config.php",
]


def test_readmes_command_renders_below_the_current_folder(tmp_path: pathlib.Path) -> None:
    done = render(
        tmp_path, {"web1": {}, "web2": {"smtp_relay_apps": ["msmtp"]}}, "-e", "smtp_relay_dest=./out", "--diff", "-vvv"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert SECRET not in done.stdout + done.stderr
    assert sorted(names(tmp_path / "out" / "web1")) == sorted(ALL) and names(tmp_path / "out" / "web2") == [
        "etc/msmtprc",
        "manifest.json",
    ]
    again = render(tmp_path, {"web1": {}, "web2": {"smtp_relay_apps": ["msmtp"]}}, "-e", "smtp_relay_dest=./out")
    assert "changed=0" in again.stdout and "changed=1" not in again.stdout


def test_check_mode_writes_nothing_and_predicts(tmp_path: pathlib.Path) -> None:
    done = render(tmp_path, {"web1": {}}, "-e", "smtp_relay_dest=out", "--check")
    assert done.returncode == 0 and "changed=1" in done.stdout and not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", [{"options": ["-b"]}, {"ansible_become": True}])
def test_become_is_of_no_account(tmp_path: pathlib.Path, how: t.Dict[str, t.Any]) -> None:
    variables = {
        "ansible_become_exe": str(tmp_path / "no-such-sudo"),
        **{key: how[key] for key in how if key != "options"},
    }
    done = render(tmp_path, {"web1": {}}, "-e", "smtp_relay_dest=out", *how.get("options", ()), **variables)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "out/web1/manifest.json").stat().st_uid == os.geteuid()


@pytest.mark.parametrize(
    ("dest", "said"),
    [
        (None, "smtp_relay_dest is missing"),
        ("", "smtp_relay_dest is missing"),
        ("inventory.json", "Not a directory. Nothing was written."),
        ("taken", "This file is there already, and no earlier render wrote it.   [dest-not-ours]"),
    ],
)
def test_what_is_wrong_with_dest_is_said(tmp_path: pathlib.Path, dest: t.Optional[str], said: str) -> None:
    (tmp_path / "taken/web1/etc/vaultwarden/mail.env").parent.mkdir(parents=True)
    (tmp_path / "taken/web1/etc/vaultwarden/mail.env").write_text("MINE=1\n")
    done = render(tmp_path, {"web1": {}}, *([] if dest is None else ["-e", f"smtp_relay_dest={dest}"]))
    assert done.returncode != 0 and said in done.stdout.replace("\\n", "\n"), done.stdout[-2000:]
    assert names(tmp_path / "taken") == ["web1/etc/vaultwarden/mail.env"]


def test_what_is_refused_writes_nothing_and_skipped_keeps_the_earlier_file(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "out"
    options: t.Dict[str, t.Any] = {"relay": RELAY, "apps": ["gitea", "msmtp"], "dest": str(folder)}
    assert task(tmp_path, "smtp_config", options)["changed"]
    before = names(folder)
    starttls = {**options, "relay": {**RELAY, "security": "starttls"}}
    found = task(tmp_path, "smtp_config", starttls, fails=True)
    assert [item["code"] for item in found["refusals"]] == ["starttls-strippable"]
    found = task(tmp_path, "smtp_config", {**starttls, "on_unsupported": "skip"})
    assert found["changed"] and names(folder) == before and found["removed"] == []
    assert [app["name"] for app in found["apps"]] == ["msmtp"] and found["apps"][0]["paths"] == [
        str(folder / "etc/msmtprc")
    ]
    found = task(tmp_path, "smtp_config", {**options, "apps": [{"name": "gitea", "state": "unmanaged"}]})
    assert names(folder) == ["etc/gitea/mailer.env", "manifest.json"] and found["removed"] == [
        str(folder / "etc/msmtprc")
    ]
    found = task(tmp_path, "smtp_config", {**options, "apps": [{"name": "gitea", "state": "absent"}]})
    assert names(folder) == ["manifest.json"] and found["activations"] == [] and found["generation"] is None


@pytest.mark.parametrize("state", ["query", "rolled_back", "committed"])
def test_a_folder_has_no_generations(tmp_path: pathlib.Path, state: str) -> None:
    found = task(tmp_path, "smtp_config", {"state": state, "dest": str(tmp_path / "out")}, fails=True)
    assert [problem["code"] for problem in found["problems"]] == ["dest-state"] and not (tmp_path / "out").exists()


def test_an_empty_dest_never_means_in_place(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "app.env"
    found = task(
        tmp_path,
        "smtp_config",
        {"relay": RELAY, "apps": [{"name": "gitea", "path": str(target)}], "dest": ""},
        fails=True,
    )
    assert [problem["code"] for problem in found["problems"]] == ["dest-required"] and not target.exists()
