# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The applications that are asked for, each with the relay that it names."""

from __future__ import annotations

import dataclasses
import typing as t

from ..problems import Problem
from .app_lists import by_variable
from .checks import checked, unknown_relay
from .model import ApplicationRequest, Relay
from .settings import override, plaintext_auth
from .validation import coerce

OVERRIDES = (
    "port",
    "security",
    "validate_certs",
    "ca_path",
    "tls_server_name",
    "auth_mechanisms",
    "from",
    "reply_to",
    "helo",
    "timeout",
    "message",
    "secret",
)
PLATFORMS = ("k8s_secret", "compose")


def requests_of(
    raw: t.Any, relays: t.Mapping[str, Relay], default: str
) -> tuple[list[ApplicationRequest], list[Problem]]:
    found: dict[str, tuple[ApplicationRequest, t.Any]] = {}
    problems: list[Problem] = []
    for variable, items in by_variable(raw).items():
        if items is None:
            continue
        if not isinstance(items, list):
            problems.append(
                Problem(
                    variable, "a list is expected here.", "wrong-type", "Such as: [nextcloud, {name: gitea, form: ini}]"
                )
            )
            continue
        for number, item in enumerate(items):
            where = f"{variable}[{number}]"
            item = coerce(item, "smtp_relay", "application")
            wrong = checked(item, "application", where)
            if not wrong:
                written = {"name": item} if isinstance(item, str) else item
                request = _request(written, where, default)
                wrong = _wrong_request(request, "relay" in written, relays) + _again(request, written, found)
            problems += wrong
    return [request for request, _written in found.values()], problems


def _wrong_request(request: ApplicationRequest, names_relay: bool, relays: t.Mapping[str, Relay]) -> list[Problem]:
    """What one item cannot have, though its shape is right."""
    wrong, where = [], request.where
    if request.relay in relays:
        wrong = plaintext_auth(override(relays[request.relay], request), where)
    elif names_relay:
        wrong = [unknown_relay(f"{where}.relay", request.relay, relays)]
    return wrong + [
        Problem(
            f"{where}.{key}",
            f"this is for form: {key}, which is not asked for.",
            "not-for-form",
            f"Add form: {key}, or leave {key} out.",
        )
        for key in request.platforms
        if key != request.form and not (key == "compose" and request.project)
    ]


def _again(
    request: ApplicationRequest, written: t.Any, found: dict[str, tuple[ApplicationRequest, t.Any]]
) -> list[Problem]:
    """Adds the request to those found, by name. Two variables may ask for the same: it is done once then."""
    if request.name not in found:
        found[request.name] = (request, written)
        return []
    first, before = found[request.name]
    apart = first.where.partition("[")[0] != request.where.partition("[")[0]
    if apart and before == written:
        found[request.name] = (dataclasses.replace(first, also=(*first.also, request.where)), before)
        return []
    hint = "Give one of them another name, and app: with the application's."
    if apart:
        what = f'"{request.name}" is listed by {first.where} too, with other settings.'
        return [
            Problem(request.where, what, "same-name", "Write the same in both, leave one of them out, or g" + hint[1:])
        ]
    return [Problem(request.where, f'"{request.name}" is listed twice.', "same-name", hint)]


def _request(item: dict[str, t.Any], where: str, default: str) -> ApplicationRequest:
    activate = item.get("activate")
    if isinstance(activate, bool):
        activate = {} if activate else {"how": "none", "reason": "as declared"}
    return ApplicationRequest(
        name=item["name"],
        app=item.get("app", item["name"]),
        where=where,
        relay=item.get("relay", default),
        state=item.get("state", "present"),
        accept=frozenset(item.get("accept", ())),
        activate=activate,
        tool=tuple(item.get("tool", ())),
        overrides={key: item[key] for key in OVERRIDES if key in item},
        platforms={key: item[key] for key in PLATFORMS if key in item},
        **{
            key: item[key]
            for key in (
                "form",
                "path",
                "object",
                "owner",
                "group",
                "mode",
                "drift",
                "unit",
                "installed",
                "wired",
                "version",
            )
            if key in item
        },
    )
