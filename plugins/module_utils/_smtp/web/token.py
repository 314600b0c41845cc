# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an access token says of itself, read without verifying it, so that a wrong one is named before anybody is asked (RFC 7519)."""

from __future__ import annotations

import base64
import json
import re
import time
import typing as t

from ..._shared.light import NamedTuple
from ..protocol.failure import Failure

# Clocks differ a little (RFC 7519 4.1.4).
LEEWAY = 60
MOST_SHOWN = 20
_WORD = r"[\x21-\x7e]{1,200}\Z"


class Claims(NamedTuple):
    """The readable part; times are seconds since 1970. ``opaque``: only who gave it out can read it, as with Google's."""

    opaque: bool = True
    audience: t.Tuple[str, ...] = ()
    roles: t.Tuple[str, ...] = ()
    scopes: t.Tuple[str, ...] = ()
    expires: t.Optional[float] = None
    not_before: t.Optional[float] = None

    def shown(self, now: float) -> dict[str, t.Any]:
        """For the result: what it is for and how long it lasts."""
        left = None if self.expires is None else int(self.expires - now)
        return {
            "opaque": self.opaque,
            "audience": list(self.audience[:MOST_SHOWN]),
            "roles": list(self.roles[:MOST_SHOWN]),
            "scopes": list(self.scopes[:MOST_SHOWN]),
            "expires_in": left,
        }


class Need(NamedTuple):
    """What a service wants of a token: one of ``audiences``, and one of ``roles`` (an application's) or ``scopes`` (a user's)."""

    audiences: t.Tuple[str, ...]
    roles: t.Tuple[str, ...]
    scopes: t.Tuple[str, ...]
    remedies: t.Tuple[str, ...]


OUTLOOK = Need(
    (
        "https://outlook.office365.com",
        "https://outlook.office.com",
        "https://outlook.office365.us",
        "https://outlook-dod.office365.us",
        "https://partner.outlook.cn",
        "00000002-0000-0ff1-ce00-000000000000",
    ),
    ("SMTP.SendAsApp",),
    ("SMTP.Send", "SMTP.Send.Shared"),
    (
        "In Microsoft Entra, give the application the permission SMTP.SendAsApp of Office 365 Exchange Online, and grant admin consent.",
        "Leave oauth2.scope out, or set it to https://outlook.office365.com/.default.",
        "Register the service principal in Exchange Online and give it Full Access to the mailbox.",
    ),
)
GRAPH = Need(
    (
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
        "00000003-0000-0000-c000-000000000000",
    ),
    ("Mail.Send",),
    ("Mail.Send", "Mail.Send.Shared"),
    (
        "In Microsoft Entra, give the application the permission Mail.Send of Microsoft Graph, and grant admin consent.",
        "Leave oauth2.scope out, or set it to https://graph.microsoft.com/.default.",
    ),
)
GMAIL = Need(
    (),
    (),
    ("https://mail.google.com/",),
    ("Ask for the scope https://mail.google.com/: gmail.send and the others are not enough for SMTP.",),
)


def inspect(token: str, granted: str = "") -> Claims:
    """Read what can be read; ``granted`` is the scope that the token endpoint named (RFC 6749 5.1). Never raises."""
    named = tuple(word for word in granted.split() if re.match(_WORD, word))
    parts = token.split(".")
    try:
        said = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))) if len(parts) == 3 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Claims(scopes=named)
    scopes = _words(said.get("scp")) or _words(said.get("scope"))
    return Claims(
        False,
        _words(said.get("aud")),
        _words(said.get("roles")),
        scopes or named,
        _seconds(said.get("exp")),
        _seconds(said.get("nbf")),
    )


def _words(value: t.Any) -> tuple[str, ...]:
    """A list of words, or one text of words with blanks between: both are in use."""
    found = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word for word in found if isinstance(word, str) and re.match(_WORD, word))


def _seconds(value: t.Any) -> float | None:
    """Only what is a date within reach of a calendar."""
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11 else None
    )


def check(claims: Claims, need: Need | None, now: float) -> None:
    """Raises :class:`Failure`: token_error for one out of its time, token_wrong_scope for one made for something else."""
    if claims.expires is not None and claims.expires < now - LEEWAY:
        raise Failure("token_error", detail=f"the token ended at {_utc(claims.expires)}", remedies=_RENEW)
    if claims.not_before is not None and claims.not_before > now + LEEWAY:
        raise Failure("token_error", detail=f"the token is valid from {_utc(claims.not_before)} only", remedies=_CLOCK)
    if need is None:
        return
    has, wants = [], []
    if (
        need.audiences
        and claims.audience
        and not {name.rstrip("/").lower() for name in claims.audience} & set(need.audiences)
    ):
        has.append("the audience {}".format(", ".join(claims.audience[:MOST_SHOWN])))
        wants.append(f"the audience {need.audiences[0]}")
    lacking = not (set(claims.roles) & set(need.roles) or set(claims.scopes) & set(need.scopes))
    # Where neither is there to be read, as in an opaque token, nothing is known, and the service itself must say.
    if lacking and (not claims.opaque or claims.scopes):
        held = ["roles {}".format(", ".join(claims.roles[:MOST_SHOWN]))] if claims.roles else []
        held += ["scopes {}".format(" ".join(claims.scopes[:MOST_SHOWN]))] if claims.scopes else []
        has.append(" and ".join(held) or "no roles and no scopes")
        wants.append(" or ".join(dict.fromkeys(need.roles[:1] + need.scopes[:1])))
    if wants:
        raise Failure("token_wrong_scope", remedies=need.remedies, has=", ".join(has), needed=" with ".join(wants))


_RENEW = ("Fetch a new token, or declare oauth2 so that the probe fetches one.", "Check this host's clock.")
_CLOCK = ("Check this host's clock.",)


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
