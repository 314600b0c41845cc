# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that drip, flood, lie and hang up, and networks that do not answer: a named category, in time, in bounded memory."""

from __future__ import annotations

import errno
import os
import pathlib
import socket
import ssl
import threading
import time
import tracemalloc
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network import transport
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import Authority, free_port, script, server_context
from smtp_rig import ENCODINGS, PASSWORD, PLAIN, options

Talk = t.Callable[[socket.socket, threading.Event], None]
LOGIN = {"username": "u", "password": PASSWORD}


def probe(port: int, security: str = "none", **given: t.Any) -> dict[str, t.Any]:
    result = probe_all([options(**dict({"port": port, "security": security, "timeout": 5}, **given))], False)[0]
    assert [form for form in ENCODINGS if form in repr(result)] == []
    return result


def says(*lines: str) -> Talk:
    """Sends the first line, then one more for whatever arrives, then hangs up."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        for number, line in enumerate(lines):
            if number and not sock.recv(4096):
                return
            sock.sendall(line.encode("utf-8") + b"\r\n")
        sock.recv(4096)

    return talk


def drips(text: bytes) -> Talk:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        for number in range(len(text)):
            sock.sendall(text[number : number + 1])
            if stop.wait(1):
                return

    return talk


def floods(block: bytes, first: bytes = b"") -> Talk:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(first)
        for _number in range(40000):
            sock.sendall(block * 100)

    return talk


@pytest.mark.parametrize("diagnose", [False, True])
def test_a_greeting_of_one_byte_a_second_does_not_stretch_the_deadline(diagnose: bool) -> None:
    with script(drips(b"220 a very slow server greets you\r\n")) as server:
        result = probe(server.port, timeout=2, diagnose=diagnose)
        assert result["category"] == "greeting_timeout" and server.finished == 0
        assert server.connections == (2 if diagnose else 1)


def test_an_answer_of_one_byte_a_second_does_not_stretch_the_deadline() -> None:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"220 hi\r\n")
        sock.recv(4096)
        drips(b"250 a very slow server greets you\r\n")(sock, stop)

    with script(talk) as server:
        result = probe(server.port, timeout=2)
        assert (result["category"], result["stage"], server.finished) == ("deadline_exceeded", "ehlo", 0)
        assert "2 s" in result["diagnosis"]


SLOW_STEPS = [
    ("greeting", drips(b"220 a very slow server greets you\r\n"), "none", "greeting_timeout"),
    ("ehlo", None, "none", "deadline_exceeded"),
    ("tls", lambda sock, stop: stop.wait(20) and None, "tls", "deadline_exceeded"),
]


@pytest.mark.parametrize("stage, talk, security, category", SLOW_STEPS, ids=[row[0] for row in SLOW_STEPS])
def test_a_step_may_have_a_time_of_its_own_that_no_drip_stretches(
    stage: str, talk: Talk | None, security: str, category: str
) -> None:
    def slow(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"220 hi\r\n")
        sock.recv(4096)
        drips(b"250 a very slow server answers you\r\n")(sock, stop)

    with script(talk or slow) as server:
        started = time.monotonic()
        result = probe(server.port, security, timeout=20, step_timeout=1.3, validate_certs=False, diagnose=False)
        assert time.monotonic() - started < 1.8 and server.finished == 0
        assert (result["category"], result["stage"]) == (category, stage)
        assert category != "deadline_exceeded" or "did not finish within 1.3 s" in result["diagnosis"]


def test_a_step_that_is_quick_enough_leaves_the_next_its_whole_time() -> None:
    def steady(sock: socket.socket, stop: threading.Event) -> None:
        for said in (b"220 hi\r\n", b"250 hi\r\n", b"221 bye\r\n"):
            stop.wait(0.5)
            sock.sendall(said)
            sock.recv(4096)

    with script(steady) as server:
        assert probe(server.port, step_timeout=0.9)["ok"]


def test_a_handshake_that_never_answers_ends_at_the_deadline() -> None:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        stop.wait(20)

    with script(talk) as server:
        result = probe(server.port, "tls", timeout=1, validate_certs=False)
        assert (result["category"], result["stage"], server.finished) == ("deadline_exceeded", "tls", 0)


@pytest.mark.parametrize("many", [1, 3])
def test_a_resolver_that_does_not_know_this_host_does_not_stretch_the_deadline(
    monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """The name to greet with is looked up once for all, within their time, and the address does in its place."""
    released, asked = threading.Event(), []

    def find() -> str:
        asked.append(1)
        released.wait(20)
        return "late.example.com"

    monkeypatch.setattr(socket, "getfqdn", find)
    monkeypatch.setattr(socket, "gethostname", lambda: "short")
    with script(drips(b"220 a very slow server greets you\r\n")) as slow, script(says("220 hi", "250 hi")) as quick:
        asking = [
            options(port=port, security="none", helo=None, timeout=1, diagnose=False)
            for port in (slow.port, quick.port, quick.port)
        ]
        results = probe_all(asking[:many], False)
    released.set()
    assert [result["category"] for result in results] == ["greeting_timeout", "ok", "ok"][:many] and asked == [1]
    assert results[0]["timings_ms"]["total"] < 1200
    assert all("C: EHLO [127.0.0.1]" in result["transcript"] for result in results[1:])


def test_this_hosts_full_name_is_what_it_greets_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for full, short, said in (
        ("web1.example.com", "web1", "web1.example.com"),
        ("web1", "a.example.com", "a.example.com"),
        ("localhost.localdomain", "h", ""),
    ):
        monkeypatch.setattr(socket, "getfqdn", lambda full=full: full)
        monkeypatch.setattr(socket, "gethostname", lambda short=short: short)
        assert transport.OwnName().within(5) == said


FLOODS = {
    "without_a_line_end": (b"220 " + b"x" * 100, b"", "not_smtp"),
    "of_one_reply_without_end": (b"220-again\r\n", b"", "not_smtp"),
    "in_the_ehlo_reply": (b"250-AGAIN\r\n", b"220 hi\r\n", "protocol_error"),
    "of_replies": (b"250 ok\r\n", b"220 hi\r\n", "protocol_error"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_early_and_in_bounded_memory(name: str) -> None:
    block, first, category = FLOODS[name]
    with script(floods(block, first)) as server:
        tracemalloc.start()
        result = probe(server.port, diagnose=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result["category"] == category and server.finished == 0
        assert peak < 4_000_000 and len(repr(result["transcript"])) < 200_000


SCRIPTS = [
    ("http", ["HTTP/1.1 400 Bad Request"], {}, "not_smtp"),
    ("ssh", ["SSH-2.0-OpenSSH_9.2p1 Debian-2"], {}, "not_smtp"),
    ("tls unasked", ["\x15\x03\x01\x00\x02\x02\x46"], {}, "not_smtp"),
    ("escapes", ["220 \x1b[2Jhi\x07", "250 hi"], {"level": "connect"}, "ok"),
    ("two at once", ["220 hi\r\n250 and more"], {}, "protocol_error"),
    ("hangs up after the greeting", ["220 hi"], {}, "disconnected"),
    ("hangs up at the login", ["220 hi", "250-hi\r\n250 AUTH PLAIN"], LOGIN, "disconnected"),
    ("hangs up at STARTTLS", ["220 hi", "250-hi\r\n250 STARTTLS"], {"security": "starttls"}, "disconnected"),
    (
        "hangs up in the handshake",
        ["220 hi", "250-hi\r\n250 STARTTLS", "220 go"],
        {"security": "starttls"},
        "tls_handshake_closed",
    ),
    (
        "not TLS after STARTTLS",
        ["220 hi", "250-hi\r\n250 STARTTLS", "220 go", "220 not TLS at all"],
        {"security": "starttls"},
        "tls_mode_mismatch",
    ),
    (
        "injects after STARTTLS",
        ["220 hi", "250-hi\r\n250 STARTTLS", "220 go\r\n250-evil\r\n250 AUTH PLAIN"],
        {"security": "starttls"},
        "starttls_injection",
    ),
    ("challenges for ever", ["220 hi", "250-hi\r\n250 AUTH PLAIN"] + ["334 bW9yZQ=="] * 9, LOGIN, "protocol_error"),
    (
        "echoes the password",
        ["220 hi", "250-hi\r\n250 AUTH PLAIN", f"535 {PLAIN} {PASSWORD} {PASSWORD.upper()}"],
        LOGIN,
        "auth_failed",
    ),
]


@pytest.mark.parametrize("lines, given, category", [row[1:] for row in SCRIPTS], ids=[row[0] for row in SCRIPTS])
def test_whatever_a_server_says_has_a_name(lines: list[str], given: dict[str, t.Any], category: str) -> None:
    with script(says(*lines)) as server:
        result = probe(server.port, **given)
        assert result["category"] == category
        assert result["ok"] == (category == "ok") and result["msg"].isprintable() or "\n" in result["msg"]
        assert not any(ord(character) < 32 for line in result["transcript"] for character in line)


def test_only_one_connection_ever_carries_the_login() -> None:
    seen: list[bytes] = []

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"220 hi\r\n")
        seen.append(sock.recv(4096))
        sock.sendall(b"250-hi\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n")
        seen.append(sock.recv(4096))
        sock.sendall(b"535 5.7.8 no\r\n")
        seen.append(sock.recv(4096))

    with script(talk) as server:
        assert probe(server.port, auth_mechanisms=["plain"], **LOGIN)["category"] == "auth_failed"
        assert [line.split()[0] for line in seen] == [b"EHLO", b"AUTH", b"QUIT"] and server.connections == 1


def tls_server(pem: pathlib.Path, change: t.Callable[[ssl.SSLContext], None]) -> Talk:
    context = server_context(pem)
    change(context)

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            secure.sendall(b"220 hi\r\n")
            secure.recv(4096)

    return talk


def only_13(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def only_12(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def odd_cipher(context: ssl.SSLContext) -> None:
    only_12(context)
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")


def wants_certificate(context: ssl.SSLContext) -> None:
    only_13(context)
    context.verify_mode = ssl.CERT_REQUIRED


TLS_FAULTS = [
    ("tls_version", only_12, {"tls_min_version": "1.3"}),
    ("tls_cipher", odd_cipher, {}),
    ("client_cert_required", wants_certificate, {}),
]


@pytest.mark.parametrize("category, change, given", TLS_FAULTS, ids=[row[0] for row in TLS_FAULTS])
def test_a_handshake_that_fails_is_named(
    tmp_path: pathlib.Path, category: str, change: t.Any, given: dict[str, t.Any]
) -> None:
    authority = Authority(tmp_path)
    with script(tls_server(authority.issue("fault"), change)) as server:
        assert probe(server.port, "tls", ca_path=str(authority.path), **given)["category"] == category


def old_tls(context: ssl.SSLContext) -> None:
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_tls_version_is_refused_unless_it_is_asked_for(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    with script(tls_server(authority.issue("old"), old_tls)) as server:
        assert probe(server.port, "tls", ca_path=str(authority.path))["category"] == "tls_version"
        result = probe(server.port, "tls", ca_path=str(authority.path), tls_min_version="1.0")
        assert (result["tls"]["version"], result["stage"]) == ("TLSv1.1", "ehlo")


def test_http_where_tls_was_expected_is_not_smtp() -> None:
    with script(says("HTTP/1.1 400 Bad Request")) as server:
        result = probe(server.port, "tls", validate_certs=False)
        assert result["category"] == "not_smtp" and "HTTP/1.1" in result["confirmed_by"]


def test_a_plain_server_without_starttls_where_tls_was_expected_is_told() -> None:
    with script(says("220 hi", "250 hi")) as server:
        result = probe(server.port, "tls", validate_certs=False)
        assert result["category"] == "tls_mode_mismatch" and "does not offer STARTTLS" in result["confirmed_by"]
        assert result["confidence"] == "certain"
        assert probe(server.port, "tls", validate_certs=False, diagnose=False)["confidence"] == "likely"


def test_a_port_where_nobody_listens_refuses() -> None:
    result = probe(free_port())
    assert (result["category"], result["stage"], result["addresses"][0]["ok"]) == ("connect_refused", "connect", False)


def test_a_name_that_does_not_exist_cannot_be_looked_up() -> None:
    for host in ("no.such.host.invalid", "a" * 70 + ".example", "two..dots.example"):
        result = probe(25, host=host)
        assert (result["category"], result["stage"]) == ("dns_failure", "resolve")


def test_a_full_queue_is_a_connect_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _number in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        time.sleep(0.05)
        assert probe(listener.getsockname()[1], timeout=1)["category"] == "connect_timeout"
        for sock in waiting:
            sock.close()


def test_every_address_is_tried_and_reported() -> None:
    with script(says("220 hi", "250 hi")) as server:
        result = probe(server.port, host="localhost")
        assert result["ok"] and result["addresses"][-1]["ip"] == "127.0.0.1"


def test_an_address_that_no_route_leads_to_is_told() -> None:
    assert probe(25, host="224.0.0.1", timeout=2)["category"] == "network_unreachable"


@pytest.mark.parametrize(
    "number, category",
    [(errno.EACCES, "port_blocked"), (errno.EPERM, "port_blocked"), (errno.EHOSTUNREACH, "network_unreachable")],
)
def test_what_the_system_forbids_has_its_own_name(number: int, category: str) -> None:
    assert transport._explain(OSError(number, os.strerror(number)), connecting=True).category == category
