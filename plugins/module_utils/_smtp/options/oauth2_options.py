# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the option ``oauth2`` to a way to a token: short forms written out, every problem named at once, no value of a secret in any."""

from __future__ import annotations

import re
import typing as t

from ..._shared.problem import Problem
from ..._shared.secret import Secret
from ..._shared.text import unfit
from ..diagnosis import providers
from ..network.route import Route, read_route
from ..network.tls import TlsSettings
from ..web.http import HttpRoute, Url, parse_url
from ..web.jwt import KeyProblem, RsaKey, load
from ..web.oauth2 import OAuth2
from ..web.token import GMAIL, GRAPH, OUTLOOK, Need

GRANTS = ("client_credentials", "refresh_token", "jwt_bearer")
GRAPH_URL = "https://graph.microsoft.com"

MICROSOFT_TOKEN_URL = "https://login.microsoftonline.com/%s/oauth2/v2.0/token"
MICROSOFT_SCOPES = {
    "smtp": "https://outlook.office365.com/.default",
    "ms_graph": "https://graph.microsoft.com/.default",
}
GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE = "https://mail.google.com/"

_TENANT = r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}\Z"
_THUMBPRINT = r"(?:[0-9A-Fa-f]{2}:?){19}[0-9A-Fa-f]{2}\Z|(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}\Z"

Options: t.TypeAlias = "t.Mapping[str, t.Any]"


def read(options: Options) -> tuple[OAuth2 | None, list[Problem]]:
    """The way to a token that the options of one relay describe; None without ``oauth2``, or with the problems."""
    given = {key: value for key, value in (options.get("oauth2") or {}).items() if value is not None}
    if not given:
        missing = Problem("oauth2", "oauth2 is missing.", "missing-key", "Microsoft Graph takes nothing else.")
        return None, [missing] if options.get("type") == "ms_graph" else []
    kind = "ms_graph" if options.get("type") == "ms_graph" else "smtp"
    google = kind == "smtp" and providers.recognise(options.get("host") or "", "") == "gmail"
    grant = _grant(given)
    url, problems = _url(given, google)
    key, wrong = _key(given)
    problems += [*wrong, *_contradictions(options, given, grant)]
    if problems:
        return None, problems
    usual = MICROSOFT_SCOPES[kind] if given.get("tenant_id") else GOOGLE_SCOPE if google else ""
    secret = {
        name: Secret(given[name]) if name in given else None
        for name in ("client_secret", "refresh_token", "client_assertion", "token")
    }
    made = OAuth2(
        grant=grant,
        url=None if grant == "given" else url,
        way=HttpRoute(
            TlsSettings(True, given.get("ca_path", ""), url.host if url else "", "1.2", ()), through(options)
        ),
        # A refresh token carries its scope with it; Google refuses to be told again.
        scope=given.get("scope", "" if google and grant == "refresh_token" else usual),
        client_id=given.get("client_id", ""),
        subject=options.get("username") or options.get("from") or "",
        key=key,
        thumbprint=bytes.fromhex(given.get("jwt_thumbprint", "").replace(":", "")),
        need=_need(options, given, kind, google),
        **secret,
    )
    return made, []


def _grant(given: Options) -> str:
    """What was said; else what the secrets at hand are good for."""
    if "token" in given:
        return "given"
    if "grant" in given:
        return str(given["grant"])
    if "refresh_token" in given:
        return "refresh_token"
    # Microsoft takes a signed assertion as the client's proof of itself, everybody else as the grant.
    return (
        "jwt_bearer"
        if "jwt_key" in given and "tenant_id" not in given and "client_secret" not in given
        else "client_credentials"
    )


def _need(options: Options, given: Options, kind: str, google: bool) -> Need | None:
    """What the token must be for, where it is known; a service of one's own is asked with whatever token there is."""
    if kind == "ms_graph":
        own = parse_graph(options)[0]
        extra = (f"{own.scheme}://{own.authority}",) if own else ()
        return GRAPH._replace(audiences=GRAPH.audiences + extra)
    if google:
        return GMAIL
    if "tenant_id" in given or providers.recognise(options.get("host") or "", "") == "m365":
        return OUTLOOK
    return None


def parse_graph(options: Options) -> tuple[Url | None, list[Problem]]:
    """Where Graph is, without a slash at the end."""
    try:
        url = parse_url(options.get("graph_url") or GRAPH_URL)
    except ValueError as exc:
        return None, [Problem("graph_url", f"this {exc}.", "graph-url")]
    return url._replace(target=url.target.rstrip("/")), []


