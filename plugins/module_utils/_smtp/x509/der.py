# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a report needs out of a certificate in DER, verified or not (X.690, RFC 5280 4.1)."""

from __future__ import annotations

import functools
import typing as t

from ..._shared.light import NamedTuple

SEQUENCE, OCTETS, BOOLEAN, OID, UTC_TIME, GENERAL_TIME = 0x30, 0x04, 0x01, 0x06, 0x17, 0x18
EXTENSIONS, VERSION = 0xA3, 0xA0
SAN_EMAIL, SAN_DNS, SAN_IP = 0x81, 0x82, 0x87
BMP_STRING = 0x1E

SUBJECT_ALT_NAME = bytes((0x55, 0x1D, 0x11))
_NAME_OIDS = {
    bytes((0x55, 0x04, 0x03)): "CN",
    bytes((0x55, 0x04, 0x06)): "C",
    bytes((0x55, 0x04, 0x07)): "L",
    bytes((0x55, 0x04, 0x08)): "ST",
    bytes((0x55, 0x04, 0x0A)): "O",
    bytes((0x55, 0x04, 0x0B)): "OU",
    bytes((0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01)): "emailAddress",
    bytes((0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x19)): "DC",
}


class DerError(ValueError):
    """These bytes are not a certificate."""


class Extension(NamedTuple):
    """One extension of a certificate: its value in DER, and whether who does not know it must refuse the certificate."""

    critical: bool
    value: bytes


class Time(NamedTuple):
    """As ``2026-11-21T08:00:00Z``, and in seconds since 1970 (UTC)."""

    text: str
    seconds: int


class Certificate(NamedTuple):
    """The readable part. ``public_key``, ``issuer_der`` and ``subject_der`` are whole values in DER."""

    subject: str
    issuer: str
    names: t.Tuple[str, ...]
    not_before: Time
    not_after: Time
    public_key: bytes
    subject_der: bytes
    issuer_der: bytes
    version: int
    extensions: t.Dict[bytes, Extension]
    same_algorithm: bool


class _Value(NamedTuple):
    tag: int
    body: bytes
    whole: bytes


def _values(data: bytes) -> list[_Value]:
    """The values that follow one another in ``data``."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise DerError("cut off in a header")
        tag, length, start, at = data[at], data[at + 1], at, at + 2
        if length & 0x80:
            width = length & 0x7F
            if not 0 < width <= 4:
                raise DerError("a length that DER does not know")
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + length > len(data):
            raise DerError("cut off in a value")
        found.append(_Value(tag, data[at : at + length], data[start : at + length]))
        at += length
    return found


def _first(data: bytes) -> _Value:
    values = _values(data)
    if not values:
        raise DerError("nothing where a value belongs")
    return values[0]


def _inside(value: _Value, tag: int) -> list[_Value]:
    if value.tag != tag:
        raise DerError(f"tag 0x{value.tag:02x} where 0x{tag:02x} belongs")
    return _values(value.body)


@functools.lru_cache(maxsize=128)
def parse(data: bytes) -> Certificate:
    """Read one certificate, once: what is looked at is looked at again. Raises :class:`DerError` on anything else."""
    try:
        signed, signature_algorithm = _inside(_values(data)[0], SEQUENCE)[:2]
        fields, version = _inside(signed, SEQUENCE), 1
        if fields[0].tag == VERSION:
            version = _values(fields[0].body)[0].body[-1] + 1
            fields = fields[1:]
        _serial, algorithm, issuer, validity, subject, public_key = fields[:6]
        not_before, not_after = map(_time, _inside(validity, SEQUENCE))
        extensions = dict(_extensions(fields[6:]))
        return Certificate(
            subject=_name(subject),
            issuer=_name(issuer),
            names=tuple(_alt_names(extensions)),
            not_before=not_before,
            not_after=not_after,
            public_key=public_key.whole,
            subject_der=subject.whole,
            issuer_der=issuer.whole,
            version=version,
            extensions=extensions,
            same_algorithm=algorithm.whole == signature_algorithm.whole,
        )
    except (IndexError, ValueError) as exc:
        raise DerError(f"not a certificate: {exc}") from exc


def _name(value: _Value) -> str:
    """``CN=relay.example.com, O=Example``, in the order of the certificate."""
    parts = []
    for relative in _inside(value, SEQUENCE):
        for pair in _values(relative.body):
            kind, text = _inside(pair, SEQUENCE)
            encoding = "utf-16-be" if text.tag == BMP_STRING else "utf-8"
            parts.append(
                "{}={}".format(
                    _NAME_OIDS.get(kind.body, "OID." + kind.body.hex()), text.body.decode(encoding, "backslashreplace")
                )
            )
    return ", ".join(parts)


def _time(value: _Value) -> Time:
    """RFC 5280 4.1.2.5: two-digit years from 50 on are 19xx."""
    text = value.body.decode("ascii")
    if value.tag == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif value.tag != GENERAL_TIME:
        raise DerError(f"tag 0x{value.tag:02x} where a time belongs")
    if len(text) != 15 or not text[:14].isdecimal() or text[14] != "Z":
        raise DerError(f"not a time: {text}")
    year = int(text[:4])
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    first = _days(year, month, 1)
    length = _days(year, month + 1, 1) - first
    if not (year and 1 <= month <= 12 and 1 <= day <= length and hour < 24 and minute < 60 and second < 60):
        raise DerError(f"not a time: {text}")
    shown = "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, hour, minute, second)
    return Time(shown, (((first + day - 1) * 24 + hour) * 60 + minute) * 60 + second)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970; the month after the twelfth is the next January. Not by datetime, which takes longer to load than a login.

    Years begin with March here, so that a leap day is the last of its year (RFC 3339 appendix B counts like this too).
    """
    year, month = (year - 1, month + 12) if month < 3 else (year, month)
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 - 457) // 5 + day - 719469


def _extensions(rest: t.Sequence[_Value]) -> t.Iterator[tuple[bytes, Extension]]:
    for field in rest:
        if field.tag != EXTENSIONS:
            continue
        for extension in _inside(_first(field.body), SEQUENCE):
            parts = _inside(extension, SEQUENCE)
            critical = parts[1].tag == BOOLEAN and parts[1].body != b"\0"
            yield parts[0].body, Extension(critical, parts[-1].body)


def _alt_names(extensions: t.Mapping[bytes, Extension]) -> t.Iterator[str]:
    if SUBJECT_ALT_NAME not in extensions:
        return
    for name in _inside(_first(extensions[SUBJECT_ALT_NAME].value), SEQUENCE):
        if name.tag in (SAN_DNS, SAN_EMAIL):
            yield name.body.decode("ascii", "backslashreplace")
        elif name.tag == SAN_IP:
            yield _address(name.body)


def _address(packed: bytes) -> str:
    if len(packed) == 4:
        return ".".join(map(str, packed))
    # Imported here: few certificates name an IPv6 address.
    import ipaddress

    return str(ipaddress.ip_address(packed))


def contents(data: bytes, tag: int) -> list[tuple[int, bytes]]:
    """Tag and body of each value within the one of this ``tag`` that ``data`` is. Raises :class:`DerError`."""
    return [(value.tag, value.body) for value in _inside(_first(data), tag)]
