# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MX, SRV and TLSA from a DNS server on loopback: where they lead, and what they say of a certificate."""

from __future__ import annotations

import contextlib
import hashlib
import json
import pathlib
import socket
import sys
import threading
import typing as t

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network import dane
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from certificates import Issued, chain_file, issue
from cryptography.hazmat.primitives import serialization
from servers import script
from smtp_rig import options
from test_tls import relay

Zone = t.Dict[t.Tuple[str, str], t.List[str]]


@contextlib.contextmanager
def dns_server(zone: Zone, secure: bool = True) -> t.Iterator[str]:
    """Answers UDP queries from ``zone``, as a validating resolver does if ``secure``; gives its address for ``dns_servers``."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                data, client = sock.recvfrom(4096)
                if not data:
                    return
                sock.sendto(answer(data), client)

    def answer(data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        reply, question = dns.message.make_response(query, recursion_available=True), query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        if "SERVFAIL" in zone.get((name, kind), []):
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in zone:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *zone[name, kind]))
        elif not any(one == name for one, _kind in zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        if secure:
            reply.flags |= dns.flags.AD
        return reply.to_wire(max_size=65535)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1:%d" % sock.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            sock.sendto(b"", sock.getsockname())
        thread.join(5)
        sock.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows every name below relay.example as this host."""
    real = socket.getaddrinfo

    def find(host: t.Any, *rest: t.Any) -> t.Any:
        return real("127.0.0.1" if "relay.example" in str(host) else host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", find)


class World(t.NamedTuple):
    """A CA file, a server certificate for 127.0.0.1, and the CA's own certificate."""

    ca_path: str
    chain: pathlib.Path
    server: Issued
    root: Issued


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("dns")
    root = issue("Root", ca=True)
    (folder / "ca.pem").write_bytes(root.pem)
    server = issue("relay", by=root)
    return World(str(folder / "ca.pem"), chain_file(folder, server), server, root)


def probe(**given: t.Any) -> dict[str, t.Any]:
    return probe_all([options(**dict({"timeout": 5, "diagnose": False}, **given))], False)[0]


def test_mx_leads_to_the_best_exchanger(world: World, names: None) -> None:
    zone = {("relay.example.", "MX"): ["20 b.relay.example.", "10 a.relay.example."]}
    with dns_server(zone) as server, script(relay(world.chain, starttls=True)) as mx:
        given = {"host": "relay.example", "resolve": "mx", "dns_servers": [server], "ca_path": world.ca_path}
        result = probe(port=mx.port, security="starttls", **given)
        assert (result["category"], result["host"]) == ("cert_hostname", "a.relay.example")
        assert any("mx of relay.example: a.relay.example port %d, b" % mx.port in line for line in result["transcript"])
        assert probe(port=mx.port, security="starttls", tls_server_name="127.0.0.1", **given)["ok"]


def test_srv_leads_to_the_submission_service_and_its_port(world: World, names: None) -> None:
    with script(relay(world.chain)) as secure, script(relay(world.chain, starttls=True)) as upgraded:
        zone = {
            ("_submissions._tcp.relay.example.", "SRV"): [
                "10 1 1 far.relay.example.",
                "0 5 %d near.relay.example." % secure.port,
            ],
            ("_submission._tcp.relay.example.", "SRV"): ["0 0 %d near.relay.example." % upgraded.port],
        }
        with dns_server(zone) as server:
            given = {
                "host": "relay.example",
                "resolve": "srv",
                "dns_servers": [server],
                "ca_path": world.ca_path,
                "tls_server_name": "127.0.0.1",
            }
            for security, port in ((None, secure.port), ("starttls", upgraded.port)):
                result = probe(security=security, **given)
                assert (result["category"], result["host"], result["port"]) == ("ok", "near.relay.example", port)


FAULTS: list[tuple[str, Zone, str, str]] = [
    ("no such name", {}, "srv", "has no SRV record"),
    ("null MX", {("relay.example.", "MX"): ["0 ."]}, "mx", "no such service"),
    ("no submission", {("_submissions._tcp.relay.example.", "SRV"): ["0 0 0 ."]}, "srv", "no such service"),
    ("broken", {("relay.example.", "MX"): ["SERVFAIL"]}, "mx", "MX record of relay.example"),
]


@pytest.mark.parametrize("zone, resolve, why", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_record_that_leads_nowhere_is_a_dns_failure(zone: Zone, resolve: str, why: str) -> None:
    with dns_server(zone) as server:
        result = probe(host="relay.example", resolve=resolve, dns_servers=[server], timeout=3)
        assert (result["category"], result["stage"], result["steps"][0]["name"]) == (
            "dns_failure",
            "resolve",
            "resolve",
        )
        assert why in result["diagnosis"]


def test_a_dns_server_that_does_not_answer_holds_nothing_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        result = probe(
            host="relay.example", resolve="mx", dns_servers=["127.0.0.1:%d" % silent.getsockname()[1]], timeout=1
        )
        assert result["category"] == "dns_failure" and result["timings_ms"]["total"] < 2000


def test_a_domain_without_mx_takes_its_mail_itself(world: World, names: None) -> None:
    zone = {("relay.example.", "TXT"): ['"v=spf1 -all"']}
    with dns_server(zone) as server, script(relay(world.chain, starttls=True)) as mx:
        given = {
            "host": "relay.example",
            "resolve": "mx",
            "dns_servers": [server],
            "ca_path": world.ca_path,
            "tls_server_name": "127.0.0.1",
        }
        assert probe(port=mx.port, security="starttls", **given)["category"] == "ok"


def key_of(one: Issued) -> bytes:
    found: bytes = one.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def der_of(one: Issued) -> bytes:
    found: bytes = one.cert.public_bytes(serialization.Encoding.DER)
    return found


def test_dane_tells_whether_dns_vouches_for_the_certificate(world: World, names: None) -> None:
    good = hashlib.sha256(key_of(world.server)).hexdigest()
    with script(relay(world.chain, starttls=True)) as mx:
        name = "_%d._tcp.relay.example." % mx.port
        given = {
            "host": "relay.example",
            "port": mx.port,
            "security": "starttls",
            "ca_path": world.ca_path,
            "dane": "report",
        }
        rows = (
            (["3 1 1 " + good], True, "match", "is the one in DNS"),
            (
                ["3 1 1 " + "00" * 32, "3 0 2 " + hashlib.sha512(der_of(world.server)).hexdigest()],
                True,
                "match",
                "is the one in DNS",
            ),
            (["2 0 1 " + hashlib.sha256(der_of(world.root)).hexdigest()], True, "match", "the CA is the one"),
            (["3 1 1 " + "00" * 32], True, "mismatch", "no TLSA record matches"),
            (["1 1 1 " + good], True, "unusable", "usage 2 or 3"),
            (["3 1 1 " + good], False, "match", "does not say that DNSSEC proved"),
            (["SERVFAIL"], True, "error", "TLSA record"),
        )
        for records, secure, status, why in rows:
            with dns_server({(name, "TLSA"): records}, secure) as server:
                result = probe(dns_servers=[server], tls_server_name="127.0.0.1", **given)
                assert (result["ok"], result["dane"]["status"]) == (True, status) and why in result["dane"]["detail"]
                assert result["dane"]["secure"] is (secure and status != "error")
        with dns_server({}) as server:
            assert probe(dns_servers=[server], tls_server_name="127.0.0.1", **given)["dane"]["status"] == "none"
        with dns_server({(name, "TLSA"): ["3 1 1 " + good]}) as server:
            result = probe(dns_servers=[server], **dict(given, diagnose=True))
            assert (result["category"], result["dane"]["status"]) == ("cert_hostname", "match")


def test_dane_claims_nothing_of_a_chain_that_was_not_seen() -> None:
    record = dane.TlsaRecord(2, 0, 0, b"another")
    assert dane.judge([record], [b"own"])[0] == "unknown"
    assert dane.judge([record], [b"own", b"ca"])[0] == "mismatch"
    assert dane.judge([record], [])[0] == "unknown"
    assert dane.judge([dane.TlsaRecord(3, 1, 1, b"x")], [b"not a certificate"])[0] == "mismatch"


@pytest.mark.parametrize("given, option", [({"resolve": "mx"}, "resolve"), ({"dane": "report"}, "dane")])
def test_without_dnspython_that_is_told_before_any_connection(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], option: str
) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(
        ProblemsError, match=rf"{option}: this needs the Python library dnspython .*\[dnspython-missing\]"
    ):
        probe(host="relay.example", port=465, **given)


def test_hundreds_of_records_are_looked_through_and_shown_in_part(world: World, names: None) -> None:
    zone = {("relay.example.", "MX"): ["%d m%03d.relay.example." % (number, number) for number in range(500, 0, -1)]}
    with script(relay(world.chain, starttls=True)) as mx:
        zone[("_%d._tcp.m001.relay.example." % mx.port, "TLSA")] = [f"3 1 1 {number:064x}" for number in range(600)] + [
            "3 0 0 " + "ab" * 10000
        ]
        with dns_server(zone) as server:
            given = {
                "host": "relay.example",
                "resolve": "mx",
                "dns_servers": [server],
                "ca_path": world.ca_path,
                "validate_certs": False,
                "timeout": 60,  # a thousand records on a busy machine
            }
            result = probe(port=mx.port, security="starttls", dane="report", **given)
    assert (result["ok"], result["dane"]["status"], len(result["dane"]["records"])) == (True, "mismatch", 100)
    assert any(
        text.startswith("dane.records: the first and the last 50 of 601 entries") for text in result["truncated"]
    )
    assert len(json.dumps(result)) < 65536
