# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a relay: proxies, unix sockets, LMTP, one address or all of them, and what is found where it is barred."""

from __future__ import annotations

import contextlib
import pathlib
import re
import select
import socket
import subprocess
import tempfile
import threading
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.followup import second_connection
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network.proxy_protocol import header
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network.route import read_route
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from certificates import chain_file, issue
from leave_out import need_program
from servers import free_port, script
from smtp_rig import ENCODINGS, PASSWORD, options
from test_tls import relay

Talk = t.Callable[[socket.socket, threading.Event], None]
URL_PASSWORD = "p%40ss%20w%22o%27r%5Cd%20%24HOME%20%23%3B%25s%60%7B%7Bx%7D%7D%20%C3%BC"


def probe(**given: t.Any) -> dict[str, t.Any]:
    result = probe_all([options(**dict({"security": "none", "timeout": 5}, **given))], False)[0]
    assert [form for form in (*ENCODINGS, URL_PASSWORD) if form in repr(result)] == []
    return result


def smtp(lines: t.Mapping[str, str], seen: list[str] | None = None) -> Talk:
    """A server that greets and then answers each verb as ``lines`` says, ``250 ok`` to any other, and a message at its end."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"220 hi\r\n")
        rest, message = b"", False
        while True:
            more = sock.recv(4096)
            if not more:
                return
            rest += more
            while b"\n" in rest:
                line, _end, rest = rest.partition(b"\n")
                text = line.decode("utf-8").strip()
                if seen is not None:
                    seen.append(text)
                if message and text != ".":
                    continue
                message = text == "DATA"
                sock.sendall(lines.get(text.split(" ")[0].upper(), "250 ok").encode("utf-8") + b"\r\n")

    return talk


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(4096)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def joined(sock: socket.socket, port: int, said: bytes) -> None:
    """Connect to the server, and say ``said`` in one breath with its greeting, if it has one: not a byte of that may be lost."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as other:
        greets = select.select([other], [], [], 0.2)[0]
        sock.sendall(said + (other.recv(4096) if greets else b""))
        threading.Thread(target=pump, args=(other, sock), daemon=True).start()
        pump(sock, other)


