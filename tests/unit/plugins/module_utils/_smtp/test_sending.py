# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message as it was declared, its receipt without a secret, and what has changed at the relay since."""

from __future__ import annotations

import datetime
import email
import email.policy
import json
import pathlib
import re
import typing as t
from email.header import decode_header, make_header

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.changes import diff
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.message import read
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.relay_options import read as read_options
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.test_message import compose
from servers import Authority, Mailbox, Relay, relay, script, server_context
from smtp_rig import ENCODINGS, PASSWORD, options

LOGIN = {"username": "u", "password": PASSWORD}
ENVELOPE = {"from_": "apps@example.com", "to": ["ops@example.com", "on-call@example.com"]}
NOW = datetime.datetime(2026, 11, 21, 8, 30, tzinfo=datetime.timezone.utc)


def written(sender: str = "apps@example.com", **given: t.Any) -> t.Any:
    message_options, problems = read(given)
    assert problems == []
    data = compose(sender, ["ops@example.com"], message_options, "web1.example.com", NOW).data
    return data, email.message_from_bytes(data, policy=email.policy.default)


def test_the_message_has_the_headers_that_a_filter_looks_for() -> None:
    _data, message = written(reply_to="help@example.com", subject="a subject")
    assert message["Date"] == "Sat, 21 Nov 2026 08:30:00 +0000" and message["Message-ID"].endswith("@example.com>")
    assert (message["From"], message["To"], message["Reply-To"], message["Subject"]) == (
        "apps@example.com", "ops@example.com", "help@example.com", "a subject",
    )  # fmt: skip
    assert written()[1]["Reply-To"] is None and written()[1]["Message-ID"] != message["Message-ID"]


def test_the_signature_stands_below_the_text_in_both_parts() -> None:
    _data, message = written(message_options={"signature": "Sent by <Example> & Co", "plain_text": False})
    assert message.get_content_type() == "multipart/alternative"
    plain, marked = message.iter_parts()
    assert plain.get_content().endswith("\r\n-- \r\nSent by <Example> & Co\r\n")
    assert "Sent by &lt;Example&gt; &amp; Co" in marked.get_content()
    assert written(message_options={"plain_text": True})[1].get_content_type() == "text/plain"


NAMES = [
    "Example", "Example, Inc.", 'Say "hi" \\ now', "Müller & Söhne, GmbH", "日本語 " * 11 + "x", "a@b", "x" * 200, "=?utf-8?q?evil?=",
    "evil <x@y.example>, other", "💌 mail", "a. b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=map(str, range(len(NAMES))))
@pytest.mark.parametrize("sender", ["apps@example.com", "o'brien@exämple.example"])
def test_a_display_name_stands_beside_its_address_whatever_it_holds(name: str, sender: str) -> None:
    _data, message = written(sender, from_name=name, reply_to="help@example.com", reply_to_name=name)
    lines = _data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, lines)) <= 76 and lines[0].startswith(b"From: ")
    for header, address in (("From", sender), ("Reply-To", "help@example.com")):
        assert len(message.get_all(header)) == 1
        assert read_header(_data, header) == (name, address + ">")


ODD = [
    "x@a..b.example",
    "x@",
    "@",
    "x",
    "x@" + "a" * 70 + ".example",
    "(x@y",
    "x@[192.0.2.1]",
    "ü@ü..x",
    "x@\u00ad",
    "a,b@c",
    "[",
    "x@[",
    ":;",
    ".@.",
    '"@x',
]


@pytest.mark.parametrize("address", ODD)
def test_an_address_that_only_looks_odd_is_for_the_relay_to_judge(address: str) -> None:
    data, message = written(address)
    assert data.startswith(b"From: %s\r\nTo: ops@example.com\r\n" % address.encode())
    assert re.fullmatch(r"<[0-9a-f]{32}@[A-Za-z0-9.-]+>", message["Message-ID"])


def read_header(data: bytes, header: str) -> tuple[str, str]:
    """As RFC 2047 6.2 has it read: by email.header, since some versions of the newer reader leave blanks between encoded words."""
    raw = email.message_from_string(data.decode("utf-8"), policy=email.policy.compat32)[header]
    phrase, _bracket, address = raw.replace("\r", "").replace("\n", "").rpartition(" <")
    phrase = (
        re.sub(r"\\(.)", r"\1", phrase[1:-1]) if phrase.startswith('"') else str(make_header(decode_header(phrase)))
    )
    return phrase, address


