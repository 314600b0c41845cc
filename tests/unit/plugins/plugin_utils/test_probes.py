# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Relays that log in with tokens, and Graph mailboxes, become probes that smtp_probe takes as they are."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.arguments import argument_spec
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.resolve import load
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.settings import override
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.validation import load_schema
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.probes import Joined, probes

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def made(text: str) -> dict[str, t.Any]:
    (found,) = probes(load(yaml.safe_load(text), []), {})
    known = argument_spec()["relays"]["options"]
    assert set(found) <= set(known) and set(found.get("oauth2", {})) <= set(known["oauth2"]["options"])
    return found


def test_a_relay_with_a_token_is_probed_with_what_fetches_it() -> None:
    found = made(
        "{host: smtp.office365.com, port: 587, from: n@example.com, oauth2: {tenant_id: t, client_id: c, client_secret: hunter2}}"
    )
    assert found["oauth2"] == {"tenant_id": "t", "client_id": "c", "client_secret": "hunter2"}
    assert (found["host"], found["from"], "username" in found, "password" in found) == (
        "smtp.office365.com",
        "n@example.com",
        False,
        False,
    )


def test_the_account_of_the_token_is_the_username() -> None:
    found = made(
        "{host: smtp.example.com, username: box@example.com, from: n@example.com,"
        " oauth2: {client_id: c, token_url: 'https://l/t', grant: refresh_token, refresh_token: hunter2}}"
    )
    assert (found["username"], found["oauth2"]["refresh_token"], found["oauth2"]["grant"]) == (
        "box@example.com",
        "hunter2",
        "refresh_token",
    )


def test_a_graph_mailbox_is_probed_by_graph() -> None:
    key = KEY.replace("\n", "\\n")
    found = made(
        '{type: ms_graph, graph_url: "https://graph.microsoft.us", from: n@example.com,'
        f' oauth2: {{tenant_id: t, client_id: c, jwt_key: "{key}", jwt_thumbprint: ab, ca_path: /ca.pem}}}}'
    )
    assert (found["type"], found["graph_url"], found["from"]) == (
        "ms_graph",
        "https://graph.microsoft.us",
        "n@example.com",
    )
    assert not {"host", "port", "security"} & set(found)
    assert found["oauth2"] == {
        "tenant_id": "t",
        "client_id": "c",
        "jwt_key": KEY,
        "jwt_thumbprint": "ab",
        "ca_path": "/ca.pem",
    }


def test_what_only_the_probe_checks_reaches_it() -> None:
    pin = "spki-sha256:" + "ab" * 32
    found = made(
        f"{{host: h.example.com, client_cert: /c.pem, client_key: /k.pem, tls_fingerprints: [{pin}], min_cert_days: 14}}"
    )
    assert (found["client_cert"], found["client_key"], found["tls_fingerprints"], found["min_cert_days"]) == (
        "/c.pem",
        "/k.pem",
        [pin],
        14,
    )


def test_a_relay_without_login_is_proven_as_far_as_it_goes_where_the_others_log_in() -> None:
    relays = {
        "default": "main",
        "relays": {
            "main": {"host": "h", "username": "u", "password": "p"},
            "queue": {"type": "local_mta", "via": "main"},
        },
    }
    assert [found.get("level") for found in probes(load(relays, []), {}, "auth")] == [None, "tls"]
    assert [found.get("level") for found in probes(load(relays, []), {}, "connect")] == [None, None]
    assert [found.get("level") for found in probes(load(relays, []), {}, "envelope")] == ["auth", "tls"]


