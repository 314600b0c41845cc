# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_report in playbooks of one's own: batches, secrets in the words of other tasks, declarations that do not resolve."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

PLAY = """
- hosts: all
  gather_facts: false
  serial: {serial}
  tasks:
    - ansible.builtin.set_fact:
        smtp_relay_report: "{{{{ recorded }}}}"
    - smarthost.mail.smtp_report:
        dest: "{dest}"
        run: {run}
      run_once: true
      register: written
    - ansible.builtin.debug:
        msg: "changed: {{{{ written.changed }}}}, {{{{ written.outcome }}}}, {{{{ written.counts }}}}"
      run_once: true
"""


def run(
    folder: pathlib.Path,
    hosts: t.Mapping[str, t.Any],
    *options: str,
    serial: int = 0,
    dest: str = "out",
    kind: str = "apply",
    started_in: t.Optional[pathlib.Path] = None,
) -> "subprocess.CompletedProcess[str]":
    """Record facts on hosts and write the report."""
    common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    (folder / "play.yml").write_text(PLAY.format(serial=serial, dest=dest, run=kind), encoding="utf-8")
    command = [
        str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(folder / "inventory.json"),
        str(folder / "play.yml"),
        *options,
    ]
    return subprocess.run(command, cwd=started_in or folder, capture_output=True, text=True, timeout=60, check=False)


def outcomes(path: pathlib.Path) -> t.Dict[str, str]:
    return {host["name"]: host["outcome"] for host in json.loads(path.read_text("utf-8"))["hosts"]}


def test_a_relative_folder_is_below_the_one_in_which_ansible_was_started(tmp_path: pathlib.Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    assert run(tmp_path, {"a": {"recorded": {"apps": []}}}, started_in=here, dest="./out").returncode == 0
    assert (here / "out" / "report.html").is_file() and not (tmp_path / "out").exists()


def test_in_batches_each_report_says_whose_turn_has_not_come(tmp_path: pathlib.Path) -> None:
    done = run(
        tmp_path,
        {"a": {"recorded": {"apps": []}}, "b": {"recorded": {"apps": []}}},
        serial=1,
        dest="{{ inventory_hostname }}",
    )
    assert done.returncode == 0, done.stdout
    assert outcomes(tmp_path / "a" / "report.json") == {"b": "not_run", "a": "nothing"}
    assert outcomes(tmp_path / "b" / "report.json") == {"a": "nothing", "b": "nothing"}
    assert "changed: False, attention, {'not_run': 1, 'nothing': 1}" in done.stdout


def test_a_secret_of_the_declaration_in_the_words_of_any_task_is_stars_in_every_file(tmp_path: pathlib.Path) -> None:
    host = {
        "smtp_relay": {
            "relays": {"main": {"username": "apps", "password": "{{ vaulted }}", "next": {"password": "next-secret-1"}}}
        },
        "vaulted": "main-secret-1",
        "smtp_relay_apps": ["gitea", {"name": "grafana", "oauth2": {"client_secret": "oauth-secret-1"}}],
        "recorded": {
            "failure": {"task": "Mine", "msg": "curl -u apps:main-secret-1 said next-secret-1 and oauth-secret-1"}
        },
    }
    assert run(tmp_path, {"a": host}).returncode == 0
    texts = [path.read_text("utf-8") for path in (tmp_path / "out").iterdir()]
    assert len(texts) == 3 and all("curl -u apps:******** said" in text for text in texts)
    assert [text for text in texts if "-secret-1" in text] == []


def test_a_declaration_that_does_not_resolve_does_not_stop_the_report(tmp_path: pathlib.Path) -> None:
    host = {
        "smtp_relay": {"password": "{{ nowhere }}"},
        "recorded": {"failure": {"task": "Write", "msg": "'nowhere' is undefined"}},
    }
    assert run(tmp_path, {"a": host}, kind="verify").returncode == 0
    assert (
        json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["findings"][0]["what"]
        == "'nowhere' is undefined"
    )


def test_a_check_is_marked_and_options_that_are_wrong_are_named(tmp_path: pathlib.Path) -> None:
    assert run(tmp_path, {"a": {"recorded": {}}}, "--check").returncode == 0
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["check_mode"] is True
    done = run(tmp_path, {"a": {"recorded": {}}}, kind="plan")
    assert done.returncode != 0 and "value of run must be one of: apply, verify, rotate" in done.stdout
