# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of an application that has an API in place of a tool, against a server that answers as Zabbix does."""

from __future__ import annotations

import json
import pathlib
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import run
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import tool_settings
from stand_ins.zabbix import TOKEN, Zabbix

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Answer, Host

SECRET = "dummy w\"o'r\\d ü"
EMAIL = {
    "mediatypeid": "1",
    "name": "Email",
    "smtp_server": "old.example.com",
    "username": "",
    "passwd": "old",
    "message_format": "0",
}
OURS = {"smtp_server": "smtp.example.com", "username": "apps", "passwd": SECRET}


class Api:
    """One media type of one Zabbix, set from a host."""

    def __init__(self, host: Host, zabbix: Zabbix, folder: pathlib.Path) -> None:
        self.host, self.zabbix, self.token = host, zabbix, folder / "token"
        self.token.write_text(TOKEN + "\n")
        self.command = {
            "tool": [zabbix.url],
            "read": ["mediatype.get", "name", "Email"],
            "write": ["mediatype.update", "mediatypeid"],
            "keys": [[key] for key in OURS],
            "secrets": [["passwd"]],
            "token": str(self.token),
        }

    def set(self, action: str = "write", **command: t.Any) -> Answer:
        named = {} if action == "restore" else {"command": {**self.command, **command}}
        change = {"app": "monitor", "path": "zabbix", "action": action, **named}
        return run(self.host.request_for({"zabbix": json.dumps(OURS)}, change, record={"apps": {"monitor": {}}}))


@pytest.fixture
def api(host: Host, tmp_path: pathlib.Path) -> t.Iterator[Api]:
    with Zabbix(dict(EMAIL), {**EMAIL, "mediatypeid": "2", "name": "Other"}) as zabbix:
        yield Api(host, zabbix, tmp_path)


def test_the_one_object_is_set_once_and_taken_back(api: Api) -> None:
    assert api.set()["changed"]
    assert api.zabbix.has[0] == {**EMAIL, **OURS} and api.zabbix.has[1]["smtp_server"] == "old.example.com"
    asked = len(api.zabbix.seen)
    assert not api.set()["changed"] and len(api.zabbix.seen) == asked + 1
    assert api.set("restore")["changed"] and api.zabbix.has[0] == EMAIL


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        (
            {"read": ["mediatype.get", "name", "Mail"]},
            "tool-output",
            'mediatype.get does not find exactly one with name "Mail".',
        ),
        ({"read": ["mediatype.gone", "name", "Email"]}, "tool-failed", "mediatype.gone is refused with error -32602."),
        ({"tool": ["http://192.0.2.1/api"]}, "plaintext-auth", "would cross the network in clear text"),
        ({"tool": ["http://127.0.0.1:9/api"]}, "tool-failed", "This cannot be reached: "),
        (
            {"token": "/nowhere/token"},
            "tool-missing",
            "/nowhere/token: The token of its API cannot be read (FileNotFoundError).",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_is_written(api: Api, wrong: t.Any, code: str, said: str) -> None:
    answer = api.set(**wrong)
    assert codes(answer) == [code] and said in answer["msg"] and not api.host.state_dir.exists()
    assert api.zabbix.has[0] == EMAIL and TOKEN not in answer["msg"]


def test_a_refused_write_says_its_code_and_nothing_of_what_was_sent(api: Api) -> None:
    answer = api.set(keys=[["smtp_server"], ["passwd"], ["unknown"]])
    assert (
        api.zabbix.has[0] == EMAIL
        and codes(answer) == ["tool-failed"]
        and SECRET not in answer["msg"]
        and json.dumps(SECRET)[1:-1] not in answer["msg"]
    )


def test_a_redirect_is_not_followed_with_the_token(api: Api) -> None:
    with Zabbix() as elsewhere:
        api.zabbix.instead = lambda handler: handler.answer(302, b"", Location=elsewhere.url)
        assert "is answered with HTTP status 302." in api.set()["msg"] and not elsewhere.seen


def test_an_answer_that_is_no_json_rpc_is_an_error(api: Api) -> None:
    for body in (b"<html>", b"[]", b"{}"):
        api.zabbix.instead = lambda handler, body=body: handler.answer(200, body)
        assert codes(api.set()) == ["tool-output"]


def test_an_answer_without_end_is_neither_kept_nor_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.zabbix.instead = lambda handler: handler.answer(200, b"[" * 10_000_000)
    assert codes(api.set()) == ["tool-output"]

    def drip(handler: t.Any) -> None:
        for _number in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.1)

    monkeypatch.setattr(tool_settings, "TIMEOUT_SECONDS", 1)
    api.zabbix.instead = drip
    started = time.monotonic()
    assert codes(api.set()) == ["tool-failed"] and time.monotonic() - started < 5


@pytest.mark.parametrize("token", [b"a\nb", b"\xff", b"a\x1b"])
def test_a_token_that_is_none_is_named(api: Api, token: bytes) -> None:
    api.token.write_bytes(token)
    assert codes(api.set()) == ["tool-missing"]
