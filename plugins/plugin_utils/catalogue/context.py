# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the expressions of an entry may name."""

from __future__ import annotations

import typing as t

from ..declaration.model import Application, Mailbox, OAuth2Settings, Relay, ApplicationRequest


def expression_context(
    request: ApplicationRequest, relay: Relay, application: Application, mode: str, path: str, files: t.Mapping[str, str], secret_file: str | None = None,
) -> dict[str, t.Any]:
    """What expressions of an entry may name. ``security`` is the application's word for the mode, ``mode`` is ours.

    secret_file: where the password stands alone; None where it is to stand among the settings.
    """
    sender, reply_to, login = relay.from_, relay.reply_to, relay.credential
    oauth2 = relay.oauth2 or OAuth2Settings()
    return {
        "name": request.name, "relay": relay.name, "is_default": relay.default, "type": relay.type, "description": relay.description,
        "host": relay.host, "port": relay.port, "mode": mode, "security": application.security.get(mode),
        "validate_certs": relay.validate_certs, "ca_path": relay.ca_path, "tls_server_name": relay.tls_server_name, "tls_min_version": relay.tls_min_version,
        "client_cert": relay.client_cert, "client_key": relay.client_key or relay.client_cert,
        "login": login is not None, "username": login and login.username, "password": login and login.password, "credential_id": login and login.id,
        "secret_file": secret_file, "auth_mechanisms": list(relay.auth_mechanisms) or None,
        "tenant_id": oauth2.tenant_id, "client_id": oauth2.client_id, "client_secret": oauth2.client_secret, "refresh_token": oauth2.refresh_token,
        "token_url": oauth2.token_url, "token_scope": oauth2.scope, "token_grant": oauth2.grant, "token_account": oauth2.account,
        **_mailbox_names("from", sender), **_mailbox_names("reply_to", reply_to),
        "helo": relay.helo, "timeout": relay.timeout, **relay.message._asdict(), "path": path, "files": dict(files),
    }


def _mailbox_names(prefix: str, box: Mailbox | None) -> dict[str, str | None]:
    parts = {
        "": box and box.mailbox, "_address": box and box.address, "_name": (box and box.name) or None,
        "_local": box and box.local, "_domain": box and box.domain,
    }
    return {prefix + suffix: part for suffix, part in parts.items()}


CONTEXT_NAMES = frozenset(expression_context(
    ApplicationRequest("", "", "", ""), Relay(""), Application("", "", {}, {}, (), {}, "", "", {}), "tls", "", {},
))