def socks5(
    asked: list[bytes], status: int = 0, login: bytes = b"", answer: bytes = b"\x00\x01\x7f\x00\x00\x01\x00\x00"
) -> Talk:
    """RFC 1928, byte by byte; wants ``login`` (RFC 1929) where there is one."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        version, count = sock.recv(2) or (5, 0)
        methods = sock.recv(count)
        if version != 5 or not methods:
            return
        wanted = 2 if login else 0
        sock.sendall(bytes((5, wanted if wanted in methods else 255)))
        if login:
            given = sock.recv(600) or b"\x01\x00"
            name, rest = given[2 : 2 + given[1]], given[2 + given[1] :]
            good = name + b":" + rest[1:] == login
            sock.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return
        request = sock.recv(300)
        if not request:
            return
        asked.append(request)
        if status:
            sock.sendall(bytes((5, status)) + answer)
            return
        joined(sock, int.from_bytes(request[-2:], "big"), b"\x05\x00" + answer)

    return talk


def http(asked: list[bytes], head: bytes = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n") -> Talk:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        request = sock.recv(4096)
        if not request:
            return
        asked.append(request)
        if b" 200 " not in head:
            sock.sendall(head)
            return
        joined(sock, int(request.split(b" ")[1].rpartition(b":")[2]), head)

    return talk


def test_socks5_has_the_proxy_look_the_name_up() -> None:
    asked: list[bytes] = []
    with script(smtp({})) as server, script(socks5(asked)) as proxy:
        result = probe(host="relay.invalid", port=server.port, proxy="socks5://127.0.0.1:%d" % proxy.port)
        assert (result["category"], [step["name"] for step in result["steps"]][:3]) == (
            "ok",
            ["resolve", "connect", "proxy"],
        )
        assert asked == [b"\x05\x01\x00\x03\x0drelay.invalid" + server.port.to_bytes(2, "big")]


@pytest.mark.parametrize(
    "host, said",
    [("192.0.2.1", b"\x01\xc0\x00\x02\x01"), ("2001:db8::1", b"\x04" + bytes.fromhex("20010db8" + "0" * 23 + "1"))],
)
def test_socks5_is_given_an_address_as_an_address(host: str, said: bytes) -> None:
    asked: list[bytes] = []
    with script(smtp({})) as server, script(socks5(asked, answer=b"\x00\x03\x04name\x00\x00")) as proxy:
        assert probe(host=host, port=server.port, proxy="socks5://127.0.0.1:%d" % proxy.port)["ok"]
        assert asked[0][3:-2] == said


def test_a_proxy_is_given_its_login_and_nobody_else_is() -> None:
    asked: list[bytes] = []
    with script(smtp({})) as server:
        with script(socks5(asked, login=b"u:" + PASSWORD.encode())) as proxy:
            place = {"port": server.port, "proxy": "socks5://u:%s@127.0.0.1:%d" % (URL_PASSWORD, proxy.port)}
            assert probe(**place)["ok"]
            for url, why in (("socks5://u:no@127.0.0.1:%d", "login"), ("socks5://127.0.0.1:%d", "wants a login")):
                place["proxy"] = url % proxy.port
                result = probe(**place)
                assert (result["category"], result["stage"]) == ("port_blocked", "proxy") and why in result["diagnosis"]
        with script(http(asked)) as proxy:
            assert probe(
                host="relay.invalid", port=server.port, proxy="http://u:%s@127.0.0.1:%d" % (URL_PASSWORD, proxy.port)
            )["ok"]
            assert asked[-1].startswith(
                b"CONNECT relay.invalid:%d HTTP/1.1\r\nHost: relay.invalid:%d\r\n" % (server.port, server.port)
            )
            assert b"\r\nProxy-Authorization: Basic dTpw" in asked[-1] and asked[-1].endswith(b"\r\n\r\n")


def test_a_proxy_on_this_host_does_not_make_the_relay_local() -> None:
    asked: list[bytes] = []
    with script(smtp({"EHLO": "250-hi\r\n250 AUTH PLAIN"})) as server, script(http(asked)) as proxy:
        result = probe(
            host="relay.invalid",
            port=server.port,
            proxy="http://127.0.0.1:%d" % proxy.port,
            username="u",
            password=PASSWORD,
        )
        assert result["category"] == "auth_requires_tls"


PROXY_FAULTS: list[tuple[str, str, Talk, str]] = [
    ("general failure", "socks5", socks5([], 1), "network_unreachable"),
    ("forbidden", "socks5", socks5([], 2), "port_blocked"),
    ("refused", "socks5", socks5([], 5), "connect_refused"),
    ("unknown error", "socks5", socks5([], 99), "protocol_error"),
    ("an HTTP proxy asked for SOCKS5", "socks5", lambda sock, stop: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "protocol_error"),
    ("hangs up", "socks5", lambda sock, stop: None, "disconnected"),
    ("says nothing", "socks5", lambda sock, stop: None if stop.wait(9) else None, "connect_timeout"),
    ("login wanted", "http", http([], b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "port_blocked"),
    ("bad gateway", "http", http([], b"HTTP/1.0 502 Bad Gateway\r\n\r\n"), "network_unreachable"),
    ("gateway timeout", "http", http([], b"HTTP/1.1 504 Gateway Timeout\n\n"), "connect_timeout"),
    ("teapot \x1b", "http", http([], b"HTTP/1.1 418 \x1b[2Jteapot\r\n\r\n"), "protocol_error"),
    ("not HTTP", "http", lambda sock, stop: sock.sendall(b"220 hi\r\n\r\n"), "protocol_error"),
    ("a head without end", "http", lambda sock, stop: sock.sendall(b"HTTP/1.1 200 ok\r\n" + b"X: y\r\n" * 40000), "protocol_error"),
]  # fmt: skip


@pytest.mark.parametrize(
    "kind, talk, category", [row[1:] for row in PROXY_FAULTS], ids=[row[0] for row in PROXY_FAULTS]
)
def test_what_fails_at_the_proxy_is_told_as_that(kind: str, talk: Talk, category: str) -> None:
    with script(talk) as proxy:
        result = probe(
            host="relay.invalid", port=587, proxy="%s://127.0.0.1:%d" % (kind, proxy.port), timeout=2, diagnose=False
        )
        assert (result["category"], result["stage"]) == (category, "proxy")
        assert "was not reached through the proxy" in result["diagnosis"] and "\x1b" not in repr(result)


def test_a_proxy_where_nobody_listens_is_told() -> None:
    result = probe(host="relay.invalid", port=587, proxy="socks5://127.0.0.1:%d" % free_port())
    assert (result["category"], result["stage"]) == ("connect_refused", "connect")


def test_microsocks_is_gone_through() -> None:
    need_program("microsocks", "microsocks")
    port = free_port()
    with script(smtp({})) as server, subprocess.Popen(
        ["microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "u", "-P", "x"]
    ) as program:
        try:
            wait_for(port)
            url = "socks5://u:%s@127.0.0.1:%d"
            assert probe(host="localhost", port=server.port, proxy=url % ("x", port))["ok"]
            assert probe(host="localhost", port=server.port, proxy=url % ("y", port))["category"] == "port_blocked"
            assert (
                probe(host="127.0.0.1", port=free_port(), proxy=url % ("x", port), diagnose=False)["category"]
                == "connect_refused"
            )
        finally:
            program.terminate()


def test_tinyproxy_is_gone_through(tmp_path: pathlib.Path) -> None:
    need_program("tinyproxy", "tinyproxy")
    port = free_port()
    (tmp_path / "tinyproxy.conf").write_text("Port %d\nListen 127.0.0.1\nBasicAuth u x\nTimeout 5\n" % port)
    command = ["tinyproxy", "-d", "-c", str(tmp_path / "tinyproxy.conf")]
    with script(smtp({})) as server, subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
        try:
            wait_for(port)
            url = "http://u:%s@127.0.0.1:%d"
            assert probe(host="127.0.0.1", port=server.port, proxy=url % ("x", port))["ok"]
            assert probe(host="127.0.0.1", port=server.port, proxy=url % ("y", port))["stage"] == "proxy"
            result = probe(host="127.0.0.1", port=free_port(), proxy=url % ("x", port), diagnose=False)
            assert (result["stage"], result["ok"]) == ("proxy", False)
        finally:
            program.terminate()


def wait_for(port: int) -> None:
    for _try in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("nobody listens")


@pytest.mark.parametrize(
    "url",
    [
        "relay:1080",
        "ftp://proxy",
        "socks5://",
        "http://h:99999",
        "http://h/path",
        "socks5://u:%0d@h",
        "http://a%3ab:x@h",
    ],
)
def test_a_proxy_that_cannot_be_read_is_told_without_its_login(url: str) -> None:
    _route, problems = read_route({"host": "h", "proxy": url})
    assert [problem.where for problem in problems] == ["proxy"] and ("@" not in url or url not in str(problems[0]))


SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_relay_behind_a_load_balancer_is_told_who_connects_before_anything_else(version: str) -> None:
    heard: list[bytes] = []

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        heard.append(sock.recv(200))
        smtp({})(sock, stop)

    with script(talk) as server, script(http([])) as tunnel:
        assert probe(port=server.port, proxy_protocol=version)["ok"]
        said = heard.pop()
        if version == "v1":
            found = re.fullmatch(rb"PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 (\d+) (\d+)\r\n", said)
            assert found and int(found.group(2)) == server.port
        else:
            assert (
                said[:16] == SIGNATURE + b"\x21\x11\x00\x0c"
                and said[16:24] == b"\x7f\x00\x00\x01" * 2
                and said[26:] == server.port.to_bytes(2, "big")
            )
        assert probe(
            host="relay.invalid", port=server.port, proxy_protocol=version, proxy="http://127.0.0.1:%d" % tunnel.port
        )["ok"]
        assert heard.pop() == (b"PROXY UNKNOWN\r\n" if version == "v1" else SIGNATURE + b"\x20\x00\x00\x00")


def test_an_ipv6_address_is_told_as_one() -> None:
    assert (
        header("v1", "2001:db8::1", 50000, "2001:db8::2", 587)[0] == b"PROXY TCP6 2001:db8::1 2001:db8::2 50000 587\r\n"
    )
    data, shown = header("v2", "fe80::1%eth0", 50000, "fe80::2", 587)
    assert data[12:16] == b"\x21\x21\x00\x24" and data[16:] == bytes.fromhex(
        "fe80" + "0" * 27 + "1" + "fe80" + "0" * 27 + "2" + "c350" + "024b"
    )
    assert shown == "from fe80::1 port 50000 to fe80::2 port 587"


def test_lmtp_says_lhlo_and_reports_what_became_of_each_recipient() -> None:
    seen: list[str] = []
    answers = {
        "LHLO": "250-hi\r\n250 PIPELINING",
        "DATA": "354 go",
        ".": "250 2.1.5 kept\r\n452 4.2.2 b is full\r\n250 2.1.5 kept",
        "QUIT": "221 bye",
    }
    with script(smtp(answers, seen)) as server:
        to = ["a@b.example", "b@b.example", "c@b.example"]
        result = probe(port=server.port, protocol="lmtp", from_="me@b.example", to=to, send="always")
        assert seen[0].startswith("LHLO ") and result["stage"] == "message"
        assert [(one["address"], one["ok"], one["code"]) for one in result["recipients"]] == [
            ("a@b.example", True, 250), ("b@b.example", False, 452), ("c@b.example", True, 250),
        ]  # fmt: skip
        assert (result["ok"], result["message"]["sent"], result["changed"]) == (False, True, True)


def test_lmtp_is_not_greeted_with_helo() -> None:
    with script(smtp({"LHLO": "500 what?"})) as server:
        result = probe(port=server.port, protocol="lmtp")
        assert (result["category"], result["stage"]) == ("ehlo_rejected", "ehlo")
        assert not any("HELO" in line for line in result["transcript"] if "LHLO" not in line)


def test_a_unix_socket_is_a_relay_too() -> None:
    # The address of a socket is 107 bytes at most, and tmp_path may be longer.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = folder + "/lmtp"
        with script(smtp({"EHLO": "250-hi\r\n250 AUTH PLAIN", "AUTH": "235 ok"}), path):
            result = probe(host=path, security=None, username="u", password=PASSWORD)
            assert (result["category"], result["addresses"][0]["family"], result["name"]) == ("ok", "unix", path)
        result = probe(host=folder + "/nobody", security=None)
    assert (result["category"], result["stage"]) == ("disconnected", "connect") or result[
        "category"
    ] == "connect_refused"


WRONG = [
    ("source-address-form", {"source_address": "eth0"}),
    ("unix-socket", {"host": "/run/lmtp", "port": 24}),
    ("unix-socket", {"host": "/run/lmtp", "addresses": "ipv4"}),
    ("proxy-addresses", {"proxy": "http://proxy", "addresses": "all"}),
    ("lmtp-port", {"protocol": "lmtp", "port": 25}),
    ("resolve-address", {"host": "192.0.2.1", "resolve": "mx"}),
    ("resolve-login", {"resolve": "srv", "username": "u", "password": PASSWORD}),
    ("dns-server-form", {"dns_servers": ["resolver.example"]}),
]


@pytest.mark.parametrize("code, given", WRONG)
def test_a_way_that_cannot_be_is_told(code: str, given: dict[str, t.Any]) -> None:
    _route, problems = read_route(dict({"host": "relay.example"}, **given))
    assert [problem.code for problem in problems] == [code]


@contextlib.contextmanager
def name_with(monkeypatch: pytest.MonkeyPatch, *ips: str) -> t.Iterator[str]:
    """A name that the system's resolver knows by these addresses."""
    real = socket.getaddrinfo

    def answer(host: t.Any, port: t.Any, family: int = 0, *rest: t.Any) -> t.Any:
        return (
            [one for ip in ips for one in real(ip, port, family, *rest)]
            if host == b"relay.example"
            else real(host, port, family, *rest)
        )

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        yield "relay.example"


