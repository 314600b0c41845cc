# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates made to order: a root, an intermediate if wanted, and the server's own, each with any rule of RFC 5280 broken."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc)
Key = ec.EllipticCurvePrivateKey


class Issued(t.NamedTuple):
    """A certificate and its key."""

    cert: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: bytes = b"") -> bytes:
        how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, sign, sign, False, False)


def issue(
    label: str,
    by: Issued | None = None,
    ca: bool = False,
    constraints: str = "critical",
    key_usage: bool = True,
    signs: bool | None = None,
    own_key_id: bool = True,
    issuer_key_id: bool = True,
    named: bool = True,
    names: bool = True,
) -> Issued:
    """One certificate, by itself where ``by`` is left out. Every switch that is off breaks, or nearly breaks, a rule."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)] if named else [])
    signer = by.key if by else key
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.cert.subject if by else subject)
        .public_key(key.public_key())
    )
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - DAY).not_valid_after(NOW + 60 * DAY)
    if constraints:
        made = made.add_extension(x509.BasicConstraints(ca, None), critical=constraints == "critical")
    if key_usage:
        made = made.add_extension(usage(ca if signs is None else signs), critical=True)
    if own_key_id:
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if issuer_key_id and by:
        made = made.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    if names and not ca:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=not named)
    return Issued(made.sign(signer, hashes.SHA256()), key)


def chain_file(folder: pathlib.Path, *issued: Issued) -> pathlib.Path:
    """What a server loads: the key of the first, and every certificate in order."""
    path = folder / "chain.pem"
    path.write_bytes(issued[0].key_pem() + b"".join(one.pem for one in issued))
    return path
