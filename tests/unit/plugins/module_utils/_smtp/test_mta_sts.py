# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS as a report: the record from a DNS server, the policy from a real HTTPS server with a test CA, and whatever else they say."""

from __future__ import annotations

import pathlib
import socket
import sys
import threading
import time
import tracemalloc
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.relay_options import read
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web.mta_sts_policy import (
    UnusablePolicy,
    announced,
    covers,
    parse,
)
from servers import Authority, free_port, script
from smtp_rig import options
from test_dns import dns_server, names
from test_route import http, socks5
from test_tls import relay
from web import Page, Web, web

__all__ = ["names"]

ANNOUNCED = ("_mta-sts.relay.example.", "TXT")
RECORD = {ANNOUNCED: ['"v=STSv1; id=20261121T080000;"']}
MX = {("relay.example.", "MX"): ["10 a.relay.example.", "20 b.relay.example."]}
PATH = "/.well-known/mta-sts.txt"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: a.relay.example\r\nmx: *.relay.example\r\nmax_age: 604800\r\n"
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class World(t.NamedTuple):
    """A CA, the relay's certificate for the name of its exchanger, the policy server, and its address without a port."""

    authority: Authority
    exchanger: pathlib.Path
    policies: Web


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    authority = Authority(tmp_path_factory.mktemp("sts"))
    with web(authority.issue("policy")) as policies:
        yield World(authority, authority.issue("exchanger", "a.relay.example"), policies)


def probe(world: World, zone: t.Mapping[t.Any, t.Any], **given: t.Any) -> dict[str, t.Any]:
    """The best exchanger of the domain, with its report."""
    with dns_server({**MX, **zone}) as server, script(relay(world.exchanger, starttls=True)) as exchanger:
        asked = {
            "host": "relay.example", "resolve": "mx", "port": exchanger.port, "security": "starttls", "ca_path": str(world.authority.path), "diagnose": False,
            "dns_servers": [server], "timeout": 5, "mta_sts": "report", "mta_sts_url": world.policies.origin + PATH,
            "mta_sts_ca_path": str(world.authority.path),
        }  # fmt: skip
        return probe_all([options(**dict(asked, **given))], False)[0]


def serve(
    world: World, body: bytes = POLICY, status: int = 200, headers: t.Optional[t.Mapping[str, str]] = None
) -> None:
    world.policies.asked.clear()
    world.policies.pages["GET " + PATH] = Page(status, body, PLAIN if headers is None else headers)


def test_a_relay_that_keeps_to_the_policy_is_told(world: World, names: None) -> None:
    serve(world)
    result = probe(world, RECORD)
    assert (result["ok"], result["host"], result["tls"]["verified"]) == (True, "a.relay.example", True)
    assert result["mta_sts"] == {
        "domain": "relay.example", "url": world.policies.origin + PATH, "id": "20261121T080000", "mode": "enforce", "max_age": 604800,
        "mx": ["a.relay.example", "*.relay.example"], "unmatched": [], "status": "match", "problems": [],
        "detail": "the policy names this relay, and the relay keeps to it",
    }  # fmt: skip
    (asked,) = world.policies.asked
    assert (asked.method, asked.headers["accept"]) == ("GET", "text/plain") and "C: GET %s" % (
        world.policies.origin + PATH
    ) in result["transcript"]


JUDGED: list[tuple[str, bytes, dict[str, t.Any], str, str, str]] = [
    ("other names", POLICY.replace(b"relay.example", b"old.example"), {}, "mismatch", "does not name a.relay.example", "would not deliver here"),
    ("one name is missing", POLICY.replace(b"mx: *.relay.example\r\n", b""), {}, "mismatch", "does not name b.relay.example", "would not deliver"),
    ("being tested", POLICY.replace(b"enforce", b"testing"), {}, "match", "", "it is only being tested"),
    (
        "fails its test", POLICY.replace(b"enforce", b"testing").replace(b"relay.example", b"old.example"), {},
        "mismatch", "does not name", "deliver all the same",
    ),
    ("mode none", POLICY.replace(b"enforce", b"none"), {}, "none", "", "there is none (mode: none)"),
    ("an hour", POLICY.replace(b"604800", b"3600"), {}, "match", "senders forget the policy within a day", "keeps to it"),
    ("ten years", POLICY.replace(b"604800", b"315576000"), {}, "match", "more than a year", "keeps to it"),
    ("said twice", POLICY + b"mode: none\r\n", {}, "match", "mode stands there 2 times", "keeps to it"),
    ("line feeds and more", b"version:STSv1\nmode:enforce\nmx:\t*.RELAY.example \nmax_age: 86400\nx-later: \xc3\xbc\n\n", {}, "match", "", "keeps to it"),
    ("no TLS", POLICY, {"security": "none", "level": "connect"}, "mismatch", "no TLS was agreed with a.relay.example", "would not deliver"),
    ("not verified", POLICY, {"validate_certs": False}, "mismatch", "was not verified in this probe", "would not deliver"),
    ("no such CA", POLICY, {"ca_path": None}, "mismatch", "failed (cert_", "would not deliver"),
]  # fmt: skip


