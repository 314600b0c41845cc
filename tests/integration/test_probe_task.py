# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""smtp_probe as a task of Ansible: its action plugin seals the secrets, and nothing else is different from the module alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from integration.needs import HOSTILE, HOSTILE_ASCII
from integration.relay import Relay
from integration.tasks import Result, task

SECRET = "canary-of-a-secret"


@pytest.fixture
def login(relay: Relay, tmp_path: Path) -> Result:
    """How to log in at the relay; the password comes from a file, since a text of a play with braces is a template."""
    (tmp_path / "word").write_text(HOSTILE)
    return {
        "host": "127.0.0.1",
        "port": relay.ports["starttls"],
        "ca_path": str(relay.pki.ca),
        "security": "starttls",
        "username": "apps@site.test",
        "password": from_file(tmp_path / "word"),
    }


def from_file(path: Path) -> str:
    return f"{{{{ lookup('ansible.builtin.file', '{path}', rstrip=false) }}}}"


def test_a_login_of_each_relay_arrives_as_it_was_given(tmp_path: Path, relay: Relay, login: Result) -> None:
    (tmp_path / "ascii").write_text(HOSTILE_ASCII)
    own = {"host": login.pop("host"), "port": login.pop("port")}
    other = {
        "name": "other",
        "port": relay.ports["tls"],
        "security": "tls",
        "username": "web",
        "password": from_file(tmp_path / "ascii"),
    }
    result = task(tmp_path, "smtp_probe", {**login, "relays": [{"name": "own", **own}, {**own, **other}]})
    assert [(one["name"], one["category"]) for one in result["relays"]] == [("own", "ok"), ("other", "ok")]


def test_check_mode_delegation_diff_and_async_are_as_with_any_module(tmp_path: Path, login: Result) -> None:
    sending = {
        **login,
        "from": "apps@site.test",
        "to": ["a@dest.test"],
        "send": "on_change",
        "state_dir": str(tmp_path / "state"),
    }
    result = task(tmp_path, "smtp_probe", sending, "--check", "--diff")
    assert (result["changed"], result["message"]["sent"], result["diff"]) == (True, False, [])
    assert task(tmp_path, "smtp_probe", login, keywords={"delegate_to": "localhost"})["category"] == "ok"
    assert task(tmp_path, "smtp_probe", login, keywords={"async": 30, "poll": 1})["category"] == "ok"


def test_a_path_is_expanded_where_the_module_runs(tmp_path: Path, relay: Relay, login: Result) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ca.pem").write_bytes(relay.pki.ca.read_bytes())
    there = {"environment": {"HOME": str(tmp_path / "home")}}
    assert task(tmp_path, "smtp_probe", {**login, "ca_path": "~/ca.pem"}, keywords=there)["category"] == "ok"


def test_wrong_options_are_told_without_a_secret(tmp_path: Path) -> None:
    result = task(tmp_path, "smtp_probe", {"host": "a", "relays": [], "password": SECRET}, fails=True)
    assert "mutually exclusive" in result["msg"] and SECRET not in json.dumps(result)
    result = task(tmp_path, "smtp_probe", {"host": "a", "port": 25, "oauth2": SECRET}, fails=True)
    assert "dictionary requested" in result["msg"] and SECRET not in json.dumps(result)
    assert "seal_key" in task(tmp_path, "smtp_probe", {"host": "a", "seal_key": "00"}, fails=True)["msg"]
    result = task(tmp_path, "smtp_probe", {"host": "a", "port": 1025, "password": SECRET}, fails=True)
    assert [(problem["where"], problem["code"]) for problem in result["problems"]] == [
        ("username", "missing-key"),
        ("security", "security-unsaid"),
    ]
    assert result["msg"].startswith("Nothing was probed (2 problems).\nusername: ") and SECRET not in json.dumps(result)


def test_a_module_that_cannot_start_is_told_with_the_reason(tmp_path: Path) -> None:
    result = task(
        tmp_path, "smtp_probe", {"host": "a"}, fails=True, ansible_python_interpreter=str(tmp_path / "no-python")
    )
    assert [problem["code"] for problem in result["problems"]] == ["module-failed"] and result["msg"].startswith(
        "Nothing was probed"
    )


@pytest.mark.parametrize(
    "options",
    [
        "username=u password={secret}",
        '{{"relays":[{{"host":"127.0.0.1","port":{port},"security":"tls","username":"u","password":"{secret}"}}]}}',
        "username=u oauth2='client_id=a client_secret={secret} token_url=https://127.0.0.1:{port}/'",
        'username=u oauth2={{"client_id":"a","refresh_token":"{secret}","token_url":"https://127.0.0.1:{port}/"}}',
        "level=connect proxy=socks5://u:{secret}@127.0.0.1:{port}",
    ],
    ids=["password", "relays", "client-secret-as-words", "refresh-token-as-json", "proxy"],
)
def test_one_command_is_enough_and_what_it_leaves_behind_holds_no_secret(tmp_path: Path, options: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    own = options.format(secret=SECRET, port=port)
    way = own if own.startswith("{") else f"host=127.0.0.1 port={port} security=tls {own}"
    done = adhoc(tmp_path, way)
    assert '"category": "' in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
    kept = [path.read_text() for path in (tmp_path / "remote").rglob("*") if path.is_file()]
    assert kept and any("seal_key" in text for text in kept)
    assert [text for text in (*kept, done.stdout, done.stderr) if SECRET in text] == []


def adhoc(folder: Path, options: str) -> "subprocess.CompletedProcess[str]":
    """One command of an operator, whose files on the host are kept."""
    command = [
        str(Path(sys.executable).with_name("ansible")),
        "localhost",
        "-c",
        "local",
        "-m",
        "smarthost.mail.smtp_probe",
        "-a",
        options,
        "-vvv",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
        "-e",
        f"ansible_remote_tmp={folder / 'remote'}",
    ]
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
    }
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
