# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mechanisms against the examples that their specifications print, and against servers that lie."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl import channel_binding, mechanisms, ntlm
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl.credential import (
    BadChallenge,
    Credential,
    MechanismError,
    Session,
    Unproven,
    UnusableMechanism,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl.md4 import md4
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl.saslprep import saslprep

CREDENTIAL = Credential("user", Secret("pencil"))
TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


def run(name: str, session: Session, *challenges: bytes) -> list[bytes | None]:
    """What the mechanism says first, and to each challenge."""
    exchange = mechanisms.MECHANISMS[mechanisms.NAMES.index(name)].exchange(session)
    return [next(exchange)] + [exchange.send(challenge) for challenge in challenges]


def unrandom(text: str) -> Session:
    return Session(CREDENTIAL, random=lambda count: base64.b64decode(text))


# RFC 5802 5 and RFC 7677 3: nonce, what the server says, what the client says
SCRAM = [
    (
        "SCRAM-SHA-1",
        "fyko+d2lbbFgONRv9qkxdawL",
        [b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="],
        [
            b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        ],
    ),
    (
        "SCRAM-SHA-256",
        "rOprNGfwEbeRWgbNEkqO",
        [
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ],
        [
            b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        ],
    ),
]


@pytest.mark.parametrize("name, nonce, server, client", SCRAM, ids=[row[0] for row in SCRAM])
def test_scram_says_what_the_rfc_prints(name: str, nonce: str, server: list[bytes], client: list[bytes]) -> None:
    assert run(name, unrandom(nonce), *server) == client + [b""]


FIRST = SCRAM[1][2][0]
LIES: list[tuple[str, list[bytes], type[MechanismError]]] = [
    ("a wrong signature", [FIRST, b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="], Unproven),
    ("no signature", [FIRST, b""], Unproven),
    ("a signature that is not base64", [FIRST, b"v=6"], Unproven),
    ("yes after an error", [FIRST, b"e=invalid-proof", b""], Unproven),
    ("a nonce that is not ours", [FIRST.replace(b"r=rOpr", b"r=xOpr")], Unproven),
    ("a nonce with nothing of its own", [b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"], Unproven),
    ("no iterations", [FIRST.replace(b"i=4096", b"i=0")], BadChallenge),
    ("more iterations than anybody can do", [FIRST.replace(b"i=4096", b"i=10000001")], BadChallenge),
    ("a mandatory extension", [b"m=x," + FIRST], BadChallenge),
    ("a salt that is not base64", [FIRST.replace(b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s=W")], BadChallenge),
    ("bytes", [bytes(range(256))], BadChallenge),
    ("nothing", [b""], BadChallenge),
]


@pytest.mark.parametrize("said, error", [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_scram_does_not_go_on_with_a_server_that_says(said: list[bytes], error: type[MechanismError]) -> None:
    with pytest.raises(error):
        run("SCRAM-SHA-256", unrandom(SCRAM[1][1]), *said)


def test_scram_tells_of_few_iterations() -> None:
    notes: list[str] = []
    run("SCRAM-SHA-1", unrandom(SCRAM[0][1])._replace(warn=notes.append), SCRAM[0][2][0].replace(b"i=4096", b"i=1000"))
    assert notes == ["the server stores the password with 1000 iterations; RFC 7677 wants at least 4096"]


@pytest.mark.parametrize(
    "name, end_point, offered, start",
    [
        ("SCRAM-SHA-1", b"", False, b"n,,n="),
        ("SCRAM-SHA-1", b"hash", False, b"y,,n="),
        ("SCRAM-SHA-1", b"hash", True, b"n,,n="),
        ("SCRAM-SHA-256-PLUS", b"hash", True, b"p=tls-server-end-point,,n="),
    ],
)
def test_the_first_message_lets_the_server_notice_a_hidden_plus(
    name: str, end_point: bytes, offered: bool, start: bytes
) -> None:
    first = run(name, Session(CREDENTIAL, end_point=end_point, binding_offered=offered))[0]
    assert first is not None and first.startswith(start)


def test_plus_repeats_header_and_binding_and_needs_one() -> None:
    session = unrandom(SCRAM[0][1])._replace(end_point=b"\1\2")
    final = run("SCRAM-SHA-1-PLUS", session, SCRAM[0][2][0])[1]
    assert final is not None and base64.b64decode(final[2 : final.index(b",")]) == b"p=tls-server-end-point,,\1\2"
    with pytest.raises(UnusableMechanism):
        run("SCRAM-SHA-1-PLUS", unrandom(SCRAM[0][1]))


def test_a_comma_and_an_equals_sign_in_a_name_are_written_out() -> None:
    assert (run("SCRAM-SHA-1", Session(Credential("a=b,c", Secret("p"))))[0] or b"").startswith(b"n,,n=a=3Db=2Cc,r=")


# RFC 4013 3, and what it leaves to RFC 3454
PREPARED = [
    ("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b"),
    ("\U0001f511", "\U0001f511"),
]  # fmt: skip
FORBIDDEN = ["\u0007", "\u0627\u0031", "\u05d0a", "\ue000", "a\ufffdb", "\u0340x\u200e"]


@pytest.mark.parametrize("text, prepared", PREPARED)
def test_saslprep_gives_one_spelling(text: str, prepared: str) -> None:
    assert saslprep(text, "password") == prepared.encode("utf-8")


@pytest.mark.parametrize("text", FORBIDDEN)
def test_saslprep_refuses_without_saying_the_text(text: str) -> None:
    with pytest.raises(UnusableMechanism) as caught:
        saslprep(text, "password")
    assert "password" in str(caught.value) and text not in str(caught.value)


# RFC 1320 A.5
MD4 = [
    (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
    (b"a", "bde52cb31de33e46245e05fbdbd6fb24"),
    (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
    (b"message digest", "d9130a8164549fe818874806e1c7014b"),
    (b"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"),
    (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
]


@pytest.mark.parametrize("data, digest", MD4, ids=[row[1][:8] for row in MD4])
def test_md4_gives_what_the_rfc_prints(data: bytes, digest: str) -> None:
    assert md4(data).hex() == digest


# [MS-NLMP] 4.2.1 and 4.2.4
INFO = bytes.fromhex("02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000")
CHALLENGE = ntlm.Challenge(ntlm.FLAGS | ntlm.TARGET_INFO, bytes.fromhex("0123456789abcdef"), INFO)
OWN = b"\xaa" * 8


def challenge_message(info: bytes = INFO, flags: int = ntlm.FLAGS | ntlm.TARGET_INFO) -> bytes:
    place = len(info).to_bytes(2, "little") * 2 + (48).to_bytes(4, "little")
    return b"NTLMSSP\0\2\0\0\0" + bytes(8) + flags.to_bytes(4, "little") + CHALLENGE.challenge + bytes(8) + place + info


def test_ntlm_computes_what_the_specification_prints() -> None:
    key = ntlm.response_key("User", "Domain", "Password")
    assert key.hex() == "0c868a403bfd7a93a3001ef22ef02e3f"
    assert ntlm.lm_response(key, CHALLENGE, OWN).hex() == "86c35097ac9cec102554764a57cccc19" + OWN.hex()
    response = ntlm.nt_response(key, CHALLENGE, OWN, bytes(8))
    assert response[:16].hex() == "68cd0ab851e51c96aabc927bebef6a1c"
    assert response[16:].hex() == "0101" + "00" * 14 + OWN.hex() + "00000000" + INFO.hex() + "00000000"


NAMES_OF_A_DOMAIN = [
    Credential("User", Secret("Password"), domain="Domain"),
    Credential("Domain\\User", Secret("Password")),
]


@pytest.mark.parametrize("credential", NAMES_OF_A_DOMAIN)
def test_ntlm_says_domain_and_user_and_answers_by_the_clock_of_the_server(credential: Credential) -> None:
    stamp = bytes(range(8))
    info = INFO[:-4] + b"\7\0\x08\0" + stamp + bytes(4)
    hidden: list[str] = []
    session = Session(credential, random=lambda count: OWN[:count], hide=hidden.append)
    first, last = run("NTLM", session, challenge_message(info))
    assert first is not None and first.startswith(b"NTLMSSP\0\1\0\0\0") and last is not None
    fields = [
        (int.from_bytes(last[at : at + 2], "little"), int.from_bytes(last[at + 4 : at + 8], "little"))
        for at in range(12, 60, 8)
    ]
    old, response, domain, user, host, key = [last[start : start + length] for length, start in fields]
    assert (old, domain.decode("utf-16-le"), user.decode("utf-16-le"), host, key) == (
        bytes(24),
        "Domain",
        "User",
        b"",
        b"",
    )
    assert stamp in response and response.hex() in hidden


BROKEN = [
    b"",
    b"NTLMSSP\0",
    b"NTLMSSP\0\1\0\0\0" + bytes(40),
    challenge_message()[:40],
    challenge_message()[:-1],
    b"ntlm supported" * 4,
]


@pytest.mark.parametrize("message", BROKEN)
def test_ntlm_does_not_take_a_broken_challenge(message: bytes) -> None:
    with pytest.raises(BadChallenge):
        run("NTLM", Session(CREDENTIAL), message)


@pytest.mark.parametrize("info", [b"", b"\7\0\x08\0\0", b"\7\0\1\0\0\0\0\0\0", b"\xff" * 300])
def test_odd_target_information_has_no_time(info: bytes) -> None:
    assert ntlm.timestamp(info) == b""


def test_cram_md5_says_what_rfc_2195_prints() -> None:
    session = Session(Credential("tim", Secret("tanstaaftanstaaf")))
    assert run("CRAM-MD5", session, b"<1896.697170952@postoffice.reston.mci.net>") == [
        None,
        b"tim b913a602c7eda7a495b4e6e7334d3890",
    ]


def test_oauthbearer_says_what_rfc_7628_prints_and_answers_its_error() -> None:
    notes: list[tuple[str, str]] = []
    session = Session(Credential("user@example.com", Secret(""), token=Secret(TOKEN)), "server.example.com", 143)
    session = session._replace(note=lambda text, suspicion="": notes.append((text, suspicion)))
    error = base64.b64decode(
        "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOi"
        "JodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
    )
    first = (
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdD"
        "RxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    assert run("OAUTHBEARER", session, error) == [base64.b64decode(first), b"\x01"]
    assert notes[0][0].startswith("of the token the server says status: invalid_token, scope: example_scope")


def test_xoauth2_says_what_its_page_prints_and_a_missing_scope_is_suspected() -> None:
    notes: list[tuple[str, str]] = []
    session = Session(
        Credential("someuser@example.com", Secret(""), token=Secret("vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="))
    )
    session = session._replace(note=lambda text, suspicion="": notes.append((text, suspicion)))
    said = run("XOAUTH2", session, b'{"status":"insufficient_scope","scope":"https://mail.google.com/"}')
    first = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJOdmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnPT0BAQ=="
    assert said == [base64.b64decode(first), b""] and notes[0][1] == "token_wrong_scope"


@pytest.mark.parametrize("challenge", [b"", b"[]", b"no", b"\xff", b"[" * 100000])
def test_an_explanation_that_is_none_ends_the_exchange(challenge: bytes) -> None:
    with pytest.raises(BadChallenge):
        run("XOAUTH2", Session(Credential("u", Secret(""), token=Secret(TOKEN))), challenge)


ALL = tuple(sorted(mechanisms.NAMES))
BY_PASSWORD = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
WITH_TOKEN = Credential("u", Secret(""), token=Secret(TOKEN))
WITH_CERTIFICATE = Credential("", Secret(""), certificate=True)
ORDERS: list[tuple[str, tuple[t.Any, ...], list[str]]] = [
    ("strongest first", (ALL, (), CREDENTIAL, True), BY_PASSWORD),
    ("nothing to bind to", (ALL, (), CREDENTIAL, False), [name for name in BY_PASSWORD if not name.endswith("PLUS")]),
    ("NTLM where there is nothing else", (("NTLM", "GSSAPI", "XOAUTH2"), (), CREDENTIAL, True), ["NTLM"]),
    ("NTLM where it is listed", (ALL, ("NTLM", "PLAIN"), CREDENTIAL, True), ["NTLM", "PLAIN"]),
    ("a token", (ALL, (), WITH_TOKEN, True), ["XOAUTH2", "OAUTHBEARER"]),
    ("a token and a password", (ALL, (), WITH_TOKEN._replace(password=Secret("p")), True), ["XOAUTH2", "OAUTHBEARER"]),
    ("a token and no bearer mechanism", (("PLAIN", "LOGIN"), (), WITH_TOKEN, True), []),
    ("a certificate", (ALL, (), WITH_CERTIFICATE, True), ["EXTERNAL"]),
    ("a certificate and a password", (ALL, (), CREDENTIAL._replace(certificate=True), True), BY_PASSWORD),
    ("both, by the user's order", (ALL, ("EXTERNAL", "PLAIN"), CREDENTIAL._replace(certificate=True), True), ["EXTERNAL", "PLAIN"]),
    ("what the user lists and has not", (ALL, ("XOAUTH2", "EXTERNAL", "LOGIN"), CREDENTIAL, True), ["LOGIN"]),
]  # fmt: skip


@pytest.mark.parametrize("given, wanted", [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
def test_mechanisms_come_in_order(given: tuple[t.Any, ...], wanted: list[str]) -> None:
    assert [mechanism.name for mechanism in mechanisms.candidates(*given)] == wanted


CERTIFICATES = [
    ("sha256", "rsa:2048 -sha256"), ("sha384", "rsa:2048 -sha384"), ("sha512", "rsa:2048 -sha512"), ("sha224", "rsa:2048 -sha224"),
    ("sha256", "rsa:2048 -sha1"), ("sha256", "rsa:2048 -md5"),
    ("sha256", "rsa:2048 -sha256 -sigopt rsa_padding_mode:pss"), ("sha384", "rsa:2048 -sha384 -sigopt rsa_padding_mode:pss"),
    ("sha256", "rsa:2048 -sha1 -sigopt rsa_padding_mode:pss"),
    ("sha256", "ec -pkeyopt ec_paramgen_curve:P-256 -sha256"), ("sha384", "ec -pkeyopt ec_paramgen_curve:P-256 -sha384"),
    ("sha512", "ec -pkeyopt ec_paramgen_curve:P-256 -sha512"), ("sha224", "ec -pkeyopt ec_paramgen_curve:P-256 -sha224"),
    ("sha256", "ec -pkeyopt ec_paramgen_curve:P-256 -sha1"), ("", "ed25519"),
]  # fmt: skip


@pytest.mark.parametrize("name, made", CERTIFICATES, ids=[row[1] for row in CERTIFICATES])
def test_the_binding_is_the_hash_of_the_certificate_by_the_hash_of_its_signature(
    name: str, made: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "cert.der"
    command = [
        "openssl",
        "req",
        "-x509",
        "-nodes",
        "-subj",
        "/CN=x",
        "-outform",
        "DER",
        "-out",
        str(path),
        "-keyout",
        str(tmp_path / "key"),
    ]
    subprocess.run(command + ["-newkey"] + made.split(), check=True, capture_output=True, timeout=60)
    data = path.read_bytes()
    assert channel_binding.server_end_point(data) == (hashlib.new(name, data).digest() if name else b"")


NO_CERTIFICATES = [
    b"",
    b"\x30",
    b"\x30\x00",
    b"\x30\x04\x30\x00\x30\x00",
    b"not a certificate",
    b"\x30\x06\x30\x00\x30\x02\x06\x09",
]


@pytest.mark.parametrize("data", NO_CERTIFICATES)
def test_what_is_no_certificate_has_no_binding(data: bytes) -> None:
    assert channel_binding.server_end_point(data) == b""
