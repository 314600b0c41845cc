# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches an access token: client credentials, refresh token (RFC 6749 4.4, 6), JWT bearer (RFC 7523); or takes a given one."""

from __future__ import annotations

import re
import time
import typing as t
import urllib.parse
import uuid

from ..._shared.light import NamedTuple
from ..._shared.secret import Redactor, Secret
from ..network.transport import Deadline
from ..protocol.answer import HttpAnswer
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from . import token_errors
from .http import HttpRequest, HttpRoute, Response, Url, ask
from .jwt import RsaKey, base64url, jwt
from .token import Claims, Need, check, inspect

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# How long an assertion of ours is good for, in seconds: it is used at once, and clocks differ.
ASSERTION_LIFE = 600
MOST_SHOWN = 400
# A token of a relay has a few thousand characters; Postfix takes 12,288 in one line.
LONGEST = 16384

# RFC 6750 2.1, and nothing that could end a header or an SMTP command.
_TOKEN = r"[\x21-\x7e]+\Z"
_BUSY = (500, 502, 503, 504)


class OAuth2(NamedTuple):
    """How to come by a token, with everything decided. ``grant`` is client_credentials, refresh_token, jwt_bearer or given.

    ``subject`` is the account that a JWT bearer acts for; ``need`` what the token must be for, where that is known.
    """

    grant: str
    url: t.Optional[Url]
    way: HttpRoute
    scope: str
    client_id: str
    subject: str
    client_secret: t.Optional[Secret]
    refresh_token: t.Optional[Secret]
    client_assertion: t.Optional[Secret]
    token: t.Optional[Secret]
    key: t.Optional[RsaKey]
    thumbprint: bytes
    need: t.Optional[Need]

    @property
    def identity(self) -> list[str]:
        """What tells one way to a token from another, without any secret."""
        return [self.grant, str(self.url or ""), self.scope, self.client_id, self.subject]

    def secrets(self) -> list[Secret]:
        """All that must never show."""
        return [
            secret
            for secret in (self.client_secret, self.refresh_token, self.client_assertion, self.token)
            if secret is not None
        ]


class Token(NamedTuple):
    """An access token, with what it says of itself. ``rotated``: the endpoint gave a new refresh token with it."""

    secret: Secret
    claims: Claims
    rotated: bool = False


def obtain(oauth2: OAuth2, record: ConversationLog, redactor: Redactor, deadline: Deadline) -> Token:
    """The given token, or a new one, looked at. Raises :class:`Failure` at the stage ``token``; the redactor learns every secret."""
    for secret in oauth2.secrets():
        redactor.learn_token(secret)
    try:
        with record.during("token"):
            token = _given(oauth2) if oauth2.url is None else _fetch(oauth2, oauth2.url, record, redactor, deadline)
            record.token = token.claims.shown(time.time())
            check(token.claims, oauth2.need, time.time())
    except Failure as failure:
        failure.stage = "token"
        raise
    return token


def _given(oauth2: OAuth2) -> Token:
    if oauth2.token is None:
        raise AssertionError("only called where a token was given")
    return Token(oauth2.token, inspect(oauth2.token.reveal()))


def _fetch(oauth2: OAuth2, url: Url, record: ConversationLog, redactor: Redactor, deadline: Deadline) -> Token:
    body = _form(oauth2, url, redactor)
    request = HttpRequest(
        "POST",
        url,
        (("Content-Type", "application/x-www-form-urlencoded"),),
        urllib.parse.urlencode(body).encode("ascii"),
    )
    own = ConversationLog(redactor)
    try:
        response = ask(request, oauth2.way, own, deadline, "token")
    except Failure as failure:
        failure.facts.setdefault("where", url.where)
        failure.facts.setdefault("security", url.scheme)
        failure.facts["at"] = failure.stage
        failure.facts.setdefault("remedies", _unreachable(url, failure))
        raise
    finally:
        record.include(own)
    token, newer = _read(response, url, record, redactor)
    old = oauth2.refresh_token
    return token._replace(rotated=old is not None and newer not in ("", old.reveal()))


def _unreachable(url: Url, failure: Failure) -> tuple[str, ...]:
    if failure.category.startswith("cert_"):
        return (
            f"If {url.host} has a CA of its own, put that CA on this host and name it in oauth2.ca_path.",
            "Check this host's clock.",
        )
    if failure.stage == "proxy":
        return ("Correct proxy: its address, its kind, its login.", f"Have the proxy allow {url.where}.")
    return (f"Allow this host to reach {url.where}.", "Correct oauth2.token_url.")


