# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens from end to end: fetched over HTTPS, taken by Dovecot behind Postfix, or by Graph; by the probe alone and by the whole role."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from integration import programs
from integration.endpoints import Endpoints, graph_token
from integration.needs import need
from integration.postfix import free_ports
from integration.sasl_servers import DovecotRelay
from integration.test_mechanisms import outcome, probe
from integration.test_role import leaks, play

USER, TOKEN, CLIENT_SECRET = "apps", "ya29.a-token-of-the-endpoint-0123456789", 'q7w8Q~cl"ient%s&ecret ü {{ x }}'
SECRETS = (TOKEN, CLIENT_SECRET, graph_token(), graph_token().rpartition(".")[2])


class World(t.NamedTuple):
    """Dovecot behind Postfix, which take TOKEN from USER, and the web server that gives it out."""

    relay: DovecotRelay
    web: Endpoints


@pytest.fixture(scope="module")
def world() -> t.Iterator[World]:
    need(*programs.RELAY_NEEDS, "dovecot-core")
    with DovecotRelay({}, {USER: TOKEN}) as relay, Endpoints(relay.pki.good(), CLIENT_SECRET, TOKEN) as web:
        yield World(relay, web)


def oauth2(world: World, path: str = "/token", secret: str = CLIENT_SECRET) -> t.Dict[str, t.Any]:
    return {
        "client_id": "c",
        "client_secret": secret,
        "token_url": world.web.origin + path,
        "ca_path": str(world.relay.pki.ca),
    }


def shows_no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if leaks(text, secret)] == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_dovecot_takes_a_token_that_was_just_fetched(mechanism: str, security: str, world: World) -> None:
    given = {"auth_mechanisms": [mechanism], "security": security, "oauth2": oauth2(world)}
    result = probe(world.relay.ports[security], world.relay.pki, **given)
    assert outcome(result) == ("ok", [mechanism], mechanism)
    assert [step["name"] for step in result["steps"]][:2] == ["token", "resolve"] and result["auth"]["token"]["opaque"]
    shows_no_secret(json.dumps(result))


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_for_another_account_is_refused_by_dovecot_and_explained(mechanism: str, world: World) -> None:
    result = probe(
        world.relay.ports["tls"], world.relay.pki, username="another", auth_mechanisms=[mechanism], oauth2=oauth2(world)
    )
    assert outcome(result) == ("auth_failed", [mechanism], "")
    assert "of the token the server says status: " in result["reply"]["meaning"]
    shows_no_secret(json.dumps(result))


def test_a_client_secret_that_was_revoked_never_gets_to_dovecot(world: World) -> None:
    before = world.relay.log().count("SASL")
    result = probe(world.relay.ports["tls"], world.relay.pki, oauth2=oauth2(world, secret="was-revoked"))
    assert (result["category"], result["stage"]) == ("token_error", "token") and "client secret" in result["diagnosis"]
    assert "itself answers as declared" in result["confirmed_by"] and world.relay.log().count("SASL") == before


PROXIES = {
    "socks5": ("microsocks", ["-i", "127.0.0.1", "-p", "{port}"]),
    "http": ("tinyproxy", ["-d", "-c", "{folder}/tinyproxy.conf"]),
}


@pytest.mark.parametrize("kind", PROXIES)
def test_endpoint_and_relay_are_reached_through_a_real_proxy(kind: str, world: World, site: Path) -> None:
    need(name := PROXIES[kind][0])
    (port,) = free_ports(1)
    (site / "tinyproxy.conf").write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 5\n")
    command = [name, *(part.format(port=port, folder=site) for part in PROXIES[kind][1])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        try:
            wait_until_open(port)
            given = {"host": "localhost", "proxy": f"{kind}://127.0.0.1:{port}", "oauth2": oauth2(world)}
            assert outcome(probe(world.relay.ports["tls"], world.relay.pki, **given)) == ("ok", ["XOAUTH2"], "XOAUTH2")
        finally:
            program.terminate()


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port}")


# -- the role -----------------------------------------------------------------------------------------


