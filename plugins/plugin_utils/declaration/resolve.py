# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the user wrote to resolved relays and requests: DESIGN section 3, every problem at once."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from .app_lists import VARIABLE, by_variable
from .model import DeclaredCredential, Declaration, Mailbox, MessagePreferences, OAuth2Settings, Relay, ApplicationRequest
from ...module_utils._shared.secret import Secret
from ...module_utils._shared.security import PORT_OF, SECURITY_OF
from .plain_values import plain, secrets_in
from ..problems import Problem, ProblemsError, did_you_mean, one_of
from .validation import coerce, hiding, problems_of, short, without_secrets

SINGLE = "default"
LOCAL_MTA = {"host": "127.0.0.1", "port": 25, "security": "none"}
_OAUTH2_SECRETS = ("client_secret", "refresh_token", "jwt_key")
_NOT_COPIED = ("like", "password", "next", "credential_id")
_OVERRIDES = (
    "port", "security", "validate_certs", "ca_path", "tls_server_name", "auth_mechanisms", "from", "reply_to", "helo", "timeout", "message", "secret",
)
PLATFORMS = ("k8s_secret", "compose")
ONLY_PROBED = ("client_cert", "client_key", "min_cert_days", "auth_domain")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # with halves of characters, which no encoding takes


def load(relay: t.Any, apps: t.Any) -> Declaration:
    """Resolve ``smtp_relay`` and its applications. Raises ProblemsError with all that is wrong in either.

    apps: the list of ``smtp_relay_apps``, or the lists of several such variables by name (``app_lists``).
    """
    relay, apps = plain(relay), plain(apps, VARIABLE)
    with hiding(secrets_in([relay, apps])):
        relays, default, problems = _relays(relay)
        requests, more = _requests(apps, relays, default)
        problems += more
        if problems:
            raise ProblemsError([without_secrets(problem) for problem in problems])
    return Declaration(relays, default, tuple(requests))


def load_host(relay: t.Any, apps: t.Any) -> Declaration:
    """The same for a host: one without applications needs no relay."""
    listed = apps.values() if isinstance(apps, t.Mapping) else [apps]
    return Declaration({}, SINGLE, ()) if relay is None and not any(listed) else load(relay, apps)


def override(relay: Relay, request: ApplicationRequest) -> Relay:
    """The relay as one application uses it: the request's own keys, and the gaps accepted on either."""
    given = paired(request.overrides, relay.security)
    changes: dict[str, t.Any] = _plain_fields(given, relay.message)
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


# -- relays ---------------------------------------------------------------------------------------


def _relays(raw: t.Any) -> tuple[dict[str, Relay], str, list[Problem]]:
    if not isinstance(raw, dict) or not raw:
        what = "nothing is declared." if not raw else "a mapping is expected here."
        return {}, SINGLE, [Problem("smtp_relay", what, "no-relay", "The least: smtp_relay: {host: smtp.example.com, from: noreply@example.com}")]
    if "relays" not in raw and "default" not in raw:
        raw = coerce(raw, "smtp_relay", "relay")
        problems = _checked(raw, "relay", "smtp_relay")
        if problems:
            return {SINGLE: Relay(SINGLE)}, SINGLE, problems
        relay, more = _resolve(SINGLE, raw, "smtp_relay", True)
        if raw.get("type") == "local_mta" and "via" in raw:
            more.append(Problem("smtp_relay.via", "there is no other relay to forward to.", "unknown-relay", "Declare both under smtp_relay.relays."))
        return {SINGLE: relay}, SINGLE, more
    raw = coerce(raw, "smtp_relay", "relay_set")
    problems = _checked(raw, "relay_set", "smtp_relay")
    named = raw.get("relays")
    if problems or not isinstance(named, dict):
        return {str(name): Relay(str(name)) for name in (named if isinstance(named, dict) else {})}, str(raw.get("default")), problems
    return _resolve_set(named, raw["default"])


def _resolve_set(named: dict[str, t.Any], default: str) -> tuple[dict[str, Relay], str, list[Problem]]:
    problems: list[Problem] = []
    if default not in named:
        problems.append(_unknown_relay("smtp_relay.default", default, named))
    relays: dict[str, Relay] = {}
    for name, raw in named.items():
        where = f"smtp_relay.relays.{name}"
        written, wrong = _like(name, named)
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
            problems.append(_unknown_relay(where, via, [other for other in relays if other != name]))
        elif via is not None and relays[via].type != "smtp":
            what = f'"{via}" is of type {relays[via].type}; a local MTA forwards to a relay of type smtp.'
            problems.append(Problem(where, what, "via-type", "Name another relay, or leave via out."))
    return problems


