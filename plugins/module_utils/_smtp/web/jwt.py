# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RS256 signatures without a library: a private RSA key in PEM, and RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2, RFC 7518 3.3).

The standard library has no RSA, and a target needs nothing but Python. What is here signs one assertion a run with a key that
the one who runs it already holds; it is no general library: it only signs, and Python's integers take a time that depends on
the key, which somebody on the same machine could in theory measure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import typing as t

from ..x509.der import DerError, contents

INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30
# Below 2048 bits no provider takes a signature; above 8192 the arithmetic is slow enough to look like a hang.
LEAST_BITS, MOST_BITS = 2048, 8192
# DigestInfo of SHA-256 up to the digest itself (RFC 8017 9.2, note 1).
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")

_PEM = r"(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----"


class KeyProblem(ValueError):
    """The key cannot be used; the text says why and shows nothing of it."""


class RsaKey:
    """A private key that cannot print itself. ``n`` the modulus, ``e`` and ``d`` the exponents, ``crt`` the same for p and q."""

    __slots__ = ("_numbers",)

    def __init__(self, numbers: t.Sequence[int]) -> None:
        self._numbers = tuple(numbers)

    def __repr__(self) -> str:
        return "(key)"

    def __reduce__(self) -> t.NoReturn:
        raise TypeError("a key is not written out")

    @property
    def length(self) -> int:
        """Of a signature, in bytes."""
        return (self._numbers[0].bit_length() + 7) // 8

    def power(self, message: int) -> int:
        """``message`` to the private exponent, by way of the two primes (RFC 8017 5.1.2, 2b): four times as fast."""
        n, e, _d, p, q, exponent_p, exponent_q, inverse = self._numbers
        first, second = pow(message, exponent_p, p), pow(message, exponent_q, q)
        signed = second + q * (((first - second) * inverse) % p)
        # One wrong half, by a damaged key or a fault of the machine, would give the key away to whoever reads the signature.
        if pow(signed, e, n) != message:
            raise KeyProblem("does not fit together: its numbers are not one key")
        return signed


def load(pem: str) -> RsaKey:
    """A key in PKCS#1 (RFC 8017 A.1.2) or PKCS#8 (RFC 5208 5). Raises :class:`KeyProblem`."""
    # The JSON file of a Google service account writes its line ends as a backslash and an n.
    found = re.search(_PEM, pem.replace("\\n", "\n"))
    if found is None:
        raise KeyProblem("is not a key in PEM, from -----BEGIN PRIVATE KEY----- to its END line")
    kind, body = found.groups()
    if kind == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in body:
        raise KeyProblem("has a passphrase; give it without one, from a vault")
    if kind not in ("PRIVATE KEY", "RSA PRIVATE KEY"):
        raise KeyProblem(f"is not a private RSA key, but says BEGIN {kind}")
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
        return RsaKey(_checked(_pkcs1(data) if kind == "RSA PRIVATE KEY" else _pkcs8(data)))
    except KeyProblem:
        raise
    except (DerError, binascii.Error, ValueError, IndexError):
        # Without the cause: what a parser says about a key may quote it.
        raise KeyProblem("cannot be read: it is damaged or cut off") from None


def _pkcs8(data: bytes) -> list[int]:
    """PrivateKeyInfo: version, algorithm, the key of that algorithm as octets."""
    _version, algorithm, key = contents(data, SEQUENCE)[:3]
    if RSA_ENCRYPTION not in algorithm[1] or key[0] != OCTETS:
        raise KeyProblem("is not an RSA key; RS256 needs one")
    return _pkcs1(key[1])


def _pkcs1(data: bytes) -> list[int]:
    """RSAPrivateKey: version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p."""
    version, *numbers = contents(data, SEQUENCE)
    if version != (INTEGER, b"\0") or len(numbers) != 8 or any(tag != INTEGER for tag, _body in numbers):
        raise KeyProblem("is not an RSA key of two primes")
    return [int.from_bytes(body, "big") for _tag, body in numbers]


def _checked(numbers: list[int]) -> list[int]:
    n, _e, _d, p, q = numbers[:5]
    if not LEAST_BITS <= n.bit_length() <= MOST_BITS:
        raise KeyProblem("has %d bits; from %d to %d can be used" % (n.bit_length(), LEAST_BITS, MOST_BITS))
    if p * q != n or min(numbers) < 1:
        raise KeyProblem("does not fit together: its numbers are not one key")
    return numbers


def sign(key: RsaKey, data: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5: the digest behind its name, filled up with FF to the length of the key, to the private exponent."""
    digest = SHA256_INFO + hashlib.sha256(data).digest()
    padded = b"\0\1" + b"\xff" * (key.length - len(digest) - 3) + b"\0" + digest
    return key.power(int.from_bytes(padded, "big")).to_bytes(key.length, "big")


def base64url(data: bytes) -> str:
    """Without the equal signs (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def jwt(key: RsaKey, header: t.Mapping[str, str], claims: t.Mapping[str, t.Any]) -> str:
    """A signed token in compact form (RFC 7519 7.1)."""
    parts = [
        base64url(json.dumps(part, separators=(",", ":")).encode("utf-8"))
        for part in (dict(header, alg="RS256"), claims)
    ]
    signed = ".".join(parts)
    return signed + "." + base64url(sign(key, signed.encode("ascii")))
