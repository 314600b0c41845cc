# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against aiosmtpd, with certificates good and bad, and a message that arrives once."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import Authority, relay
from smtp_rig import ENCODINGS, PASSWORD, options

LOGIN = {"username": "u", "password": PASSWORD}
ENVELOPE: dict[str, t.Any] = {"from_": "apps@example.com", "to": ["ops@example.com"]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module", params=["starttls", "tls"])
def good(request: pytest.FixtureRequest, authority: Authority) -> t.Iterator[dict[str, t.Any]]:
    with relay(authority.issue("good-" + request.param), request.param == "tls") as (port, mailbox):
        yield {"port": port, "security": request.param, "ca_path": str(authority.path), "mailbox": mailbox}


def probe(server: dict[str, t.Any], check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    asked = dict({key: value for key, value in server.items() if key != "mailbox"}, **given)
    result = probe_all([options(**asked)], check_mode)[0]
    assert [form for form in ENCODINGS if form in repr(result)] == []
    json.dumps(result)
    return result


def test_a_login_over_verified_tls_works_and_the_certificate_is_reported(good: dict[str, t.Any]) -> None:
    result = probe(good, **LOGIN)
    assert (result["ok"], result["category"], result["level_reached"]) == (True, "ok", "auth")
    assert result["auth"]["used"] in ("PLAIN", "LOGIN")
    assert (
        result["tls"]["verified"]
        and result["tls"]["issuer"] == "CN=Test CA"
        and result["tls"]["names"] == ["127.0.0.1"]
    )
    assert result["tls"]["days_left"] == 59 and len(result["tls"]["sha256"]) == 64
    assert result["changed"] is False and result["addresses"][0]["ok"]


def test_a_mail_server_of_this_host_that_is_down_is_to_be_started_and_then_it_works(authority: Authority) -> None:
    with relay(authority.issue("down"), True) as (port, _mailbox):
        asked = {"port": port, "security": "tls", "ca_path": str(authority.path), "diagnose": False}
        assert probe(asked)["ok"]
    result = probe(asked)
    assert (result["category"], result["remedies"]) == (
        "connect_refused",
        [f"Start the mail server of this host, and see that it listens on 127.0.0.1:{port}."],
    )


def test_a_wrong_password_is_tried_once(good: dict[str, t.Any]) -> None:
    before = good["mailbox"].logins
    result = probe(good, username="u", password="wrong " + PASSWORD)
    assert (result["ok"], result["category"], result["stage"], result["reply"]["code"]) == (
        False,
        "auth_failed",
        "auth",
        535,
    )
    assert good["mailbox"].logins == before + 1


def test_a_refusal_can_be_what_is_wanted(good: dict[str, t.Any]) -> None:
    wanted = {"category": "auth_failed", "min_cert_days": None}
    assert probe(good, username="u", password="revoked", expect=wanted)["ok"] is True
    result = probe(good, expect=wanted, **LOGIN)
    assert (result["ok"], result["category"], result["observed"]) == (False, "expect_unmet", "ok")


def test_a_certificate_that_ends_too_soon_is_told(good: dict[str, t.Any]) -> None:
    result = probe(good, expect={"min_cert_days": 90})
    assert (result["category"], result["stage"]) == ("cert_expiring", "tls") and "59 days" in result["msg"]
    assert probe(good, expect={"min_cert_days": 10})["ok"]


def test_the_envelope_is_taken_back_and_an_unknown_recipient_is_told(good: dict[str, t.Any]) -> None:
    assert probe(good, level="envelope", **LOGIN, **ENVELOPE)["ok"]
    result = probe(good, level="envelope", from_="apps@example.com", to=["nobody@example.com"], **LOGIN)
    assert (result["category"], result["reply"]["enhanced"]) == ("recipient_rejected", "5.1.1")
    assert good["mailbox"].messages == []


def test_on_change_sends_one_message_for_each_distinct_set_of_settings(
    authority: Authority, tmp_path: pathlib.Path
) -> None:
    with relay(authority.issue("send"), True) as (port, mailbox):
        server = {"port": port, "security": "tls", "ca_path": str(authority.path)}
        asked = dict(LOGIN, **ENVELOPE, send="on_change", state_dir=str(tmp_path / "state"))
        predicted = probe(server, check_mode=True, **asked)
        assert (predicted["changed"], mailbox.messages, (tmp_path / "state").exists()) == (True, [], False)
        first = probe(server, **asked)
        assert (first["changed"], first["level_reached"], len(mailbox.messages)) == (True, "message", 1)
        assert first["message"]["message_id"].encode() in mailbox.messages[0] and b"Date: " in mailbox.messages[0]
        assert (probe(server, **asked)["changed"], probe(server, check_mode=True, **asked)["changed"]) == (False, False)
        assert probe(server, **dict(asked, subject="another"))["changed"] and len(mailbox.messages) == 2
        check_receipts(tmp_path / "state")


def check_receipts(state: pathlib.Path) -> None:
    files = sorted((state / "receipts").iterdir())
    assert len(files) == 2 and all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert (state / "receipts").stat().st_mode & 0o777 == 0o700
    text = b"".join(path.read_bytes() for path in files).decode("latin-1") + "".join(path.name for path in files)
    assert [form for form in ENCODINGS + ("ops@",) if form in text] == []


def test_always_sends_each_time_and_predicts_in_check_mode(authority: Authority) -> None:
    with relay(authority.issue("always"), True) as (port, mailbox):
        server = {"port": port, "security": "tls", "ca_path": str(authority.path)}
        assert probe(server, check_mode=True, send="always", **LOGIN, **ENVELOPE)["changed"] and mailbox.messages == []
        assert probe(server, send="always", **LOGIN, **ENVELOPE)["changed"] and len(mailbox.messages) == 1


CERTIFICATES = [
    ("cert_expired", {"start": -10, "end": -1}),
    ("cert_not_yet_valid", {"start": 5, "end": 9}),
    ("cert_hostname", {"name": "relay.example"}),
    ("cert_self_signed", {"own": True}),
    ("cert_strict", {"purpose": "clients"}),
]


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
@pytest.mark.parametrize("category, how", CERTIFICATES, ids=[category for category, _how in CERTIFICATES])
def test_a_bad_certificate_is_named_and_still_reported(
    authority: Authority, category: str, how: dict[str, t.Any], implicit: bool
) -> None:
    with relay(authority.issue(f"{category}-{implicit}", **how), implicit) as (port, mailbox):
        server = {"port": port, "security": "tls" if implicit else "starttls", "ca_path": str(authority.path)}
        result = probe(server, **LOGIN)
        assert (result["category"], result["stage"], mailbox.logins) == (category, "tls", 0)
        assert (
            result["tls"]["verified"] is False
            and result["tls"]["subject"].startswith("CN=" + category)
            and result["confirmed_by"]
        )
        assert probe(server, diagnose=False, **LOGIN)["tls"] == {}
        off = probe(server, validate_certs=False, **LOGIN)
        assert (off["ok"], off["tls"]["verified"]) == (True, False)


def test_another_name_can_be_verified(authority: Authority) -> None:
    with relay(authority.issue("named", name="relay.example"), True) as (port, _mailbox):
        server = {"port": port, "security": "tls", "ca_path": str(authority.path)}
        assert probe(server, tls_server_name="relay.example")["ok"]
        assert "tls_server_name" in probe(server)["msg"]


def test_the_system_does_not_know_the_ca_and_a_folder_of_cas_does(
    good: dict[str, t.Any], authority: Authority, tmp_path: pathlib.Path
) -> None:
    assert probe(dict(good, ca_path=""))["category"] in ("cert_unknown_ca", "cert_self_signed")
    (tmp_path / "ca.crt").write_bytes(authority.path.read_bytes())
    (tmp_path / "README").write_text("not a certificate")
    assert probe(dict(good, ca_path=str(tmp_path)))["ok"]


def test_a_fingerprint_pins_even_where_verification_is_off(good: dict[str, t.Any]) -> None:
    sha256 = probe(good)["tls"]["sha256"]
    assert probe(good, tls_fingerprints=["sha256:" + sha256.upper()], validate_certs=False)["ok"]
    result = probe(good, tls_fingerprints=["sha256:" + "0" * 64], validate_certs=False, **LOGIN)
    assert (result["category"], result["tls"]["sha256"]) == ("cert_pin", sha256)


def test_the_other_tls_mode_on_this_port_becomes_a_fact(good: dict[str, t.Any]) -> None:
    other = {"starttls": "tls", "tls": "starttls"}[good["security"]]
    result = probe(dict(good, security=other), timeout=3, **LOGIN)
    assert result["category"] == "tls_mode_mismatch" and "was greeted" in result["confirmed_by"]
    assert result["remedies"] == ["Use security: %s with port %d." % (good["security"], good["port"])]


def test_several_relays_are_told_in_the_order_given(good: dict[str, t.Any]) -> None:
    asked = {key: value for key, value in good.items() if key != "mailbox"}
    many = [
        options(name="a", **asked),
        options(name="b", username="u", password="no", **asked),
        options(name="c", **LOGIN, **asked),
    ]
    assert probe_all([], False) == []
    assert [(one["name"], one["category"]) for one in probe_all(many, False)] == [
        ("a", "ok"),
        ("b", "auth_failed"),
        ("c", "ok"),
    ]


@pytest.mark.parametrize(
    "path, why", [("/nowhere/ca.pem", r"cannot be read.*\[not-readable"), (__file__, r"no certificate.*\[ca-path")]
)
def test_a_ca_that_cannot_be_used_is_told_before_any_connection(path: str, why: str) -> None:
    with pytest.raises(ProblemsError, match=rf"(?s)ca_path: .*{why}\]"):
        probe({"port": 465}, ca_path=path)


def test_a_state_folder_that_cannot_be_written_is_told_before_any_connection(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProblemsError, match=r"\[state-dir\]"):
        probe({"port": 465}, send="on_change", state_dir=str(tmp_path / "file"), **ENVELOPE)
