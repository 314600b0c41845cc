# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes to replies, and what a certificate in DER says: however they are cut."""

from __future__ import annotations

import datetime
import os
import pathlib
import ssl
import subprocess
import sys

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.reply import (
    MAX_LINE,
    Capabilities,
    Malformed,
    Reply,
    ReplyParser,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl import mechanisms
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.x509 import der
from servers import Authority

STREAM = (
    b"220-hi\r\n220 there\r\n250-\xc3\xbc\n250-AUTH=LOGIN PLAIN\r\n250 auth CRAM-MD5\r\n535 5.7.8 4.4.4 no\r\n354\r\n"
)
REPLIES = [
    Reply(220, ("hi", "there")),
    Reply(250, ("ü", "AUTH=LOGIN PLAIN", "auth CRAM-MD5")),
    Reply(535, ("5.7.8 4.4.4 no",)),
    Reply(354, ("",)),
]


def replies(pieces: list[bytes]) -> list[Reply]:
    parser, found = ReplyParser(), []
    for piece in pieces:
        parser.feed(piece)
        reply = parser.next_reply()
        while reply is not None:
            found.append(reply)
            reply = parser.next_reply()
    assert parser.pending == 0
    return found


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_replies_are_the_same_however_the_bytes_arrive(size: int) -> None:
    assert replies([STREAM[at : at + size] for at in range(0, len(STREAM), size)]) == REPLIES


def test_an_enhanced_code_is_read_at_the_beginning_only() -> None:
    assert (REPLIES[2].enhanced, REPLIES[2].text, str(REPLIES[2])) == ("5.7.8", "4.4.4 no", "535 5.7.8 4.4.4 no")
    assert (Reply(421, ("#4.4.5 go",)).enhanced, str(Reply(421, ("#4.4.5 go",)))) == ("", "421 #4.4.5 go")


def test_mechanisms_of_all_spellings_are_offered_once() -> None:
    assert Capabilities.from_reply(REPLIES[1]).auth == ("LOGIN", "PLAIN", "CRAM-MD5")


@pytest.mark.parametrize(
    "data", [b"x", b"99", b"250_ok\n", b"199 no\n", b"2\n", b"250-a\n251 b\n", b"250 " + b"a" * MAX_LINE]
)
def test_what_is_no_reply_is_malformed_as_soon_as_that_is_clear(data: bytes) -> None:
    parser = ReplyParser()
    parser.feed(data)
    with pytest.raises(Malformed):
        parser.next_reply()


def certificate(tmp_path: pathlib.Path) -> bytes:
    pem = Authority(tmp_path).issue("named", name="relay.example").read_text("ascii")
    return ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])


def test_a_certificate_says_its_names_and_dates(tmp_path: pathlib.Path) -> None:
    cert = der.parse(certificate(tmp_path))
    assert (cert.subject, cert.issuer, cert.names) == ("CN=named", "CN=Test CA", ("relay.example",))
    assert cert.not_after.seconds - cert.not_before.seconds == 61 * 86400


def a_time(tag: int, text: str) -> der.Time:
    """Read one time as it stands in a certificate."""
    return der._time(der._Value(tag, text.encode("ascii"), b""))


def test_every_day_of_the_calendar_is_counted_as_the_standard_library_counts_it() -> None:
    first = datetime.date(1970, 1, 1).toordinal()
    for number in range(datetime.date(1899, 1, 1).toordinal(), datetime.date(2121, 1, 1).toordinal()):
        day = datetime.date.fromordinal(number)
        assert der._days(day.year, day.month, day.day) == number - first, day


@pytest.mark.parametrize(
    "tag, text, said",
    [
        (der.UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"),
        (der.UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
        (der.UTC_TIME, "000229120000Z", "2000-02-29T12:00:00Z"),
        (der.GENERAL_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_is_read_as_the_standard_library_reads_it(tag: int, text: str, said: str) -> None:
    found = a_time(tag, text)
    assert found.text == said
    assert found.seconds == datetime.datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "20260229000000Z",
        "21000229000000Z",
        "20261301000000Z",
        "20260001000000Z",
        "20260100000000Z",
        "20260431000000Z",
        "20260101240000Z",
        "20260101006000Z",
        "20260101000060Z",
        "00000101000000Z",
    ],
)
def test_a_time_that_no_calendar_has_makes_no_certificate(text: str) -> None:
    with pytest.raises(der.DerError):
        a_time(der.GENERAL_TIME, text)


def test_a_certificate_that_is_cut_or_damaged_never_gives_another_error(tmp_path: pathlib.Path) -> None:
    data = certificate(tmp_path)
    for length in range(len(data)):
        with pytest.raises(der.DerError):
            der.parse(data[:length])
    for at in range(len(data)):
        for value in (0, 0x30, 0x80, 0xFF):
            try:
                der.parse(data[:at] + bytes([value]) + data[at + 1 :])
            except der.DerError:
                continue


WITHOUT_MD5 = """
import sys
sys.modules["_md5"] = None
from {0}._smtp.sasl.mechanisms import NAMES, MECHANISMS
from {0}._smtp.sasl.credential import Credential, Session, UnusableMechanism
from {0}._shared.secret import Secret
exchange = MECHANISMS[NAMES.index(sys.argv[1])].exchange(Session(Credential("u", Secret("p"))))
try:
    next(exchange)
except UnusableMechanism as exc:
    print(exc)
"""


@pytest.mark.parametrize("name", ["CRAM-MD5", "NTLM"])
def test_a_host_that_forbids_md5_says_so_before_anything_is_sent(tmp_path: pathlib.Path, name: str) -> None:
    conf = tmp_path / "openssl.cnf"
    conf.write_text("openssl_conf = a\n[a]\nalg_section = b\n[b]\ndefault_properties = fips=yes\n", "ascii")
    package = mechanisms.__name__.partition("._smtp.")[0]
    env = dict(os.environ, OPENSSL_CONF=str(conf), PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MD5.format(package), name],
        env=env,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert "does not allow MD5" in done.stdout, done.stderr