@pytest.mark.parametrize(
    "body, given, status, problem, detail", [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED]
)
def test_what_the_policy_means_for_the_relay_is_told(
    world: World, names: None, body: bytes, given: dict[str, t.Any], status: str, problem: str, detail: str
) -> None:
    serve(world, body)
    found = probe(world, RECORD, **given)["mta_sts"]
    assert (found["status"], found["domain"]) == (status, "relay.example") and detail in found["detail"]
    assert any(problem in text for text in found["problems"]) if problem else found["problems"] == []


def test_a_name_that_was_declared_is_not_the_one_that_senders_verify(world: World, names: None) -> None:
    serve(world)
    found = probe(world, RECORD, tls_server_name="a.relay.example", host="a.relay.example", resolve="host")["mta_sts"]
    assert found["status"] == "none" and "_mta-sts.a.relay.example has no TXT record" in found["detail"]
    other = world.authority.issue("elsewhere", "mail.example.net")
    found = probe(world._replace(exchanger=other), RECORD, tls_server_name="mail.example.net")["mta_sts"]
    assert found["problems"] == [
        "the certificate was verified for mail.example.net, and senders want it for a.relay.example"
    ]


UNUSABLE = [
    ("html", {"headers": {"Content-Type": "text/html"}}, "served as text/html instead of text/plain"),
    ("no type", {"headers": {}}, "served as nothing in particular"),
    ("not found", {"status": 404}, "answers with HTTP 404"),
    ("an error", {"status": 500}, "answers with HTTP 500"),
    ("no content", {"status": 204, "body": b""}, "answers with HTTP 204"),
    ("bytes", {"body": b"version: STSv1\r\nmx: \xff\xfe\r\n"}, "not text in UTF-8"),
    ("no colon", {"body": POLICY + b"mx a.relay.example\r\n"}, "line 6 is not of the form name: value"),
    ("CR alone", {"body": POLICY.replace(b"\r\n", b"\r")}, "line 1 is not of the form"),
    ("CR in a value", {"body": POLICY.replace(b"mode: enforce", b"mode: none\rmode: enforce")}, "line 2 is not of the form"),
    ("NUL", {"body": POLICY + b"x: \0\r\n"}, "line 6 is not of the form"),
    ("UTF-16", {"body": POLICY.decode().encode("utf-16-le")}, "line 1 is not of the form"),
    ("a page", {"body": b"<html>\r\n<title>Welcome</title>"}, "line 1 is not of the form"),
    ("empty", {"body": b""}, "its version is missing"),
    ("another version", {"body": POLICY.replace(b"STSv1", b"STSv2")}, "its version is STSv2"),
    ("no mode", {"body": POLICY.replace(b"mode: enforce\r\n", b"")}, "its mode is missing"),
    ("an odd mode", {"body": POLICY.replace(b"enforce", b"Enforced")}, "its mode is Enforced and not one of enforce, testing, none"),
    ("no age", {"body": POLICY.replace(b"max_age: 604800\r\n", b"")}, "its max_age is missing"),
    ("an odd age", {"body": POLICY.replace(b"604800", b"1 week")}, "its max_age is 1 week"),
    ("a huge age", {"body": POLICY.replace(b"604800", b"9" * 5000)}, "its max_age is 99999"),
    ("no mx", {"body": b"version: STSv1\r\nmode: testing\r\nmax_age: 86400\r\n"}, "it names no mx"),
    ("an odd mx", {"body": POLICY + b"mx: a.*.example\r\n"}, "a.*.example is not a host, nor *. and a domain"),
    ("a list of mx", {"body": POLICY + b"mx: a.example, b.example\r\n"}, "a.example, b.example is not a host"),
]  # fmt: skip


@pytest.mark.parametrize("served, why", [row[1:] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE])
def test_a_policy_that_cannot_be_used_is_told_why(
    world: World, names: None, served: dict[str, t.Any], why: str
) -> None:
    serve(world, **served)
    result = probe(world, RECORD)
    assert (result["ok"], result["mta_sts"]["status"]) == (True, "invalid") and why in result["mta_sts"]["detail"]
    assert result["mta_sts"]["detail"].isprintable() and len(result["mta_sts"]["detail"]) < 300


