# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP servers that drip, flood, lie and hang up at the token endpoint: a named category, in time, in bounded memory."""

from __future__ import annotations

import pathlib
import socket
import threading
import time
import tracemalloc
import typing as t

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, AuthResult
from aiosmtpd.smtp import SMTP as SmtpServer
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.relay_options import read
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web.http import parse_url
from servers import Authority, free_port, script, server_context
from smtp_rig import PASSWORD, options
from test_oauth2 import KEY, shows_no_secret
from test_signing import pem
from web import CLIENT_SECRET, OUTLOOK_TOKEN, Page, granted, web

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = granted("an-opaque-token")


def fetch(port: int, timeout: float = 5, **relay: t.Any) -> dict[str, t.Any]:
    oauth2 = {"client_id": "c", "client_secret": CLIENT_SECRET, "token_url": "http://127.0.0.1:%d/token" % port}
    asked = {
        "port": free_port(),
        "security": "none",
        "username": "u",
        "timeout": timeout,
        "diagnose": False,
        "oauth2": oauth2,
    }
    result = probe_all([options(**dict(asked, **relay))], False)[0]
    shows_no_secret(result)
    return result


def answering(*parts: bytes) -> t.Callable[[socket.socket, threading.Event], None]:
    """Reads one request, then sends the parts with a breath between, then hangs up."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        given = b""
        while b"client_id=c" not in given:
            given += sock.recv(4096)
        for part in parts:
            sock.sendall(part)
            time.sleep(0.01)

    return talk


WELL = {
    "with a length": [OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY + b"more that nobody asked for"],
    "until it hangs up": [OK + b"\r\n" + BODY[:9], BODY[9:]],
    "in chunks": [OK + b"Transfer-Encoding: chunked\r\n\r\n%x;ext=1\r\n" % 7 + BODY[:7] + b"\r\n", b"%X\r\n" % len(BODY[7:]) + BODY[7:], b"\r\n0\r\n\r\n"],
    "byte by byte": [bytes([byte]) for byte in b"HTTP/1.0 200 OK\r\n\r\n"] + [BODY],
    "after a 100": [b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\n" + BODY],
    "without words": [b"HTTP/1.1 200\r\n\r\n" + BODY],
}  # fmt: skip
ILL = {
    "HTTP/0.9": ([b"<html>welcome</html>"], "protocol_error", "something that is not HTTP"),
    "SMTP": ([b"220 mail.example.com ESMTP\r\n"], "protocol_error", "something that is not HTTP"),
    "TLS": ([b"\x15\x03\x01\x00\x02\x02\x46"], "protocol_error", "something that is not HTTP"),
    "nothing": ([], "disconnected", "before it had answered"),
    "half a head": ([OK], "disconnected", "before it had answered"),
    "half a body": ([OK + b"Content-Length: 999\r\n\r\n" + BODY], "disconnected", "in the middle"),
    "half a chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + BODY], "disconnected", "in the middle"),
    "no status": ([b"HTTP/1.1 OK\r\n\r\n"], "protocol_error", "headers are not HTTP"),
    "a header without a name": ([OK + b": x\r\n\r\n"], "protocol_error", "headers are not HTTP"),
    "an odd length": ([OK + b"Content-Length: -1\r\n\r\n"], "protocol_error", "not a number"),
    "a length of many digits": ([OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"], "protocol_error", "not a number"),
    "an odd chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"], "protocol_error", "chunk"),
    "a huge chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"], "protocol_error", "more than 1048576 bytes"),
    "a chunk size without an end": ([OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 200], "protocol_error", "chunk"),
    "an odd encoding": ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n"], "protocol_error", "transfer encoding"),
    "headers without end": ([b"HTTP/1.1 200 OK\r\n"] + [b"X: %s\r\n" % (b"y" * 4000)] * 12, "protocol_error", "longer than 32768 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("how", sorted(WELL))
def test_an_answer_is_read_however_it_is_delimited(how: str) -> None:
    with script(answering(*WELL[how])) as server:
        result = fetch(server.port)
    assert (result["category"], result["stage"]) == ("connect_refused", "connect"), result["msg"]


@pytest.mark.parametrize("how", sorted(ILL))
def test_what_is_not_http_has_a_name(how: str) -> None:
    parts, category, words = ILL[how]
    with script(answering(*parts)) as server:
        result = fetch(server.port)
        assert server.connections == 1
    assert (result["category"], result["stage"]) == (category, "token") and words in result["diagnosis"]


@pytest.mark.parametrize(
    "begin", [b"", OK + b"X: ", OK + b"Content-Length: 500000\r\n\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_a_drip_does_not_stretch_the_deadline(begin: bytes) -> None:
    def drip(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(begin)
        data = b"HTTP/1.1 200 OK" + b"0" * 500
        while not stop.wait(0.2):
            sock.sendall(data[:1] if begin else data[:1])
            data = data[1:]

    with script(drip) as server:
        started = time.monotonic()
        result = fetch(server.port, timeout=1.5)
        assert time.monotonic() - started < 1.8
    assert (result["category"], result["stage"]) == ("deadline_exceeded", "token")
    assert result["diagnosis"].startswith("127.0.0.1:%d did not finish within 1.5 s" % server.port)


@pytest.mark.parametrize("begin", [OK + b"\r\n", OK + b"Content-Length: 999999999\r\n\r\n", OK])
def test_a_flood_is_cut_off_in_bounded_memory(begin: bytes) -> None:
    def flood(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(begin)
        while not stop.is_set():
            sock.sendall(b"X" * 65536)

    with script(flood) as server:
        tracemalloc.start()
        try:
            result = fetch(server.port)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (result["category"], result["stage"]) == ("protocol_error", "token") and peak < 8_000_000


URLS = [
    ("ftp://login.example.com/token", "is not a URL such as"), ("https:///token", "is not a URL such as"), ("login.example.com", "is not a URL such as"),
    ("https://login.example.com/a b", "is not a URL such as"), ("https://login.example.com/\r\nX: 1", "is not a URL such as"),
    ("https://login.example.com:0/", "is not a URL such as"), ("https://login.example.com:99999/", "is not a URL"), ("https://[::1", "is not a URL"),
    ("https://u:p@login.example.com/", "has a user"), ("https://login.example.com/#x", "has a user, a password or a #"),
    ("http://login.example.com/token", "is not https"), ("http://192.0.2.1/", "is not https"), ("https://lögin.example.com/", "is not a URL such as"),
]  # fmt: skip


@pytest.mark.parametrize("text, why", URLS)
def test_a_url_that_cannot_be_used_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_url(text)


def test_urls_that_can_be_used_are_taken_apart() -> None:
    assert parse_url("https://login.example.com") == ("https", "login.example.com", 443, "/")
    url = parse_url("https://[2001:db8::1]:8443/a/token?x=1")
    assert (url, url.authority, str(url)) == (
        ("https", "2001:db8::1", 8443, "/a/token?x=1"),
        "[2001:db8::1]:8443",
        "https://[2001:db8::1]:8443/a/token?x=1",
    )
    assert [parse_url(text).port for text in ("http://localhost/", "http://127.0.0.9/", "http://[::1]:81/")] == [
        80,
        80,
        81,
    ]


CLIENT = {"client_id": "c", "client_secret": CLIENT_SECRET, "token_url": "https://login.example.com/token"}
KEYED = {"client_id": "c", "jwt_key": pem(KEY)}
WRONG: list[tuple[str, dict[str, t.Any], dict[str, t.Any]]] = [
    ("oauth2-password", CLIENT, {"password": PASSWORD}),
    ("missing-key", CLIENT, {"username": None}),
    ("missing-key", {"client_id": "c", "client_secret": CLIENT_SECRET}, {}),
    ("oauth2-url", dict(CLIENT, token_url="http://login.example.com/"), {}),
    ("oauth2-tenant", dict(CLIENT, tenant_id="../common"), {}),
    ("missing-key", {"client_secret": CLIENT_SECRET, "tenant_id": "t"}, {}),
    ("missing-key", {"client_id": "c", "tenant_id": "t"}, {}),
    ("missing-key", dict(CLIENT, grant="refresh_token"), {}),
    ("missing-key", dict(CLIENT, grant="jwt_bearer"), {}),
    ("token-grant", dict(CLIENT, grant="password"), {}),
    (
        "oauth2-key",
        {
            "client_id": "c",
            "tenant_id": "t",
            "jwt_key": "-----BEGIN PRIVATE KEY-----\n" + CLIENT_SECRET,
            "jwt_thumbprint": "ab" * 20,
        },
        {},
    ),
    ("missing-key", dict(KEYED, tenant_id="t"), {}),
    ("oauth2-thumbprint", dict(KEYED, tenant_id="t", jwt_thumbprint="ab" * 19), {}),
    ("control-character", dict(CLIENT, client_secret=CLIENT_SECRET + "\n"), {}),
    ("control-character", {"token": "a token with blanks"}, {}),
    ("missing-key", {}, {"type": "ms_graph", "host": None}),
    ("not-for-type", dict(CLIENT), {"type": "ms_graph"}),
    ("graph-url", dict(CLIENT), {"type": "ms_graph", "host": None, "graph_url": "http://graph.example.com"}),
]


@pytest.mark.parametrize("code, oauth2, relay", WRONG)
def test_oauth2_that_cannot_work_is_told_without_its_secret(
    code: str, oauth2: dict[str, t.Any], relay: dict[str, t.Any]
) -> None:
    found, problems = read(options(**dict({"username": "u", "oauth2": oauth2}, **relay)))
    assert found is None and code in [problem.code for problem in problems], problems
    assert CLIENT_SECRET not in repr(problems) and PASSWORD not in repr(problems)


def test_short_forms_are_written_out() -> None:
    def made(host: str, **oauth2: t.Any) -> t.Any:
        relay, problems = read(options(host=host, username="u", oauth2=dict({"client_id": "c"}, **oauth2)))
        assert relay is not None and relay.oauth2 is not None, problems
        assert CLIENT_SECRET not in repr(relay)
        return relay.oauth2.grant, str(relay.oauth2.url), relay.oauth2.scope

    entra = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    outlook = "https://outlook.office365.com/.default"
    google = "https://oauth2.googleapis.com/token"
    assert made("smtp.office365.com", tenant_id="t", client_secret=CLIENT_SECRET) == (
        "client_credentials",
        entra,
        outlook,
    )
    assert made("smtp.office365.com", tenant_id="t", jwt_key=pem(KEY), jwt_thumbprint="ab" * 20) == (
        "client_credentials",
        entra,
        outlook,
    )
    assert made("smtp.gmail.com", jwt_key=pem(KEY)) == ("jwt_bearer", google, "https://mail.google.com/")
    assert made("smtp.gmail.com", refresh_token="r", client_secret=CLIENT_SECRET) == ("refresh_token", google, "")
    assert made("smtp.gmail.com", token="a-token") == ("given", "None", "https://mail.google.com/")


class TokenLogin:
    """An XOAUTH2 of aiosmtpd's own kind: what the client said is compared with what the endpoint gave."""

    def __init__(self) -> None:
        self.tried: list[bytes] = []

    async def auth_XOAUTH2(self, server: t.Any, args: list[str]) -> AuthResult:
        import base64

        said = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        self.tried.append(said)
        if said == b"user=noreply@example.com\x01auth=Bearer " + OUTLOOK_TOKEN.encode() + b"\x01\x01":
            return AuthResult(success=True)
        assert said is not MISSING
        await server.challenge_auth('{"status":"401","schemes":"Bearer","scope":"https://outlook.office.com/"}')
        return AuthResult(success=False, handled=False)


