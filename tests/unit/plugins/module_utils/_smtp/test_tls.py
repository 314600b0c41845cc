# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS as declared: pins, client certificates, CAs added, and a certificate that is reported however the handshake ends."""

from __future__ import annotations

import hashlib
import pathlib
import socket
import ssl
import threading
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from certificates import Issued, chain_file, issue
from cryptography.hazmat.primitives import serialization
from servers import Script, script
from smtp_rig import ENCODINGS, PASSWORD, options

Talk = t.Callable[[socket.socket, threading.Event], None]
Change = t.Callable[[ssl.SSLContext], None]


class World(t.NamedTuple):
    """A CA, a good server certificate by it, and the folder they are in."""

    folder: pathlib.Path
    root: Issued
    server: Issued
    ca_path: str
    chain: pathlib.Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("tls")
    root = issue("Root", ca=True)
    server = issue("relay", by=root)
    (folder / "ca.pem").write_bytes(root.pem)
    return World(folder, root, server, str(folder / "ca.pem"), chain_file(folder, server))


def probe(server: Script, security: str = "tls", **given: t.Any) -> dict[str, t.Any]:
    result = probe_all([options(**dict({"port": server.port, "security": security, "timeout": 5}, **given))], False)[0]
    assert [form for form in ENCODINGS if form in repr(result)] == []
    return result


def nothing(context: ssl.SSLContext) -> None:
    pass


