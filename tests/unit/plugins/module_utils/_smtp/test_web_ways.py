# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens and Graph by way of proxies, ours and real ones; and what is looked at, without a secret, where they fail."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import threading
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from leave_out import need_program
from servers import Authority, free_port, script, server_context
from smtp_rig import options
from test_hostile import old_tls, says, tls_server
from test_oauth2 import shows_no_secret
from test_route import http, socks5, wait_for
from test_tls import relay
from web import CLIENT_SECRET, GRAPH_TOKEN, Page, Web, granted, graph_error, refused, web

TOKEN = "ya29.an-opaque-token-of-the-test"
SENDER = "noreply@example.com"
USER = "/v1.0/users/" + SENDER


class World(t.NamedTuple):
    """A CA, and one HTTPS server that is token endpoint and Graph at once."""

    authority: Authority
    chain: pathlib.Path
    server: Web


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    authority = Authority(tmp_path_factory.mktemp("ways"))
    chain = authority.issue("server")
    with web(chain) as server:
        yield World(authority, chain, server)


@pytest.fixture(autouse=True)
def well(world: World) -> None:
    world.server.asked.clear()
    world.server.pages.update({
        "POST /token": Page(200, granted(TOKEN)), "POST /graph-token": Page(200, granted(GRAPH_TOKEN)),
        "GET " + USER: Page(200, b'{"mail": "noreply@example.com"}'), f"POST {USER}/sendMail": Page(202, b""),
    })  # fmt: skip


def probe(world: World, oauth2: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    graph = given.get("type") == "ms_graph"
    token = {
        "client_id": "c", "client_secret": CLIENT_SECRET, "ca_path": str(world.authority.path),
        "token_url": world.server.origin + ("/graph-token" if graph else "/token"), **(oauth2 or {}),
    }  # fmt: skip
    usual: dict[str, t.Any] = {"from_": SENDER, "oauth2": token, "ca_path": str(world.authority.path), "timeout": 5}
    usual.update({"host": None, "graph_url": world.server.origin} if graph else {"security": "tls", "level": "auth"})
    result = probe_all([options(**{**usual, **given})], False)[0]
    shows_no_secret(result, TOKEN, GRAPH_TOKEN)
    return result


def takes_the_token(world: World) -> t.Callable[[socket.socket, threading.Event], None]:
    """A relay with TLS from the first byte and XOAUTH2."""
    context = server_context(world.chain)

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            for said in (b"220 hi", b"250-hi\r\n250 AUTH XOAUTH2", b"235 2.7.0 welcome", b"221 bye"):
                secure.sendall(said + b"\r\n")
                if not secure.recv(4096):
                    return

    return talk


PROXIES = [("socks5", socks5), ("http", http)]


@pytest.mark.parametrize("kind, talk", PROXIES, ids=[row[0] for row in PROXIES])
def test_the_token_the_relay_and_graph_are_all_reached_through_the_proxy(
    world: World, tmp_path: pathlib.Path, kind: str, talk: t.Any
) -> None:
    asked: list[bytes] = []
    with script(talk(asked)) as proxy, script(takes_the_token(world)) as server:
        by: dict[str, t.Any] = {"proxy": "%s://127.0.0.1:%d" % (kind, proxy.port)}
        result = probe(world, port=server.port, **by)
        assert (result["ok"], result["auth"]["used"]) == (True, "XOAUTH2"), result["msg"]
        assert proxy.connections == 2 and len(world.server.asked) == 1
        steps = [line for line in result["transcript"] if "proxy, connect to" in line]
        assert steps == [
            "*: %s proxy, connect to 127.0.0.1 port %d" % (kind, port) for port in (world.server.port, server.port)
        ]
        sent = probe(world, type="ms_graph", to=["ops@example.com"], send="always", state_dir=str(tmp_path), **by)
        assert (sent["ok"], sent["level_reached"], proxy.connections) == (True, "message", 5), sent["msg"]


@pytest.mark.parametrize("kind, talk", PROXIES, ids=[row[0] for row in PROXIES])
def test_a_certificate_is_verified_behind_a_proxy_too(world: World, kind: str, talk: t.Any) -> None:
    asked: list[bytes] = []
    with web(world.authority.issue("expired", start=-9, end=-1)) as bad, script(talk(asked)) as proxy:
        result = probe(
            world,
            {"token_url": bad.origin + "/token"},
            port=free_port(),
            proxy="%s://127.0.0.1:%d" % (kind, proxy.port),
        )
        assert (result["category"], result["stage"], bad.asked) == ("cert_expired", "token", [])
        assert "is of CN=expired, for 127.0.0.1, by CN=Test CA" in result["confirmed_by"] and proxy.connections == 2


REFUSING = [
    ("socks5", lambda asked: socks5(asked, status=2), "port_blocked"),
    ("socks5", lambda asked: socks5(asked, status=5), "connect_refused"),
    ("http", lambda asked: http(asked, b"HTTP/1.1 403 Forbidden\r\n\r\n"), "port_blocked"),
    ("http", lambda asked: says("220 not a proxy\r\n"), "protocol_error"),
]


@pytest.mark.parametrize("kind, talk, category", REFUSING, ids=range(len(REFUSING)))
def test_a_proxy_that_does_not_let_the_token_be_fetched_is_named(
    world: World, kind: str, talk: t.Any, category: str
) -> None:
    with script(talk([])) as proxy:
        for given in ({"port": free_port(), "diagnose": False}, {"type": "ms_graph", "diagnose": False}):
            result = probe(world, proxy="%s://127.0.0.1:%d" % (kind, proxy.port), **given)
            assert (result["category"], result["stage"], world.server.asked) == (category, "token", [])
            assert result["diagnosis"].startswith(
                "127.0.0.1:%d was not reached through the proxy: " % world.server.port
            )
            assert result["remedies"][0] == "Correct proxy: its address, its kind, its login."


@contextlib.contextmanager
def microsocks(folder: pathlib.Path) -> t.Iterator[str]:
    port = free_port()
    with subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "u", "-P", "pr0xy-word"]) as program:
        yield from running(program, port, "socks5")