def test_a_redirect_is_not_followed(world: World, names: None) -> None:
    with web(world.authority.issue("other")) as other:
        other.pages["GET " + PATH] = Page(200, POLICY, PLAIN)
        for status in (301, 302, 303, 307, 308):
            serve(world, b"", status, {**PLAIN, "Location": other.origin + PATH})
            found = probe(world, RECORD)["mta_sts"]
            assert (
                found["status"] == "invalid"
                and "answers with HTTP %d, and senders follow no redirect" % status in found["detail"]
            )
        assert other.asked == []


RECORDS = [
    (
        "none",
        {("relay.example.", "TXT"): ['"v=spf1 -all"']},
        "none",
        "_mta-sts.relay.example has no TXT record that announces a policy",
    ),
    ("another's", {ANNOUNCED: ['"v=STSv10; id=1"', '"hello"']}, "none", "has no TXT record"),
    (
        "two",
        {ANNOUNCED: ['"v=STSv1; id=1;"', '"v=STSv1; id=2;"']},
        "invalid",
        "2 records announce a policy, and only one may",
    ),
    ("no id", {ANNOUNCED: ['"v=STSv1;"']}, "invalid", "no id of 1 to 32 letters and digits"),
    ("an odd id", {ANNOUNCED: ['"v=STSv1; id=2026-11-21;"']}, "invalid", "no id of 1 to 32"),
    ("a long id", {ANNOUNCED: ['"v=STSv1; id=%s;"' % ("1" * 33)]}, "invalid", "no id of 1 to 32"),
    ("controls", {ANNOUNCED: ['"v=STSv1; id=\\010\\027[2J"']}, "invalid", "??[2J"),
    ("broken", {ANNOUNCED: ["SERVFAIL"]}, "error", "the TXT record of _mta-sts.relay.example"),
]


@pytest.mark.parametrize("zone, status, why", [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS])
def test_a_record_that_announces_nothing_is_told_and_nothing_is_fetched(
    world: World, names: None, zone: dict[t.Any, t.Any], status: str, why: str
) -> None:
    serve(world)
    result = probe(world, zone)
    assert (result["ok"], result["mta_sts"]["status"]) == (True, status) and why in result["mta_sts"]["detail"]
    assert result["mta_sts"]["detail"].isprintable() and world.policies.asked == []


def test_a_record_in_several_strings_is_one(world: World, names: None) -> None:
    serve(world)
    assert (
        probe(world, {ANNOUNCED: ['"v=STSv1; i" "d=2026" "1121 ; "', '"v=spf1 -all"']})["mta_sts"]["id"] == "20261121"
    )


TLS = [
    ("expired", {"end": -1, "start": -9}, "shows a certificate that has expired"),
    ("name", {"name": "mta-sts.relay.example"}, 'shows a certificate for another name than "127.0.0.1"'),
    ("self", {"own": True}, "shows a certificate that it signed itself"),
]


@pytest.mark.parametrize("label, how, why", TLS, ids=[row[0] for row in TLS])
def test_a_policy_behind_a_bad_certificate_is_none(
    world: World, names: None, label: str, how: dict[str, t.Any], why: str
) -> None:
    with web(world.authority.issue("policy-" + label, **how)) as bad:
        found = probe(world, RECORD, mta_sts_url=bad.origin + PATH, validate_certs=False)["mta_sts"]
        assert (found["status"], found["detail"], bad.asked) == ("error", "127.0.0.1:%d %s" % (bad.port, why), [])


def test_a_policy_server_that_is_not_there_is_told(world: World, names: None) -> None:
    port = free_port()
    found = probe(world, RECORD, mta_sts_url="https://127.0.0.1:%d/" % port)["mta_sts"]
    assert (found["status"], found["detail"]) == ("error", "127.0.0.1:%d refuses connections on this port" % port)


def endless(begin: bytes, block: bytes, pause: float) -> t.Callable[[socket.socket, threading.Event], None]:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(4096)
        sock.sendall(begin)
        while not stop.wait(pause):
            sock.sendall(block)

    return talk


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ENDLESS = [
    ("flood", OK + b"\r\n", b"mx: a.relay.example\r\n" * 3000, 0, "more than 65536 bytes"),
    ("flood in chunks", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 32768 + b"\r\n", 0, "more than 65536 bytes"),
    ("huge by its own word", OK + b"Content-Length: 99999999\r\n\r\n", b"x" * 65536, 0, "more than 65536 bytes"),
    ("headers", OK, b"X: y\r\n" * 1000, 0, "longer than 32768 bytes"),
    ("not HTTP", b"", b"220 mail.example.com ESMTP\r\n", 0, "something that is not HTTP"),
    ("drip", OK + b"\r\n", b"x", 0.1, "did not finish within 2 s"),
    ("silence", b"", b"", 0.1, "did not finish within 2 s"),
]  # fmt: skip


