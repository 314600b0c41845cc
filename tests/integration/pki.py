# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of the test's own, and the good and bad server certificates it can issue."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
GOOD_NAMES = ("localhost", "127.0.0.1", "127.0.0.2")


class Leaf(t.NamedTuple):
    """A server certificate on disk: `chain` is a PEM file with the key first, as Postfix's smtpd_tls_chain_files wants it."""

    chain: Path
    cert: Path
    key: Path


class Pki:
    """One CA whose certificate is `ca`, a PEM file under `folder`; every method below writes one more server certificate there."""

    def __init__(self, folder: Path, name: str = "Smarthost test CA") -> None:
        """Makes the CA's key and certificate. `folder` is created if need be; its private keys are 0600."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._cert = _ca_certificate(name, self._key)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))

    def good(self, names: t.Sequence[str] = GOOD_NAMES) -> Leaf:
        """Valid today for every one of `names` (host names or addresses)."""
        return self._leaf("good", names)

    def client(self, name: str) -> Leaf:
        """A client's certificate, whose common name is the user `name`."""
        return self._leaf("client-" + name, [name], purpose=ExtendedKeyUsageOID.CLIENT_AUTH)

    def wrong_name(self) -> Leaf:
        """Valid today, but for a host that is not the one the tests connect to."""
        return self._leaf("wrong-name", ["mail.other.test"])

    def expired(self) -> Leaf:
        """For the right names, and out of date since yesterday."""
        return self._leaf("expired", GOOD_NAMES, first=-30, last=-1)

    def not_yet_valid(self) -> Leaf:
        """For the right names, and valid from tomorrow on."""
        return self._leaf("not-yet-valid", GOOD_NAMES, first=1, last=30)

    def self_signed(self) -> Leaf:
        """For the right names, and signed by its own key instead of the CA's."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("localhost")
        return self._write(
            "self-signed", key, _server_certificate(subject, subject, key.public_key(), key, GOOD_NAMES, -1, 30)
        )

    def _leaf(
        self,
        label: str,
        names: t.Sequence[str],
        first: int = -1,
        last: int = 30,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> Leaf:
        key = ec.generate_private_key(ec.SECP256R1())
        cert = _server_certificate(
            _name(names[0]), self._cert.subject, key.public_key(), self._key, names, first, last, purpose
        )
        return self._write(label, key, cert)

    def _write(self, label: str, key: ec.EllipticCurvePrivateKey, cert: x509.Certificate) -> Leaf:
        key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        cert_pem = cert.public_bytes(serialization.Encoding.PEM)
        leaf = Leaf(
            self.folder / f"{label}.chain.pem", self.folder / f"{label}.cert.pem", self.folder / f"{label}.key.pem"
        )
        for path, content in ((leaf.chain, key_pem + cert_pem), (leaf.cert, cert_pem), (leaf.key, key_pem)):
            path.touch(mode=0o600)
            path.write_bytes(content)
        leaf.cert.chmod(0o644)
        return leaf


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, first: int, last: int
) -> x509.CertificateBuilder:
    """A certificate valid from `first` to `last`, in days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + first * DAY)
        .not_valid_after(now + last * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ca_certificate(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _builder(_name(name), _name(name), key.public_key(), -60, 60)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server_certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    names: t.Sequence[str],
    first: int,
    last: int,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> x509.Certificate:
    return (
        _builder(subject, issuer, public, first, last)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .sign(signer, hashes.SHA256())
    )
