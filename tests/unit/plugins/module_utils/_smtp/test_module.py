# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module smtp_probe itself: a process that reads options and prints a result, and its documentation."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._shared import seal
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.arguments import argument_spec
from ansible_collections.smarthost.mail.plugins.modules import smtp_probe
from servers import Authority, relay
from smtp_rig import ENCODINGS, PASSWORD

COLLECTIONS = pathlib.Path(smtp_probe.__file__).parents[5]


def run(check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    asked = json.dumps({"ANSIBLE_MODULE_ARGS": dict(given, _ansible_check_mode=check_mode)})
    # Without AnsiballZ around it, ansible-core 2.19 and later must be told how its arguments are written.
    script = f"import ansible.module_utils.basic as basic; basic._ANSIBLE_PROFILE = 'legacy'; from {smtp_probe.__name__} import main; main()"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command,
        input=asked,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        env=dict(os.environ, PYTHONPATH=str(COLLECTIONS)),
    )
    assert done.stderr == ""
    assert [form for form in ENCODINGS if form in done.stdout.replace("\\\\", "\\").replace('\\"', '"')] == []
    return t.cast(t.Dict[str, t.Any], json.loads(done.stdout))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, t.Any]]:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    with relay(authority.issue("module"), False) as (port, _mailbox):
        yield {
            "host": "127.0.0.1",
            "port": port,
            "security": "starttls",
            "ca_path": str(authority.path),
            "username": "u",
            "helo": "me.example",
        }


def test_success_and_failure_return_the_keys_that_are_documented(server: dict[str, t.Any]) -> None:
    good, bad = run(password=PASSWORD, **server), run(password="wrong " + PASSWORD, **server)
    assert (good["failed"], good["category"], bad["failed"], bad["category"]) == (False, "ok", True, "auth_failed")
    documented = set(yaml.safe_load(smtp_probe.RETURN)) - {"relays", "summary", "problems"}
    always = {"failed", "changed", "invocation", "name", "host", "port", "security"}
    assert documented | always == set(good) - {"warnings"} == set(bad) - {"warnings"}
    # Its CA was made without what strict checks want.
    assert len(good["notices"]) == 1 and json.dumps(good["notices"][0])[1:-1] in json.dumps(good["warnings"])
    assert "They said: 535" in bad["msg"] and bad["msg"].startswith("auth: 127.0.0.1:")


def test_relays_take_what_they_leave_out_from_the_module(server: dict[str, t.Any]) -> None:
    own = {key: server.pop(key) for key in ("host", "port")}
    result = run(password=PASSWORD, relays=[dict(own, name="a"), dict(own, name="b", password="no")], **server)
    server.update(own)
    assert (result["failed"], result["summary"]) == (True, "1 ok, 1 failed")
    assert [(one["name"], one["category"]) for one in result["relays"]] == [("a", "ok"), ("b", "auth_failed")]
    assert result["msg"].startswith("1 ok, 1 failed.\nb: auth: ")


def test_wrong_options_are_told_together() -> None:
    result = run(host="a\nb", port=1025)
    assert result["failed"] and "[control-character]" in result["msg"] and "[security-unsaid]" in result["msg"]
    assert [problem["code"] for problem in result["problems"]] == ["control-character", "not-a-host", "security-unsaid"]
    result = run(relays=[{"host": "a"}, {"host": "b", "port": 1025}])
    assert [(problem["where"], problem["code"]) for problem in result["problems"]] == [
        ("relays[1].security", "security-unsaid")
    ]
    said = "relays[1].security: with port 1025 it must be said how the connection is secured.   [security-unsaid]"
    assert result["msg"].startswith(said + "\n    One of: ")


def test_the_documentation_and_the_specification_name_the_same_options() -> None:
    documented = yaml.safe_load(smtp_probe.DOCUMENTATION)["options"]
    assert documented.pop("seal_key")["type"] == "str"
    check_options(argument_spec(), documented)