def test_the_name_is_taken_from_the_option_and_the_envelope_has_the_address_alone() -> None:
    for text, name in (
        ("Ann <a@b.example>", "Ann"),
        ('"Ann, \\"of\\" B" <a@b.example>', 'Ann, "of" B'),
        ("<a@b.example>", ""),
        ("a@b.example", ""),
    ):
        made, problems = read_options(options(port=25, security="none", from_=text, reply_to=text, to=["c@d.example"]))
        assert problems == [] and made is not None
        assert (made.sender, made.message.from_name, made.message.reply_to, made.message.reply_to_name) == (
            "a@b.example",
            name,
            "a@b.example",
            name,
        )
    result, said = sent_to(b"250 hi\r\n", from_="Ann, of Example <a@b.example>")
    assert result["ok"] and b"MAIL FROM:<a@b.example>\r\n" in said
    assert b'From: "Ann, of Example"\r\n <a@b.example>\r\n' in b"".join(said)


@pytest.mark.parametrize(
    "text",
    ["Ann a@b.example", "a@b.example, c@d.example", "Ann <a@b.example> x", '"Ann <a@b.example>', "Ann <>", "A <a b@c>"],
)
def test_what_is_no_mailbox_is_told(text: str) -> None:
    for key in ("from_", "reply_to"):
        _made, problems = read_options(options(port=25, security="none", **{key: text}))
        assert [problem.code for problem in problems] == ["not-an-address"] and text not in str(problems[0])


CHARSETS = [("iso-8859-1", "iso-8859-1"), ("us-ascii", "utf-8"), ("iso-8859-2", "iso-8859-2"), (None, "utf-8")]


@pytest.mark.parametrize("charset, used", CHARSETS)
def test_the_body_is_in_the_declared_character_set_and_7_bit(charset: str, used: str) -> None:
    data, message = written(message_options={"charset": charset, "signature": "Grüße"})
    assert data.isascii() and message.get_content_charset() == used and message.get_content().endswith("Grüße\r\n")


