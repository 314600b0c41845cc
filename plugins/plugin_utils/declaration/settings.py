# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that relays and applications have in common, and a relay as one application uses it."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ...module_utils._shared.security import PORT_OF, SECURITY_OF
from ..problems import Problem
from .model import ApplicationRequest, Mailbox, MessagePreferences, Relay


def override(relay: Relay, request: ApplicationRequest) -> Relay:
    """The relay as one application uses it: the request's own keys, and the gaps accepted on either."""
    given = paired(request.overrides, relay.security)
    changes: dict[str, t.Any] = plain_fields(given, relay.message)
    return dataclasses.replace(
        relay, **changes, accept=relay.accept | request.accept, declared=relay.declared | frozenset(request.overrides)
    )


def paired(given: t.Mapping[str, t.Any], security: str | None) -> dict[str, t.Any]:
    """Port and security as the pair they are: who changes one of them changes the other with it.

    ``security`` is what stays with a port that says nothing about it.
    """
    if "security" in given and "port" not in given:
        return {**given, "port": PORT_OF[given["security"]]}
    if "port" in given and "security" not in given:
        follows = SECURITY_OF.get(given["port"], security)
        return {**given, **({"security": follows} if follows else {})}
    return dict(given)


def plain_fields(raw: t.Mapping[str, t.Any], message: MessagePreferences) -> dict[str, t.Any]:
    """The fields that relays and requests share, in the model's types."""
    fields: dict[str, t.Any] = {
        key: raw[key]
        for key in ("port", "security", "validate_certs", "ca_path", "tls_server_name", "helo", "timeout", "secret")
        if raw.get(key) is not None
    }
    if "from" in raw:
        fields["from_"] = mailbox(raw["from"])
    if "reply_to" in raw:
        fields["reply_to"] = mailbox(raw["reply_to"])
    if "auth_mechanisms" in raw:
        fields["auth_mechanisms"] = tuple(raw["auth_mechanisms"])
    fields["message"] = message._replace(**raw.get("message", {}))
    return fields


def mailbox(value: str | dict[str, str]) -> Mailbox:
    """``Name <address>``, ``address`` or ``{address, name}`` as a Mailbox; the schema has checked the address."""
    if isinstance(value, dict):
        return Mailbox(value["address"], value.get("name", ""))
    name, _bracket, address = value.rpartition("<")
    return Mailbox(address.rstrip(">").strip(), name.strip().strip('"'))


def plaintext_auth(relay: Relay, where: str) -> list[Problem]:
    if relay.type != "smtp" or relay.security != "none" or relay.allow_plaintext_auth or _loopback(relay.host):
        return []
    if relay.credential is None and relay.oauth2 is None:
        return []
    what = f"with security none the {'password' if relay.credential else 'access token'} would cross the network in clear text."
    return [
        Problem(f"{where}.security", what, "plaintext-auth", "Use tls or starttls, or say allow_plaintext_auth: true.")
    ]


def _loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host is not None and host.lower() == "localhost"
