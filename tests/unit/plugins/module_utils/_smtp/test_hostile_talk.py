# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that talk out of turn or stop anywhere, and options made to smuggle commands: always a named category."""

from __future__ import annotations

import socket
import threading
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.categories import CATEGORIES
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import script
from smtp_rig import ENCODINGS, PASSWORD, options

Talk = t.Callable[[socket.socket, threading.Event], None]
WHOLE: dict[str, t.Any] = {
    "username": "u", "password": PASSWORD, "from_": "a@b.example", "to": ["c@d.example"], "send": "always", "auth_mechanisms": ["LOGIN"],
}  # fmt: skip
# Everything that a good server says in a conversation that logs in and sends, answer by answer.
GOOD = (
    b"220 hi\r\n", b"250-hi\r\n250 AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 2.7.0 ok\r\n",
    b"250 2.1.0 ok\r\n", b"250 2.1.5 ok\r\n", b"354 go\r\n", b"250 2.0.0 kept\r\n", b"221 bye\r\n",
)  # fmt: skip
STAGES = ("greeting", "ehlo", "auth", "auth", "auth", "mail", "rcpt", "data", "message")


def probe(port: int, **given: t.Any) -> dict[str, t.Any]:
    result = probe_all(
        [options(**dict({"port": port, "security": "none", "timeout": 5, "diagnose": False}, **given))], False
    )[0]
    assert [form for form in ENCODINGS if form in repr(result)] == []
    assert result["category"] in CATEGORIES and result["observed"] in CATEGORIES
    return result


def plays(answers: t.Sequence[bytes], then: t.Callable[[socket.socket], None] = lambda sock: None) -> Talk:
    """Gives one answer to each command (a message counts as one), then does ``then``; hangs up after half an answer."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        for number, said in enumerate(answers):
            if number and not heard(sock, answers[number - 1].startswith(b"354")):
                return
            sock.sendall(said)
        if answers[-1].endswith(b"\r\n"):
            heard(sock, False)
        then(sock)

    return talk


def heard(sock: socket.socket, message: bool) -> bytes:
    data = b""
    while not data.endswith(b"\r\n.\r\n" if message else b"\r\n"):
        more = sock.recv(4096)
        if not more:
            return b""
        data += more
    return data


def test_the_good_conversation_is_one() -> None:
    with script(plays(GOOD)) as server:
        assert probe(server.port, **WHOLE)["level_reached"] == "message"


@pytest.mark.parametrize("number", range(len(STAGES)))
def test_a_server_may_hang_up_anywhere(number: int) -> None:
    """Between answers, and in the middle of one."""
    for answers in (GOOD[:number], (*GOOD[:number], GOOD[number][:2])):
        with script(plays(answers) if answers else lambda sock, stop: None) as server:
            result = probe(server.port, **WHOLE)
            assert (result["category"], result["stage"]) == ("disconnected", STAGES[number])


@pytest.mark.parametrize("number", range(len(STAGES)))
def test_a_server_may_fall_silent_anywhere(number: int) -> None:
    with script(plays(GOOD[:number] or [b""], lambda sock: None if sock.recv(1) else None)) as server:
        result = probe(server.port, **dict(WHOLE, timeout=0.7))
        assert (result["category"], result["stage"]) == (
            "greeting_timeout" if number == 0 else "deadline_exceeded",
            STAGES[number],
        )
        assert result["timings_ms"]["total"] < 1000


OUT_OF_TURN: dict[str, t.Callable[[bytes], bytes]] = {
    "the next answer too": lambda said: said + b"250 and more\r\n",
    "another code half way": lambda said: said[:3] + b"-x\r\n599 y\r\n",
    "no end of a reply": lambda said: (said[:3] + b"-again\r\n") * 20000,
    "a preliminary code": lambda said: b"150 soon\r\n",
    "HTTP": lambda said: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "SSH": lambda said: b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "TLS": lambda said: b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    "nothing but line ends": lambda said: b"\r\n" * 50,
    "NUL": lambda said: b"\0" * 5000,
}


@pytest.mark.parametrize("name", OUT_OF_TURN)
@pytest.mark.parametrize("number", range(len(STAGES)))
def test_a_server_may_talk_out_of_turn_anywhere(number: int, name: str) -> None:
    with script(plays((*GOOD[:number], OUT_OF_TURN[name](GOOD[number]), *GOOD[number + 1 :]))) as server:
        result = probe(server.port, **WHOLE)
        assert result["category"] == ("not_smtp" if number == 0 and name != "the next answer too" else "protocol_error")
        assert not result["ok"] and len(repr(result)) < 1_000_000


def test_replies_unasked_are_noticed_even_if_they_come_before_the_last_command() -> None:
    """Whatever way the bytes are cut: all that the server said by the time of QUIT was asked for, or the probe fails."""
    with script(plays((b"220 hi\r\n", b"250 hi\r\n250 more\r\n" * 50))) as server:
        assert probe(server.port)["category"] == "protocol_error"


def test_a_server_may_challenge_for_ever() -> None:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        for said in GOOD[:2]:
            sock.sendall(said)
            heard(sock, False)
        while True:
            sock.sendall(b"334 bW9yZQ==\r\n")
            if not heard(sock, False):
                return

    with script(talk) as server:
        result = probe(server.port, **WHOLE)
        assert (result["category"], result["stage"]) == ("protocol_error", "auth")


CONTROLS = ["\r\n", "\n", "\r", "\0", "\t", "\x7f", "\x85", "\x1b", "\u2028", "\ud800"]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "key",
    [
        "host",
        "helo",
        "username",
        "password",
        "from_",
        "to",
        "subject",
        "tls_server_name",
        "source_address",
        "proxy",
        "client_cert",
        "name",
    ],
)
def test_no_control_character_reaches_the_wire(key: str, control: str) -> None:
    text = f"x{control}RCPT TO:<evil@d.example>"
    given = dict(WHOLE, port=25, security="none")
    given[key] = [text] if key == "to" else text
    with pytest.raises(ProblemsError) as told:
        probe_all([options(**given)], False)
    assert "[control-character]" in str(told.value) and "evil" not in str(told.value)