def test_no_line_of_the_body_is_longer_than_smtp_allows() -> None:
    data, _message = written(message_options={"signature": "x" * 3000, "plain_text": False})
    assert max(map(len, data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "code, given",
    [
        ("message-charset", {"message_options": {"charset": "utf-9"}}),
        ("message-charset", {"message_options": {"charset": "base64"}}),
        ("message-charset", {"message_options": {"charset": "idna"}}),
        ("control-character", {"message_options": {"signature": "a\r\nBcc: x"}}),
        ("not-an-address", {"reply_to": "Help <help@example.com>"}),
    ],
)
def test_a_message_that_cannot_be_is_refused(code: str, given: dict[str, t.Any]) -> None:
    assert [problem.code for problem in read(given)[1]] == [code]


def talking(ehlo: bytes, said: list[bytes]) -> t.Any:
    """A server with these extensions that accepts everything, and keeps what it was told."""

    def talk(sock: t.Any, stop: t.Any) -> None:
        lines = sock.makefile("rb")
        sock.sendall(b"220 hi\r\n")
        for line in lines:
            said.append(line)
            word = line.split()[0].upper()
            sock.sendall({b"EHLO": ehlo, b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
            if word == b"DATA":
                for content in lines:
                    said.append(content)
                    if content == b".\r\n":
                        break
                sock.sendall(b"250 ok\r\n")

    return talk


def sent_to(ehlo: bytes, **given: t.Any) -> tuple[dict[str, t.Any], list[bytes]]:
    said: list[bytes] = []
    asked = dict({"security": "none", "send": "always", "diagnose": False}, **{**ENVELOPE, **given})
    with script(talking(ehlo, said)) as server:
        return probe_all([options(port=server.port, **asked)], False)[0], said


def test_the_size_is_told_where_it_is_wanted_and_nothing_over_it_is_sent() -> None:
    result, said = sent_to(b"250-hi\r\n250 SIZE 100000\r\n")
    assert result["ok"] and any(line.startswith(b"MAIL FROM:<apps@example.com> SIZE=") for line in said)
    result, said = sent_to(b"250-hi\r\n250 SIZE 100\r\n")
    assert (result["category"], result["stage"], result["message"]["sent"]) == ("message_too_large", "mail", False)
    assert not any(line.upper().startswith((b"MAIL", b"DATA")) for line in said)
    assert sent_to(b"250-hi\r\n250 SIZE 0\r\n")[0]["ok"]


def test_a_server_without_extensions_gets_no_parameter_and_no_8_bit() -> None:
    result, said = sent_to(b"250 hi\r\n", message_options={"signature": "Grüße"}, reply_to="help@example.com")
    assert result["ok"] and b"MAIL FROM:<apps@example.com>\r\n" in said and b"".join(said).isascii()


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


def probe(server: dict[str, t.Any], check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    return probe_all([options(**dict(server, **given))], check_mode)[0]


def asking(authority: Authority, tmp_path: pathlib.Path, port: int) -> dict[str, t.Any]:
    state = str(tmp_path / "state")
    return dict(
        LOGIN, **ENVELOPE, port=port, security="tls", ca_path=str(authority.path), send="on_change", state_dir=state
    )


def test_a_renewed_certificate_is_told_since_the_receipt_and_sends_nothing(
    authority: Authority, tmp_path: pathlib.Path
) -> None:
    first, second = authority.issue("old", end=10), authority.issue("new", end=90)
    with relay(first, True) as (port, _mailbox):
        asked = asking(authority, tmp_path, port)
        sent = probe(asked)
        assert sent["changed"] and sent["receipt"]["message_id"] == sent["message"]["message_id"] and diff(sent) == {}
        same = probe(asked)
        assert (same["changed"], same["changes_since"], same["receipt"]) == (False, [], sent["receipt"])
    mailbox = Mailbox()
    again = Relay(mailbox, server_context(second), True, port)
    again.start()
    try:
        for check_mode in (False, True):
            result = probe(asked, check_mode)
            changed = {one["what"]: (one["before"], one["after"]) for one in result["changes_since"]}
            assert set(changed) == {"tls.subject", "tls.not_after", "tls.sha256"} and changed["tls.subject"] == (
                "CN=old",
                "CN=new",
            )
            assert (result["ok"], result["changed"], mailbox.messages) == (True, False, [])
            assert (
                "tls.subject: CN=old\n" in diff(result)["before"] and "tls.subject: CN=new\n" in diff(result)["after"]
            )
        failed = probe(asked, password="wrong")
        assert failed["changes_since"] == [] and failed["receipt"]
    finally:
        again.stop()


def test_the_password_leaves_no_trace_and_a_new_label_makes_a_message_due(
    authority: Authority, tmp_path: pathlib.Path
) -> None:
    with relay(authority.issue("relay"), True) as (port, mailbox):
        asked = asking(authority, tmp_path, port)
        assert probe(asked, credential_id="2026-08")["changed"]
        before = [path.name for path in (tmp_path / "state" / "receipts").iterdir()]
        # Another password under the same label and name: the login proves it, or not; the name of the receipt tells nothing.
        assert probe(asked, credential_id="2026-08", password="wrong")["category"] == "auth_failed"
        assert [path.name for path in (tmp_path / "state" / "receipts").iterdir()] == before
        assert probe(asked, credential_id="2026-11")["changed"] and len(mailbox.messages) == 2
        text = "".join(path.name + path.read_text() for path in (tmp_path / "state" / "receipts").iterdir())
        assert [form for form in ENCODINGS if form in text] == []


def test_a_damaged_receipt_counts_as_none(authority: Authority, tmp_path: pathlib.Path) -> None:
    with relay(authority.issue("relay"), True) as (port, mailbox):
        asked = asking(authority, tmp_path, port)
        assert probe(asked)["changed"]
        (path,) = (tmp_path / "state" / "receipts").iterdir()
        whole = json.loads(path.read_text())
        damages = [
            "{cut off",
            "",
            "{}",
            "[]",
            "null",
            "0",
            "[" * 100000,
            json.dumps({**whole, "relay": {"names": [{}]}}),
            json.dumps({**whole, "relay": [1]}),
            json.dumps({**whole, "version": 2}),
            json.dumps({**whole, "sent": None}),
        ]
        for number, damage in enumerate(damages):
            path.write_text(damage)
            assert probe(asked, True)["changed"] and probe(asked)["changed"] and not probe(asked)["changed"], damage[
                :80
            ]
            assert len(mailbox.messages) == 2 + number and json.loads(path.read_text())["relay"] == whole["relay"]
