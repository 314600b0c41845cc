# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate says of itself: for the report, for pins, and for the strict rules of newer Pythons. Bytes in, facts out."""

from __future__ import annotations

import hashlib
import time
import typing as t

from ..._shared.light import NamedTuple
from . import der

_ID_CE = b"\x55\x1d"
SUBJECT_KEY, KEY_USAGE, ALT_NAME, CONSTRAINTS, AUTHORITY_KEY = (
    _ID_CE + bytes((number,)) for number in (14, 15, 17, 19, 35)
)
_KEY_ID, _EMPTY_NAME = 0x80, b"\x30\x00"
_HANDSHAKE, _CERTIFICATE = 22, 11
_CERT_SIGN = 0x04  # bit 5 of KeyUsage (RFC 5280 4.2.1.3), counted from the left


class TlsInfo(NamedTuple):
    """What was agreed, and the peer's certificate. ``days_left`` is negative once it has expired.

    ``would_pass_strict`` is what OpenSSL's X509_STRICT would say, which Python 3.13 and later switch on by default:
    None where the certificate was not verified, or where the chain could not be seen as far as its CA. ``chain`` is in DER,
    the peer's own certificate first, as far as it could be seen.
    """

    version: str
    cipher: str
    verified: bool
    subject: str = ""
    names: t.Tuple[str, ...] = ()
    issuer: str = ""
    not_before: str = ""
    not_after: str = ""
    days_left: t.Optional[int] = None
    sha256: str = ""
    spki_sha256: str = ""
    would_pass_strict: t.Optional[bool] = None
    strict_problem: str = ""
    chain: t.Tuple[bytes, ...] = ()

    def pinned_by(self, fingerprints: t.Collection[str]) -> bool:
        """Whether one of ``sha256:<hex>`` and ``spki-sha256:<hex>`` is this certificate's, or its public key's."""
        return "sha256:" + self.sha256 in fingerprints or (
            bool(self.spki_sha256) and "spki-sha256:" + self.spki_sha256 in fingerprints
        )


def describe(info: TlsInfo, data: bytes) -> TlsInfo:
    """``info`` with what the certificate ``data`` (DER) says; with its fingerprint alone where it cannot be read."""
    info = info._replace(sha256=hashlib.sha256(data).hexdigest(), chain=(data,))
    try:
        cert = der.parse(data)
    except der.DerError:
        return info
    return info._replace(
        subject=cert.subject,
        names=cert.names,
        issuer=cert.issuer,
        not_before=cert.not_before.text,
        not_after=cert.not_after.text,
        days_left=int((cert.not_after.seconds - time.time()) // 86400),
        spki_sha256=hashlib.sha256(cert.public_key).hexdigest(),
    )


def certificate_in(data: bytes) -> bytes:
    """The server's own certificate in what it sent of a handshake up to TLS 1.2 (RFC 5246 6.2.1, 7.4.2); empty where there is none."""
    messages, at = b"", 0
    while at + 5 <= len(data) and data[at] == _HANDSHAKE:
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        messages, at = messages + data[at + 5 : at + 5 + length], at + 5 + length
    at = 0
    while at + 4 <= len(messages):
        length = int.from_bytes(messages[at + 1 : at + 4], "big")
        if messages[at] == _CERTIFICATE:
            # A list with its length, in it each certificate with its own.
            size = int.from_bytes(messages[at + 7 : at + 10], "big")
            return messages[at + 10 : at + 10 + size]
        at += 4 + length
    return b""


def strictly(info: TlsInfo, chain: t.Sequence[bytes], trusted: t.Callable[[], t.Sequence[bytes]]) -> TlsInfo:
    """``info`` with what strict checks would say to the verified ``chain`` (DER, the relay's own first).

    Before Python 3.13 only the first of a chain can be had; the CA that signed it is then looked for in ``trusted``. A second
    handshake with the flag set would see all, at the price of a connection for each probe that went well: not worth it.
    """
    try:
        seen = _as_far_as_seen(chain, trusted)
        whole = [der.parse(data) for data in seen]
        found = [
            problem
            for number, cert in enumerate(whole)
            for problem in _broken_rules(cert, last=number == len(whole) - 1)
        ]
    except der.DerError:
        return info
    info = info._replace(chain=tuple(seen))
    if found:
        return info._replace(would_pass_strict=False, strict_problem=found[0])
    return info._replace(would_pass_strict=True if len(chain) > 1 or _by_itself(whole[-1]) else None)


def _by_itself(cert: der.Certificate) -> bool:
    return cert.subject_der == cert.issuer_der


def _as_far_as_seen(chain: t.Sequence[bytes], trusted: t.Callable[[], t.Sequence[bytes]]) -> list[bytes]:
    last = der.parse(chain[-1])
    if len(chain) > 1 or _by_itself(last):
        return list(chain)
    # The search by bytes first: reading every CA of a system takes longer than the conversation.
    for data in trusted():
        if last.issuer_der in data:
            issuer = der.parse(data)
            if issuer.subject_der == last.issuer_der:
                return [*chain, data]
    return list(chain)


def _broken_rules(cert: der.Certificate, last: bool) -> list[str]:
    """What X509_STRICT finds in one certificate, as OpenSSL's ``check_extensions`` (crypto/x509/x509_vfy.c) goes through it."""
    has = cert.extensions
    authority = bool(_constraints(cert))
    # A BIT STRING: tag, length, the number of unused bits, the bits.
    usage = has[KEY_USAGE].value[3:] if KEY_USAGE in has else b""
    signs = bool(usage) and bool(usage[0] & _CERT_SIGN)
    names_key = AUTHORITY_KEY in has and any(
        tag == _KEY_ID for tag, _body in der.contents(has[AUTHORITY_KEY].value, der.SEQUENCE)
    )
    rows = (
        (
            authority and not has[CONSTRAINTS].critical if CONSTRAINTS in has else False,
            "the basic constraints of a CA are not critical",
        ),
        (authority and not usage, "a CA does not say what its key is for"),
        (not authority and signs, "its key may sign certificates, although it is no CA"),
        (cert.issuer_der == _EMPTY_NAME, "its issuer has no name"),
        (cert.subject_der == _EMPTY_NAME and (authority or ALT_NAME not in has), "it has no name"),
        (
            cert.subject_der == _EMPTY_NAME and ALT_NAME in has and not has[ALT_NAME].critical,
            "its only names are not critical",
        ),
        (not cert.same_algorithm, "it names two signature algorithms"),
        (AUTHORITY_KEY in has and has[AUTHORITY_KEY].critical, "the identifier of its issuer's key is critical"),
        (SUBJECT_KEY in has and has[SUBJECT_KEY].critical, "the identifier of its key is critical"),
        (cert.version < 3 and bool(has), "it has extensions, although it is of an old version"),
        (cert.version >= 3 and not last and not names_key, "it does not identify its issuer's key"),
        (cert.version >= 3 and authority and SUBJECT_KEY not in has, "a CA does not identify its key"),
    )
    return ["{}: {}".format(cert.subject or "a certificate", text) for wrong, text in rows if wrong]


def _constraints(cert: der.Certificate) -> bool:
    """Whether it says that it is a CA (RFC 5280 4.2.1.9)."""
    if CONSTRAINTS not in cert.extensions:
        return False
    return any(
        tag == der.BOOLEAN and body != b"\0"
        for tag, body in der.contents(cert.extensions[CONSTRAINTS].value, der.SEQUENCE)
    )
