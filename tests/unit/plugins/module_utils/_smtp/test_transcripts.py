# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file in transcripts/ is one test: what we say, what they say, how it ends.

goal <key>=<value> ...   what the probe was asked for (first line that is not a comment)
S <text>                 the server sends this line; Python's escapes are honoured
RAW <text>               the server sends these bytes and no line end
C <text>                 we must have sent exactly this
TLS                      the handshake happens here
EOF                      the server hangs up
LATE                     the deadline passes
= <category> at <stage>  how it ends (last line)

credential=yes (a password) | no | token | certificate. The random bytes of the login are zeros.

{plain} {password} {user} {cram} {clear} stand for the login "u" with the usual hostile password, as each mechanism sends it;
{64:text} for the text in base64, with {01} as a byte in it. {token} and {dead} are tokens. Whatever we send while logging in must not show.
"""

from __future__ import annotations

import base64
import pathlib
import re
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor, Secret
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.conversation.dialogue import converse
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.conversation.goal import Goal
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options import relay_options as smtp_options
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.commands import (
    Compute,
    Connect,
    Resolve,
    StartTls,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.engine import (
    Close,
    Effect,
    Engine,
    Read,
    Write,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.failure import Failure
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.log import ConversationLog, Peer
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.result import ProbeOutcome, build
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl.credential import Credential
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.x509.certificate import TlsInfo
from smtp_rig import CRAM, ENCODINGS, PASSWORD, PASSWORD_64, PLAIN, options

TRANSCRIPTS = sorted((pathlib.Path(__file__).parent / "transcripts").glob("*.txt"))
SAID = {"{plain}": PLAIN, "{password}": PASSWORD_64, "{user}": "dQ==", "{cram}": CRAM, "{clear}": PASSWORD}
CREDENTIAL = Credential("u", Secret(PASSWORD))
TOKEN, LONG_TOKEN = "ya29.token-of-a-test-0123456789", "ya29." + "token-of-a-test-" * 40
CREDENTIALS = {
    "no": None,
    "yes": CREDENTIAL,
    "token": Credential("u", Secret(""), token=Secret(TOKEN)),
    "long_token": Credential("u", Secret(""), token=Secret(LONG_TOKEN)),
    "certificate": Credential("", Secret(""), certificate=True),
}
# Only as much of a certificate as a channel binding looks at: two sequences, the second with ecdsa-with-SHA256
CERTIFICATE = bytes.fromhex("300e3000300a06082a8648ce3d040302")
SAID.update({"{token}": TOKEN, "{long_token}": LONG_TOKEN})
VERBS = ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "QUIT", "*")


def unescaped(text: str) -> bytes:
    r"""``\r\n`` and ``\xNN`` as bytes; everything else, a lone backslash too, as UTF-8."""
    parts = text.replace("\\r", "\r").replace("\\n", "\n").split("\\x")
    return parts[0].encode("utf-8") + b"".join(
        bytes([int(part[:2], 16)]) + part[2:].encode("utf-8") for part in parts[1:]
    )


def filled(text: str) -> str:
    """The stand-ins replaced, those within {64:...} first."""
    for token, value in SAID.items():
        text = text.replace(token, value)

    def encoded(match: re.Match[str]) -> str:
        return base64.b64encode(
            re.sub(rb"\{([0-9a-f]{2})\}", lambda byte: bytes.fromhex(byte[1].decode()), match[1].encode())
        ).decode()

    return re.sub(r"\{64:((?:[^{}]|\{[0-9a-f]{2}\})*)\}", encoded, text)


class Conversation:
    """Plays the server's lines and checks ours."""

    def __init__(self, given: dict[str, str]) -> None:
        self.flights = 0
        self.sent: list[str] = []
        self.secrets: list[str] = []
        self.waiting: Effect = Close()
        self.loopback = given.pop("loopback", "yes") == "yes"
        self.local_ip = given.pop("local", "127.0.0.1")
        self.redactor = Redactor()
        self.credential = CREDENTIALS[given.pop("credential", "yes")]
        for secret in filter(
            None, (self.credential and self.credential.password, self.credential and self.credential.token)
        ):
            self.redactor.learn("u", secret)
        self.record = ConversationLog(self.redactor)
        self.engine = Engine(converse(goal_from(given, self.credential), self.record), self.record.trace)
        self.do(self.engine.start())

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.waiting = effect
            if isinstance(effect, Resolve):
                self.do(self.engine.answered(["127.0.0.1"]))
            elif isinstance(effect, Connect):
                self.do(self.engine.answered(Peer(self.local_ip, self.local_ip, self.loopback)))
            elif isinstance(effect, Compute):
                self.do(self.engine.answered(effect.work()))
            elif isinstance(effect, Write):
                self.flights += 1
                self.sent += effect.data.decode("utf-8").split("\r\n")[:-1]

    def play(self, line: str) -> None:
        word, _gap, text = line.partition(" ")
        text = filled(text)
        if word == "C":
            assert self.sent.pop(0) == text
            said = text[5:].partition(" ")[2] if text.startswith("AUTH ") else "" if text.startswith(VERBS) else text
            self.secrets += [said] if len(said) > 4 else []
        elif word == "TLS":
            assert isinstance(self.waiting, StartTls)
            self.record.certificate = CERTIFICATE
            self.do(self.engine.answered(TlsInfo("TLSv1.3", "a cipher", True)))
        else:
            assert isinstance(self.waiting, Read), f"nothing is expected from the server here: {line!r}"
            self.do(
                self.engine.broke(Failure("deadline_exceeded"))
                if word == "LATE"
                else self.engine.received(self.data(word, text))
            )

    def data(self, word: str, text: str) -> bytes:
        return {"S": unescaped(text) + b"\r\n", "RAW": unescaped(text), "EOF": b""}[word]