def test_one_login_proves_every_sender_that_applications_have_through_one_relay() -> None:
    relay = {"host": "h.example.com", "username": "u", "password": "p", "from": "a@example.com"}
    declared = load(relay, ["gitea", {"name": "grafana", "from": "g@example.com"}, {"name": "other", "port": 587}])
    joined = Joined()
    for request in declared.requests:
        joined.add(override(declared.relays[request.relay], request), request.name)
    first, second = joined.options()
    assert (first["name"], first["from"], first["also_from"]) == (
        "default (gitea, grafana)",
        "a@example.com",
        ["g@example.com"],
    )
    assert first["level"] == "envelope"
    assert (second["name"], second["port"], second["also_from"]) == ("default (other)", 587, [])
    assert joined.users() == [["gitea", "grafana"], ["other"]]
    refused = {
        "address": "g@example.com",
        "ok": False,
        "category": "send_as_denied",
        "code": 553,
        "enhanced": "",
        "text": "no",
        "meaning": "no",
    }
    result = {
        "ok": False,
        "category": "send_as_denied",
        "diagnosis": "said",
        "stage": "mail",
        "recipient": "tested",
        "recipients": [],
        "senders": [{**refused, "address": "a@example.com", "ok": True, "category": "ok"}, refused],
    }
    found = joined.by_user([result, {"ok": True, "category": "ok"}])
    assert {name: (each["ok"], each["category"]) for name, each in found.items()} == {
        "gitea": (True, "ok"),
        "grafana": (False, "send_as_denied"),
        "other": (True, "ok"),
    }


def test_a_relay_that_is_off_is_not_probed() -> None:
    assert probes(load({"type": "none"}, []), {}) == []