def relay(chain: pathlib.Path, change: Change = nothing, starttls: bool = False) -> Talk:
    """A server that greets, answers EHLO and QUIT, with TLS from the first byte or after STARTTLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(chain))
    change(context)

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        if starttls:
            for said in (b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n"):
                sock.sendall(said)
                if not said.startswith(b"220 go"):
                    sock.recv(4096)
        with context.wrap_socket(sock, server_side=True) as secure:
            if not starttls:
                secure.sendall(b"220 hi\r\n")
            while secure.recv(4096):
                secure.sendall(b"250 hi\r\n")

    return talk


def test_a_pin_may_be_the_certificate_or_its_public_key_even_where_verification_is_off(world: World) -> None:
    der = world.server.cert.public_bytes(serialization.Encoding.DER)
    key = world.server.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certificate, public = hashlib.sha256(der).hexdigest(), hashlib.sha256(key).hexdigest()
    with script(relay(world.chain)) as server:
        result = probe(server, ca_path=world.ca_path)
        assert (result["tls"]["sha256"], result["tls"]["spki_sha256"]) == (certificate, public)
        for pin in (
            "sha256:" + certificate,
            "spki-sha256:" + public.upper(),
            ":".join([certificate[:2], certificate[2:]]),
        ):
            assert probe(server, validate_certs=False, tls_fingerprints=["sha256:" + "0" * 64, pin])["category"] == "ok"
        for pin in ("sha256:" + public, "spki-sha256:" + certificate):
            result = probe(server, validate_certs=False, tls_fingerprints=[pin])
            assert (result["category"], result["tls"]["sha256"]) == ("cert_pin", certificate)
            assert "spki-sha256:" + public in result["diagnosis"]


def only_12(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def only_13(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def wants_certificate(world: World, version: Change) -> Change:
    def change(context: ssl.SSLContext) -> None:
        version(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(world.ca_path)

    return change


@pytest.mark.parametrize("version", [only_12, only_13])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_client_certificate_is_shown_and_its_lack_is_named_on_every_version(
    world: World, security: str, version: Change, tmp_path: pathlib.Path
) -> None:
    client, stranger = issue("client", by=world.root), issue("stranger")
    for name, one in (("client", client), ("stranger", stranger)):
        (tmp_path / (name + ".pem")).write_bytes(one.pem)
        (tmp_path / (name + ".key")).write_bytes(one.key_pem(PASSWORD.encode()))
    with script(relay(world.chain, wants_certificate(world, version), security == "starttls")) as server:
        without = probe(server, security, ca_path=world.ca_path)
        assert (without["category"], without["tls"]["subject"]) == ("client_cert_required", "CN=relay")
        wrong = probe(server, security, ca_path=world.ca_path, **shown(tmp_path, "stranger"))
        assert (wrong["category"], wrong["tls"]["subject"]) == ("client_cert_required", "CN=relay")
        assert probe(server, security, ca_path=world.ca_path, **shown(tmp_path, "client"))["category"] == "ok"


def shown(folder: pathlib.Path, name: str) -> dict[str, str]:
    return {
        "client_cert": str(folder / (name + ".pem")),
        "client_key": str(folder / (name + ".key")),
        "client_key_password": PASSWORD,
    }


CLIENT_FAULTS: list[tuple[str, dict[str, str], str]] = [
    ("no such file", {"client_cert": "nowhere.pem"}, r"client_cert: .*cannot be read.*\[not-readable\]"),
    ("no such key", {"client_key": "nowhere.key"}, r"client_key: .*cannot be read.*\[not-readable\]"),
    ("the wrong password", {"client_key_password": "wrong"}, r"client_cert: .*client_key_password.*\[client-cert\]"),
    ("no password", {"client_key_password": ""}, r"client_cert: .*client_key_password.*\[client-cert\]"),
    ("no certificate", {"client_cert": "", "client_key_password": ""}, r"client_key: .*\[client-key-alone\]"),
]


@pytest.mark.parametrize("given, text", [row[1:] for row in CLIENT_FAULTS], ids=[row[0] for row in CLIENT_FAULTS])
def test_a_client_certificate_that_cannot_be_used_is_told_before_any_connection(
    tmp_path: pathlib.Path, given: dict[str, str], text: str
) -> None:
    client = issue("client")
    (tmp_path / "client.pem").write_bytes(client.pem)
    (tmp_path / "client.key").write_bytes(client.key_pem(PASSWORD.encode()))
    with pytest.raises(ProblemsError, match="(?s)" + text) as told:
        probe_all([options(port=465, **dict(shown(tmp_path, "client"), **given))], False)
    assert PASSWORD not in str(told.value)


def odd_cipher(context: ssl.SSLContext) -> None:
    only_12(context)
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")


@pytest.mark.parametrize(
    "change, given, category", [(only_12, {"tls_min_version": "1.3"}, "tls_version"), (odd_cipher, {}, "tls_cipher")]
)
def test_where_nothing_can_be_agreed_on_the_certificate_is_reported_all_the_same(
    world: World, change: Change, given: dict[str, str], category: str
) -> None:
    with script(relay(world.chain, change)) as server:
        result = probe(server, ca_path=world.ca_path, **given)
        assert (result["category"], result["tls"]["subject"], result["tls"]["verified"]) == (
            category,
            "CN=relay",
            False,
        )
        assert result["confirmed_by"].startswith("on a second connection")


def test_ciphers_can_be_chosen_and_what_is_no_list_of_them_is_told(world: World) -> None:
    with script(relay(world.chain, only_12)) as server:
        result = probe(server, ca_path=world.ca_path, tls_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
        assert (result["category"], result["tls"]["cipher"]) == ("ok", "ECDHE-ECDSA-AES256-GCM-SHA384")
        assert (
            probe(server, ca_path=world.ca_path, tls_ciphers="ECDHE-RSA-AES256-GCM-SHA384")["category"] == "tls_cipher"
        )
        with pytest.raises(ProblemsError, match=r"tls_ciphers: no cipher .* \[tls-ciphers\]"):
            probe(server, tls_ciphers="NOTHING")


def test_a_ca_can_be_added_to_those_of_the_system(world: World) -> None:
    with script(relay(world.chain)) as server:
        assert probe(server, ca_path=world.ca_path, ca_mode="add")["category"] == "ok"
        assert probe(server, ca_path=world.ca_path, ca_mode="replace")["category"] == "ok"
    with pytest.raises(ProblemsError, match=r"\[ca-mode\]"):
        probe_all([options(port=465, ca_mode="add")], False)


def test_days_that_a_certificate_must_still_last_can_be_declared(world: World) -> None:
    with script(relay(world.chain)) as server:
        result = probe(server, ca_path=world.ca_path, min_cert_days=90)
        assert (result["ok"], result["category"]) == (False, "cert_expiring") and "90" in result["diagnosis"]
        assert probe(server, ca_path=world.ca_path, min_cert_days=30)["ok"]


# What is odd about root, intermediate and server, and whether the chain has an intermediate at all.
STRICT: list[tuple[str, dict[str, t.Any], dict[str, t.Any] | None, dict[str, t.Any]]] = [
    ("all well", {}, None, {}),
    ("root without key usage", {"key_usage": False}, None, {}),
    ("root with constraints that are not critical", {"constraints": "said"}, None, {}),
    ("root without its key id", {"own_key_id": False}, None, {}),
    ("server without its issuer's key id", {}, None, {"issuer_key_id": False}),
    ("server without its key id", {}, None, {"own_key_id": False}),
    ("server without constraints", {}, None, {"constraints": ""}),
    ("server that may sign", {}, None, {"signs": True}),
    ("server without key usage", {}, None, {"key_usage": False}),
    ("server without a name of its own", {}, None, {"named": False}),
    ("an intermediate, all well", {}, {}, {}),
    ("intermediate with constraints that are not critical", {}, {"constraints": "said"}, {}),
    ("intermediate without its issuer's key id", {}, {"issuer_key_id": False}, {}),
]


@pytest.mark.parametrize("root, middle, leaf", [row[1:] for row in STRICT], ids=[row[0] for row in STRICT])
def test_what_strict_checks_would_say_is_what_openssl_says(
    tmp_path: pathlib.Path, root: dict[str, t.Any], middle: dict[str, t.Any] | None, leaf: dict[str, t.Any]
) -> None:
    top = issue("Root", ca=True, **root)
    between = [issue("Between", by=top, ca=True, **middle)] if middle is not None else []
    (tmp_path / "ca.pem").write_bytes(top.pem)
    chain = chain_file(tmp_path, issue("relay", by=(between or [top])[0], **leaf), *between)
    with script(relay(chain)) as server:
        result = probe(server, ca_path=str(tmp_path / "ca.pem"))
        assert result["category"] == "ok" and server.connections == 1
        problem = openssl_strictly(server.port, str(tmp_path / "ca.pem"))
        strict = probe(server, ca_path=str(tmp_path / "ca.pem"), tls_x509_strict=True, diagnose=False)
        assert (strict["category"], problem in strict["diagnosis"]) == ("cert_strict" if problem else "ok", True)
        said = result["tls"]["would_pass_strict"]
        # Before Python 3.13 an intermediate cannot be seen: then nothing is claimed.
        assert said == (problem == "") or (
            said is None and between and not hasattr(ssl.SSLSocket, "get_verified_chain")
        )
        assert (
            bool(result["tls"]["strict_problem"])
            == (said is False)
            == any("strict" in text for text in result["notices"])
        )


def openssl_strictly(port: int, ca_path: str) -> str:
    """What OpenSSL itself objects to with X509_STRICT; empty where it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca_path)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        try:
            context.wrap_socket(sock, server_hostname="127.0.0.1").close()
        except ssl.SSLCertVerificationError as exc:
            return exc.verify_message or "?"
    return ""
