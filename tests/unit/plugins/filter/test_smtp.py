# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters, called as Ansible calls them, and what they say when a request cannot be met."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.smarthost.mail.plugins.filter import smtp

ROOT = pathlib.Path(__file__).resolve().parents[4]
RELAY = {"host": "smtp.example.com", "username": "u", "password": "p w", "from": "a@example.com"}


def test_settings_are_data_with_the_secret_in_the_clear() -> None:
    settings = smtp.smtp_settings(RELAY, "gitea", form="env")
    assert (
        settings["GITEA__mailer__SMTP_ADDR"],
        settings["GITEA__mailer__SMTP_PORT"],
        settings["GITEA__mailer__PASSWD"],
    ) == ("smtp.example.com", "465", "p w")


def test_files_are_texts_by_path_each_a_whole_file_or_our_part_of_it() -> None:
    own = smtp.smtp_files(RELAY, "gitea", form="env")
    assert list(own) == ["/etc/gitea/mailer.env"]
    assert own["/etc/gitea/mailer.env"].startswith("# Written by smarthost.mail")
    assert "GITEA__mailer__PASSWD=p w\n" in own["/etc/gitea/mailer.env"]
    shared = smtp.smtp_files(RELAY, {"name": "gitea", "form": "ini", "path": "/srv/app.ini"})
    assert shared["/srv/app.ini"].startswith("[mailer]\n")


def test_the_next_credential_is_asked_for_by_name() -> None:
    relay = {**RELAY, "next": {"id": "2", "password": "new"}}
    assert smtp.smtp_settings(relay, "gitea", "env")["GITEA__mailer__PASSWD"] == "p w"
    assert smtp.smtp_settings(relay, "gitea", "env", credential="next")["GITEA__mailer__PASSWD"] == "new"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: smtp.smtp_settings({"host": "h", "pasword": "hunter2"}, "gitea"),
            'smtp_relay.pasword: unknown key. Did you mean "password"?   [unknown-key]',
        ),
        (
            lambda: smtp.smtp_settings(RELAY, "gitae"),
            'there is no application "gitae" in the catalogue. Did you mean "gitea"?',
        ),
        (
            lambda: smtp.smtp_settings(RELAY, "gitea", "emv"),
            'Gitea has no form "emv". Did you mean "env"?   [unknown-form]',
        ),
        (lambda: smtp.smtp_settings({**RELAY, "port": 587}, "gitea"), "Gitea cannot require STARTTLS"),
        (
            lambda: smtp.smtp_settings(RELAY, {"name": "gitea", "state": "absent"}),
            "only an application with state: present has settings",
        ),
        (
            lambda: smtp.smtp_settings(RELAY, 5),
            "smtp_relay_apps[0]: text or a mapping is expected here, not a number.   [wrong-type]",
        ),
        (lambda: smtp.smtp_settings(RELAY, "gitea", credential="nxt"), "credential: one of current, next is expected"),
        (
            lambda: smtp.smtp_settings(RELAY, "gitea", catalogue="/nowhere/at/all"),
            "/nowhere/at/all: this folder of the catalogue is not there.",
        ),
        (lambda: smtp.smtp_probes(RELAY, "gitea"), "smtp_relay_apps: a list is expected here."),
        (lambda: smtp.smtp_probes({"host": "a b"}), 'smtp_relay.host: "a b" is not a host name or an IP address.'),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_is_said_as_everywhere(call: t.Callable[[], object], said: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        call()
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


# -- probes ---------------------------------------------------------------------------------------


def test_applications_that_connect_alike_share_one_probe() -> None:
    probes = smtp.smtp_probes(
        RELAY,
        [
            "gitea",
            {"name": "two", "app": "gitea", "path": "/x"},
            {"name": "three", "app": "gitea", "port": 587},
            {"name": "four", "state": "absent"},
        ],
    )
    assert [(probe["name"], probe["port"], probe["security"], probe["password"]) for probe in probes] == [
        ("default (gitea, two)", 465, "tls", "p w"),
        ("default (three)", 587, "starttls", "p w"),
    ]


def test_without_applications_every_relay_that_speaks_smtp_is_probed() -> None:
    relays = {
        "a": {"host": "a.example.com"},
        "q": {"type": "local_mta", "via": "a"},
        "off": {"enabled": False},
        "none": {"type": "none"},
    }
    assert [
        (probe["name"], probe["host"], probe["validate_certs"])
        for probe in smtp.smtp_probes({"default": "a", "relays": relays})
    ] == [("a", "a.example.com", True), ("q", "127.0.0.1", True)]


def test_a_probe_logs_in_with_the_credential_that_the_application_holds() -> None:
    relay = {**RELAY, "next": {"id": "2", "username": "v", "password": "new"}}
    assert [probe["username"] for probe in smtp.smtp_probes(relay, ["gitea"], {"gitea": "2"})] == ["v"]
    assert [probe["username"] for probe in smtp.smtp_probes(relay, ["gitea"])] == ["u"]


# -- within Ansible -------------------------------------------------------------------------------


def test_vaulted_lazy_and_tagged_values_are_what_they_stand_for(tmp_path: pathlib.Path) -> None:
    vaulted = (
        VaultLib([("default", VaultSecret(b"opensesame"))]).encrypt("p w", VaultSecret(b"opensesame")).decode("ascii")
    )
    indented = vaulted.strip().replace("\n", "\n      ")
    (tmp_path / "pass").write_text("opensesame\n")
    (tmp_path / "play.yml").write_text(f"""
- hosts: localhost
  gather_facts: false
  vars:
    vault_password: !vault |
      {indented}
    smtp_port: 465
    smtp_relay:
      host: "{{{{ 'smtp' }}}}.example.com"
      port: "{{{{ smtp_port }}}}"
      validate_certs: "{{{{ 1 == 1 }}}}"
      username: u
      password: "{{{{ vault_password }}}}"
    apps: [{{name: gitea, form: "{{{{ 'env' }}}}"}}]
  tasks:
    - ansible.builtin.copy:
        dest: {tmp_path}/out.json
        content: >-
          {{{{ {{'settings': smtp_relay | smarthost.mail.smtp_settings(apps[0]),
          'probes': smtp_relay | smarthost.mail.smtp_probes(apps)}} | to_json }}}}
      vars:
        ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
""")
    command = [
        "ansible-playbook",
        "-i",
        "localhost,",
        "-c",
        "local",
        "--vault-password-file",
        str(tmp_path / "pass"),
        str(tmp_path / "play.yml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "out.json").read_text())
    assert (written["settings"]["GITEA__mailer__PASSWD"], written["settings"]["GITEA__mailer__SMTP_PORT"]) == (
        "p w",
        "465",
    )
    assert (written["probes"][0]["password"], written["probes"][0]["port"]) == ("p w", 465)


# -- documentation --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(smtp.FilterModule().filters()))
def test_every_filter_is_documented_with_every_option(name: str) -> None:
    docs = yaml.safe_load((ROOT / "plugins" / "filter" / f"{name}.yml").read_text("utf-8"))
    assert docs["DOCUMENTATION"]["name"] == name
    code = smtp.FilterModule().filters()[name].__code__
    assert list(docs["DOCUMENTATION"]["options"])[1:] == list(code.co_varnames[1 : code.co_argcount])
    assert docs["EXAMPLES"] and docs["RETURN"]
