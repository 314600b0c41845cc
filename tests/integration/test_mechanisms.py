# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every login mechanism of the probe, against servers that others wrote: Dovecot's and Cyrus's SASL, behind Postfix and alone."""

from __future__ import annotations

import base64
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from integration import programs
from integration.needs import HOSTILE, HOSTILE_ASCII, need
from integration.pki import Pki
from integration.sasl_servers import CyrusRelay, DovecotRelay, DovecotSubmission

USER, TOKEN = "apps", "ya29.a-token-of-the-test-0123456789"
DEFAULTS: t.Mapping[str, t.Any] = {
    "host": "127.0.0.1",
    "security": "tls",
    "validate_certs": True,
    "tls_min_version": "1.2",
    "allow_plaintext_auth": False,
    "helo": "client.site.test",
    "timeout": 10,
    "send": "never",
    "diagnose": True,
    "state_dir": "/nonexistent",
    "username": USER,
}


def probe(port: int, pki: Pki, **given: t.Any) -> t.Dict[str, t.Any]:
    """The result of one probe; whatever it says, none of the secrets is in it."""
    asked = {**DEFAULTS, "port": port, "ca_path": str(pki.ca), **given}
    result = probe_all([asked], False)[0]
    for secret in (HOSTILE, HOSTILE_ASCII, TOKEN):
        for form in (secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex()):
            assert form not in repr(result)
    return result


def outcome(result: t.Mapping[str, t.Any]) -> t.Tuple[str, t.List[str], str]:
    """How it ended, what was tried, what worked."""
    return result["category"], result["auth"]["tried"], result["auth"]["used"]


@pytest.fixture(scope="module")
def dovecot() -> t.Iterator[DovecotRelay]:
    need(*programs.RELAY_NEEDS, "dovecot-core")
    with DovecotRelay({USER: HOSTILE}, {USER: TOKEN}) as running:
        yield running


@pytest.fixture(scope="module")
def cyrus() -> t.Iterator[CyrusRelay]:
    need(*programs.RELAY_NEEDS)
    with CyrusRelay(
        {USER: HOSTILE, "ascii": HOSTILE_ASCII}, "SCRAM-SHA-1 SCRAM-SHA-256 NTLM CRAM-MD5 PLAIN LOGIN"
    ) as running:
        yield running


BY_DOVECOT = ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]


@pytest.mark.parametrize("mechanism", BY_DOVECOT)
def test_dovecot_behind_postfix_takes_a_password(mechanism: str, dovecot: DovecotRelay) -> None:
    given = {"password": HOSTILE, "auth_mechanisms": [mechanism]}
    assert outcome(probe(dovecot.ports["tls"], dovecot.pki, **given)) == ("ok", [mechanism], mechanism)
    wrong = probe(dovecot.ports["tls"], dovecot.pki, **{**given, "password": "wrong"})
    assert outcome(wrong) == ("auth_failed", [mechanism], "")


def test_the_strongest_that_dovecot_offers_is_used_and_a_wrong_password_is_tried_once(dovecot: DovecotRelay) -> None:
    assert outcome(probe(dovecot.ports["tls"], dovecot.pki, password=HOSTILE)) == (
        "ok",
        ["SCRAM-SHA-256"],
        "SCRAM-SHA-256",
    )
    before = dovecot.log().count("SASL")
    assert outcome(probe(dovecot.ports["tls"], dovecot.pki, password="wrong")) == ("auth_failed", ["SCRAM-SHA-256"], "")
    assert dovecot.log().count("SASL") == before + 1


# Cyrus takes the bytes of a password for code points in NTLM: one with letters beyond ASCII does not pass there, whoever the client is
BY_CYRUS = [(name, USER, HOSTILE) for name in BY_DOVECOT] + [("NTLM", "ascii", HOSTILE_ASCII)]


@pytest.mark.parametrize("mechanism, user, password", BY_CYRUS)
def test_cyrus_behind_postfix_takes_a_password(mechanism: str, user: str, password: str, cyrus: CyrusRelay) -> None:
    given = {"username": user, "password": password, "auth_mechanisms": [mechanism]}
    assert outcome(probe(cyrus.ports["tls"], cyrus.pki, **given)) == ("ok", [mechanism], mechanism)
    assert outcome(probe(cyrus.ports["tls"], cyrus.pki, **{**given, "password": "wrong"})) == (
        "auth_failed",
        [mechanism],
        "",
    )


