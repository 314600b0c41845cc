# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications that only their own tool can set, by ansible-playbook. The tools are stand-ins written after the tools' sources."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
from integration.tasks import task
from integration.test_bad_input import RELAY, config, snapshot
from integration.test_config import calls
from stand_ins.tool import Tool
from stand_ins.zabbix import TOKEN, Zabbix

SECRET = RELAY["password"]
BEFORE: t.Dict[str, t.Any] = {
    "occ": {
        "system": {
            "dbpassword": "of-the-database",
            "mail_smtpmode": "sendmail",
            "mail_smtpstreamoptions": {"ssl": {"cafile": "/old.pem"}},
        }
    },
    "mmctl": {
        "EmailSettings": {
            "SendEmailNotifications": False,
            "SMTPServer": "",
            "SMTPPort": "",
            "ConnectionSecurity": "",
            "SkipServerCertificateVerification": False,
            "EnableSMTPAuth": False,
            "SMTPUsername": "",
            "SMTPPassword": "",
            "SMTPServerTimeout": 10,
            "FeedbackEmail": "",
            "FeedbackName": "",
            "ReplyToAddress": "",
            "PushNotificationServer": "https://push.example.com",
        }
    },
    "kcadm": {
        "realms/master": {"realm": "master"},
        "realms/staff": {"realm": "staff", "smtpServer": {"host": "old", "envelopeFrom": "x@example.com"}},
    },
    "api_cli": {
        "host": "",
        "port": 587,
        "username": "",
        "password": "",
        "enabled": False,
        "encrypt_smtp": "starttls",
        "tls_verify": True,
    },
}


@pytest.fixture
def tools(tmp_path: Path) -> t.Dict[str, Tool]:
    return {program: Tool(tmp_path / "bin", program, has) for program, has in BEFORE.items()}


def apps(tools: t.Mapping[str, Tool], **more: t.Any) -> t.List[t.Any]:
    """All four; Nextcloud's tool is called as in a container, by words of the user's."""
    said: t.List[t.Dict[str, t.Any]] = [
        {"name": "nextcloud", "form": "occ", "tool": [sys.executable, tools["occ"].path]},
        {"name": "mattermost", "form": "mmctl", "path": tools["mmctl"].path},
        {"name": "keycloak", "form": "kcadm", "path": tools["kcadm"].path, "object": "realms/staff"},
        {"name": "nethserver8", "form": "cluster", "path": tools["api_cli"].path},
    ]
    return [{**item, **more} for item in said]