def goal_from(given: dict[str, str], credential: Credential | None) -> Goal:
    words: dict[str, t.Any] = {key: unescaped(value).decode("utf-8") for key, value in given.items()}
    words["mechanisms"] = tuple(filter(None, words.pop("mechanisms", "").split(",")))
    words["allow_plaintext_auth"] = words.get("allow_plaintext_auth") == "yes"
    words["also_from"] = tuple(filter(None, words.get("also_from", "").split(",")))
    words["own_recipient"] = words.get("own_recipient") == "yes"
    words["message"] = words["message"].encode() if "message" in words else None
    defaults = Goal("me", "none", "auth", credential, sender="a@b.example", recipients=("c@d.example",), random=bytes)
    return defaults._replace(**words)


def play(path: pathlib.Path) -> tuple[Conversation, str]:
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    given = dict(word.split("=", 1) for word in lines[0].split()[1:])
    flights = given.pop("flights", None)
    conversation = Conversation(given)
    for line in lines[1:-1]:
        conversation.play(line)
    if not isinstance(conversation.waiting, Close):
        conversation.do(conversation.engine.received(b""))
    assert isinstance(conversation.waiting, Close)
    assert conversation.sent in ([], ["QUIT"]), "we said more than the transcript"
    assert flights is None or conversation.flights == int(flights)
    return conversation, lines[-1]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_conversation_goes_and_ends_as_written_and_shows_no_password(path: pathlib.Path) -> None:
    conversation, ending = play(path)
    relay, problems = smtp_options.read(options(port=25))
    assert relay is not None and not problems
    value = build(ProbeOutcome(relay, conversation.record, None, False, False, "", 1.0), conversation.redactor)
    stage = " at " + value["stage"] if value["stage"] else ""
    assert "= {}{}".format(value["category"], stage) == ending
    assert value["ok"] == (ending == "= ok")
    shown = repr(value) + value["msg"] + "\n".join(value["transcript"])
    assert [form for form in (*ENCODINGS, TOKEN, *conversation.secrets) if form in shown] == []
