# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel binding ``tls-server-end-point`` (RFC 5929 4): what ties a login to the certificate that was seen."""

from __future__ import annotations

import hashlib

from ..x509 import der

_RSA = bytes((0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01))
_RSA_PSS = _RSA + b"\x0a"
_ECDSA = bytes((0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04))
_NIST = bytes((0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04))
# Signature algorithms by their hash; MD5 and SHA-1 count as SHA-256. Ed25519 and its like have none, and so no binding.
_HASHES = {
    _RSA + b"\x04": "sha256",
    _RSA + b"\x05": "sha256",
    _RSA + b"\x0b": "sha256",
    _RSA + b"\x0c": "sha384",
    _RSA + b"\x0d": "sha512",
    _RSA + b"\x0e": "sha224",
    _ECDSA + b"\x01": "sha256",
    _ECDSA + b"\x03\x01": "sha224",
    _ECDSA + b"\x03\x02": "sha256",
    _ECDSA + b"\x03\x03": "sha384",
    _ECDSA + b"\x03\x04": "sha512",
}
_PSS_HASHES = {
    _NIST + b"\x02\x01": "sha256",
    _NIST + b"\x02\x02": "sha384",
    _NIST + b"\x02\x03": "sha512",
    _NIST + b"\x02\x04": "sha224",
}
# RFC 4055 3.1: without a word on it, PSS hashes with SHA-1.
_PSS_DEFAULT = "sha256"


def server_end_point(certificate: bytes) -> bytes:
    """The hash of a certificate in DER by its own signature's hash; empty where the RFC defines none, or it is no certificate."""
    try:
        algorithm = der.contents(certificate, der.SEQUENCE)[1][1]
        length = algorithm[1]
        oid, parameters = algorithm[2 : 2 + length], algorithm[2 + length :]
        name = _pss_hash(parameters) if oid == _RSA_PSS else _HASHES.get(oid, "")
    except (der.DerError, IndexError):
        return b""
    return hashlib.new(name, certificate).digest() if name else b""


def _pss_hash(parameters: bytes) -> str:
    """The hash among the parameters of RSASSA-PSS (RFC 4055 3.1)."""
    for tag, body in der.contents(parameters, der.SEQUENCE):
        if tag == 0xA0:
            return _PSS_HASHES.get(der.contents(body, der.SEQUENCE)[0][1], _PSS_DEFAULT)
    return _PSS_DEFAULT