def test_a_fetched_token_logs_in_by_xoauth2_once(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    certificate, handler = authority.issue("mail"), TokenLogin()

    class Relay(Controller):
        def factory(self) -> SmtpServer:
            return SmtpServer(
                handler,
                hostname="relay.example",
                tls_context=server_context(certificate),
                require_starttls=True,
                auth_exclude_mechanism=["PLAIN", "LOGIN"],
            )

    controller = Relay(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with web(certificate) as endpoint:
            oauth2 = {
                "tenant_id": "t",
                "client_id": "c",
                "client_secret": CLIENT_SECRET,
                "token_url": endpoint.origin + "/token",
                "ca_path": str(authority.path),
            }
            asked = {
                "port": controller.port,
                "security": "starttls",
                "ca_path": str(authority.path),
                "from_": "noreply@example.com",
                "oauth2": oauth2,
            }
            endpoint.pages["POST /token"] = Page(200, granted(OUTLOOK_TOKEN))
            result = probe_all([options(**asked)], False)[0]
            assert (result["ok"], result["level_reached"], result["auth"]["used"], len(handler.tried)) == (
                True,
                "envelope",
                "XOAUTH2",
                1,
            ), result["msg"]
            shows_no_secret(result)
            other = granted(OUTLOOK_TOKEN[:-4] + "AAAA")
            endpoint.pages["POST /token"] = Page(200, other)
            result = probe_all([options(**asked)], False)[0]
            assert (result["ok"], result["stage"], len(handler.tried)) == (False, "auth", 2)
            assert result["category"] in ("auth_failed", "token_wrong_scope")
            shows_no_secret(result, OUTLOOK_TOKEN[:-4] + "AAAA")
    finally:
        controller.stop()


def test_passwords_at_microsoft_365_are_warned_of_and_nothing_else_is() -> None:
    from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis import sunset

    for host in ("smtp.office365.com", "SMTP-Mail.Outlook.com.", "outlook.office365.com"):
        (text,) = sunset.notices(host, True)
        assert "December 2026" in text and "oauth2" in text and sunset.notices(host, False) == []
    assert sunset.notices("smtp.example.com", True) == sunset.notices("notoutlook.com", True) == []
