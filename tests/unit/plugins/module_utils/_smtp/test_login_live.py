# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins over real sockets with a server that means harm: the deadline holds, and what it says of a token is told."""

from __future__ import annotations

import base64
import socket
import threading
import time
import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import script
from smtp_rig import ENCODINGS, PASSWORD, options

GREETING = b"220 hi\r\n", b"250-hi\r\n250 AUTH SCRAM-SHA-1\r\n"


def probe(port: int, **given: t.Any) -> tuple[dict[str, t.Any], float]:
    """The result, and how many seconds it took."""
    started = time.monotonic()
    result = probe_all(
        [options(port=port, security="none", username="u", password=PASSWORD, diagnose=False, **given)], False
    )[0]
    assert [form for form in ENCODINGS if form in repr(result)] == []
    return result, time.monotonic() - started


def iterations(count: int) -> t.Callable[[socket.socket, threading.Event], None]:
    """A SCRAM server that has us compute."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(GREETING[0])
        sock.recv(4096)
        sock.sendall(GREETING[1])
        first = base64.b64decode(sock.recv(4096).split()[2])
        challenge = first[first.index(b",r=") + 1 :] + b"more,s=c2FsdA==,i=%d" % count
        sock.sendall(b"334 " + base64.b64encode(challenge) + b"\r\n")
        sock.recv(4096)

    return talk


def test_a_server_that_has_us_compute_for_long_is_left_at_the_deadline() -> None:
    with script(iterations(10_000_000)) as server:
        result, seconds = probe(server.port, timeout=0.5)
    assert (result["category"], result["stage"]) == ("deadline_exceeded", "auth")
    assert seconds < 1


def test_a_server_that_wants_more_than_anybody_can_compute_is_told_no() -> None:
    with script(iterations(4_000_000_000)) as server:
        result, seconds = probe(server.port, timeout=5)
    assert (result["category"], result["stage"]) == ("protocol_error", "auth") and "4000000000 iterations" in result[
        "msg"
    ]
    assert seconds < 4


def test_few_iterations_are_a_warning() -> None:
    with script(iterations(100)) as server:
        result, _seconds = probe(server.port, timeout=5)
    assert result["category"] == "disconnected"
    assert result["notices"] == ["the server stores the password with 100 iterations; RFC 7677 wants at least 4096"]


MIXED = "\u05d0a and more"  # RFC 4013 does not let both directions of writing mix


def offers(
    mechanisms: str, heard: list[bytes], verdict: bytes = b"235 ok\r\n"
) -> t.Callable[[socket.socket, threading.Event], None]:
    """Has one verdict on every login, and keeps what it heard."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(GREETING[0])
        for answer in (b"250-hi\r\n250 AUTH " + mechanisms.encode() + b"\r\n", verdict, b"221 bye\r\n"):
            heard.append(sock.recv(4096))
            sock.sendall(answer)

    return talk


def test_a_mechanism_that_this_password_cannot_use_is_passed_over_before_anything_is_sent() -> None:
    heard: list[bytes] = []
    with script(offers("SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", heard)) as server:
        result = probe_all([options(port=server.port, security="none", username="u", password=MIXED)], False)[0]
    assert (result["category"], result["auth"]["tried"]) == ("ok", ["PLAIN"])
    assert heard[1] == b"AUTH PLAIN " + base64.b64encode(b"\0u\0" + MIXED.encode()) + b"\r\n"
    assert MIXED not in repr(result)


def test_where_this_password_can_use_no_mechanism_the_reason_is_told_and_nothing_is_sent() -> None:
    heard: list[bytes] = []
    with script(offers("SCRAM-SHA-256", heard)) as server:
        result = probe_all([options(port=server.port, security="none", username="u", password=MIXED)], False)[0]
    assert (result["category"], result["auth"]["tried"]) == ("auth_mechanism_unsupported", [])
    assert "SCRAM-SHA-256: the password mixes directions of writing as RFC 4013 forbids." in result["remedies"]
    assert [line for line in heard if b"AUTH" in line] == [] and MIXED not in repr(result)


def test_a_rejected_token_calls_for_another_token_and_not_for_a_password() -> None:
    given = {"username": "u", "oauth2": {"token": "an-opaque-token-of-the-test"}}
    with script(offers("XOAUTH2", [], b"535 5.7.8 no\r\n")) as server:
        result = probe_all([options(port=server.port, security="none", **given)], False)[0]
    assert result["category"] == "auth_failed" and "an-opaque-token" not in repr(result)
    wanted = (
        "Correct the username, or have a token made out for this user and this relay; the connection itself is fine."
    )
    assert result["remedies"] == [wanted]
