# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that knows TLS: contexts, the handshake, what a failed one means, what the certificate says."""

from __future__ import annotations

import os
import ssl
import typing as t
from _thread import allocate_lock

from ..._shared.light import NamedTuple
from ..._shared.problem import Problem, ProblemsError
from ..._shared.secret import Secret
from ..protocol.failure import Failure
from ..x509.certificate import TlsInfo, certificate_in, describe, strictly

if t.TYPE_CHECKING:
    import socket

    from ansible_collections.smarthost.mail.plugins.module_utils._shared.regular_file import Passed

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# X509_V_FLAG_PARTIAL_CHAIN by number: Python 3.13 has it on by default, 3.8 has no name for it. Set everywhere, it
# gives the same verdict everywhere. X509_V_FLAG_X509_STRICT (also 3.13's default) is off, for the same reason.
PARTIAL_CHAIN = 0x80000
# What Python 3.10 and later choose. Said here, it holds on 3.8 and 3.9 too.
CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
# OpenSSL 3 has put TLS below 1.2 out of reach of its ordinary security level.
OLD_CIPHERS = "DEFAULT:@SECLEVEL=0"
ANY_CIPHERS = "ALL:!aNULL:@SECLEVEL=0"
GLANCE_BYTES = 65536


class ClientCertificate(NamedTuple):
    """Paths of a certificate and its key in PEM (one file may hold both), and what the key is encrypted with."""

    path: str
    key_path: str
    key_password: Secret


class TlsSettings(NamedTuple):
    """What was declared. ``fingerprints`` are ``sha256:`` or ``spki-sha256:`` and lower-case hex; any one may match.

    ``strict`` sets X509_STRICT; ``ciphers`` is OpenSSL's list for TLS 1.2 and older, empty for ours. ``ca_added``: the CAs in
    ``ca_path`` are trusted beside those of the system, not instead of them. ``glance``: the handshake is only to be looked at,
    see :func:`_glance`.
    """

    verify: bool
    ca_path: str
    server_name: str
    min_version: str
    fingerprints: t.Tuple[str, ...]
    ca_added: bool = False
    glance: bool = False
    client: t.Optional[ClientCertificate] = None
    strict: bool = False
    ciphers: str = ""


_contexts: dict[t.Any, ssl.SSLContext] = {}
_contexts_lock = allocate_lock()


def context(settings: TlsSettings) -> ssl.SSLContext:
    """A client context. Kept: loading the system's CAs takes longer than a conversation. Raises ProblemsError."""
    key = settings._replace(server_name="", fingerprints=(), client=None), settings.client and settings.client[:2]
    with _contexts_lock:
        if key not in _contexts:
            _contexts[key] = _new_context(settings)
        return _contexts[key]


def _new_context(settings: TlsSettings) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED if settings.glance else VERSIONS[settings.min_version]
    usual = OLD_CIPHERS if settings.min_version < "1.2" else CIPHERS
    try:
        made.set_ciphers(ANY_CIPHERS if settings.glance else settings.ciphers or usual)
    except ssl.SSLError as exc:
        what = "no cipher that OpenSSL has here is in this list."
        raise ProblemsError([Problem("tls_ciphers", what, "tls-ciphers", "Write one such as ECDHE+AESGCM.")]) from exc
    if settings.client is not None:
        _load_own(made, settings.client)
    if not settings.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        return made
    made.verify_flags = ssl.VerifyFlags(
        made.verify_flags | PARTIAL_CHAIN | (ssl.VERIFY_X509_STRICT if settings.strict else 0)
    )
    if settings.ca_path:
        _load_authorities(made, settings.ca_path)
    if settings.ca_added or not settings.ca_path:
        made.load_default_certs()
    return made


def _load_own(made: ssl.SSLContext, client: ClientCertificate) -> None:
    """The certificate that this host shows. Never asks for a password at a terminal."""
    with _passed("client_cert", client.path) as certificate, _passed("client_key", client.key_path) as key:
        try:
            made.load_cert_chain(certificate, key, client.key_password.reveal)
        except (OSError, ValueError) as exc:
            what = "%s and %s do not hold a certificate and its key in PEM, or client_key_password is not the key's password."
            raise ProblemsError([Problem("client_cert", what % (client.path, client.key_path), "client-cert")]) from exc


def _passed(option: str, path: str) -> Passed:
    """A file of the settings, by a path that nobody can exchange. Raises ProblemsError."""
    # Only here: a login without files of its own needs none of it.
    from ansible_collections.smarthost.mail.plugins.module_utils._shared.paths import UnsafePathError
    from ansible_collections.smarthost.mail.plugins.module_utils._shared.regular_file import Passed

    try:
        return Passed(path)
    except UnsafePathError as exc:
        raise ProblemsError(
            [exc.problem._replace(where=option, what=f"{path} is not safe. {exc.problem.what}")]
        ) from exc
    except OSError as exc:
        raise _unreadable(option, path, exc) from exc


def _unreadable(option: str, path: str, exc: Exception) -> ProblemsError:
    return ProblemsError(
        [Problem(option, "{} cannot be read: {}.".format(path, getattr(exc, "strerror", exc)), "not-readable")]
    )


def _load_authorities(made: ssl.SSLContext, path: str) -> None:
    """Only what ``path`` holds is trusted. A folder need not be hashed: every file in it is looked at."""
    folder = os.path.isdir(path)
    try:
        files = [os.path.join(path, name) for name in sorted(os.listdir(path))] if folder else [path]
    except OSError as exc:
        raise _unreadable("ca_path", path, exc) from exc
    for name in files:
        if folder and not os.path.isfile(name):
            continue
        with _passed("ca_path", name) as safe:
            try:
                made.load_verify_locations(cafile=safe)
            except (OSError, ValueError) as exc:
                if not folder:
                    unreadable = isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError)
                    raise (_unreadable("ca_path", path, exc) if unreadable else _no_certificate(path)) from exc
    if not made.get_ca_certs() and not made.cert_store_stats()["x509"]:
        raise _no_certificate(path)


