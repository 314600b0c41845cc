# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is expected of a relay: every difference is named at once, and a revoked login is proved by 535 alone."""

from __future__ import annotations

import pathlib
import socket
import threading
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.expectation import problems, unmet
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import Authority, relay, script
from smtp_rig import PASSWORD, options

SEEN: dict[str, t.Any] = {
    "category": "ok",
    "stage": "",
    "security": "starttls",
    "reply": {"code": 235, "enhanced": ""},
    "tls": {"version": "TLSv1.2", "days_left": 30},
    "capabilities": {
        "before_tls": {"AUTH": "PLAIN CRAM-MD5", "STARTTLS": ""},
        "after_tls": {"AUTH": "PLAIN", "PIPELINING": ""},
    },
    "auth": {"offered": ["PLAIN"]},
}
MET: list[dict[str, t.Any]] = [
    {}, {"category": "ok"}, {"min_cert_days": 30}, {"starttls": True}, {"auth": ["plain"]}, {"no_plain_before_tls": False},
    {"tls_version": ">=1.2"}, {"tls_version": "1.2"}, {"features": ["pipelining"]},
]  # fmt: skip
UNMET: list[tuple[dict[str, t.Any], str]] = [
    ({"category": "auth_failed"}, "category: auth_failed wanted, ok seen"),
    ({"min_cert_days": 31}, "min_cert_days: 31 wanted, 30 left"),
    ({"starttls": False}, "starttls: not offered wanted, offered seen"),
    ({"auth": ["SCRAM-SHA-256", "PLAIN"]}, "auth: SCRAM-SHA-256 wanted, PLAIN seen"),
    ({"no_plain_before_tls": True}, "no_plain_before_tls: PLAIN offered without TLS"),
    ({"tls_version": "1.3"}, "tls_version: 1.3 wanted, TLSv1.2 seen"),
    ({"features": ["SMTPUTF8", "DSN", "AUTH"]}, "features: SMTPUTF8, DSN wanted, AUTH, PIPELINING seen"),
]


@pytest.mark.parametrize("expect", MET, ids=str)
def test_what_is_there_meets_the_expectation(expect: dict[str, t.Any]) -> None:
    assert (problems(expect), unmet(expect, SEEN)) == ([], [])


@pytest.mark.parametrize("expect, text", UNMET, ids=[next(iter(expect)) for expect, _text in UNMET])
def test_what_is_not_there_is_named_with_what_is(expect: dict[str, t.Any], text: str) -> None:
    assert unmet(expect, SEEN) == [text]


def test_without_tls_there_is_no_version_and_no_certificate() -> None:
    bare = dict(SEEN, tls={}, capabilities={"before_tls": {}, "after_tls": {}}, auth={"offered": []})
    assert unmet({"tls_version": ">=1.0", "min_cert_days": 1, "auth": ["PLAIN"], "features": ["DSN"], "starttls": True}, bare) == [
        "min_cert_days: 1 wanted, no certificate was seen", "starttls: offered wanted, not offered seen", "auth: PLAIN wanted, none seen",
        "tls_version: >=1.0 wanted, none seen", "features: DSN wanted, none seen",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["1.4", "TLSv1.2", ">1.2", ""])
def test_a_version_that_is_none_is_refused_with_the_category(wrong: str) -> None:
    found = problems({"category": "authfailed", "tls_version": wrong})
    assert [problem.code for problem in found] == ["expect-category", "tls-version"]


def test_every_unmet_expectation_of_a_real_relay_is_named_at_once(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    with relay(authority.issue("expect"), False) as (port, _mailbox):
        server = {
            "port": port,
            "security": "starttls",
            "ca_path": str(authority.path),
            "username": "u",
            "password": PASSWORD,
        }
        good = {
            "starttls": True,
            "auth": ["PLAIN"],
            "no_plain_before_tls": True,
            "tls_version": ">=1.2",
            "features": ["8BITMIME"],
        }
        assert probe_all([options(expect=good, **server)], False)[0]["ok"]
        bad = {"starttls": False, "auth": ["NTLM"], "features": ["CHUNKING"], "min_cert_days": 1000}
        result = probe_all([options(expect=bad, **server)], False)[0]
        assert (result["ok"], result["category"], result["observed"]) == (False, "expect_unmet", "ok")
        assert [text.partition(":")[0] for text in result["expect_unmet"]] == [
            "min_cert_days",
            "starttls",
            "auth",
            "features",
        ]
        assert all(text in result["msg"] for text in result["expect_unmet"])
        server["password"] = "no"
        failed = probe_all([options(expect={"features": ["CHUNKING"]}, **server)], False)[0]
        assert failed["category"] == "auth_failed" and len(failed["expect_unmet"]) == 1


def answering(last: bytes) -> t.Any:
    """A server that answers the login with this, or hangs up where it is empty."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        lines = sock.makefile("rb")
        for answer in (b"220 hi", b"250-hi\r\n250 AUTH PLAIN", last):
            sock.sendall(answer + (b"\r\n" if answer else b""))
            if answer:
                lines.readline()

    return talk


REVOKED = [b"535 5.7.8 no", b"535 no", b"554 5.7.8 no"]
UNKNOWN = [b"454 4.7.0 later", b"421 4.7.0 bye", b"", b"550 5.1.1 who", b"534 5.7.9 app password", b"235 ok"]


@pytest.mark.parametrize("answer", [*REVOKED, *UNKNOWN], ids=repr)
def test_only_a_login_refused_with_535_proves_that_it_is_revoked(answer: bytes) -> None:
    with script(answering(answer)) as server:
        asked = options(
            port=server.port,
            security="none",
            username="u",
            password="old",
            timeout=3,
            diagnose=False,
            expect={"category": "auth_failed"},
        )
        result = probe_all([asked], False)[0]
    assert result["ok"] == (answer in REVOKED), result["msg"]
    assert result["category"] == ("auth_failed" if answer in REVOKED else "expect_unmet")
    assert bool(result["expect_unmet"]) != (answer in REVOKED)