def _like(name: str, named: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """What the relay says together with what it copies. Secrets are never copied: they must be given anew."""
    chain, where = [name], f"smtp_relay.relays.{name}"
    while "like" in named[chain[-1]]:
        source = named[chain[-1]]["like"]
        if source not in named:
            return {}, [_unknown_relay(f"smtp_relay.relays.{chain[-1]}.like", source, named)]
        if source in chain:
            return {}, [Problem(f"{where}.like", "this copies from itself in a circle.", "like-circle", "Write one of the relays out in full.")]
        chain.append(source)
    merged: dict[str, t.Any] = {}
    for link in reversed(chain):
        kept = {key: value for key, value in merged.items() if key not in _NOT_COPIED}
        if "oauth2" in kept:
            kept["oauth2"] = {key: value for key, value in kept["oauth2"].items() if key not in _OAUTH2_SECRETS}
        own = {key: value for key, value in named[link].items() if key != "like"}
        nested = {key: {**kept.get(key, {}), **own[key]} for key in ("oauth2", "message") if key in own}
        if merged and ("port" in own or "security" in own):
            kept = {key: value for key, value in kept.items() if key not in ("port", "security")}
            own = paired(own, merged.get("security") or SECURITY_OF.get(merged.get("port", 0)))
        merged = {**kept, **own, **nested}
    return merged, [
        Problem(f"{where}.{path}", f'a copy of "{chain[1]}" does not copy its secret.', "secret-anew", f"Give this relay its own {path.rpartition('.')[2]}.")
        for path in _secrets_to_give(merged, [named[link] for link in chain[1:]])
    ]


def _secrets_to_give(merged: dict[str, t.Any], sources: list[dict[str, t.Any]]) -> list[str]:
    """The secrets that a source has and that a copy, which still logs in, has not."""
    if merged.get("type") in ("local_mta", "none") or not merged.get("enabled", True):
        return []
    if "oauth2" not in merged:
        return ["password"] if "username" in merged and "password" not in merged and any("password" in source for source in sources) else []
    return [
        f"oauth2.{key}" for key in _OAUTH2_SECRETS
        if key not in merged["oauth2"] and any(key in source.get("oauth2", {}) for source in sources)
    ]


def _resolve(name: str, raw: dict[str, t.Any], where: str, default: bool) -> tuple[Relay, list[Problem]]:
    """One relay with every default filled in. The shape of ``raw`` was checked before."""
    kind = raw.get("type", "smtp")
    if kind == "local_mta":
        problems = [
            Problem(
                f"{where}.{key}", "a local MTA is reached at 127.0.0.1 port 25 without login.", "not-for-type",
                "Leave it out here; say it on the relay named by via.",
            )
            for key in ("host", "port", "security", "username", "password", "oauth2") if key in raw
        ]
        raw = {**raw, **LOCAL_MTA}
    else:
        problems = []
    port, security, more = _port_and_security(raw, where) if kind == "smtp" else (raw.get("port"), raw.get("security", "tls"), [])
    problems += more + _completeness(kind, raw, where)
    fields = {
        key: raw[key]
        for key in (
            "enabled", "host", "tls_min_version", "allow_plaintext_auth", "description", "via", "overlap", "accept_gap", "graph_url", *ONLY_PROBED,
        ) if key in raw
    }
    fields["tls_fingerprints"] = tuple(raw.get("tls_fingerprints", ()))
    relay = Relay(
        name, kind, default=default, credential=_credential(raw), next=_next(raw), oauth2=_oauth2(raw),
        accept=frozenset(raw.get("accept", ())), declared=frozenset(raw),
        **fields, **_plain_fields({**raw, "port": port, "security": security}, MessagePreferences()),
    )
    return relay, problems + _plaintext_auth(relay, where)


def _port_and_security(raw: dict[str, t.Any], where: str) -> tuple[int, str, list[Problem]]:
    port, security = raw.get("port"), raw.get("security")
    if port is None:
        security = security or "tls"
        return PORT_OF[security], security, []
    if security is None and port not in SECURITY_OF:
        what = f"with port {port} it must be said how the connection is secured."
        return port, "tls", [Problem(f"{where}.security", what, "security-unsaid", one_of(PORT_OF))]
    return port, security or SECURITY_OF[port], []


def _completeness(kind: str, raw: dict[str, t.Any], where: str) -> list[Problem]:
    """What a relay of its type must say, and pairs that go together."""
    problems = []

    def miss(key: str, what: str, hint: str) -> None:
        problems.append(Problem(f"{where}.{key}", what, "missing-key", hint))

    if kind == "smtp" and raw.get("enabled", True) and "host" not in raw:
        miss("host", "host is missing.", "Such as: smtp.example.com. For mail turned off write type: none.")
    if kind == "ms_graph":
        given = raw.get("oauth2", {})
        for key in ("tenant_id", "client_id", "client_secret"):
            if key not in given and not (key == "client_secret" and ("jwt_key" in given or "refresh_token" in given)):
                miss(f"oauth2.{key}", "Microsoft Graph needs it.", "See the app registration in Microsoft Entra.")
        if "from" not in raw:
            miss("from", "Microsoft Graph sends from a mailbox that must be named.", "Such as: noreply@example.com")
    if "password" in raw and "username" not in raw:
        miss("username", "a password stands here without a user name.", "Give both, or neither for a relay without login.")
    if "via" in raw and kind != "local_mta":
        problems.append(Problem(f"{where}.via", "only a local MTA forwards to another relay.", "not-for-type", "Add type: local_mta, or leave via out."))
    if "username" in raw and "password" not in raw and "oauth2" not in raw and kind == "smtp" and raw.get("enabled", True):
        miss("password", "a user name stands here without a password.", "Give both, or neither for a relay without login.")
    if "next" in raw and "oauth2" in raw and "password" not in raw:
        what = "next is a user name's password, and this relay logs in with OAuth 2."
        hint = "Let the provider know both client secrets at once, put the new one into oauth2, and run smarthost.mail.apply; then remove the old one."
        problems.append(Problem(f"{where}.next", what, "not-for-type", hint))
    elif "next" in raw and "password" not in raw:
        miss("password", "a next credential needs a current one.", "Give the credential that is in force now.")
    if "next" in raw and raw["next"]["id"] == raw.get("credential_id", ""):
        what = "the next credential has the id of the current one, so a host's record could not tell them apart."
        problems.append(Problem(f"{where}.next.id", what, "same-credential-id", "Give it an id of its own."))
    return problems


def _plaintext_auth(relay: Relay, where: str) -> list[Problem]:
    if relay.type != "smtp" or relay.security != "none" or relay.allow_plaintext_auth or _loopback(relay.host):
        return []
    if relay.credential is None and relay.oauth2 is None:
        return []
    what = f"with security none the {'password' if relay.credential else 'access token'} would cross the network in clear text."
    return [Problem(f"{where}.security", what, "plaintext-auth", "Use tls or starttls, or say allow_plaintext_auth: true.")]


def _loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host is not None and host.lower() == "localhost"


def _credential(raw: dict[str, t.Any]) -> DeclaredCredential | None:
    if "password" not in raw or "username" not in raw:
        return None
    return DeclaredCredential(raw.get("credential_id", ""), raw["username"], Secret(raw["password"]))


def _next(raw: dict[str, t.Any]) -> DeclaredCredential | None:
    given = raw.get("next")
    return given and DeclaredCredential(given["id"], given.get("username", raw.get("username", "")), Secret(given["password"]))


def _oauth2(raw: dict[str, t.Any]) -> OAuth2Settings | None:
    if "oauth2" not in raw:
        return None
    given: dict[str, t.Any] = {key: Secret(value) if key in _OAUTH2_SECRETS else value for key, value in raw["oauth2"].items()}
    return OAuth2Settings(account=raw.get("username"), **given)


def _plain_fields(raw: t.Mapping[str, t.Any], message: MessagePreferences) -> dict[str, t.Any]:
    """The fields that relays and requests share, in the model's types."""
    fields: dict[str, t.Any] = {
        key: raw[key] for key in ("port", "security", "validate_certs", "ca_path", "tls_server_name", "helo", "timeout", "secret") if raw.get(key) is not None
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


# -- requests -------------------------------------------------------------------------------------


def _requests(raw: t.Any, relays: t.Mapping[str, Relay], default: str) -> tuple[list[ApplicationRequest], list[Problem]]:
    found: dict[str, tuple[ApplicationRequest, t.Any]] = {}
    problems: list[Problem] = []
    for variable, items in by_variable(raw).items():
        if items is None:
            continue
        if not isinstance(items, list):
            problems.append(Problem(variable, "a list is expected here.", "wrong-type", "Such as: [nextcloud, {name: gitea, form: ini}]"))
            continue
        for number, item in enumerate(items):
            where = f"{variable}[{number}]"
            item = coerce(item, "smtp_relay", "application")
            wrong = _checked(item, "application", where)
            if not wrong:
                written = {"name": item} if isinstance(item, str) else item
                request = _request(written, where, default)
                wrong = _wrong_request(request, "relay" in written, relays) + _again(request, written, found)
            problems += wrong
    return [request for request, _written in found.values()], problems


def _wrong_request(request: ApplicationRequest, names_relay: bool, relays: t.Mapping[str, Relay]) -> list[Problem]:
    """What one item cannot have, though its shape is right."""
    wrong, where = [], request.where
    if request.relay in relays:
        wrong = _plaintext_auth(override(relays[request.relay], request), where)
    elif names_relay:
        wrong = [_unknown_relay(f"{where}.relay", request.relay, relays)]
    return wrong + [
        Problem(f"{where}.{key}", f"this is for form: {key}, which is not asked for.", "not-for-form", f"Add form: {key}, or leave {key} out.")
        for key in request.platforms if key != request.form and not (key == "compose" and request.project)
    ]


def _again(request: ApplicationRequest, written: t.Any, found: dict[str, tuple[ApplicationRequest, t.Any]]) -> list[Problem]:
    """Adds the request to those found, by name. Two variables may ask for the same: it is done once then."""
    if request.name not in found:
        found[request.name] = (request, written)
        return []
    first, before = found[request.name]
    apart = first.where.partition("[")[0] != request.where.partition("[")[0]
    if apart and before == written:
        found[request.name] = (dataclasses.replace(first, also=(*first.also, request.where)), before)
        return []
    hint = "Give one of them another name, and app: with the application's."
    if apart:
        what = f'"{request.name}" is listed by {first.where} too, with other settings.'
        return [Problem(request.where, what, "same-name", "Write the same in both, leave one of them out, or g" + hint[1:])]
    return [Problem(request.where, f'"{request.name}" is listed twice.', "same-name", hint)]


def _request(item: dict[str, t.Any], where: str, default: str) -> ApplicationRequest:
    activate = item.get("activate")
    if isinstance(activate, bool):
        activate = {} if activate else {"how": "none", "reason": "as declared"}
    return ApplicationRequest(
        name=item["name"], app=item.get("app", item["name"]), where=where, relay=item.get("relay", default), state=item.get("state", "present"),
        accept=frozenset(item.get("accept", ())), activate=activate, tool=tuple(item.get("tool", ())),
        overrides={key: item[key] for key in _OVERRIDES if key in item}, platforms={key: item[key] for key in PLATFORMS if key in item},
        **{
            key: item[key] for key in ("form", "path", "object", "owner", "group", "mode", "drift", "unit", "installed", "wired", "version")
            if key in item
        },
    )


# -- shared ---------------------------------------------------------------------------------------


def _unknown_relay(where: str, name: str, known: t.Iterable[str]) -> Problem:
    known = list(known)
    return Problem(where, f'there is no relay "{short(name)}" to use here.{did_you_mean(name, known)}', "unknown-relay", one_of(known) if known else "")


def _checked(value: t.Any, definition: str, where: str) -> list[Problem]:
    problems = problems_of(value, "smtp_relay", definition, where)
    seen = {problem.where for problem in problems}
    return problems + [problem for problem in _control_characters(value, where) if problem.where not in seen]


def _control_characters(value: t.Any, where: str) -> list[Problem]:
    """A second net below the patterns of the schema: no string with a control character goes any further."""
    if isinstance(value, dict):
        return [problem for key, item in value.items() for problem in _control_characters(item, f"{where}.{short(key)}")]
    if isinstance(value, list):
        return [problem for number, item in enumerate(value) for problem in _control_characters(item, f"{where}[{number}]")]
    if isinstance(value, str) and _CONTROL.search(value.replace("\n", "") if where.endswith(".oauth2.jwt_key") else value):
        return [Problem(where, "this holds a control character (or a line break).", "control-character", "Write it on one line without control characters.")]
    return []
