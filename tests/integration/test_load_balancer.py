# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Postfix as it stands behind a load balancer: it wants the PROXY protocol's header before TLS and before its own greeting."""

from __future__ import annotations

import pytest
from integration import programs
from integration.needs import USERS, need
from integration.postfix import free_ports
from integration.relay import Relay
from integration.test_mechanisms import outcome, probe

SERVICE = "127.0.0.1:{port} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes\n"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_postfix_behind_a_load_balancer_is_told_who_connects(version: str) -> None:
    need(*programs.RELAY_NEEDS)
    (port,) = free_ports(1)
    relay = Relay(USERS)
    with (relay.root / "postfix" / "master.cf").open("a") as services:
        services.write(SERVICE.format(port=port))
    with relay:
        given = {
            "username": "apps@site.test",
            "password": USERS["apps@site.test"],
            "auth_mechanisms": ["PLAIN"],
            "timeout": 10,
        }
        assert outcome(probe(port, relay.pki, proxy_protocol=version, **given)) == ("ok", ["PLAIN"], "PLAIN")
        told = probe(port, relay.pki, diagnose=False, **{**given, "timeout": 1})
        assert not told["ok"] and told["stage"] == "tls"
