# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The relays of the declaration, each with every default filled in."""

from __future__ import annotations

import typing as t

from ...module_utils._shared.secret import Secret
from ...module_utils._shared.security import PORT_OF, SECURITY_OF
from ..problems import Problem, one_of
from .checks import checked, unknown_relay
from .completeness import completeness
from .copies import OAUTH2_SECRETS, written_out
from .model import DeclaredCredential, MessagePreferences, OAuth2Settings, Relay
from .settings import plain_fields, plaintext_auth
from .validation import coerce

SINGLE = "default"
LOCAL_MTA = {"host": "127.0.0.1", "port": 25, "security": "none"}
_AS_WRITTEN = (
    "enabled",
    "host",
    "tls_min_version",
    "allow_plaintext_auth",
    "description",
    "via",
    "overlap",
    "accept_gap",
    "graph_url",
)
ONLY_PROBED = ("client_cert", "client_key", "min_cert_days", "auth_domain")


def relays_of(raw: t.Any) -> tuple[dict[str, Relay], str, list[Problem]]:
    if not isinstance(raw, dict) or not raw:
        what = "nothing is declared." if not raw else "a mapping is expected here."
        return (
            {},
            SINGLE,
            [
                Problem(
                    "smtp_relay",
                    what,
                    "no-relay",
                    "The least: smtp_relay: {host: smtp.example.com, from: noreply@example.com}",
                )
            ],
        )
    if "relays" not in raw and "default" not in raw:
        raw = coerce(raw, "smtp_relay", "relay")
        problems = checked(raw, "relay", "smtp_relay")
        if problems:
            return {SINGLE: Relay(SINGLE)}, SINGLE, problems
        relay, more = _resolve(SINGLE, raw, "smtp_relay", True)
        if raw.get("type") == "local_mta" and "via" in raw:
            more.append(
                Problem(
                    "smtp_relay.via",
                    "there is no other relay to forward to.",
                    "unknown-relay",
                    "Declare both under smtp_relay.relays.",
                )
            )
        return {SINGLE: relay}, SINGLE, more
    raw = coerce(raw, "smtp_relay", "relay_set")
    problems = checked(raw, "relay_set", "smtp_relay")
    named = raw.get("relays")
    if problems or not isinstance(named, dict):
        return (
            {str(name): Relay(str(name)) for name in (named if isinstance(named, dict) else {})},
            str(raw.get("default")),
            problems,
        )
    return _resolve_set(named, raw["default"])


def _resolve_set(named: dict[str, t.Any], default: str) -> tuple[dict[str, Relay], str, list[Problem]]:
    problems: list[Problem] = []
    if default not in named:
        problems.append(unknown_relay("smtp_relay.default", default, named))
    relays: dict[str, Relay] = {}
    for name, raw in named.items():
        where = f"smtp_relay.relays.{name}"
        written, wrong = written_out(name, named)
        relay, more = (Relay(name), wrong) if wrong else _resolve(name, written, where, name == default)
        relays[name] = relay
        problems += more
    return relays, default, problems + _via(relays)


def _via(relays: t.Mapping[str, Relay]) -> list[Problem]:
    """A local MTA forwards to a relay that speaks SMTP, and to no other local MTA."""
    problems = []
    for name, relay in relays.items():
        where, via = f"smtp_relay.relays.{name}.via", relay.via
        if via is not None and via not in relays:
            problems.append(unknown_relay(where, via, [other for other in relays if other != name]))
        elif via is not None and relays[via].type != "smtp":
            what = f'"{via}" is of type {relays[via].type}; a local MTA forwards to a relay of type smtp.'
            problems.append(Problem(where, what, "via-type", "Name another relay, or leave via out."))
    return problems


def _resolve(name: str, raw: dict[str, t.Any], where: str, default: bool) -> tuple[Relay, list[Problem]]:
    """One relay with every default filled in. The shape of ``raw`` was checked before."""
    kind = raw.get("type", "smtp")
    problems = _not_for_local_mta(raw, where) if kind == "local_mta" else []
    raw = {**raw, **LOCAL_MTA} if kind == "local_mta" else raw
    port, security, more = (
        _port_and_security(raw, where) if kind == "smtp" else (raw.get("port"), raw.get("security", "tls"), [])
    )
    problems += more + completeness(kind, raw, where)
    fields = {key: raw[key] for key in (*_AS_WRITTEN, *ONLY_PROBED) if key in raw}
    fields["tls_fingerprints"] = tuple(raw.get("tls_fingerprints", ()))
    relay = Relay(
        name,
        kind,
        default=default,
        credential=_credential(raw),
        next=_next(raw),
        oauth2=_oauth2(raw),
        accept=frozenset(raw.get("accept", ())),
        declared=frozenset(raw),
        **fields,
        **plain_fields({**raw, "port": port, "security": security}, MessagePreferences()),
    )
    return relay, problems + plaintext_auth(relay, where)


def _not_for_local_mta(raw: dict[str, t.Any], where: str) -> list[Problem]:
    what = "a local MTA is reached at 127.0.0.1 port 25 without login."
    hint = "Leave it out here; say it on the relay named by via."
    given = [key for key in ("host", "port", "security", "username", "password", "oauth2") if key in raw]
    return [Problem(f"{where}.{key}", what, "not-for-type", hint) for key in given]


def _port_and_security(raw: dict[str, t.Any], where: str) -> tuple[int, str, list[Problem]]:
    port, security = raw.get("port"), raw.get("security")
    if port is None:
        security = security or "tls"
        return PORT_OF[security], security, []
    if security is None and port not in SECURITY_OF:
        what = f"with port {port} it must be said how the connection is secured."
        return port, "tls", [Problem(f"{where}.security", what, "security-unsaid", one_of(PORT_OF))]
    return port, security or SECURITY_OF[port], []


def _credential(raw: dict[str, t.Any]) -> DeclaredCredential | None:
    if "password" not in raw or "username" not in raw:
        return None
    return DeclaredCredential(raw.get("credential_id", ""), raw["username"], Secret(raw["password"]))


def _next(raw: dict[str, t.Any]) -> DeclaredCredential | None:
    given = raw.get("next")
    return given and DeclaredCredential(
        given["id"], given.get("username", raw.get("username", "")), Secret(given["password"])
    )


def _oauth2(raw: dict[str, t.Any]) -> OAuth2Settings | None:
    if "oauth2" not in raw:
        return None
    given: dict[str, t.Any] = {
        key: Secret(value) if key in OAUTH2_SECRETS else value for key, value in raw["oauth2"].items()
    }
    return OAuth2Settings(account=raw.get("username"), **given)
