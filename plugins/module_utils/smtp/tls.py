# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows TLS: contexts, the handshake, what a failed one means, what the certificate says."""

from __future__ import annotations

import datetime
import hashlib
import os
import ssl
import threading
import typing as t

from . import der
from .failure import Failure

if t.TYPE_CHECKING:
    import socket

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# X509_V_FLAG_PARTIAL_CHAIN by number: Python 3.13 has it on by default, 3.8 has no name for it. Set everywhere, it
# gives the same verdict everywhere. X509_V_FLAG_X509_STRICT (also 3.13's default) is off, for the same reason.
PARTIAL_CHAIN = 0x80000


class TlsSettings(t.NamedTuple):
    """What was declared. ``fingerprints`` are lower-case hex SHA-256 of the certificate; any one may match."""

    verify: bool
    ca_path: str
    server_name: str
    min_version: str
    fingerprints: t.Tuple[str, ...]


class TlsInfo(t.NamedTuple):
    """What was agreed, and the peer's certificate. ``days_left`` is negative once it has expired."""

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


class TlsSetupError(Exception):
    """The CA file or folder cannot be used; the text says why."""


_contexts: dict[tuple[bool, str, str], ssl.SSLContext] = {}
_contexts_lock = threading.Lock()


def context(settings: TlsSettings) -> ssl.SSLContext:
    """A client context. Kept: loading the system's CAs takes longer than a conversation. Raises TlsSetupError."""
    key = (settings.verify, settings.ca_path, settings.min_version)
    with _contexts_lock:
        if key not in _contexts:
            _contexts[key] = _new_context(settings)
        return _contexts[key]


def _new_context(settings: TlsSettings) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = VERSIONS[settings.min_version]
    if settings.min_version < "1.2":
        # OpenSSL 3 has put TLS below 1.2 out of reach of its ordinary security level.
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if not settings.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    made.verify_flags = ssl.VerifyFlags(made.verify_flags | PARTIAL_CHAIN)
    if settings.ca_path:
        _load_authorities(made, settings.ca_path)
    else:
        made.load_default_certs()
    return made


def _load_authorities(made: ssl.SSLContext, path: str) -> None:
    """Only what ``path`` holds is trusted. A folder need not be hashed: every file in it is looked at."""
    folder = os.path.isdir(path)
    try:
        files = [os.path.join(path, name) for name in sorted(os.listdir(path))] if folder else [path]
    except OSError as exc:
        raise TlsSetupError("%s cannot be read: %s" % (path, exc.strerror)) from exc
    for name in files:
        try:
            made.load_verify_locations(cafile=name)
        except (OSError, ValueError) as exc:
            if not folder:
                why = (
                    "holds no certificate in PEM" if isinstance(exc, ssl.SSLError) else "cannot be read: %s" % getattr(exc, "strerror", exc)
                )
                raise TlsSetupError("%s %s" % (path, why)) from exc
    if not made.get_ca_certs() and not made.cert_store_stats()["x509"]:
        raise TlsSetupError("%s holds no certificate in PEM" % path)


def handshake(sock: socket.socket, settings: TlsSettings) -> tuple[ssl.SSLSocket, TlsInfo]:
    """Secure a connected socket, whose timeout bounds the handshake. Raises :class:`Failure`."""
    try:
        secure = context(settings).wrap_socket(sock, server_hostname=settings.server_name or None)
    except OSError as exc:
        failure = explain(exc, shaking_hands=True)
        if failure is None:
            raise
        raise failure from exc
    except ValueError as exc:
        raise Failure("cert_hostname", detail="%r is not a name that a certificate can carry" % settings.server_name) from exc
    info = _describe(secure, settings.verify)
    if settings.fingerprints and info.sha256 not in settings.fingerprints:
        secure.close()
        raise Failure("cert_pin", detail="its certificate is sha256:%s" % info.sha256, tls=info)
    return secure, info


def _describe(secure: ssl.SSLSocket, verified: bool) -> TlsInfo:
    data = secure.getpeercert(True) or b""
    cipher = secure.cipher()
    info = TlsInfo(secure.version() or "", cipher[0] if cipher else "", verified, sha256=hashlib.sha256(data).hexdigest())
    try:
        cert = der.parse(data)
    except der.DerError:
        return info
    left = cert.not_after - datetime.datetime.now(datetime.timezone.utc)
    return info._replace(
        subject=cert.subject,
        names=cert.names,
        issuer=cert.issuer,
        not_before=cert.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        not_after=cert.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        days_left=left.days,
    )


# X509_V_ERR numbers; the same in OpenSSL 1.1 and 3. Anything else is a chain that breaks a rule: cert_strict.
VERIFY_CODES = {
    2: "cert_unknown_ca",
    9: "cert_not_yet_valid",
    10: "cert_expired",
    18: "cert_self_signed",
    19: "cert_unknown_ca",
    20: "cert_unknown_ca",
    21: "cert_unknown_ca",
    62: "cert_hostname",
    63: "cert_hostname",
    64: "cert_hostname",
}
# By message text, because Python's table of reason names is wrong where OpenSSL is newer than it.
MESSAGES = (
    ("client_cert_required", ("certificate required", "bad certificate", "certificate unknown")),
    ("tls_mode_mismatch", ("wrong version number", "unknown protocol", "http request", "packet length too long", "record layer failure")),
    ("tls_version", ("protocol version", "unsupported protocol", "no protocols available", "legacy sigalg", "version too low")),
    ("tls_cipher", ("handshake failure", "no shared cipher", "no cipher", "key too small", "insufficient security")),
)


def explain(exc: Exception, shaking_hands: bool = False) -> Failure | None:
    """What an exception of the ``ssl`` module means; None if it is not one. See :data:`VERIFY_CODES` and :data:`MESSAGES`."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return Failure(VERIFY_CODES.get(exc.verify_code, "cert_strict"), detail=exc.verify_message or "")
    if isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)) and shaking_hands:
        return Failure("tls_handshake_closed", detail="the server closed the connection during the TLS handshake")
    if not isinstance(exc, ssl.SSLError) or isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None
    text = str(exc).lower().replace("_", " ")
    if "timed out" in text:
        return None
    for category, fragments in MESSAGES:
        if any(fragment in text for fragment in fragments):
            return Failure(category, detail=(exc.reason or "").replace("_", " ").lower())
    return Failure("tls_handshake_closed" if shaking_hands else "disconnected", detail=(exc.reason or str(exc)).replace("_", " ").lower())