def _no_certificate(path: str) -> ProblemsError:
    return ProblemsError([Problem("ca_path", f"{path} holds no certificate in PEM.", "ca-path")])


def handshake(sock: socket.socket, settings: TlsSettings) -> tuple[ssl.SSLSocket, TlsInfo]:
    """Secure a connected socket, whose timeout bounds the handshake. Raises :class:`Failure`."""
    made = context(settings)
    if settings.glance:
        _glance(sock, made, settings)
    try:
        secure = made.wrap_socket(
            sock, server_hostname=as_sent(settings.server_name) or None, do_handshake_on_connect=False
        )
    except ValueError as exc:
        raise Failure(
            "cert_hostname", detail=f"{settings.server_name!r} is not a name that a certificate can carry"
        ) from exc
    try:
        secure.do_handshake()
    except OSError as exc:
        failure = explain(exc, shaking_hands=True)
        if failure is not None:
            failure = _in_view_of(failure, secure)
        secure.close()
        if failure is None:
            raise
        raise failure from exc
    info = _describe(secure, made, settings.verify)
    if settings.fingerprints and not info.pinned_by(settings.fingerprints):
        secure.close()
        seen = f"its certificate is sha256:{info.sha256}, its public key spki-sha256:{info.spki_sha256}"
        raise Failure("cert_pin", detail=seen, tls=info)
    return secure, info


def as_sent(name: str) -> str | bytes:
    """A host's name, in bytes where it is plain: Python's tables of international names take longer to load than a handshake.

    What they refuse (RFC 3490 4.1: a label that is empty or of more than 63 letters) stays with them.
    """
    plain = name.isascii() and all(0 < len(label) < 64 for label in name.split("."))
    return name.encode("ascii") if plain else name


def _glance(sock: socket.socket, made: ssl.SSLContext, settings: TlsSettings) -> t.NoReturn:
    """A handshake that may fail, for the certificate shown in it; a failed one gives none away by way of ``wrap_socket``.

    Always raises :class:`Failure`, with what was seen in ``tls``. TLS 1.2 and older show the certificate in clear text.
    """
    incoming, outgoing, seen = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
    secure = made.wrap_bio(incoming, outgoing, server_hostname=as_sent(settings.server_name) or None)
    while True:
        try:
            secure.do_handshake()
            data = secure.getpeercert(True) or b""
            break
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            more = sock.recv(16384)
            seen = (seen + more)[:GLANCE_BYTES]
            incoming.write(more) if more else incoming.write_eof()
        except OSError:
            data = certificate_in(seen)
            break
    cipher = secure.cipher()
    info = TlsInfo(
        secure.version() or (cipher[1] if cipher else ""), cipher[0] if cipher and secure.version() else "", False
    )
    raise Failure("disconnected", tls=describe(info, data) if data else None)


def _in_view_of(failure: Failure, secure: ssl.SSLSocket) -> Failure:
    """TLS 1.2 has one alert for "no cipher in common" and "no client certificate": the second comes once a cipher was chosen."""
    if failure.category == "tls_cipher" and secure.cipher() is not None and "handshake failure" in failure.detail:
        return Failure("client_cert_required", detail=failure.detail)
    return failure


def _describe(secure: ssl.SSLSocket, made: ssl.SSLContext, verified: bool) -> TlsInfo:
    data = secure.getpeercert(True) or b""
    cipher = secure.cipher()
    info = describe(TlsInfo(secure.version() or "", cipher[0] if cipher else "", verified), data)
    if not verified:
        return info
    # Python 3.13 and later; nothing public gives the chain before.
    whole = getattr(secure, "get_verified_chain", lambda: [data])()
    return strictly(info, whole, lambda: made.get_ca_certs(binary_form=True))


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
    # An alert about a certificate is about ours: what we think of the relay's is SSLCertVerificationError.
    (
        "client_cert_required",
        (
            "certificate required",
            "bad certificate",
            "certificate unknown",
            "alert unknown ca",
            "certificate expired",
            "certificate revoked",
        )
        + ("unsupported certificate", "access denied"),
    ),
    (
        "tls_mode_mismatch",
        ("wrong version number", "unknown protocol", "http request", "packet length too long", "record layer failure"),
    ),
    (
        "tls_version",
        ("protocol version", "unsupported protocol", "no protocols available", "legacy sigalg", "version too low"),
    ),
    ("tls_cipher", ("handshake failure", "no shared cipher", "no cipher", "key too small", "insufficient security")),
)


HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def explain(exc: Exception, shaking_hands: bool = False) -> Failure | None:
    """What an exception of the ``ssl`` module means; None if it is not one. See :data:`VERIFY_CODES` and :data:`MESSAGES`."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return Failure(VERIFY_CODES.get(exc.verify_code, "cert_strict"), detail=exc.verify_message or "")
    if isinstance(exc, (*HUNG_UP, ConnectionError)) and shaking_hands:
        return Failure("tls_handshake_closed", detail="the server closed the connection during the TLS handshake")
    if not isinstance(exc, ssl.SSLError) or isinstance(exc, HUNG_UP):
        return None
    text = str(exc).lower().replace("_", " ")
    if "timed out" in text:
        return None
    for category, fragments in MESSAGES:
        if any(fragment in text for fragment in fragments):
            return Failure(category, detail=(exc.reason or "").replace("_", " ").lower())
    return Failure(
        "tls_handshake_closed" if shaking_hands else "disconnected",
        detail=(exc.reason or str(exc)).replace("_", " ").lower(),
    )
