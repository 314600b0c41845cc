# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a relay of its type must say, and what goes together."""

from __future__ import annotations

import typing as t

from ..problems import Problem

_Written = t.Dict[str, t.Any]


class _Rule(t.NamedTuple):
    """Something that a relay must say, or that does not go with the rest. broken: whether it is so, by its type and what was written."""

    key: str
    broken: t.Callable[[str, _Written], bool]
    what: str
    hint: str
    code: str = "missing-key"


def completeness(kind: str, raw: _Written, where: str) -> list[Problem]:
    """What a relay of its type must say, and pairs that go together."""
    return [
        Problem(f"{where}.{rule.key}", rule.what, rule.code, rule.hint) for rule in _RULES if rule.broken(kind, raw)
    ]


def _sends_by_smtp(kind: str, raw: _Written) -> bool:
    return kind == "smtp" and bool(raw.get("enabled", True))


def _graph_lacks(key: str) -> t.Callable[[str, _Written], bool]:
    return lambda kind, raw: kind == "ms_graph" and key not in raw.get("oauth2", {})


def _graph_lacks_secret(kind: str, raw: _Written) -> bool:
    return kind == "ms_graph" and not {"client_secret", "jwt_key", "refresh_token"} & set(raw.get("oauth2", {}))


_ENTRA = ("Microsoft Graph needs it.", "See the app registration in Microsoft Entra.")
_BOTH = "Give both, or neither for a relay without login."
_RULES = (
    _Rule(
        "host",
        lambda kind, raw: _sends_by_smtp(kind, raw) and "host" not in raw,
        "host is missing.",
        "Such as: smtp.example.com. For mail turned off write type: none.",
    ),
    _Rule("oauth2.tenant_id", _graph_lacks("tenant_id"), *_ENTRA),
    _Rule("oauth2.client_id", _graph_lacks("client_id"), *_ENTRA),
    _Rule("oauth2.client_secret", _graph_lacks_secret, *_ENTRA),
    _Rule(
        "from",
        lambda kind, raw: kind == "ms_graph" and "from" not in raw,
        "Microsoft Graph sends from a mailbox that must be named.",
        "Such as: noreply@example.com",
    ),
    _Rule(
        "username",
        lambda kind, raw: "password" in raw and "username" not in raw,
        "a password stands here without a user name.",
        _BOTH,
    ),
    _Rule(
        "via",
        lambda kind, raw: "via" in raw and kind != "local_mta",
        "only a local MTA forwards to another relay.",
        "Add type: local_mta, or leave via out.",
        "not-for-type",
    ),
    _Rule(
        "password",
        lambda kind, raw: _sends_by_smtp(kind, raw) and "username" in raw and not {"password", "oauth2"} & set(raw),
        "a user name stands here without a password.",
        _BOTH,
    ),
    _Rule(
        "next",
        lambda kind, raw: "next" in raw and "oauth2" in raw and "password" not in raw,
        "next is a user name's password, and this relay logs in with OAuth 2.",
        "Let the provider know both client secrets at once, put the new one into oauth2, and run smarthost.mail.apply; then remove the old one.",
        "not-for-type",
    ),
    _Rule(
        "password",
        lambda kind, raw: "next" in raw and not {"password", "oauth2"} & set(raw),
        "a next credential needs a current one.",
        "Give the credential that is in force now.",
    ),
    _Rule(
        "next.id",
        lambda kind, raw: "next" in raw and raw["next"]["id"] == raw.get("credential_id", ""),
        "the next credential has the id of the current one, so a host's record could not tell them apart.",
        "Give it an id of its own.",
        "same-credential-id",
    ),
)
