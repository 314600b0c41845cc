# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which probes prove a host's relays: one for each distinct way in which an application connects and logs in."""

from __future__ import annotations

import typing as t

from .declaration import override
from .model import Declaration, OAuth2, Relay, Secret
from .plan import with_credential

_SAME = (
    "host", "port", "security", "validate_certs", "ca_path", "tls_server_name", "tls_min_version", "client_cert", "client_key", "min_cert_days",
    "helo", "timeout", "allow_plaintext_auth", "auth_domain",
)


_NOT_OF_GRAPH = ("host", "port", "security", "tls_server_name")


def probes(declaration: Declaration, credential_ids: t.Mapping[str, str], level: str = "") -> list[dict[str, t.Any]]:
    """Options of ``smtp_probe``, one mapping each, with the secret in the clear (its option there is no_log).

    credential_ids: application name to the id of the credential that its files hold. Without any application every
    relay of the declaration is probed. Relays that are off have nothing to probe. level: how far the task goes; a relay without
    login, such as a local MTA, is proven up to ``tls`` where the others log in.
    """
    found: dict[str, tuple[dict[str, t.Any], list[str]]] = {}
    for relay, users in _uses(declaration, credential_ids):
        if relay.sends:
            options = options_of(relay)
            if level == "auth" and not options.keys() & {"username", "oauth2", "client_cert"}:
                options["level"] = "tls"
            found.setdefault(repr((relay.name, sorted(options.items()))), (options, []))[1].extend(users)
    return [{**options, "name": options["name"] + (f" ({', '.join(users)})" if users else "")} for options, users in found.values()]


def _uses(declaration: Declaration, credential_ids: t.Mapping[str, str]) -> t.Iterator[tuple[Relay, list[str]]]:
    for request in declaration.requests:
        if request.state == "present":
            relay = override(declaration.relays[request.relay], request)
            yield with_credential(relay, "in_force", credential_ids.get(request.name)), [request.name]
    if not declaration.requests:
        for relay in declaration.relays.values():
            yield relay, []


def _oauth2(oauth2: OAuth2) -> dict[str, str]:
    given = {key: value for key, value in oauth2._asdict().items() if value is not None and key != "account"}
    return {key: value.reveal() if isinstance(value, Secret) else value for key, value in given.items()}


def options_of(relay: Relay) -> dict[str, t.Any]:
    """The options that prove one relay with the credential that it has, its secret in the clear."""
    options: dict[str, t.Any] = {"name": relay.name}
    graph = relay.type == "ms_graph"
    same = {key: getattr(relay, key) for key in _SAME if getattr(relay, key) is not None}
    options.update({key: value for key, value in same.items() if not (graph and key in _NOT_OF_GRAPH)})
    if graph:
        options.update({"type": "ms_graph", **({"graph_url": relay.graph_url} if relay.graph_url else {})})
    if relay.oauth2 is not None:
        options["oauth2"] = _oauth2(relay.oauth2)
        if relay.oauth2.account:
            options["username"] = relay.oauth2.account
    elif relay.credential is not None:
        options.update(username=relay.credential.username, password=relay.credential.password.reveal())
        if relay.credential.id:
            options["credential_id"] = relay.credential.id
    if relay.tls_fingerprints:
        options["tls_fingerprints"] = list(relay.tls_fingerprints)
    if relay.auth_mechanisms:
        options["auth_mechanisms"] = list(relay.auth_mechanisms)
    if relay.reply_to is not None:
        options["reply_to"] = relay.reply_to.mailbox
    looks = {key: getattr(relay.message, key) for key in ("signature", "charset", "plain_text") if getattr(relay.message, key) is not None}
    if looks:
        options["looks"] = looks
    if relay.from_ is not None:
        options["from"] = relay.from_.mailbox
    return options