@contextlib.contextmanager
def tinyproxy(folder: pathlib.Path) -> t.Iterator[str]:
    port = free_port()
    (folder / "tinyproxy.conf").write_text("Port %d\nListen 127.0.0.1\nBasicAuth u pr0xy-word\nTimeout 5\n" % port)
    with subprocess.Popen(
        ["tinyproxy", "-d", "-c", str(folder / "tinyproxy.conf")], stdout=subprocess.DEVNULL
    ) as program:
        yield from running(program, port, "http")


def running(program: "subprocess.Popen[bytes]", port: int, kind: str) -> t.Iterator[str]:
    try:
        wait_for(port)
        yield "%s://u:%%s@127.0.0.1:%d" % (kind, port)
    finally:
        program.terminate()


@pytest.mark.parametrize("real", [microsocks, tinyproxy])
def test_real_proxies_with_a_login_are_gone_through(world: World, tmp_path: pathlib.Path, real: t.Any) -> None:
    need_program(real.__name__, real.__name__)
    with real(tmp_path) as url, script(takes_the_token(world)) as server:
        result = probe(world, port=server.port, proxy=url % "pr0xy-word")
        assert (result["ok"], result["auth"]["used"]) == (True, "XOAUTH2"), result["msg"]
        assert probe(world, type="ms_graph", proxy=url % "pr0xy-word")["ok"]
        asked = len(world.server.asked)
        wrong = probe(world, port=server.port, proxy=url % "another-word", diagnose=False)
        assert (wrong["ok"], wrong["stage"], len(world.server.asked)) == (False, "token", asked)
        assert "was not reached through the proxy" in wrong["diagnosis"]
        assert "another-word" not in repr(wrong) and "pr0xy-word" not in repr(result)


# -- what is looked at where they fail ----------------------------------------------------------------


def test_a_refused_client_has_the_relay_looked_at_without_the_login(world: World) -> None:
    world.server.pages["POST /token"] = Page(
        401, refused("invalid_client", "AADSTS7000215: Invalid client secret provided.")
    )
    with script(relay(world.chain, starttls=True)) as server:
        result = probe(world, port=server.port, security="starttls")
        assert (result["category"], result["stage"]) == ("token_error", "token")
        assert result["confirmed_by"] == (
            "127.0.0.1:%d itself answers as declared, as far as can be seen without logging in: it is the token that is missing"
            % server.port
        )
        assert result["tls"]["verified"] and (server.connections, len(world.server.asked)) == (1, 1)
        assert (
            probe(world, port=server.port, security="starttls", diagnose=False)["confirmed_by"] == ""
            and server.connections == 1
        )
    port = free_port()
    result = probe(world, port=port)
    assert (
        result["confirmed_by"] == "127.0.0.1:%d does not answer as declared either, at connect: connect_refused" % port
    )


