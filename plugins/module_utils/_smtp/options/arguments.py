# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of smtp_probe as an argument specification, which the module and its action plugin read alike."""

from __future__ import annotations

import typing as t


def way_options() -> dict[str, dict[str, t.Any]]:
    """The options of how to get to a relay and of TLS, as an argument specification with defaults."""
    return {
        "protocol": {"type": "str", "choices": ["smtp", "lmtp"], "default": "smtp"},
        "addresses": {"type": "str", "choices": ["first", "all", "ipv4", "ipv6"], "default": "first"},
        "source_address": {"type": "str"},
        "resolve": {"type": "str", "choices": ["host", "mx", "srv"], "default": "host"},
        "proxy": {"type": "str", "no_log": True},
        "proxy_protocol": {"type": "str", "choices": ["off", "v1", "v2"], "default": "off"},
        "dns_servers": {"type": "list", "elements": "str"},
        "dane": {"type": "str", "choices": ["off", "report"], "default": "off"},
        "mta_sts": {"type": "str", "choices": ["off", "report"], "default": "off"},
        "mta_sts_url": {"type": "str"},
        "mta_sts_ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "ca_mode": {"type": "str", "choices": ["replace", "add"], "default": "replace"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "client_key_password": {"type": "str", "no_log": True},
        "tls_server_name": {"type": "str"},
        "tls_min_version": {"type": "str", "choices": ["1.0", "1.1", "1.2", "1.3"], "default": "1.2"},
        "tls_ciphers": {"type": "str"},
        "tls_x509_strict": {"type": "bool", "default": False},
        "tls_fingerprints": {"type": "list", "elements": "str"},
        "min_cert_days": {"type": "int"},
    }


def relay_options() -> dict[str, dict[str, t.Any]]:
    """The options of one relay, as an argument specification with defaults."""
    return {
        "host": {"type": "str"},
        "port": {"type": "int"},
        "security": {"type": "str", "choices": ["none", "opportunistic", "starttls", "tls"]},
        **way_options(),
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "type": {"type": "str", "choices": ["smtp", "ms_graph"], "default": "smtp"},
        "oauth2": {"type": "dict", "options": oauth2_options()},
        "graph_url": {"type": "str", "default": "https://graph.microsoft.com"},
        "auth_mechanisms": {"type": "list", "elements": "str"},
        "auth_domain": {"type": "str"},
        "allow_plaintext_auth": {"type": "bool", "default": False},
        "helo": {"type": "str"},
        "timeout": {"type": "float", "default": 30},
        "step_timeout": {"type": "float"},
        "from": {"type": "str"},
        "also_from": {"type": "list", "elements": "str"},
        "to": {"type": "list", "elements": "str"},
        "level": {"type": "str", "choices": ["connect", "tls", "auth", "envelope"]},
        "send": {"type": "str", "choices": ["never", "on_change", "always"], "default": "never"},
        "subject": {"type": "str"},
        "reply_to": {"type": "str"},
        "message_options": {
            "type": "dict",
            "options": {"signature": {"type": "str"}, "charset": {"type": "str"}, "plain_text": {"type": "bool"}},
        },
        "credential_id": {"type": "str"},
        "expect": {"type": "dict", "options": expect_options()},
        "diagnose": {"type": "bool", "default": True},
        "state_dir": {"type": "path", "default": "/var/lib/smarthost"},
    }


def oauth2_options() -> dict[str, dict[str, t.Any]]:
    """The options within ``oauth2``."""
    words = ("tenant_id", "client_id", "scope", "jwt_thumbprint")
    secrets = ("client_secret", "token", "refresh_token", "jwt_key", "client_assertion")
    found: dict[str, dict[str, t.Any]] = {key: {"type": "str"} for key in words}
    found.update({key: {"type": "str", "no_log": True} for key in secrets})
    return dict(
        found,
        # Said to be no secret: ansible-test takes every option with "token" in its name for one.
        token_url={"type": "str", "no_log": False},
        grant={"type": "str", "choices": ["client_credentials", "refresh_token", "jwt_bearer"]},
        ca_path={"type": "path"},
    )


def expect_options() -> dict[str, dict[str, t.Any]]:
    """What can be expected of a relay."""
    words: dict[str, t.Any] = {"type": "list", "elements": "str"}
    text, number, yes = {"type": "str"}, {"type": "int"}, {"type": "bool"}
    spec = {
        "category": text,
        "min_cert_days": number,
        "starttls": yes,
        "auth": words,
        "no_plain_before_tls": yes,
        "tls_version": text,
    }
    return dict(spec, features=words)


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """The module's own options, and ``relays`` with the same ones, whose defaults are the module's values."""
    inner = {
        key: {word: value for word, value in spec.items() if word != "default"} for key, spec in relay_options().items()
    }
    inner["name"] = {"type": "str"}
    return dict(
        relay_options(),
        fail={"type": "bool", "default": True},
        relays={"type": "list", "elements": "dict", "options": inner},
    )