@pytest.mark.parametrize(
    "key, code",
    [
        ("grant: password", "token-grant"),
        ('jwt_key: "a\\tb"', "control-character"),
        ('jwt_thumbprint: "a\\nb"', "control-character"),
    ],
)
def test_what_cannot_be_declared_is_told_without_the_secret(key: str, code: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(yaml.safe_load(f"{{host: h.example.com, oauth2: {{client_id: c, client_secret: hunter2, {key}}}}}"), [])
    assert f"[{code}]" in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_copy_needs_its_own_key() -> None:
    relays = "{default: a, relays: {a: {host: h.example.com, oauth2: {client_id: c, jwt_key: hunter2}}, b: {like: a}}}"
    with pytest.raises(ProblemsError, match="smtp_relay.relays.b.oauth2.jwt_key: .*secret-anew"):
        load(yaml.safe_load(relays), [])


# -- every declared key reaches the probe, or is not the probe's --------------------------------------

EVERYTHING: dict[str, t.Any] = {
    "host": "h.example.com", "port": 2465, "security": "tls", "validate_certs": False, "ca_path": "/ca.pem", "tls_server_name": "n.example.com",
    "tls_min_version": "1.3", "client_cert": "/c.pem", "client_key": "/k.pem", "tls_fingerprints": ["spki-sha256:" + "ab" * 32], "min_cert_days": 14,
    "username": "u", "password": "hunter2", "credential_id": "2026-08", "auth_mechanisms": ["NTLM"], "auth_domain": "SITE",
    "allow_plaintext_auth": True, "from": {"address": "a@example.com", "name": "Ann, of Example"}, "reply_to": "Help <h@example.com>",
    "helo": "me.example.com", "timeout": 7, "message": {"charset": "iso-8859-1", "plain_text": False, "signature": "Us"},
}  # fmt: skip
TOKEN: dict[str, t.Any] = {
    "tenant_id": "t", "client_id": "c", "client_secret": "hunter2", "token_url": "https://l/t", "scope": "s", "refresh_token": "hunter3",
    "jwt_key": KEY, "jwt_thumbprint": "ab" * 20, "grant": "refresh_token", "ca_path": "/ca.pem",
}  # fmt: skip
NOT_THE_PROBES = {
    "enabled": "what is off is not probed",
    "next": "one probe logs in with one credential; which one, is the caller's word",
    "description": "is for people",
    "secret": "where applications have it is nothing to the relay",
    "via": "the local MTA is probed, and the relay behind it as one of its own",
    "accept": "is about applications",
    "overlap": "is about rotating",
    "accept_gap": "is about rotating",
}
NOT_OF_THE_MESSAGE = {"max_attachment_mb": "is a limit of the application's"}
# Options of the probe that no declaration sets, and why. A new option needs a thought here.
NOT_DECLARED = {
    "name": "is the relay's", "level": "is the caller's", "send": "is the caller's", "to": "is the caller's",
    "also_from": "are the senders of applications with a login in common", "subject": "is the caller's",
    "state_dir": "is the host's", "diagnose": "is the caller's", "expect": "is the caller's",
    "protocol": "applications speak SMTP", "resolve": "applications are given a host, not a domain", "dns_servers": "belongs to resolve and dane",
    "proxy_protocol": "is for who stands behind a load balancer; applications stand before it",
    "step_timeout": "is for looking closely at a slow relay", "tls_ciphers": "applications have their own",
    "tls_x509_strict": "is asked of a relay now and then; applications have their own",
    "mta_sts": "as dane", "mta_sts_url": "as dane", "mta_sts_ca_path": "as dane",
    "dane": "is a report about the relay's domain, asked for now and then", "addresses": "applications take the first that answers",
    "source_address": "applications cannot choose one", "proxy": "applications cannot go through one: a probe that does would prove another way",
    "ca_mode": "applications read one file, and know no other way", "client_key_password": "nobody is there to type it to a service",
}  # fmt: skip
NOT_DECLARED_OF_TOKENS = {"token": "ends within the hour", "client_assertion": "ends within minutes"}


# Ansible keeps the name "message" of an option for itself.
RENAMED = {"message": "message_options"}


def properties(*path: str) -> set[str]:
    found = load_schema("smtp_relay")["$defs"]["relay"]
    for key in path:
        found = found["properties"][key]
    return set(found["properties"])


def alone(relay: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    return probes(load(relay, []), {})


def joined(relay: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    found = Joined()
    found.add(load(relay, []).relays["default"], "gitea")
    return found.options()


@pytest.mark.parametrize("way", [alone, joined])
def test_every_declared_key_reaches_the_probe_or_is_listed_as_not_the_probes(
    way: t.Callable[[dict[str, t.Any]], list[dict[str, t.Any]]],
) -> None:
    (sent,) = way(EVERYTHING)
    (tokens,) = way({"host": "h.example.com", "username": "u", "oauth2": TOKEN})
    (graph,) = way(
        {"type": "ms_graph", "graph_url": "https://graph.microsoft.us", "from": "a@example.com", "oauth2": TOKEN}
    )
    reached = {**graph, **tokens, **sent}
    assert {RENAMED.get(key, key) for key in properties()} - set(reached) == set(NOT_THE_PROBES)
    as_declared = {key: value for key, value in EVERYTHING.items() if key not in ("from", "reply_to", "message")}
    assert {key: reached[key] for key in as_declared} == as_declared
    assert (reached["from"], reached["reply_to"]) == ('"Ann, of Example" <a@example.com>', "Help <h@example.com>")
    assert reached["message_options"] == EVERYTHING["message"] and properties("message") - set(
        reached["message_options"]
    ) == set(NOT_OF_THE_MESSAGE)
    assert tokens["oauth2"] == graph["oauth2"] == TOKEN and properties("oauth2") == set(TOKEN)
    assert (tokens["username"], graph["type"], graph["graph_url"]) == ("u", "ms_graph", "https://graph.microsoft.us")


def test_every_option_of_the_probe_can_be_declared_or_is_listed_with_the_reason_why_not() -> None:
    options = argument_spec()["relays"]["options"]
    assert set(options) - {RENAMED.get(key, key) for key in properties()} == set(NOT_DECLARED)
    assert set(options["oauth2"]["options"]) - properties("oauth2") == set(NOT_DECLARED_OF_TOKENS)
    assert all(
        (
            *NOT_THE_PROBES.values(),
            *NOT_DECLARED.values(),
            *NOT_DECLARED_OF_TOKENS.values(),
            *NOT_OF_THE_MESSAGE.values(),
        )
    )