def test_all_addresses_are_looked_at_and_their_differences_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    root = issue("Root", ca=True)
    (tmp_path / "ca.pem").write_bytes(root.pem)
    chains = []
    for label in ("one", "two"):
        (tmp_path / label).mkdir()
        chains.append(chain_file(tmp_path / label, issue(label, by=root)))
    with script(relay(chains[0])) as first, script(relay(chains[1]), ("127.0.0.2", first.port)):
        with name_with(monkeypatch, "127.0.0.1", "127.0.0.2", "127.0.0.3") as name:
            given = {
                "host": name,
                "port": first.port,
                "security": "tls",
                "ca_path": str(tmp_path / "ca.pem"),
                "tls_server_name": "127.0.0.1",
            }
            result = probe(addresses="all", **given)
            assert result["ok"] and [(one["ip"], one["category"]) for one in result["addresses"]] == [
                ("127.0.0.1", "ok"), ("127.0.0.2", "ok"), ("127.0.0.3", "connect_refused"),
            ]  # fmt: skip
            assert any("127.0.0.3 is not well" in text for text in result["notices"])
            assert any("different certificates" in text for text in result["notices"])
            assert len({one["cert_sha256"] for one in result["addresses"]}) == 3
            assert len(probe(**given)["addresses"]) == 1


