# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server whose logins are Cyrus SASL's, with a channel binding: no packaged server has tls-server-end-point for SMTP.

Run as a program: ``cyrus_plus.py CHAIN SASLDB MECHANISMS [between|hidden]``. It prints its port and serves one connection after the
other, TLS from the first byte. The mechanisms and what they decide are libsasl2's; the SMTP around them is ours, and so is the
hash of the certificate, taken by the `cryptography` package. `between`: it is bound to
another certificate, as if somebody stood between; `hidden`: somebody takes the -PLUS out of what it offers.
"""

from __future__ import annotations

import base64
import ctypes
import socket
import ssl
import sys
import typing as t
from pathlib import Path

from cryptography import x509

SASL_OK, SASL_CONTINUE, SASL_CB_LIST_END, SASL_CB_GETOPT, SASL_CHANNEL_BINDING = 0, 1, 0, 1, 21
GETOPT = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.POINTER(ctypes.c_char_p),
    ctypes.POINTER(ctypes.c_uint),
)


class Callback(ctypes.Structure):
    """sasl_callback_t."""

    _fields_ = [("id", ctypes.c_ulong), ("proc", ctypes.c_void_p), ("context", ctypes.c_void_p)]


class Binding(ctypes.Structure):
    """sasl_channel_binding_t."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("critical", ctypes.c_int),
        ("len", ctypes.c_ulong),
        ("data", ctypes.c_char_p),
    ]


class Cyrus:
    """libsasl2 as a server, with the options that its configuration file would hold."""

    def __init__(self, options: t.Mapping[bytes, bytes]) -> None:
        self._lib = ctypes.CDLL("libsasl2.so.2")
        self._lib.sasl_errdetail.restype = ctypes.c_char_p
        self._options = options
        self._getopt = GETOPT(self._option)  # kept: libsasl2 calls it for as long as it lives
        callbacks = (Callback * 2)(
            Callback(SASL_CB_GETOPT, ctypes.cast(self._getopt, ctypes.c_void_p), None),
            Callback(SASL_CB_LIST_END, None, None),
        )
        self._callbacks = callbacks
        self._check(self._lib.sasl_server_init(callbacks, b"smarthost-test"))

    def _option(self, _context: t.Any, _plugin: t.Any, option: bytes, result: t.Any, length: t.Any) -> int:
        if option not in self._options:
            return -1
        result[0] = self._options[option]
        if length:
            length[0] = len(self._options[option])
        return SASL_OK

    def _check(self, code: int) -> int:
        if code not in (SASL_OK, SASL_CONTINUE):
            raise PermissionError(code)
        return code

    def session(self, binding: bytes) -> Session:
        """A connection of its own, bound to these bytes."""
        conn = ctypes.c_void_p()
        self._check(self._lib.sasl_server_new(b"smtp", b"relay.test", None, None, None, None, 0, ctypes.byref(conn)))
        bound = Binding(b"tls-server-end-point", 0, len(binding), binding)
        self._check(self._lib.sasl_setprop(conn, SASL_CHANNEL_BINDING, ctypes.byref(bound)))
        return Session(self._lib, conn, bound, self._check)


class Session:
    """One connection's logins."""

    def __init__(self, lib: t.Any, conn: t.Any, bound: Binding, check: t.Callable[[int], int]) -> None:
        self._lib, self._conn, self._bound, self._check = lib, conn, bound, check

    def mechanisms(self) -> str:
        """What is offered, as in the answer to EHLO."""
        found = ctypes.c_char_p()
        self._check(self._lib.sasl_listmech(self._conn, None, b"", b" ", b"", ctypes.byref(found), None, None))
        return (found.value or b"").decode()

    def step(self, mechanism: bytes, data: bytes) -> tuple[bool, bytes]:
        """Start with `mechanism`, or go on where it is empty. Whether it is done, and the challenge. PermissionError: rejected."""
        out, length = ctypes.POINTER(ctypes.c_char)(), ctypes.c_uint()
        to = (ctypes.byref(out), ctypes.byref(length))
        if mechanism:
            code = self._lib.sasl_server_start(self._conn, mechanism, data, len(data), *to)
        else:
            code = self._lib.sasl_server_step(self._conn, data, len(data), *to)
        return self._check(code) == SASL_OK, ctypes.string_at(out, length.value) if length.value else b""


def serve(sock: ssl.SSLSocket, session: Session, hidden: bool) -> None:
    """One SMTP conversation up to QUIT or the end."""
    lines = sock.makefile("rwb")

    def say(text: str) -> None:
        lines.write(text.encode() + b"\r\n")
        lines.flush()

    def login(mechanism: bytes, data: bytes) -> str:
        done, challenge = session.step(mechanism, data)
        while not done:
            say("334 " + base64.b64encode(challenge).decode())
            answer = lines.readline().strip()
            if answer == b"*":
                return "501 5.7.0 cancelled"
            done, challenge = session.step(b"", base64.b64decode(answer))
        return "235 2.7.0 ok"

    say("220 relay.test ESMTP")
    while True:
        words = lines.readline().split()
        if not words or words[0] == b"QUIT":
            say("221 bye")
            return
        if words[0] == b"AUTH":
            try:
                say(login(words[1], base64.b64decode(words[2]) if len(words) > 2 else b""))
            except PermissionError as exc:
                say(f"535 5.7.8 libsasl2 says {exc}")
        else:
            offered = [name for name in session.mechanisms().split() if not (hidden and name.endswith("-PLUS"))]
            say("250-relay.test\r\n250 AUTH " + " ".join(offered))


def main() -> None:
    """See the module."""
    chain, sasldb, mechanisms = sys.argv[1:4]
    cert = x509.load_pem_x509_certificate(Path(chain).read_bytes())
    assert cert.signature_hash_algorithm is not None
    binding, attack = cert.fingerprint(cert.signature_hash_algorithm), sys.argv[4:]
    if attack == ["between"]:
        binding = bytes(len(binding))
    cyrus = Cyrus({b"auxprop_plugin": b"sasldb", b"sasldb_path": sasldb.encode(), b"mech_list": mechanisms.encode()})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _address = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as sock:
                    serve(sock, cyrus.session(binding), attack == ["hidden"])
            except OSError:
                continue


if __name__ == "__main__":
    main()
