# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers for the live tests: a throw-away CA, aiosmtpd with it, and raw sockets that do as a script says."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import pathlib
import socket
import ssl
import threading
import typing as t

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from smtp_rig import PASSWORD

DAY = datetime.timedelta(days=1)


class Authority:
    """A CA in a folder, and the certificates it gives out: one PEM each, key and certificate together."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self._now = datetime.datetime.now(datetime.timezone.utc)
        self.path = folder / "ca.pem"
        cert = self._sign(self._name, self._key, (), self._now - DAY, self._now + 100 * DAY, ca=True)
        self.path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, label: str, name: str = "127.0.0.1", start: int = -1, end: int = 60, own: bool = False, purpose: str = ""
    ) -> pathlib.Path:
        """For one name or address, valid from ``start`` to ``end`` in days from now; ``own``: by itself; ``purpose``: ``clients`` only."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        cert = self._sign(
            subject,
            key,
            (alternative,),
            self._now + start * DAY,
            self._now + end * DAY,
            by=key if own else None,
            purpose=purpose,
        )
        path = self._folder / (label + ".pem")
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + cert.public_bytes(serialization.Encoding.PEM))
        return path

    def _sign(
        self,
        subject: x509.Name,
        key: t.Any,
        names: t.Sequence[x509.GeneralName],
        start: t.Any,
        end: t.Any,
        ca: bool = False,
        by: t.Any = None,
        purpose: str = "",
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if by else self._name)
            .public_key(key.public_key())
        )
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if purpose == "clients":
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        return builder.sign(by or self._key, hashes.SHA256())


def server_context(pem: pathlib.Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(str(pem))
    return made


class Mailbox:
    """aiosmtpd's handler: keeps what it was sent, and counts logins."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.logins = 0

    async def handle_DATA(self, server: t.Any, session: t.Any, envelope: t.Any) -> str:
        self.messages.append(envelope.content)
        return "250 2.0.0 kept"

    async def handle_RCPT(self, server: t.Any, session: t.Any, envelope: t.Any, address: str, options: t.Any) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    def login(self, server: t.Any, session: t.Any, envelope: t.Any, mechanism: str, data: t.Any) -> AuthResult:
        self.logins += 1
        return AuthResult(success=data.login == b"u" and data.password == PASSWORD.encode("utf-8"), handled=False)


class Relay(Controller):
    """aiosmtpd counts only STARTTLS as TLS: with implicit TLS it would never offer AUTH unless told not to mind."""

    def __init__(self, mailbox: Mailbox, context: ssl.SSLContext, implicit: bool, port: int = 0) -> None:
        self._mailbox, self._tls, self._implicit = mailbox, context, implicit
        super().__init__(
            mailbox, hostname="127.0.0.1", port=port or free_port(), ssl_context=context if implicit else None
        )

    def factory(self) -> SMTP:
        return SMTP(
            self._mailbox, hostname="relay.example", tls_context=None if self._implicit else self._tls,
            require_starttls=not self._implicit, auth_require_tls=not self._implicit, authenticator=self._mailbox.login,
        )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def relay(pem: pathlib.Path, implicit: bool) -> t.Iterator[tuple[int, Mailbox]]:
    """aiosmtpd with STARTTLS, or with TLS from the first byte; gives its port and mailbox."""
    mailbox = Mailbox()
    controller = Relay(mailbox, server_context(pem), implicit)
    controller.start()
    try:
        yield controller.port, mailbox
    finally:
        controller.stop()


class Script:
    """A listener on loopback, or at a path, that runs ``talk`` for each connection, and knows whether that came to its end."""

    def __init__(
        self, talk: t.Callable[[socket.socket, threading.Event], None], address: tuple[str, int] | str
    ) -> None:
        self._talk = talk
        self._listener = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self._listener.bind(address)
        self._listener.listen(8)
        self.port = 0 if isinstance(address, str) else int(self._listener.getsockname()[1])
        self.stop = threading.Event()
        self.finished = 0
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock: socket.socket) -> None:
        # The client hangs up on us in most of these tests; that is what they are about.
        with sock, contextlib.suppress(OSError):
            sock.settimeout(20)
            self._talk(sock, self.stop)
            self.finished += 1

    def close(self) -> None:
        self.stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def script(
    talk: t.Callable[[socket.socket, threading.Event], None], address: tuple[str, int] | str = ("127.0.0.1", 0)
) -> t.Iterator[Script]:
    running = Script(talk, address)
    try:
        yield running
    finally:
        running.close()
