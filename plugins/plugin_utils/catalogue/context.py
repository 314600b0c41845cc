# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the expressions of an entry may name."""

from __future__ import annotations

import typing as t

from ..declaration.model import Application, ApplicationRequest, Mailbox, OAuth2Settings, Relay


def expression_context(
    request: ApplicationRequest,
    relay: Relay,
    application: Application,
    mode: str,
    path: str,
    files: t.Mapping[str, str],
    secret_file: str | None = None,
) -> dict[str, t.Any]:
    """What expressions of an entry may name. ``security`` is the application's word for the mode, ``mode`` is ours.

    secret_file: where the password stands alone; None where it is to stand among the settings.
    """
    return {
        **_relay_names(relay),
        **_login_names(relay),
        **_token_names(relay.oauth2 or OAuth2Settings()),
        **_mailbox_names("from", relay.from_),
        **_mailbox_names("reply_to", relay.reply_to),
        **relay.message._asdict(),
        "name": request.name,
        "mode": mode,
        "security": application.security.get(mode),
        "secret_file": secret_file,
        "path": path,
        "files": dict(files),
    }


_OF_THE_RELAY = (
    "type",
    "description",
    "host",
    "port",
    "validate_certs",
    "ca_path",
    "tls_server_name",
    "tls_min_version",
    "client_cert",
    "helo",
    "timeout",
)


def _relay_names(relay: Relay) -> dict[str, t.Any]:
    return {
        **{name: getattr(relay, name) for name in _OF_THE_RELAY},
        "relay": relay.name,
        "is_default": relay.default,
        "client_key": relay.client_key or relay.client_cert,
        "auth_mechanisms": list(relay.auth_mechanisms) or None,
    }


def _login_names(relay: Relay) -> dict[str, t.Any]:
    login = relay.credential
    names = {
        "username": login and login.username,
        "password": login and login.password,
        "credential_id": login and login.id,
    }
    return {"login": login is not None, **names}


def _token_names(oauth2: OAuth2Settings) -> dict[str, t.Any]:
    return {
        **{
            name: getattr(oauth2, name)
            for name in ("tenant_id", "client_id", "client_secret", "refresh_token", "token_url")
        },
        "token_scope": oauth2.scope,
        "token_grant": oauth2.grant,
        "token_account": oauth2.account,
    }


def _mailbox_names(prefix: str, box: Mailbox | None) -> dict[str, str | None]:
    parts = {
        "": box and box.mailbox,
        "_address": box and box.address,
        "_name": (box and box.name) or None,
        "_local": box and box.local,
        "_domain": box and box.domain,
    }
    return {prefix + suffix: part for suffix, part in parts.items()}


CONTEXT_NAMES = frozenset(
    expression_context(
        ApplicationRequest("", "", "", ""), Relay(""), Application("", "", {}, {}, (), {}, "", "", {}), "tls", "", {}
    )
)
