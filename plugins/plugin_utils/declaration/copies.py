# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relay that is like another one: what it copies of it."""

from __future__ import annotations

import typing as t

from ...module_utils._shared.security import SECURITY_OF
from ..problems import Problem
from .checks import unknown_relay
from .settings import paired

_NOT_COPIED = ("like", "password", "next", "credential_id")
OAUTH2_SECRETS = ("client_secret", "refresh_token", "jwt_key")


def written_out(name: str, named: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """What the relay says together with what it copies. Secrets are never copied: they must be given anew."""
    chain, where = [name], f"smtp_relay.relays.{name}"
    while "like" in named[chain[-1]]:
        source = named[chain[-1]]["like"]
        if source not in named:
            return {}, [unknown_relay(f"smtp_relay.relays.{chain[-1]}.like", source, named)]
        if source in chain:
            return {}, [
                Problem(
                    f"{where}.like",
                    "this copies from itself in a circle.",
                    "like-circle",
                    "Write one of the relays out in full.",
                )
            ]
        chain.append(source)
    merged: dict[str, t.Any] = {}
    for link in reversed(chain):
        merged = _inherit(merged, {key: value for key, value in named[link].items() if key != "like"})
    return merged, [
        Problem(
            f"{where}.{path}",
            f'a copy of "{chain[1]}" does not copy its secret.',
            "secret-anew",
            f"Give this relay its own {path.rpartition('.')[2]}.",
        )
        for path in _secrets_to_give(merged, [named[link] for link in chain[1:]])
    ]


def _inherit(source: dict[str, t.Any], own: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a relay says itself, over what it has from its source. Who says one of port and security has neither from there."""
    kept = {key: value for key, value in source.items() if key not in _NOT_COPIED}
    if "oauth2" in kept:
        kept["oauth2"] = {key: value for key, value in kept["oauth2"].items() if key not in OAUTH2_SECRETS}
    nested: dict[str, t.Any] = {key: {**kept.get(key, {}), **own[key]} for key in ("oauth2", "message") if key in own}
    if source and ("port" in own or "security" in own):
        kept = {key: value for key, value in kept.items() if key not in ("port", "security")}
        own = paired(own, source.get("security") or SECURITY_OF.get(source.get("port", 0)))
    return {**kept, **own, **nested}


def _secrets_to_give(merged: dict[str, t.Any], sources: list[dict[str, t.Any]]) -> list[str]:
    """The secrets that a source has and that a copy, which still logs in, has not."""
    if merged.get("type") in ("local_mta", "none") or not merged.get("enabled", True):
        return []
    if "oauth2" not in merged:
        return (
            ["password"]
            if "username" in merged and "password" not in merged and any("password" in source for source in sources)
            else []
        )
    return [
        f"oauth2.{key}"
        for key in OAUTH2_SECRETS
        if key not in merged["oauth2"] and any(key in source.get("oauth2", {}) for source in sources)
    ]
