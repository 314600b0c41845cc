# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in two groups has the applications of both, by variables with a label, through the playbooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_server.start import ansible_playbook

RELAY = {"host": "smtp.example.com", "username": "apps", "password": "x", "from": "apps@example.com"}
Values = t.Dict[str, t.Any]


def run(
    folder: Path, playbook: str, wiki: Values, monitoring: Values, common: t.Optional[Values] = None
) -> "subprocess.CompletedProcess[str]":
    """A playbook over one host that is in two groups with these variables."""
    inventory = folder / "inventory.json"
    groups = {
        "wiki": {"hosts": {"one": None}, "vars": wiki},
        "monitoring": {"hosts": {"one": None}, "vars": monitoring},
    }
    everywhere = {
        "smtp_relay": RELAY,
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "smtp_relay_dest": str(folder / "out"),
        "smtp_relay_state_dir": str(folder / "state"),
        "smtp_relay_report_dest": str(folder / "report"),
        **(common or {}),
    }
    inventory.write_text(json.dumps({"all": {"children": groups, "vars": everywhere}}))
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    command = [ansible_playbook(), "-i", str(inventory), f"smarthost.mail.{playbook}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_plan_shows_the_applications_of_both_groups_and_the_variable_that_each_comes_from(tmp_path: Path) -> None:
    label = "{{ ['gitea', {'name': 'msmtp', 'path': '/srv/' ~ inventory_hostname}] }}"
    done = run(
        tmp_path,
        "plan",
        {"smtp_relay_apps_wiki": label},
        {"smtp_relay_apps_monitoring": ["grafana"]},
        {"smtp_relay_apps": ["ghost"]},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [line.strip(' ",') for line in done.stdout.splitlines() if "listed in" in line]
    assert [(line.split(":")[0], line.rpartition(" ")[2]) for line in shown] == [
        ("ghost", "smtp_relay_apps[0]"),
        ("grafana", "smtp_relay_apps_monitoring[0]"),
        ("gitea", "smtp_relay_apps_wiki[0]"),
        ("msmtp", "smtp_relay_apps_wiki[1]"),
    ]
    assert "/srv/one" in shown[3]


def test_render_writes_those_of_both(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "render",
        {"smtp_relay_apps_wiki": ["vaultwarden"]},
        {"smtp_relay_apps_monitoring": [{"name": "msmtp"}]},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in (tmp_path / "out" / "one" / "etc").rglob("*") if path.is_file()} >= {"msmtprc"}
    assert [path for path in (tmp_path / "out" / "one").rglob("*vaultwarden*")] != []


def test_apply_names_the_variable_in_which_something_is_wrong(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "apply",
        {"smtp_relay_apps_wiki": [{"name": "gitea", "path": "app.ini"}]},
        {"smtp_relay_apps_monitoring": ["gitea"]},
    )
    assert done.returncode == 2
    assert "smtp_relay_apps_wiki[0].path" in done.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["hosts"][0]["outcome"] == "failed"


def test_a_list_that_cannot_be_rendered_is_named(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "plan",
        {"smtp_relay_apps_wiki": [{"name": "gitea", "path": "{{ nowhere }}"}]},
        {"smtp_relay_apps_monitoring": ["grafana"]},
    )
    assert done.returncode == 2
    assert "smtp_relay_apps_wiki: " in done.stdout + done.stderr and "nowhere" in done.stdout + done.stderr


def test_nothing_listed_is_nothing_planned(tmp_path: Path) -> None:
    done = run(tmp_path, "plan", {}, {})
    assert done.returncode == 0, done.stdout + done.stderr