def test_where_one_address_fails_the_others_are_tried_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with script(smtp({"EHLO": "550 not you"})) as first, script(
        smtp({"EHLO": "250-hi\r\n250 SIZE"}), ("127.0.0.2", first.port)
    ):
        with name_with(monkeypatch, "127.0.0.1", "127.0.0.2") as name:
            result = probe(host=name, port=first.port)
            assert (result["category"], result["addresses"][1]["ok"]) == ("ehlo_rejected", True)
            assert (
                "each address was tried alone" in result["confirmed_by"]
                and "127.0.0.1 is not well" in result["notices"][0]
            )


def test_a_family_can_be_chosen_and_a_name_may_lack_it() -> None:
    with script(smtp({})) as server:
        assert probe(host="127.0.0.1", port=server.port, addresses="ipv4")["ok"]
        assert probe(host="127.0.0.1", port=server.port, addresses="ipv6")["category"] == "dns_failure"


def test_the_address_to_come_from_can_be_chosen() -> None:
    peers: list[str] = []

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        peers.append(sock.getpeername()[0])
        smtp({})(sock, stop)

    with script(talk) as server:
        assert probe(port=server.port, source_address="127.0.0.9")["ok"] and peers == ["127.0.0.9"]
        result = probe(port=server.port, source_address="192.0.2.1")
        assert (result["category"], result["stage"]) == ("network_unreachable", "connect")


