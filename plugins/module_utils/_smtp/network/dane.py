# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DANE for SMTP (RFC 7672): whether the certificate that was shown is one that DNS vouches for. A report, never a verdict."""

from __future__ import annotations

import hashlib
import typing as t

from ..._shared.light import NamedTuple
from ..protocol.failure import Failure
from ..x509 import der
from . import dns

# RFC 7672 3.1: of the usages only these two mean something for SMTP.
TRUST_ANCHOR, END_ENTITY = 2, 3
_DIGESTS: t.Dict[int, t.Callable[[bytes], bytes]] = {
    0: lambda data: data,
    1: lambda data: hashlib.sha256(data).digest(),
    2: lambda data: hashlib.sha512(data).digest(),
}


class TlsaRecord(NamedTuple):
    """One TLSA record (RFC 6698 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


def report(
    host: str, port: int, chain: t.Sequence[bytes], servers: t.Sequence[tuple[str, int]], seconds: float
) -> dict[str, t.Any]:
    """``status`` is one of match, mismatch, none, unusable, unknown, error; ``secure``: whether DNSSEC proved the records."""
    name = "_%d._tcp.%s" % (port, host)
    try:
        answer = dns.ask(name, "TLSA", servers, seconds)
    except Failure as failure:
        return {"name": name, "status": "error", "secure": False, "records": [], "detail": failure.detail}
    records = [TlsaRecord(one.usage, one.selector, one.mtype, one.cert) for one in answer.records]
    status, detail = judge(records, chain)
    if records and not answer.secure:
        detail += "; the resolver does not say that DNSSEC proved them, so no sender relies on them"
    shown = ["%d %d %d %s" % (one.usage, one.selector, one.matching, one.data.hex()) for one in records]
    return {"name": name, "status": status, "secure": answer.secure, "records": shown, "detail": detail}


def judge(records: t.Sequence[TlsaRecord], chain: t.Sequence[bytes]) -> tuple[str, str]:
    """A status and a sentence. ``chain`` is DER, the server's own certificate first, as far as it could be seen."""
    if not records:
        return "none", "there are no TLSA records"
    usable = [
        one
        for one in records
        if one.usage in (TRUST_ANCHOR, END_ENTITY) and one.selector in (0, 1) and one.matching in _DIGESTS
    ]
    if not usable:
        return "unusable", "no TLSA record is of a kind that SMTP uses (RFC 7672 3.1: usage 2 or 3)"
    if not chain:
        return "unknown", "no certificate was seen"
    for one in usable:
        # DANE-EE is about the server's own certificate alone, DANE-TA about one that signed it.
        for data in chain[:1] if one.usage == END_ENTITY else chain[1:]:
            if _selected(one, data) == one.data:
                return (
                    "match",
                    "the certificate is the one in DNS" if one.usage == END_ENTITY else "the CA is the one in DNS",
                )
    if len(chain) < 2 and any(one.usage == TRUST_ANCHOR for one in usable):
        return "unknown", "a record names a CA, and Python before 3.13 does not show the chain"
    return "mismatch", "no TLSA record matches the certificate"


def _selected(record: TlsaRecord, data: bytes) -> bytes:
    try:
        return _DIGESTS[record.matching](data if record.selector == 0 else der.parse(data).public_key)
    except der.DerError:
        return b""