def test_an_endpoint_that_is_not_there_has_the_relay_or_graph_looked_at(world: World) -> None:
    nobody = {"token_url": "https://127.0.0.1:%d/token" % free_port()}
    with script(relay(world.chain)) as server:
        result = probe(world, nobody, port=server.port)
        assert (result["category"], result["stage"]) == (
            "connect_refused",
            "token",
        ) and "itself answers as declared" in result["confirmed_by"]
    result = probe(world, nobody, type="ms_graph")
    assert (
        "127.0.0.1:%d itself answers as declared" % world.server.port in result["confirmed_by"]
        and world.server.asked == []
    )
    result = probe(world, nobody, type="ms_graph", ca_path=None)
    assert "does not answer as declared either, at tls: cert_" in result["confirmed_by"]


CERTIFICATES = [
    ("expired", {"start": -9, "end": -1}),
    ("other name", {"name": "login.example.com"}),
    ("own", {"own": True}),
]


@pytest.mark.parametrize("label, how", CERTIFICATES, ids=[row[0] for row in CERTIFICATES])
def test_a_certificate_that_was_refused_is_shown_as_it_is(world: World, label: str, how: dict[str, t.Any]) -> None:
    with web(world.authority.issue(label, **how)) as bad:
        token = probe(world, {"token_url": bad.origin + "/token"}, port=free_port())
        graph = probe(world, type="ms_graph", graph_url=bad.origin)
        for result, stage in ((token, "token"), (graph, "tls")):
            assert (result["stage"], result["category"][:5], bad.asked) == (stage, "cert_", [])
            assert "is of CN={}, for {}, by".format(label, how.get("name", "127.0.0.1")) in result["confirmed_by"]
            assert result["tls"]["subject"] == "CN=" + label and not result["tls"]["verified"]


def test_http_where_https_was_declared_is_told(world: World) -> None:
    with web(None) as plain:
        url = plain.origin.replace("http:", "https:")
        token, graph = (
            probe(world, {"token_url": url + "/token?secret=1"}, port=free_port()),
            probe(world, type="ms_graph", graph_url=url),
        )
        for result, stage in ((token, "token"), (graph, "tls")):
            assert (result["stage"], result["category"]) == (stage, "tls_mode_mismatch")
            assert (
                result["confirmed_by"]
                == "a second connection without TLS, and without any secret, was answered with HTTP 404"
            )
        assert "than security: https" in token["diagnosis"]
        assert [(one.method, one.path, one.body, "authorization" in one.headers) for one in plain.asked] == [
            ("GET", "/", b"", False)
        ] * 2


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_version_that_is_too_old_is_told(world: World) -> None:
    with script(tls_server(world.chain, old_tls)) as server:
        result = probe(world, {"token_url": "https://127.0.0.1:%d/token" % server.port}, port=free_port())
    assert (result["category"], result["stage"]) == ("tls_version", "token") and "it agreed to TLSv1.1" in result[
        "confirmed_by"
    ]


def silent(sock: socket.socket, stop: threading.Event) -> None:
    stop.wait(20)


@pytest.mark.parametrize(
    "talk", [silent, says("220 smtp here"), says("HTTP/1.1 400 no")], ids=["silent", "SMTP", "HTTP"]
)
def test_looking_again_stays_within_the_deadline(world: World, talk: t.Any) -> None:
    with script(talk) as server:
        started = time.monotonic()
        result = probe(world, {"token_url": "https://127.0.0.1:%d/token" % server.port}, port=server.port, timeout=1.5)
        assert time.monotonic() - started < 1.8 and result["stage"] == "token"
        assert result["confirmed_by"] == "" or talk is not silent


def test_what_graph_refuses_is_not_asked_again(world: World) -> None:
    for status, code in ((401, "InvalidAuthenticationToken"), (404, "Request_ResourceNotFound")):
        world.server.asked.clear()
        world.server.pages["GET " + USER] = Page(status, graph_error(code, "no"))
        result = probe(world, type="ms_graph")
        assert (result["ok"], result["confirmed_by"], [one.method for one in world.server.asked]) == (
            False,
            "",
            ["POST", "GET"],
        )