@pytest.mark.parametrize("begin, block, pause, why", [row[1:] for row in ENDLESS], ids=[row[0] for row in ENDLESS])
def test_an_endless_policy_ends_in_time_and_in_bounded_memory(
    world: World, names: None, begin: bytes, block: bytes, pause: float, why: str
) -> None:
    with script(endless(begin, block, pause)) as server:
        tracemalloc.start()
        started = time.monotonic()
        result = probe(world, RECORD, mta_sts_url="http://127.0.0.1:%d%s" % (server.port, PATH), timeout=2)
        assert time.monotonic() - started < 2.5 and tracemalloc.get_traced_memory()[1] < 4_000_000
        tracemalloc.stop()
        assert (result["ok"], result["mta_sts"]["status"]) == (True, "error") and why in result["mta_sts"]["detail"]


@pytest.mark.parametrize("kind, talk", [("socks5", socks5), ("http", http)])
def test_the_policy_is_fetched_through_the_proxy_too(world: World, names: None, kind: str, talk: t.Any) -> None:
    serve(world)
    asked: list[bytes] = []
    with script(talk(asked)) as proxy:
        result = probe(world, RECORD, proxy="%s://127.0.0.1:%d" % (kind, proxy.port), validate_certs=False)
        assert len(world.policies.asked) == 1 and result["mta_sts"]["mode"] == "enforce"
        assert proxy.connections == 2


def test_where_the_conversation_took_all_the_time_that_is_told(world: World, names: None) -> None:
    with script(endless(b"", b"", 0.1)) as silent:
        result = probe(world, RECORD, port=silent.port, timeout=0.6)
        assert (result["category"], result["mta_sts"]["status"], result["mta_sts"]["detail"]) == (
            "greeting_timeout",
            "error",
            "there was no time left to ask",
        )


@pytest.mark.parametrize(
    "given, code",
    [
        ({"host": "192.0.2.1"}, "mta-sts-domain"), ({"host": "/run/relay.sock", "port": None}, "mta-sts-domain"),
        ({"host": "a" * 70 + ".example"}, "mta-sts-domain"),
        ({"mta_sts_url": "http://mta-sts.relay.example/"}, "mta-sts-url"), ({"mta_sts_url": "ftp://x/"}, "mta-sts-url"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_before_any_connection(given: dict[str, t.Any], code: str) -> None:
    _relay, problems = read(
        options(**dict({"host": "relay.example", "port": 25, "security": "starttls", "mta_sts": "report"}, **given))
    )
    assert code in [problem.code for problem in problems]


def test_a_missing_library_or_ca_is_told_before_any_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(ProblemsError) as told:
        probe_all(
            [
                options(
                    host="relay.example",
                    port=25,
                    security="starttls",
                    mta_sts="report",
                    mta_sts_ca_path="/nonexistent/ca.pem",
                )
            ],
            False,
        )
    assert "mta_sts: this needs the Python library dnspython" in str(told.value) and "[dnspython-missing]" in str(
        told.value
    )
    assert "mta_sts_ca_path: /nonexistent/ca.pem cannot be read" in str(told.value)
    token = {
        "client_id": "c",
        "client_secret": "a-secret",
        "token_url": "https://127.0.0.1:1/",
        "ca_path": "/nonexistent/ca.pem",
    }
    with pytest.raises(ProblemsError, match=r"oauth2.ca_path: /nonexistent/ca.pem cannot be read: .* \[not-readable\]"):
        probe_all([options(username="u", port=465, oauth2=token)], False)


def test_the_usual_place_is_below_the_domain_in_ascii() -> None:
    made, problems = read(options(host="Bücher.example.", port=25, security="starttls", mta_sts="report"))
    assert problems == [] and made is not None and made.mta_sts is not None
    assert (made.mta_sts.domain, str(made.mta_sts.url)) == (
        "xn--bcher-kva.example",
        "https://mta-sts.xn--bcher-kva.example/.well-known/mta-sts.txt",
    )


@pytest.mark.parametrize(
    "pattern, host, yes",
    [
        ("mail.example.com", "MAIL.example.com.", True), ("*.example.com", "mail.example.com", True), ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False), ("mail.example.com", "mail.example.net", False), ("*.example.com", "mail.xexample.com", False),
    ],
)  # fmt: skip
def test_a_star_is_one_label(pattern: str, host: str, yes: bool) -> None:
    assert covers(pattern, host) is yes


def test_the_examples_of_rfc_8461_are_read() -> None:
    assert announced([b"v=STSv1; id=20160831085700Z;"]) == "20160831085700Z"
    policy = parse(
        b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n"
    )
    assert policy == ("enforce", 604800, ("mail.example.com", "*.example.net", "backupmx.example.com"), ())
    with pytest.raises(UnusablePolicy):
        parse(b"\xef\xbb\xbf" + b"version: STSv1\nmode: none\nmax_age: 1\n")