def test_where_a_port_is_closed_the_usual_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    chain = chain_file(tmp_path, issue("relay"))
    with script(relay(chain, starttls=True)) as upgraded, script(relay(chain)) as secure, script(smtp({})) as plain:
        usual = ((upgraded.port, "starttls"), (secure.port, "tls"), (plain.port, "starttls"), (free_port(), "tls"))
        monkeypatch.setattr(second_connection, "USUAL_PORTS", usual)
        result = probe(port=free_port(), security="tls", username="u", password=PASSWORD)
        assert result["category"] == "connect_refused"
        assert result["confirmed_by"] == "the same host answers on port %d with security: starttls, port %d with security: tls, port %d without TLS" % (
            upgraded.port, secure.port, plain.port,
        )  # fmt: skip
        assert result["remedies"] == ["Use port %d with security: %s." % one for one in usual[:2]]


def test_where_nothing_answers_that_is_told_within_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_connection, "USUAL_PORTS", ((free_port(), "starttls"), (free_port(), "tls")))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _number in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        time.sleep(0.05)
        started = time.monotonic()
        result = probe(port=listener.getsockname()[1], timeout=2)
        assert time.monotonic() - started < 2.5
        assert result["category"] == "connect_timeout" and result["confirmed_by"].startswith("none of the usual ports")
        for sock in waiting:
            sock.close()
