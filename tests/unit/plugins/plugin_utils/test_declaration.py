# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every rule of a declaration: what the user writes (declarations.txt) and what the answer is, word for word."""

from __future__ import annotations

import itertools
import pathlib
import re

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.module_utils._shared.security import SECURITY_OF
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve, settings
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import (
    Declaration,
    DeclaredCredential,
    Mailbox,
    Relay,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError

TABLE = pathlib.Path(__file__).with_name("declarations.txt").read_text("utf-8")
CASES = [
    re.split(r"\n--\n?", case.strip("\n"), maxsplit=1) for case in re.split(r"^== ", TABLE, flags=re.MULTILINE)[1:]
]


def load(text: str) -> Declaration:
    """What a variables file of this text declares."""
    variables = yaml.safe_load(text)
    return resolve.load(
        variables["smtp_relay"], {name: value for name, value in variables.items() if name != "smtp_relay"}
    )


def relay(text: str) -> Relay:
    """The only relay of ``smtp_relay: {...}``."""
    return load(f"smtp_relay: {text}").relays["default"]


@pytest.mark.parametrize(
    ("written", "answer"),
    [(case[0].partition("\n")[2], case[1]) for case in CASES],
    ids=[case[0].partition("\n")[0] for case in CASES],
)
def test_what_is_wrong_is_said_all_at_once_in_the_users_words(written: str, answer: str) -> None:
    try:
        load(written)
        said = ""
    except ProblemsError as error:
        said = str(error)
    assert said == answer.strip("\n")
    assert "hunter" not in said


def test_every_labelled_variable_adds_to_the_list_and_what_two_of_them_ask_for_alike_is_done_once() -> None:
    declared = load("""
smtp_relay: {host: h}
smtp_relay_apps_wiki: [gitea, {name: msmtp, path: /srv/msmtprc}]
smtp_relay_apps_base: [{name: msmtp, path: /srv/msmtprc}, {name: grafana, state: absent}]
smtp_relay_apps: [ghost, {name: gitea}]
""")
    assert [(request.name, request.where, *request.also) for request in declared.requests] == [
        ("ghost", "smtp_relay_apps[0]"),
        ("gitea", "smtp_relay_apps[1]", "smtp_relay_apps_wiki[0]"),
        ("msmtp", "smtp_relay_apps_base[0]", "smtp_relay_apps_wiki[1]"),
        ("grafana", "smtp_relay_apps_base[1]"),
    ]
    assert (
        resolve.load({"host": "h"}, {}).requests
        == ()
        == resolve.load({"host": "h"}, {"smtp_relay_apps_base": None}).requests
    )


PORTS = """
port  security       -> port security
-     -                 465  tls
-     none              25   none
-     opportunistic     25   opportunistic
-     starttls          587  starttls
-     tls               465  tls
25    -                 25   starttls
587   -                 587  starttls
2525  -                 2525 starttls
2587  -                 2587 starttls
465   -                 465  tls
2465  -                 2465 tls
25    none              25   none
465   starttls          465  starttls
587   tls               587  tls
2526  none              2526 none
2526  opportunistic     2526 opportunistic
2526  starttls          2526 starttls
2526  tls               2526 tls
"""


@pytest.mark.parametrize("row", PORTS.strip().splitlines()[1:])
def test_port_and_security_follow_from_each_other(row: str) -> None:
    port, security, *expected = row.split()
    said = (
        {"host": "h"}
        | ({} if port == "-" else {"port": int(port)})
        | ({} if security == "-" else {"security": security})
    )
    resolved = resolve.load(said, []).relays["default"]
    assert [str(resolved.port), resolved.security] == expected


PAIRS = """
relay says                             other says                      -> port security
{host: h}                              {security: starttls}               587  starttls
{host: h, port: 465}                   {security: starttls}               587  starttls
{host: h, security: none}              {port: 465}                        465  tls
{host: h, security: none}              {port: 587}                        587  starttls
{host: h, security: none}              {port: 25}                         25   starttls
{host: h, security: starttls}          {port: 2526}                       2526 starttls
{host: h, port: 465, security: tls}    {port: 2526, security: starttls}   2526 starttls
{host: h, port: 587}                   {port: 2526}                       2526 starttls
{host: h, security: opportunistic}     {timeout: 5}                       25   opportunistic
"""


@pytest.mark.parametrize("row", PAIRS.strip().splitlines()[1:])
@pytest.mark.parametrize("by", ["application", "copy"])
def test_who_changes_port_or_security_changes_the_other_with_it(row: str, by: str) -> None:
    said = re.fullmatch(r"(\{.*?\}) +(\{.*?\}) +(\d+) +(\w+)", row.strip())
    assert said is not None
    base, own, port, security = said.groups()
    if by == "application":
        declared = load(f"smtp_relay: {base}\nsmtp_relay_apps: [{{name: gitea, {own[1:]}]")
        found = settings.override(declared.relays["default"], declared.requests[0])
    else:
        found = load(f"smtp_relay: {{default: a, relays: {{a: {base}, b: {{like: a, {own[1:]}}}}}").relays["b"]
    assert [str(found.port), found.security] == [port, security]


def test_a_copy_of_a_relay_without_known_security_must_say_it() -> None:
    with pytest.raises(ProblemsError, match="security-unsaid"):
        load("smtp_relay: {default: a, relays: {a: {host: h}, b: {like: a, port: 2526}}}")


def test_no_change_of_the_port_alone_ever_lowers_security() -> None:
    for base, port in itertools.product(("starttls", "tls"), [25, 465, 587, 2465, 2525, 2526, 2587, 65535]):
        declared = load(f"smtp_relay: {{host: h, security: {base}}}\nsmtp_relay_apps: [{{name: gitea, port: {port}}}]")
        assert settings.override(declared.relays["default"], declared.requests[0]).security in ("starttls", "tls")


def test_a_copy_has_everything_but_the_secrets_and_nested_keys_one_by_one() -> None:
    copy = load(
        """
smtp_relay:
  default: a
  relays:
    a: {host: h, username: u, password: one, credential_id: "1", next: {id: "2", password: two}, from: a@example.com, accept: [no-verify],
        validate_certs: false, ca_path: /ca.pem, message: {charset: latin1, signature: Sent}, timeout: 9, description: first}
    b: {like: a, message: {charset: utf-8}, description: second}
    c: {like: b, password: three, from: C <c@example.com>}
""".replace("b: {like: a,", "b: {like: a, password: own,")
    ).relays["c"]
    assert copy.credential == DeclaredCredential("", "u", Secret("three"))
    assert (copy.next, copy.default) == (None, False)
    assert (copy.host, copy.validate_certs, copy.ca_path, copy.timeout, copy.accept) == (
        "h",
        False,
        "/ca.pem",
        9,
        frozenset({"no-verify"}),
    )
    assert (copy.message.charset, copy.message.signature, copy.description, copy.from_) == (
        "utf-8",
        "Sent",
        "second",
        Mailbox("c@example.com", "C"),
    )


def test_a_local_mta_is_reached_on_loopback_whatever_else_is_said() -> None:
    found = relay("{type: local_mta, from: a@example.com}")
    assert (found.host, found.port, found.security, found.credential, found.sends) == (
        "127.0.0.1",
        25,
        "none",
        None,
        True,
    )


@pytest.mark.parametrize("text", ["{type: none}", "{host: h, enabled: false}"])
def test_a_relay_that_is_off_does_not_send(text: str) -> None:
    assert not relay(text).sends


def test_opportunistic_is_never_chosen_for_the_user() -> None:
    assert "opportunistic" not in SECURITY_OF.values()
    assert Relay("x").security == "tls"


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        ("a@example.com", "a@example.com", ""),
        ("<a@example.com>", "a@example.com", ""),
        ("Ann B. <a@example.com>", "a@example.com", "Ann B."),
        ('"Ann, B." <a@example.com>', "a@example.com", "Ann, B."),
        ({"address": "a@example.com", "name": "Ännchen"}, "a@example.com", "Ännchen"),
    ],
)
def test_a_mailbox_may_be_written_in_each_usual_way(written: object, address: str, name: str) -> None:
    assert resolve.load({"host": "h", "from": written}, []).relays["default"].from_ == Mailbox(address, name)