def through(options: Options) -> Route:
    """The declared proxy, which leads to the web as it does to the relay; nothing else of the way to the relay holds here."""
    return Route(proxy=read_route(options)[0].proxy)


def as_graph(options: Options) -> tuple[Options, Url | None, list[Problem]]:
    """The options of a relay whose host is where Graph is, and that address."""
    url, problems = parse_graph(options)
    if options.get("host"):
        problems.append(Problem("host", "Microsoft Graph is reached at graph_url.", "not-for-type", "Leave host out."))
    if url is None:
        return dict(options, host="graph.microsoft.com", port=443, security="tls"), None, problems
    return (
        dict(options, host=url.host, port=url.port, security="tls" if url.scheme == "https" else "none"),
        url,
        problems,
    )


def _url(given: Options, google: bool) -> tuple[Url | None, list[Problem]]:
    tenant = given.get("tenant_id", "")
    if tenant and not re.match(_TENANT, tenant):
        hint = "Such as: 00000000-0000-0000-0000-000000000000."
        return None, [Problem("oauth2.tenant_id", "this is neither an id nor a domain.", "oauth2-tenant", hint)]
    text = given.get("token_url") or (MICROSOFT_TOKEN_URL % tenant if tenant else GOOGLE_TOKEN_URL if google else "")
    if not text:
        if "token" in given:
            return None, []
        what = "tenant_id (for Microsoft) or token_url is missing."
        return None, [Problem("oauth2", what, "missing-key", "Say where tokens are given out.")]
    try:
        return parse_url(text), []
    except ValueError as exc:
        return None, [Problem("oauth2.token_url", f"this {exc}.", "oauth2-url")]


def _key(given: Options) -> tuple[RsaKey | None, list[Problem]]:
    if "jwt_key" not in given:
        return None, []
    try:
        return load(given["jwt_key"]), []
    except KeyProblem as exc:
        return None, [Problem("oauth2.jwt_key", f"this {exc}.", "oauth2-key")]


def _contradictions(options: Options, given: Options, grant: str) -> t.Iterator[Problem]:
    """What cannot be, whoever is asked."""
    proof = bool({"client_secret", "jwt_key", "client_assertion"} & set(given))
    thumbprint = given.get("jwt_thumbprint", "")
    if options.get("password"):
        yield Problem("password, oauth2", "these are two ways to log in.", "oauth2-password", "Leave one out.")
    if not (options.get("username") or options.get("from")):
        yield Problem(
            "username",
            "username is missing.",
            "missing-key",
            "Name the mailbox that the token is for, here or in from.",
        )
    if grant not in GRANTS + ("given",):
        yield Problem("oauth2.grant", "this is not a grant.", "token-grant", "One of: {}.".format(", ".join(GRANTS)))
    if grant != "given" and "client_id" not in given:
        yield Problem("oauth2", "client_id is missing.", "missing-key")
    if grant == "client_credentials" and not proof:
        yield Problem(
            "oauth2", "client_secret, jwt_key or client_assertion is missing.", "missing-key", "Give one of them."
        )
    if grant == "refresh_token" and "refresh_token" not in given:
        yield Problem("oauth2", "refresh_token is missing.", "missing-key")
    if grant == "jwt_bearer" and "jwt_key" not in given:
        yield Problem("oauth2", "jwt_key is missing.", "missing-key")
    if thumbprint and not re.match(_THUMBPRINT, thumbprint):
        yield Problem(
            "oauth2.jwt_thumbprint",
            "this is not the thumbprint of a certificate.",
            "oauth2-thumbprint",
            "Write its SHA-1 or SHA-256, 40 or 64 hexadecimal digits.",
        )
    if "jwt_key" in given and "tenant_id" in given and not thumbprint:
        yield Problem(
            "oauth2", "jwt_thumbprint is missing.", "missing-key", "Microsoft finds the certificate of jwt_key by it."
        )
    yield from _unfit_texts(given)


def _unfit_texts(given: Options) -> t.Iterator[Problem]:
    strings = {key: value for key, value in given.items() if key != "jwt_key" and isinstance(value, str)}
    for key in sorted(strings):
        sent_as_it_is = key in ("token", "client_assertion")
        if unfit(strings[key]) or (sent_as_it_is and (" " in strings[key] or not strings[key].isascii())):
            what = "this holds a character that does not belong there (a line end, a blank or the like)."
            yield Problem("oauth2." + key, what, "control-character", "Write it without.")