def declaration(world: World, secret: str = CLIENT_SECRET) -> t.Dict[str, t.Any]:
    """A relay that takes tokens, and a mailbox of Graph."""
    ca = str(world.relay.pki.ca)
    return {
        "default": "main",
        "relays": {
            "main": {
                "host": "localhost",
                "port": world.relay.ports["starttls"],
                "security": "starttls",
                "ca_path": ca,
                "username": USER,
                "from": {"address": "apps@site.test", "name": "Müller, Söhne & Co"},
                "oauth2": oauth2(world, secret=secret),
            },
            "graph": {
                "type": "ms_graph",
                "graph_url": world.web.origin,
                "ca_path": ca,
                "from": "Site Apps <noreply@site.test>",
                "oauth2": {**oauth2(world, "/graph-token", secret), "tenant_id": "t"},
                "username": "apps@site.test",
                "password": "a-word-of-the-test",
            },
        },
    }


def results(site: Path) -> t.Dict[str, t.Any]:
    """What the role found of each relay, by its name."""
    (report,) = site.glob("report/*.json")
    (host,) = json.loads(report.read_text())["hosts"]
    return {one["name"]: one for one in host["relays"]}


def run(site: Path, declared: t.Dict[str, t.Any], *options: str) -> "subprocess.CompletedProcess[str]":
    wanted = {
        "smtp_relay_probe_send": "always",
        "smtp_relay_probe_to": ["reader@dest.test"],
        "smtp_relay_report_dest": str(site / "report"),
        "smtp_relay_probe_level": "envelope",
    }
    found: "subprocess.CompletedProcess[str]" = play(
        site, declared, applications(site), "-e", json.dumps(wanted), *options
    )
    return found


def applications(site: Path) -> t.List[t.Dict[str, t.Any]]:
    """One that takes tokens by itself, and one that sends by Graph."""
    return [
        {"name": "keycloak", "path": str(site / "realm.json"), "accept": ["no-ca-path", "starttls-strippable"]},
        {"name": "platform", "relay": "graph", "path": str(site / "platform.md"), "accept": ["no-ca-path"]},
    ]


def test_the_role_proves_a_relay_with_tokens_and_a_graph_mailbox_and_sends_through_both(
    world: World, site: Path
) -> None:
    world.web.sent.clear()
    done = run(site, declaration(world), "-vvv", "--diff")
    assert done.returncode == 0, done.stdout[-6000:]
    shows_no_secret(done.stdout + done.stderr)
    for one in site.rglob("*"):
        if one.is_file() and one.name not in ("inventory.yml", "realm.json"):
            shows_no_secret(one.read_text(errors="replace"))
    assert {name: one["category"] for name, one in results(site).items()} == {
        "main (keycloak)": "ok",
        "graph (platform)": "ok",
    }
    message = world.relay.wait_for("smarthost.mail: test message")
    assert (message.user, message.port, message.sender) == (USER, "starttls", "apps@site.test")
    (sent,) = world.web.sent
    parsed = email.message_from_bytes(sent, policy=email.policy.default)
    assert (parsed["From"], parsed["To"]) == ("Site Apps <noreply@site.test>", "reader@dest.test")
    (arrived,) = (world.relay.root / "mail" / "new").iterdir()
    assert (
        email.message_from_bytes(arrived.read_bytes(), policy=email.policy.default)["From"].addresses[0].display_name
        == "Müller, Söhne & Co"
    )


def test_a_revoked_client_secret_is_told_by_the_role_in_plain_words(world: World, site: Path) -> None:
    done = run(site, declaration(world, "was-revoked"))
    assert done.returncode != 0
    assert {name: one["category"] for name, one in results(site).items()} == {
        "main (keycloak)": "token_error",
        "graph (platform)": "token_error",
    }
    assert "client secret" in done.stdout and not leaks(done.stdout + done.stderr, "was-revoked")


def test_an_application_that_sends_by_graph_is_configured_and_its_mailbox_proved(world: World, site: Path) -> None:
    declared = declaration(world)
    done = play(
        site, declared, applications(site)[1:], "-e", json.dumps({"smtp_relay_report_dest": str(site / "report")})
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "MS Graph API" in (site / "platform.md").read_text()
    assert [(name, one["category"]) for name, one in results(site).items()] == [("graph (platform)", "ok")]
