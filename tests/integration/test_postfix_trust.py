# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no CA is declared Postfix trusts the host's store, shown with Postfix's own TLS code (posttls-finger)."""

from __future__ import annotations

import os
import subprocess
import typing as t

from ansible_collections.smarthost.mail.plugins.filter.smtp import smtp_settings
from integration.relay import Relay

DECLARED = {
    "host": "localhost",
    "port": 587,
    "username": "apps@site.test",
    "password": "not used",
    "from": "apps@site.test",
}


def finger(relay: Relay, settings: t.Mapping[str, str]) -> str:
    """What Postfix's client says of the relay, with its CA in the host's store (as OpenSSL finds it) and these settings of main.cf."""
    command = [
        "posttls-finger",
        "-c",
        "-l",
        "secure",
        "-L",
        "summary",
        "-P",
        settings.get("smtp_tls_CApath", ""),
        "-o",
        "tls_append_default_CA=yes",
    ]
    done = subprocess.run(
        [*command, f"[127.0.0.1]:{relay.ports['starttls']}", "localhost"],
        text=True,
        timeout=30,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "SSL_CERT_FILE": str(relay.pki.ca)},
    )
    return done.stdout


def test_without_a_declared_ca_postfix_loads_the_hosts_store(relay: Relay) -> None:
    written = smtp_settings(DECLARED, "postfix")["/etc/postfix/main.cf"]
    assert written["tls_append_default_CA"] is True
    assert "Verified TLS connection" in finger(relay, written)


def test_postfix_trusts_nobody_without_a_folder_of_cas(relay: Relay) -> None:
    assert "untrusted issuer" in finger(relay, {})  # why the entry always names one