@pytest.mark.parametrize("given", [{"auth_domain": "SITE"}, {"username": "SITE\\ascii"}])
def test_ntlm_with_a_domain_is_taken_by_cyrus(given: t.Dict[str, str], cyrus: CyrusRelay) -> None:
    asked = {"username": "ascii", "password": HOSTILE_ASCII, "auth_mechanisms": ["NTLM"], **given}
    assert outcome(probe(cyrus.ports["tls"], cyrus.pki, **asked)) == ("ok", ["NTLM"], "NTLM")


def oauth2(token: str) -> t.Dict[str, t.Any]:
    return {"password": None, "oauth2": {"token": token}}


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_dovecot_behind_postfix_takes_a_token_and_its_refusal_is_explained(
    mechanism: str, dovecot: DovecotRelay
) -> None:
    given = {"auth_mechanisms": [mechanism]}
    assert outcome(probe(dovecot.ports["tls"], dovecot.pki, **given, **oauth2(TOKEN))) == ("ok", [mechanism], mechanism)
    wrong = probe(dovecot.ports["tls"], dovecot.pki, **given, **oauth2("another-token"))
    assert outcome(wrong) == ("auth_failed", [mechanism], "")
    assert "of the token the server says status: " in wrong["reply"]["meaning"]


def test_a_token_longer_than_a_command_is_taken_too() -> None:
    need(*programs.RELAY_NEEDS, "dovecot-core")
    token = "ya29." + "0123456789abcdef" * 100
    with DovecotRelay({}, {USER: token}) as relay:
        assert outcome(probe(relay.ports["tls"], relay.pki, **oauth2(token))) == ("ok", ["XOAUTH2"], "XOAUTH2")


def test_dovecot_takes_a_client_certificate_as_the_login(cyrus: CyrusRelay, site: Path) -> None:
    need("dovecot-core", "dovecot-submissiond")
    leaf = cyrus.pki.client(USER)
    own = {"client_cert": str(leaf.cert), "client_key": str(leaf.key)}
    with DovecotSubmission(site, cyrus.pki, cyrus, {USER: HOSTILE}) as server:
        by_name = probe(server.port, cyrus.pki, username=None, auth_mechanisms=["EXTERNAL"], **own)
        by_level = probe(server.port, cyrus.pki, username=None, level="auth", **own)
        as_user = probe(server.port, cyrus.pki, **own)
        as_other = probe(server.port, cyrus.pki, **{**own, "username": "other"})
        by_password = probe(server.port, cyrus.pki, password=HOSTILE, **own)
    assert [outcome(one) for one in (by_name, by_level, as_user)] == [("ok", ["EXTERNAL"], "EXTERNAL")] * 3
    assert outcome(as_other) == ("auth_failed", ["EXTERNAL"], "")
    assert outcome(by_password) == ("ok", ["PLAIN"], "PLAIN")


class Bound:
    """cyrus_plus.py as a process."""

    def __init__(self, folder: Path, pki: Pki, attack: str = "") -> None:
        sasldb = folder / "sasldb2"
        command = ["saslpasswd2", "-p", "-c", "-f", str(sasldb), "-u", "relay.test", USER]
        subprocess.run(command, input=HOSTILE.encode(), check=True, capture_output=True, timeout=10)
        program = [sys.executable, str(Path(__file__).with_name("cyrus_plus.py"))]
        arguments = [str(pki.good().chain), str(sasldb), "SCRAM-SHA-1 SCRAM-SHA-256 PLAIN"] + (
            [attack] if attack else []
        )
        self._process = subprocess.Popen(program + arguments, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
def test_cyrus_takes_a_login_that_is_bound_to_the_certificate(mechanism: str, site: Path) -> None:
    need(*programs.RELAY_NEEDS)
    pki = Pki(site / "pki")
    with Bound(site, pki) as port:
        assert outcome(probe(port, pki, password=HOSTILE, auth_mechanisms=[mechanism])) == (
            "ok",
            [mechanism],
            mechanism,
        )
        assert outcome(probe(port, pki, password=HOSTILE)) == ("ok", ["SCRAM-SHA-256-PLUS"], "SCRAM-SHA-256-PLUS")
        plain_scram = probe(port, pki, password=HOSTILE, auth_mechanisms=["SCRAM-SHA-256"])
        assert outcome(plain_scram) == ("ok", ["SCRAM-SHA-256"], "SCRAM-SHA-256")


@pytest.mark.parametrize("attack, tried", [("between", "SCRAM-SHA-256-PLUS"), ("hidden", "SCRAM-SHA-256")])
def test_cyrus_refuses_a_login_through_somebody_in_between(attack: str, tried: str, site: Path) -> None:
    need(*programs.RELAY_NEEDS)
    pki = Pki(site / "pki")
    with Bound(site, pki, attack) as port:
        result = probe(port, pki, password=HOSTILE)
    assert outcome(result) == ("auth_failed", [tried], "")
