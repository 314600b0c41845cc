# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCRAM (RFC 5802, RFC 7677): the password is proven and never sent, and the server proves that it knows it too."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time

from .credential import BadChallenge, Exchange, Session, TooSlow, Unproven, UnusableMechanism
from .saslprep import saslprep

# RFC 7677 4 wants 4096 at least. The most is what a patient client would compute for an honest server; the deadline may be sooner.
FEWEST_ITERATIONS, MOST_ITERATIONS = 4096, 10_000_000
# So many tell how long many more would take.
SAMPLE = 10_000

_FIRST = r"(?s)r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+=*),i=([1-9][0-9]{0,9})(?:,.*)?\Z"
_FINAL = r"(?s)v=([A-Za-z0-9+/]+=*)(?:,.*)?\Z"
_ERROR = r"e=([a-z0-9-]{1,60})"


def scram(session: Session, algorithm: str, plus: bool) -> Exchange:
    """One exchange; ``algorithm`` is ``sha1`` or ``sha256``, ``plus`` binds it to the TLS connection (RFC 5929 4)."""
    if plus and not session.end_point:
        raise UnusableMechanism("there is no certificate to bind the login to")
    name = saslprep(session.credential.username, "username").replace(b"=", b"=3D").replace(b",", b"=2C")
    password = saslprep(session.credential.password.reveal(), "password")
    nonce = base64.b64encode(session.random(18))
    gs2 = _gs2_header(session, plus)
    bare = b"n=" + name + b",r=" + nonce
    first = yield gs2 + bare
    nonce, salt, iterations = _server_first(first, nonce)
    if iterations < FEWEST_ITERATIONS:
        session.warn(
            "the server stores the password with %d iterations; RFC 7677 wants at least %d"
            % (iterations, FEWEST_ITERATIONS)
        )
    _in_time(algorithm, iterations, session)
    # RFC 5802 6: with "p" the binding itself is repeated, otherwise only the header; the server compares both.
    final = b"c=" + base64.b64encode(gs2 + (session.end_point if plus else b"")) + b",r=" + nonce
    salted = hashlib.pbkdf2_hmac(algorithm, password, salt, iterations)
    proof, expected = _prove(algorithm, salted, b",".join((bare, first, final)))
    session.hide(proof.decode("ascii"))
    verdict = yield final + b",p=" + proof
    # With salt and nonces, which are in the clear, a password can be guessed from the server's proof as well as from ours.
    session.hide(base64.b64encode(verdict).decode("ascii"))
    proven = _proven(verdict, expected, session)
    yield b""
    if not proven:
        raise Unproven("it says that the login failed, and takes it all the same")


def _gs2_header(session: Session, plus: bool) -> bytes:
    """RFC 5802 6: "y" lets a server that does offer binding notice that someone has hidden it from us."""
    if plus:
        return b"p=tls-server-end-point,,"
    return b"y,," if session.end_point and not session.binding_offered else b"n,,"


def _server_first(challenge: bytes, nonce: bytes) -> tuple[bytes, bytes, int]:
    """The nonce of both, the salt and the iteration count."""
    match = re.match(_FIRST, challenge.decode("utf-8", "replace"))
    if match is None:
        raise BadChallenge("its first message is not one of SCRAM")
    both = match.group(1).encode("ascii")
    # Someone who replays another exchange cannot know our part.
    if not both.startswith(nonce) or both == nonce:
        raise Unproven("it did not take up the random text that it was sent")
    iterations = int(match.group(3))
    if iterations > MOST_ITERATIONS:
        raise BadChallenge("it asks for %d iterations, more than %d" % (iterations, MOST_ITERATIONS))
    try:
        return both, base64.b64decode(match.group(2)), iterations
    except binascii.Error as exc:
        raise BadChallenge("its salt is not base64") from exc


def _in_time(algorithm: str, iterations: int, session: Session) -> None:
    """Raises :class:`TooSlow` before a computation that nobody waits for, and nobody can stop."""
    if iterations > 10 * SAMPLE:
        started = time.perf_counter()
        hashlib.pbkdf2_hmac(algorithm, b"x", b"x", SAMPLE)
        seconds = (time.perf_counter() - started) * iterations / SAMPLE
        if seconds > session.rest():
            raise TooSlow("it asks for %d iterations, which would take this host about %d s" % (iterations, seconds))


def _prove(algorithm: str, salted: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Our proof in base64, and the signature that only a server which knows the password can give (RFC 5802 3)."""
    client = hmac.new(salted, b"Client Key", algorithm).digest()
    signature = hmac.new(hashlib.new(algorithm, client).digest(), message, algorithm).digest()
    proof = bytes(left ^ right for left, right in zip(client, signature))
    server = hmac.new(salted, b"Server Key", algorithm).digest()
    return base64.b64encode(proof), hmac.new(server, message, algorithm).digest()


def _proven(verdict: bytes, expected: bytes, session: Session) -> bool:
    """The server's last message; False where it says no, which is answered like a yes. Raises :class:`Unproven` for a false proof."""
    text = verdict.decode("utf-8", "replace")
    error = re.match(_ERROR, text)
    if error:
        session.note(f"the server says {error.group(1)}")
        return False
    match = re.match(_FINAL, text)
    try:
        given = base64.b64decode(match.group(1)) if match else b""
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, expected):
        raise Unproven("its signature is wrong" if given else "it gave no signature")
    return True
