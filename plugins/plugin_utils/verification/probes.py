# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which probes prove a host's relays: one for each distinct way in which an application connects and logs in."""

from __future__ import annotations

import typing as t

from ...module_utils._shared.secret import Secret
from ..declaration.model import Declaration, OAuth2Settings, Relay
from ..declaration.settings import override
from ..planning.plan import with_credential

_SAME = (
    "host",
    "port",
    "security",
    "validate_certs",
    "ca_path",
    "tls_server_name",
    "tls_min_version",
    "client_cert",
    "client_key",
    "min_cert_days",
    "helo",
    "timeout",
    "allow_plaintext_auth",
    "auth_domain",
)


_NOT_OF_GRAPH = ("host", "port", "security", "tls_server_name")


def probes(declaration: Declaration, credential_ids: t.Mapping[str, str], level: str = "") -> list[dict[str, t.Any]]:
    """Options of ``smtp_probe``, one mapping each, with the secret in the clear (its option there is no_log).

    credential_ids: application name to the id of the credential that its files hold. Without any application every
    relay of the declaration is probed. Relays that are off have nothing to probe. level: how far the task goes, for those that can be
    proven so far.
    """
    found: dict[str, tuple[dict[str, t.Any], list[str]]] = {}
    for relay, users in _uses(declaration, credential_ids):
        if relay.sends:
            options = options_of(relay)
            if level and level_of(options, level) != level:
                options["level"] = level_of(options, level)
            found.setdefault(repr((relay.name, sorted(options.items()))), (options, []))[1].extend(users)
    return [
        {**options, "name": options["name"] + (f" ({', '.join(users)})" if users else "")}
        for options, users in found.values()
    ]


def _uses(declaration: Declaration, credential_ids: t.Mapping[str, str]) -> t.Iterator[tuple[Relay, list[str]]]:
    for request in declaration.requests:
        if request.state == "present":
            relay = override(declaration.relays[request.relay], request)
            yield with_credential(relay, "in_force", credential_ids.get(request.name)), [request.name]
    if not declaration.requests:
        for relay in declaration.relays.values():
            yield relay, []


def level_of(options: t.Mapping[str, t.Any], wanted: str = "") -> str:
    """How far a relay can be proven with these options, at most as far as wanted: the sender where there is one, else the login.

    Without sending Graph shows no more than the login.
    """
    login = bool(options.keys() & {"username", "oauth2", "client_cert"})
    sender = "from" in options and options.get("type") != "ms_graph"
    if wanted in ("connect", "tls"):
        return wanted
    if sender and wanted != "auth":
        return "envelope"
    return "envelope" if wanted == "envelope" and "from" in options else "auth" if login else "tls"


#: What says whom a message is from, and nothing about the relay or the login.
_OF_THE_MESSAGE = ("from", "reply_to", "message_options")


class Joined:
    """One probe for each distinct relay and login, however many applications and senders have it: more logins would prove no more."""

    def __init__(self, level: str = "", to: t.Sequence[str] = ()) -> None:
        """level: how far at most; empty for as far as each can be proven. to: recipients of the envelope."""
        self._level, self._to = level, list(to)
        self._found: dict[str, tuple[dict[str, t.Any], list[str], dict[str, str]]] = {}

    def add(self, relay: Relay, user: str) -> None:
        """An application that sends through this relay, with the credential that the relay has."""
        options = options_of(relay)
        level = level_of(options, self._level)
        # Of Graph the sender is the mailbox, and a token without an account is for the sender.
        identity = options.get("type") == "ms_graph" or ("oauth2" in options and "username" not in options)
        plain = {
            key: value for key, value in options.items() if key not in _OF_THE_MESSAGE or (key == "from" and identity)
        }
        joined, users, senders = self._found.setdefault(repr(sorted(plain.items())), (plain, [], {}))
        users.append(user)
        if level == "envelope" and relay.from_ is not None and not identity:
            if not senders:  # a message is from one sender: the first one's, with its name and its message
                joined.update({key: options[key] for key in _OF_THE_MESSAGE if key in options})
            senders[user] = relay.from_.address
            joined.update({"also_from": list(dict.fromkeys(senders.values()))[1:], "level": level})
        else:
            joined.setdefault("level", level)

    def options(self) -> list[dict[str, t.Any]]:
        """Options of ``smtp_probe``, in the order in which they were added, each with its secret in the clear."""
        return [self._of(options, users) for options, users, _senders in self._found.values()]

    def _of(self, options: dict[str, t.Any], users: t.Sequence[str]) -> dict[str, t.Any]:
        to = {"to": self._to} if self._to and options["level"] == "envelope" else {}
        return {**options, **to, "name": f"{options['name']} ({', '.join(dict.fromkeys(users))})"}

    def users(self) -> list[list[str]]:
        """The applications of each probe."""
        return [list(dict.fromkeys(users)) for _options, users, _senders in self._found.values()]

    def by_user(self, results: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
        """What the results of the probes, in the same order, say of each application: another sender's refusal is not its own."""
        found = {}
        for (_options, users, senders), result in zip(self._found.values(), results):
            for user in users:
                found[user] = _of_sender(result, senders.get(user, ""))
        return found


def _of_sender(result: t.Mapping[str, t.Any], address: str) -> dict[str, t.Any]:
    """A probe's result with the outcome of one of its senders, where they differ."""
    tried = {sender["address"]: sender for sender in result.get("senders") or ()}
    own = tried.get(address)
    refused = [sender for sender in tried.values() if not sender["ok"]]
    if not refused or (own is None and address):
        return dict(result)
    if own is None or own["ok"]:
        passed = (
            own is None
            or all(recipient["ok"] for recipient in result.get("recipients") or ())
            or result.get("recipient") == "not_tested"
        )
        if not passed:
            return dict(result)
        level = "envelope" if own else "auth"
        return {
            **result,
            "ok": True,
            "category": "ok",
            "level_reached": level,
            "diagnosis": "",
            "remedies": [],
            "stage": "",
        }
    reply = {key: own[key] for key in ("code", "enhanced", "text", "meaning")}
    diagnosis = (
        result["diagnosis"] if refused[0] is own else f"The relay does not take {address} as a sender ({own['text']})."
    )
    return {**result, "category": own["category"], "reply": reply, "diagnosis": diagnosis}


def _oauth2(oauth2: OAuth2Settings) -> dict[str, str]:
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
    message = {
        key: getattr(relay.message, key)
        for key in ("signature", "charset", "plain_text")
        if getattr(relay.message, key) is not None
    }
    if message:
        options["message_options"] = message
    if relay.from_ is not None:
        options["from"] = relay.from_.mailbox
    return options
