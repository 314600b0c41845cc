# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OAuth2 bearer tokens as a login: XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628)."""

from __future__ import annotations

import json
import re

from .credential import BadChallenge, Exchange, Session

_SHOWN = ("status", "error", "error_description", "schemes", "scope", "openid-configuration")
_CONTROL = "[\x00-\x1f\x7f-\x9f]"
MOST_SHOWN = 300


def xoauth2(session: Session) -> Exchange:
    """``user=...^Aauth=Bearer ...^A^A``. A refused token is explained in a challenge, which is answered with nothing."""
    challenge = yield (f"user={session.credential.username}\x01auth=Bearer {_token(session)}\x01\x01").encode("utf-8")
    _explain(challenge, session)
    yield b""


def oauthbearer(session: Session) -> Exchange:
    """RFC 7628 3.1; the answer to its explanation of a refused token is ^A (3.2.3)."""
    name = session.credential.username.replace("=", "=3D").replace(",", "=2C")
    place = "host=%s\x01port=%d\x01" % (session.host, session.port) if session.host else ""
    header = f"n,a={name}," if name else "n,,"
    challenge = yield (f"{header}\x01{place}auth=Bearer {_token(session)}\x01\x01").encode("utf-8")
    _explain(challenge, session)
    yield b"\x01"


def _token(session: Session) -> str:
    token = session.credential.token
    if token is None:
        raise AssertionError("auth.candidates() leaves these mechanisms out where there is no token")
    return token.reveal()


def _explain(challenge: bytes, session: Session) -> None:
    """Note what the JSON in the challenge says, such as ``status: 400, scope: https://mail.google.com/``. Raises :class:`BadChallenge`."""
    try:
        said = json.loads(challenge.decode("utf-8"))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadChallenge("it explains the refused token in something that is not a JSON object")
    words = ["{}: {}".format(key, re.sub(_CONTROL, "?", str(said[key]))) for key in _SHOWN if key in said]
    # RFC 6750 3.1, which both mechanisms take their words from.
    suspicion = "token_wrong_scope" if said.get("status") == "insufficient_scope" else ""
    session.note("of the token the server says " + (", ".join(words)[:MOST_SHOWN] or "nothing"), suspicion)