def test_four_applications_are_set_by_their_tools_in_one_call_and_a_second_run_changes_nothing(
    tmp_path: Path, tools: t.Dict[str, Tool]
) -> None:
    done = config(tmp_path, RELAY, apps(tools), "-vvv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert calls(done.stdout) == 1 and SECRET not in done.stdout + done.stderr
    has = {program: tool.has for program, tool in tools.items()}
    assert (
        has["occ"]["system"]["mail_smtphost"] == "smtp.example.com"
        and has["occ"]["system"]["mail_smtppassword"] == SECRET
    )
    assert (
        has["occ"]["system"]["mail_smtpstreamoptions"]["ssl"]["verify_peer"] is True
        and has["occ"]["system"]["dbpassword"] == "of-the-database"
    )
    assert has["mmctl"]["EmailSettings"]["SMTPPassword"] == SECRET
    assert has["mmctl"]["EmailSettings"]["PushNotificationServer"] == "https://push.example.com"
    assert has["kcadm"]["realms/staff"]["smtpServer"]["password"] == SECRET and has["kcadm"]["realms/master"] == {
        "realm": "master"
    }
    assert has["api_cli"] == {
        "host": "smtp.example.com",
        "port": 465,
        "username": "apps",
        "password": SECRET,
        "enabled": True,
        "encrypt_smtp": "tls",
        "tls_verify": True,
    }
    again = config(tmp_path, RELAY, apps(tools), "--diff")
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout[-3000:]
    assert all(SECRET not in tool.shown for tool in tools.values())


def test_check_and_diff_show_every_setting_with_no_secret_and_absent_puts_back_what_was_there(
    tmp_path: Path, tools: t.Dict[str, Tool]
) -> None:
    shown = config(tmp_path, RELAY, apps(tools), "--check", "--diff")
    assert shown.returncode == 0, shown.stdout[-3000:]
    assert {program: tool.has for program, tool in tools.items()} == BEFORE and not (tmp_path / "state").exists()
    for line in (
        "-system.mail_smtpmode = sendmail",
        "+system.mail_smtpmode = smtp",
        "+system.mail_smtppassword = (secret)",
        "+EmailSettings.SMTPServer = smtp.example.com",
        "-smtpServer.host = old",
        "+smtpServer.host = smtp.example.com",
        "+encrypt_smtp = tls",
    ):
        assert line in shown.stdout.splitlines(), line
    assert SECRET not in shown.stdout and "of-the-database" not in shown.stdout
    config(tmp_path, RELAY, apps(tools))
    taken = config(tmp_path, RELAY, apps(tools, state="absent"))
    assert "changed=1" in taken.stdout, taken.stdout[-3000:]
    assert {program: tool.has for program, tool in tools.items()} == {
        **BEFORE,
        "kcadm": {**BEFORE["kcadm"], "realms/master": {"realm": "master"}},
    }


def test_a_relay_that_the_cluster_refuses_is_an_error_that_changes_no_application(
    tmp_path: Path, tools: t.Dict[str, Tool]
) -> None:
    tools["api_cli"].order(fail="cannot_authenticate_to_server {given}")
    failed = config(tmp_path, RELAY, apps(tools), "-vvv")
    assert failed.returncode and "[tool-failed]" in failed.stdout and "cannot_authenticate_to_server" in failed.stdout
    assert SECRET not in failed.stdout + failed.stderr
    assert {program: tool.has for program, tool in tools.items()} == BEFORE


def test_the_login_is_read_back_from_the_applications_themselves(tmp_path: Path, tools: t.Dict[str, Tool]) -> None:
    relay = {**RELAY, "host": "127.0.0.1", "port": 9, "security": "tls", "credential_id": "2026-08"}
    said = apps(tools)
    assert config(tmp_path, relay, said).returncode == 0
    options = {"relay": relay, "apps": said, "fail": False, "state_dir": str(tmp_path / "state")}
    found = {
        app["name"]: (app["source"], app["holds"], app["as_declared"])
        for app in task(tmp_path, "smtp_verify", options)["apps"]
    }
    assert found == {item["name"]: ("file", "2026-08", True) for item in said}


def test_zabbix_is_set_by_its_api_and_given_back(tmp_path: Path) -> None:
    fields = ["smtp_server", "smtp_helo", "smtp_email", "username", "passwd"]
    numbers = [
        "type",
        "status",
        "smtp_port",
        "smtp_security",
        "smtp_verify_peer",
        "smtp_verify_host",
        "smtp_authentication",
    ]
    before = {
        "mediatypeid": "1",
        "name": "Email",
        **{field: "old" for field in fields},
        **{number: "0" for number in numbers},
        "smtp_port": "25",
    }
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with Zabbix(dict(before)) as zabbix:
        said = {"name": "zabbix", "form": "rpc", "tool": [zabbix.url], "path": str(token)}
        done = config(tmp_path, RELAY, [said], "-vvv")
        assert done.returncode == 0 and SECRET not in done.stdout and TOKEN not in done.stdout, done.stdout[-3000:]
        assert (
            zabbix.has[0]["smtp_server"] == "smtp.example.com"
            and zabbix.has[0]["passwd"] == SECRET
            and zabbix.has[0]["smtp_security"] == "2"
        )
        config(tmp_path, RELAY, [{**said, "state": "absent"}])
        assert zabbix.has == [before]


def test_rendered_into_a_folder_no_tool_is_called(tmp_path: Path, tools: t.Dict[str, Tool]) -> None:
    folder = tmp_path / "out"
    found = task(tmp_path, "smtp_config", {"relay": RELAY, "apps": apps(tools), "dest": str(folder)})
    written = {
        name: json.loads(data)
        for name, data in snapshot(folder).items()
        if name.endswith(".json") and name != "manifest.json"
    }
    assert sorted(next(iter(body)) for body in written.values()) == ["EmailSettings", "host", "smtpServer", "system"]
    assert found["changed"] and not any(tool.calls for tool in tools.values())