def _form(oauth2: OAuth2, url: Url, redactor: Redactor) -> dict[str, str]:
    """The fields of the request (RFC 6749 4.4.2 and 6, RFC 7523 2.1 and 2.2)."""
    if oauth2.grant == "jwt_bearer":
        claims = {"scope": oauth2.scope} if oauth2.scope else {}
        return {"grant_type": JWT_BEARER, "assertion": _assertion(oauth2, url, oauth2.subject, claims, redactor)}
    form = {"grant_type": oauth2.grant, "client_id": oauth2.client_id}
    if oauth2.scope:
        form["scope"] = oauth2.scope
    if oauth2.refresh_token is not None and oauth2.grant == "refresh_token":
        form["refresh_token"] = oauth2.refresh_token.reveal()
    if oauth2.client_secret is not None:
        form["client_secret"] = oauth2.client_secret.reveal()
    elif oauth2.client_assertion is not None:
        form.update(client_assertion_type=ASSERTION_TYPE, client_assertion=oauth2.client_assertion.reveal())
    elif oauth2.key is not None:
        form.update(
            client_assertion_type=ASSERTION_TYPE,
            client_assertion=_assertion(oauth2, url, oauth2.client_id, {}, redactor),
        )
    return form


def _assertion(oauth2: OAuth2, url: Url, subject: str, more: t.Mapping[str, str], redactor: Redactor) -> str:
    """A JWT of ours (RFC 7523 3). Microsoft finds the certificate by its thumbprint, SHA-1 or SHA-256 (RFC 7515 4.1.7, 4.1.8)."""
    if oauth2.key is None:
        raise AssertionError("only called where a key was given")
    now = int(time.time())
    header = {"typ": "JWT"}
    if oauth2.thumbprint:
        header["x5t" if len(oauth2.thumbprint) == 20 else "x5t#S256"] = base64url(oauth2.thumbprint)
    claims = dict(
        more, iss=oauth2.client_id, aud=str(url), iat=now, nbf=now, exp=now + ASSERTION_LIFE, jti=uuid.uuid4().hex
    )
    if subject:
        claims["sub"] = subject
    made = jwt(oauth2.key, header, claims)
    redactor.learn_token(Secret(made))
    return made


def _read(response: Response, url: Url, record: ConversationLog, redactor: Redactor) -> tuple[Token, str]:
    """The token in a good answer (RFC 6749 5.1) and its refresh token; a :class:`Failure` that says what the bad one means."""
    record.reply = HttpAnswer(response.status, "HTTP %d" % response.status)
    if response.status == 429 or response.status in _BUSY:
        raise _busy(response, url, record)
    said = response.json
    if said is None:
        raise _refused(url, record, _odd(response), ("Correct oauth2.token_url.", "Look for a proxy in between."))
    for key, most in (("access_token", LONGEST), ("refresh_token", LONGEST // 4), ("id_token", LONGEST // 4)):
        if isinstance(said.get(key), str):
            # Longer ones are not used, and of what they are nothing is shown but by chance.
            redactor.learn_token(Secret(said[key][:most]))
    if "error" in said or response.status != 200:
        error, description = (str(said.get(key, ""))[: 10 * MOST_SHOWN] for key in ("error", "error_description"))
        found = token_errors.meaning(error, description)
        text = redactor.text(" ".join((f"{error}: {description}").split()))[:MOST_SHOWN]
        record.reply = HttpAnswer(response.status, text, found.sentence)
        raise _refused(url, record, found.sentence, found.remedies)
    token = said.get("access_token")
    if isinstance(token, str) and len(token) > LONGEST:
        raise _refused(
            url,
            record,
            "its access token is longer than %d characters" % LONGEST,
            ("Have tokens with fewer claims given out to this client.",),
        )
    if not isinstance(token, str) or not re.match(_TOKEN, token):
        raise _refused(
            url, record, "its answer holds no access token that could be sent on", ("Correct oauth2.token_url.",)
        )
    if str(said.get("token_type", "Bearer")).lower() != "bearer":
        raise _refused(
            url, record, "its token is of a type other than Bearer", ("Have bearer tokens given out to this client.",)
        )
    granted, newer = (said[key] if isinstance(said.get(key), str) else "" for key in ("scope", "refresh_token"))
    return Token(Secret(token), _lasting(inspect(token, granted), said)), newer


def _lasting(claims: Claims, said: t.Mapping[str, t.Any]) -> Claims:
    """An opaque token does not say when it ends, but its endpoint does."""
    seconds = said.get("expires_in")
    text = str(seconds) if isinstance(seconds, (int, str)) else ""
    if claims.expires is None and text.isascii() and text.isdigit() and len(text) < 10:
        return claims._replace(expires=time.time() + int(text))
    return claims


def _odd(response: Response) -> str:
    if 300 <= response.status < 400:
        return "it redirects elsewhere, and no secret is sent there"
    what = response.media_type or "something without a type"
    return "it answers %s instead of a JSON object, with HTTP %d" % (what, response.status)


def _refused(url: Url, record: ConversationLog, sentence: str, remedies: t.Tuple[str, ...]) -> Failure:
    return Failure("token_error", record.reply, f"{url.host} gives out no token: {sentence}", remedies=remedies)


def _busy(response: Response, url: Url, record: ConversationLog) -> Failure:
    category = "rate_limited" if response.status == 429 else "server_busy"
    return Failure(category, record.reply, where=url.where, remedies=(retry_after(response) or "Try again later.",))


def retry_after(response: Response) -> str:
    """The remedy in a Retry-After header that counts seconds (RFC 9110 10.2.3); empty where there is none."""
    seconds = response.headers.get("retry-after", "")
    return "Wait %d seconds." % int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 7 else ""