@pytest.mark.parametrize(
    ("key", "written", "expected"),
    [
        ("port", "587", 587),
        ("port", 587.0, 587),
        ("timeout", "15", 15),
        ("validate_certs", "False", False),
        ("enabled", "true", True),
    ],
)
def test_what_ansible_before_2_19_templates_to_text_is_what_it_was(key: str, written: object, expected: object) -> None:
    value = getattr(resolve.load({"host": "h", key: written}, []).relays["default"], key)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("key", "written"),
    [("port", "587.5"), ("port", "9" * 5000), ("port", "-1"), ("timeout", ""), ("validate_certs", "yes")],
)
def test_what_is_neither_number_nor_truth_stays_wrong(key: str, written: str) -> None:
    with pytest.raises(ProblemsError, match="wrong-type"):
        resolve.load({"host": "h", key: written}, [])


def test_digits_stay_text_where_text_is_wanted() -> None:
    found = relay('{host: h, username: "123", password: "0456", credential_id: "true"}')
    assert found.credential == DeclaredCredential("true", "123", Secret("0456"))


def test_an_activation_that_is_off_says_why() -> None:
    requests = load(
        "smtp_relay: {host: h}\nsmtp_relay_apps: [{name: a, activate: 'false'}, {name: b, activate: true}, {name: c, activate: {systemd: x}}]"
    ).requests
    assert [request.activate for request in requests] == [
        {"how": "none", "reason": "as declared"},
        {},
        {"systemd": "x"},
    ]
