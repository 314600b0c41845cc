# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options: defaults from one another, every problem at once, and no value of a secret in any."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.relay_options import read
from smtp_rig import PASSWORD, options

PORTS = [
    (None, None, 465, "tls"), (None, "none", 25, "none"), (None, "opportunistic", 25, "opportunistic"), (None, "starttls", 587, "starttls"),
    (None, "tls", 465, "tls"), (465, None, 465, "tls"), (2465, None, 2465, "tls"), (25, None, 25, "starttls"), (587, None, 587, "starttls"),
    (2525, None, 2525, "starttls"), (2587, None, 2587, "starttls"), (1025, "none", 1025, "none"),
]  # fmt: skip
LOGIN = {"username": "u", "password": PASSWORD}
ENVELOPE = {"from_": "a@b.example", "to": ["c@d.example"]}
WRONG: list[tuple[str, dict[str, t.Any]]] = [
    ("security-unsaid", {"port": 1025}),
    ("port-range", {"port": 70000}),
    ("port-range", {"port": 0, "security": "tls"}),
    ("missing-key", {"host": None}),
    ("not-a-host", {"host": "smtp example.com"}),
    ("not-a-host", {"host": "smtp://example.com"}),
    ("missing-key", {"username": "u"}),
    ("missing-key", {"password": PASSWORD}),
    ("level-credential", {"level": "auth"}),
    ("envelope-addresses", {"level": "envelope"}),
    ("envelope-addresses", {"send": "always", "from_": "a@b.example"}),
    ("send-level", dict(ENVELOPE, send="always", level="tls")),
    ("not-an-address", {"from_": "A B a@b.example"}),
    ("helo-form", {"helo": "me "}),
    ("out-of-range", {"timeout": 0}),
    ("auth-mechanism", {"auth_mechanisms": ["PLAINN"]}),
    ("expect-category", {"expect": {"category": "auth_fail"}}),
    ("not-a-fingerprint", {"tls_fingerprints": ["sha256:12"]}),
    ("control-character", {"helo": "me\r\nMAIL FROM:<a@b>"}),
    ("control-character", dict(LOGIN, username="u\0")),
    ("control-character", {"to": ["c@d.example", "e@f\n"]}),
]


@pytest.mark.parametrize("port, security, wanted_port, wanted_security", PORTS)
def test_port_and_security_come_from_one_another(
    port: int, security: str, wanted_port: int, wanted_security: str
) -> None:
    relay, problems = read(options(port=port, security=security))
    assert relay is not None and problems == []
    assert (relay.port, relay.security) == (wanted_port, wanted_security)


@pytest.mark.parametrize("code, given", WRONG)
def test_what_cannot_be_is_told_with_its_code_and_without_the_password(code: str, given: dict[str, t.Any]) -> None:
    relay, problems = read(options(**given))
    assert relay is None
    assert code in [problem.code for problem in problems]
    assert PASSWORD not in repr(problems)


def test_all_problems_come_at_once() -> None:
    _relay, problems = read(options(host="a\nb", port=1025, timeout=-1, helo="x\ty", username="u"))
    assert [(problem.where, problem.code) for problem in problems] == [
        ("helo", "control-character"), ("host", "control-character"), ("host", "not-a-host"), ("password", "missing-key"), ("helo", "helo-form"),
        ("timeout", "out-of-range"), ("security", "security-unsaid"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given, level",
    [
        ({}, "tls"),
        (LOGIN, "auth"),
        ({"from_": "a@b.example"}, "envelope"),
        (dict(LOGIN, from_="a@b.example"), "envelope"),
        (dict(LOGIN, from_="a@b.example", level="auth"), "auth"),
        (dict(ENVELOPE, send="always"), "envelope"),
        ({"level": "connect"}, "connect"),
        ({"type": "ms_graph", "host": None, "from_": "a@b.example", "oauth2": {"token": "x"}}, "auth"),
    ],
)
def test_the_level_comes_from_what_was_given(given: dict[str, t.Any], level: str) -> None:
    relay, _problems = read(options(**given))
    assert relay is not None and relay.level == level


def test_the_sender_stands_in_for_a_recipient_where_none_is_named() -> None:
    for given, own, recipients in (
        ({"from_": "A <a@b.example>"}, True, ("a@b.example",)),
        (ENVELOPE, False, ("c@d.example",)),
        (dict(LOGIN, from_="a@b.example", level="auth"), False, ()),
    ):
        relay, problems = read(options(**given))
        assert relay is not None and problems == []
        assert (relay.own_recipient, relay.recipients) == (own, recipients)


def test_a_relay_does_not_print_its_password() -> None:
    relay, _problems = read(options(**LOGIN))
    assert relay is not None and relay.credential is not None
    for text in (
        repr(relay),
        str(relay.credential),
        f"{relay.credential.password}",
        f"{relay.credential.password:>40}",
    ):
        assert PASSWORD not in text
    assert relay.credential.password.reveal() == PASSWORD
