# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Relays that log in with tokens, and Graph mailboxes, become probes that smtp_probe takes as they are."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.modules import smtp_probe
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import load
from ansible_collections.smarthost.mail.plugins.plugin_utils.probes import probes
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def made(text: str) -> dict[str, t.Any]:
    (found,) = probes(load(yaml.safe_load(text), []), {})
    known = smtp_probe.argument_spec()["relays"]["options"]
    assert set(found) <= set(known) and set(found.get("oauth2", {})) <= set(known["oauth2"]["options"])
    return found


def test_a_relay_with_a_token_is_probed_with_what_fetches_it() -> None:
    found = made("{host: smtp.office365.com, port: 587, from: n@example.com, oauth2: {tenant_id: t, client_id: c, client_secret: hunter2}}")
    assert found["oauth2"] == {"tenant_id": "t", "client_id": "c", "client_secret": "hunter2"}
    assert (found["host"], found["from"], "username" in found, "password" in found) == ("smtp.office365.com", "n@example.com", False, False)


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
        ' oauth2: {tenant_id: t, client_id: c, jwt_key: "%s", jwt_thumbprint: ab, ca_path: /ca.pem}}'
        % key
    )
    assert (found["type"], found["graph_url"], found["from"]) == ("ms_graph", "https://graph.microsoft.us", "n@example.com")
    assert not {"host", "port", "security"} & set(found)
    assert found["oauth2"] == {"tenant_id": "t", "client_id": "c", "jwt_key": KEY, "jwt_thumbprint": "ab", "ca_path": "/ca.pem"}


def test_what_only_the_probe_checks_reaches_it() -> None:
    pin = "spki-sha256:" + "ab" * 32
    found = made("{host: h.example.com, client_cert: /c.pem, client_key: /k.pem, tls_fingerprints: [%s], min_cert_days: 14}" % pin)
    assert (found["client_cert"], found["client_key"], found["tls_fingerprints"], found["min_cert_days"]) == ("/c.pem", "/k.pem", [pin], 14)


def test_a_relay_that_is_off_is_not_probed() -> None:
    assert probes(load({"type": "none"}, []), {}) == []


@pytest.mark.parametrize(
    "key, code",
    [("grant: password", "token-grant"), ('jwt_key: "a\\tb"', "control-character"), ('jwt_thumbprint: "a\\nb"', "control-character")],
)
def test_what_cannot_be_declared_is_told_without_the_secret(key: str, code: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(yaml.safe_load("{host: h.example.com, oauth2: {client_id: c, client_secret: hunter2, %s}}" % key), [])
    assert "[%s]" % code in str(caught.value) and "hunter2" not in str(caught.value)


def test_a_copy_needs_its_own_key() -> None:
    relays = "{default: a, relays: {a: {host: h.example.com, oauth2: {client_id: c, jwt_key: hunter2}}, b: {like: a}}}"
    with pytest.raises(ProblemsError, match="smtp_relay.relays.b.oauth2.jwt_key: .*secret-anew"):
        load(yaml.safe_load(relays), [])
