# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a relay is worth remembering, and what of it has changed since: certificate renewed, mechanisms gone."""

from __future__ import annotations

import typing as t

Values: t.TypeAlias = "t.Mapping[str, t.Any]"

# Of the certificate and the connection: what stays the same from one day to the next.
TLS = ("version", "verified", "subject", "names", "issuer", "not_after", "sha256")


def state(result: Values) -> dict[str, t.Any]:
    """The lasting part of a probe's result, in words for people; no secret is in any of it."""
    tls, words = result["tls"], result["capabilities"]
    found: dict[str, t.Any] = {"tls." + key: tls[key] for key in TLS if tls.get(key) not in (None, "")}
    for when in ("before_tls", "after_tls"):
        for keyword, params in words[when].items():
            found[f"{when}.{keyword}"] = sorted(params.split()) if keyword == "AUTH" else params
    return found


def since(before: Values, now: Values) -> list[dict[str, t.Any]]:
    """``{what, before, after}`` for each difference, by name; None stands for what was not there."""
    keys = sorted(set(before) | set(now))
    return [
        {"what": key, "before": before.get(key), "after": now.get(key)}
        for key in keys
        if before.get(key) != now.get(key)
    ]


def diff(result: Values) -> dict[str, str]:
    """The same as ``--diff`` shows it; empty where nothing has changed."""
    receipt = result["receipt"]
    if not result["changes_since"]:
        return {}
    where = "{}:{}".format(result["host"], result["port"])
    return {
        "before_header": "{} when the message was sent, {}".format(where, receipt["sent"]),
        "after_header": f"{where} now",
        "before": _text(result["changes_since"], "before"),
        "after": _text(result["changes_since"], "after"),
    }


def _text(found: t.Sequence[Values], which: str) -> str:
    return "".join("{}: {}\n".format(one["what"], _words(one[which])) for one in found if one[which] is not None)


def _words(value: t.Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