def test_sealed_secrets_are_opened_and_are_in_no_result(server: dict[str, t.Any]) -> None:
    """As the action plugin hands them over; `run` looks for the password in whatever the module prints."""
    key = seal.new_key()
    given = seal.seal_options(
        key, argument_spec(), {"password": PASSWORD, "relays": [dict(server, name="a", password="wrong")]}
    )
    assert PASSWORD not in json.dumps(given) and "wrong" not in json.dumps(given)
    own = {name: server[name] for name in ("host", "port")}
    result = run(
        relays=given["relays"] + [dict(own, name="b")],
        password=given["password"],
        seal_key=key,
        **{name: value for name, value in server.items() if name not in own},
    )
    assert [(one["name"], one["category"]) for one in result["relays"]] == [("a", "auth_failed"), ("b", "ok")]
    result = run(password=given["password"], seal_key=seal.new_key(), **server)
    assert result["failed"] and "[bad-seal]" in result["msg"]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("password", ["a", "1", "no"])
def test_a_short_password_is_handed_to_nobody_elses_masking(
    server: dict[str, t.Any], password: str, sealed: bool
) -> None:
    """Ansible would put stars into every word that holds it, and turn numbers into texts. What it repeats of the options shows none of it."""
    given: dict[str, t.Any] = {"password": password}
    key = seal.new_key()
    if sealed:
        given = dict(seal.seal_options(key, argument_spec(), given), seal_key=key)
    result, usual = run(**given, **server), run(password="of many letters", **server)
    for one in (result, usual):
        assert one.pop("category") == "auth_failed"
    for name in ("diagnosis", "remedies", "stage", "reply", "port", "tls", "notices", "msg"):
        assert result[name] == usual[name], name
    shown = result["invocation"]["module_args"]["password"]
    assert shown != password and (sealed or set(shown) == {"*"})
    one_of_many = run(
        relays=[dict({key: server[key] for key in ("host", "port")}, password=password, name="one")],
        **{key: value for key, value in server.items() if key not in ("host", "port")},
    )
    assert (
        one_of_many["invocation"]["module_args"]["relays"][0]["password"] != password
        and "*" not in one_of_many["summary"]
    )


def check_options(spec: dict[str, t.Any], documented: dict[str, t.Any]) -> None:
    assert set(spec) == set(documented)
    for name, option in spec.items():
        said = documented[name]
        assert [option.get(key) for key in ("type", "elements", "choices", "default")] == [
            said.get(key) for key in ("type", "elements", "choices", "default")
        ]
        if "options" in option:
            check_options(option["options"], said["suboptions"])


def test_a_report_over_many_relays_need_not_fail_and_still_tells_the_verdict(server: dict[str, t.Any]) -> None:
    result = run(password="no", fail=False, **server)
    assert (result["failed"], result["ok"], result["category"]) == (False, False, "auth_failed")
    assert run(host="a\nb", fail=False)["failed"]


def test_the_diff_shows_what_has_changed_at_the_relay_since_the_message(
    server: dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    asked = {
        "password": PASSWORD,
        "from": "a@example.com",
        "to": ["b@example.com"],
        "send": "on_change",
        "state_dir": str(tmp_path),
    }
    assert run(_ansible_diff=True, **asked, **server)["diff"] == []
    (receipt,) = (tmp_path / "receipts").iterdir()
    noted = json.loads(receipt.read_text())
    noted["relay"].update({"after_tls.AUTH": ["CRAM-MD5", "PLAIN"], "after_tls.CHUNKING": ""})
    receipt.write_text(json.dumps(noted))
    (shown,) = run(_ansible_diff=True, **asked, **server)["diff"]
    assert (
        shown["before"] == "after_tls.AUTH: CRAM-MD5 PLAIN\nafter_tls.CHUNKING: \n"
        and shown["after"] == "after_tls.AUTH: LOGIN PLAIN\n"
    )
