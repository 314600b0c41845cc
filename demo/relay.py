# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's relay: aiosmtpd with a CA of its own, STARTTLS on one port, TLS on another, login required on both."""

from __future__ import annotations

import asyncio
import datetime
import email
import email.policy
import ipaddress
import logging
import pathlib
import ssl
import typing as t
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Clients such as Go's expect exactly these prompts of AUTH LOGIN.
SMTP.AuthLoginUsernameChallenge = "Username:"
SMTP.AuthLoginPasswordChallenge = "Password:"


class EmbeddedRelay:
    """A context manager; ``starttls_port``, ``tls_port`` and ``ca`` say where it is, ``messages`` what it took."""

    def __init__(self, folder: pathlib.Path, username: str, password: str) -> None:
        self.ca, context = _certificates(folder)
        self._login = (username.encode(), password.encode())
        self.messages: list[dict[str, t.Any]] = []
        common: dict[str, t.Any] = {
            "hostname": "localhost",
            "port": 0,
            "authenticator": self._authenticate,
            "auth_required": True,
        }
        # aiosmtpd does not count TLS from the first byte as TLS: there it would never offer a login, and it warns of it.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
        logging.getLogger("mail").setLevel(logging.ERROR)
        self._controllers = [
            _Controller(_Inbox(self.messages, "STARTTLS"), **common, tls_context=context, require_starttls=True),
            _Controller(_Inbox(self.messages, "TLS"), **common, auth_require_tls=False, ssl_context=context),
        ]

    def __enter__(self) -> EmbeddedRelay:
        for controller in self._controllers:
            controller.start()
        self.starttls_port, self.tls_port = (controller.port for controller in self._controllers)
        return self

    def __exit__(self, *_error: object) -> None:
        for controller in self._controllers:
            controller.stop()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: t.Any
    ) -> AuthResult:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == self._login
        return AuthResult(success=fits, handled=False, auth_data=data.login if fits else None)


class _Inbox:
    """Takes every message (aiosmtpd's handler)."""

    def __init__(self, messages: list[dict[str, t.Any]], security: str) -> None:
        self._messages, self._security = messages, security

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(t.cast(bytes, envelope.content), policy=email.policy.default)
        self._messages.append(
            {
                "subject": message["subject"],
                "sender": envelope.mail_from,
                "recipients": list(envelope.rcpt_tos),
                "security": self._security,
                "user": t.cast(bytes, session.auth_data).decode(),
            }
        )
        return "250 2.0.0 taken"


class _Controller(Controller):
    """aiosmtpd's controller on a port that the kernel chooses."""

    def _trigger_server(self) -> None:
        self.port = t.cast(asyncio.Server, self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has no types here


def _certificates(folder: pathlib.Path) -> tuple[pathlib.Path, ssl.SSLContext]:
    """A CA and a certificate for localhost, good for a month. Returns the CA's file and the server's context."""
    folder.mkdir(mode=0o700)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smarthost.mail demo CA")])
    ca = _signed(issuer, issuer, ca_key.public_key(), ca_key, [(x509.BasicConstraints(ca=True, path_length=0), True)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    leaf = _signed(
        subject,
        issuer,
        key.public_key(),
        ca_key,
        [(names, False), (x509.BasicConstraints(ca=False, path_length=None), True)],
    )
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    server = folder / "server.pem"
    server.touch(mode=0o600)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    server.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()) + leaf.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return folder / "ca.pem", context


def _signed(
    subject: x509.Name, issuer: x509.Name, public_key: t.Any, signer: t.Any, extensions: list[tuple[t.Any, bool]]
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    first, last = now - datetime.timedelta(hours=1), now + datetime.timedelta(days=30)
    builder = x509.CertificateBuilder(issuer, subject, public_key, x509.random_serial_number(), first, last)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())
