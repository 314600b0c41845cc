# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user expects of a relay, held against what was seen: every difference is named, all at once."""

from __future__ import annotations

import typing as t

from ..._shared.problem import Problem
from ..diagnosis.categories import CATEGORIES

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
# Mechanisms that put the password itself on the wire.
PLAIN_TEXT = ("PLAIN", "LOGIN")

Values: t.TypeAlias = "t.Mapping[str, t.Any]"


def problems(expect: Values) -> list[Problem]:
    """What of the option ``expect`` cannot be."""
    found = []
    if expect.get("category", "ok") not in CATEGORIES:
        found.append(
            Problem(
                "expect.category",
                "this is not a category.",
                "expect-category",
                "One of: {}.".format(", ".join(CATEGORIES)),
            )
        )
    if "tls_version" in expect and _version(expect["tls_version"]) is None:
        hint = 'Write "1.3", or ">=1.2" for that one or later.'
        found.append(Problem("expect.tls_version", "this is not a TLS version.", "tls-version", hint))
    return found


def _version(text: str) -> tuple[str, ...] | None:
    """The versions that are meant; None if the text means none."""
    later = text.startswith(">=")
    version = text[2:].strip() if later else text.strip()
    if version not in VERSIONS:
        return None
    return VERSIONS[VERSIONS.index(version) :] if later else (version,)


def unmet(expect: Values, seen: Values) -> list[str]:
    """Each expectation that was not met, as ``name: X wanted, Y seen``.

    ``seen``: the result of the probe so far, with ``category``, ``reply``, ``stage``, ``tls``, ``capabilities`` and ``security``.
    """
    return [
        text
        for text in (check(expect[name], seen) for name, check in CHECKS.items() if expect.get(name) is not None)
        if text
    ]


def _category(wanted: str, seen: Values) -> str:
    category, reply = seen["category"], seen["reply"]
    if category != wanted:
        return f"category: {wanted} wanted, {category} seen"
    # A login is proved dead by nothing less than 535 (RFC 4954 6), or its enhanced code under another 5xx.
    login_refused = seen["stage"] == "auth" and (
        reply["code"] == 535 or (str(reply["code"])[:1] == "5" and reply["enhanced"] == "5.7.8")
    )
    if wanted == "auth_failed" and not login_refused:
        return "category: a login refused with 535 wanted, {} at {} seen".format(
            reply["code"] or "no reply", seen["stage"]
        )
    return ""


def _days(wanted: int, seen: Values) -> str:
    left = seen["tls"].get("days_left")
    if left is None:
        return "min_cert_days: %d wanted, no certificate was seen" % wanted
    return "" if left >= wanted else "min_cert_days: %d wanted, %d left" % (wanted, left)


def _starttls(wanted: bool, seen: Values) -> str:
    offered = "STARTTLS" in _first(seen)
    return "" if offered == wanted else f"starttls: {_offered(wanted)} wanted, {_offered(offered)} seen"


def _offered(yes: bool) -> str:
    return "offered" if yes else "not offered"


def _auth(wanted: t.Sequence[str], seen: Values) -> str:
    offered = seen["auth"]["offered"]
    missing = [name.upper() for name in wanted if name.upper() not in offered]
    return "auth: {} wanted, {} seen".format(", ".join(missing), ", ".join(offered) or "none") if missing else ""


def _no_plain(wanted: bool, seen: Values) -> str:
    # Where TLS comes first, nothing is offered before it.
    before = [] if seen["security"] == "tls" else _first(seen).get("AUTH", "").upper().split()
    plain = [name for name in before if name in PLAIN_TEXT]
    return "no_plain_before_tls: {} offered without TLS".format(", ".join(plain)) if wanted and plain else ""


def _tls_version(wanted: str, seen: Values) -> str:
    version = seen["tls"].get("version") or "none"
    met = version.replace("TLSv", "") in map(_name, _version(wanted) or ())
    return "" if met else f"tls_version: {wanted} wanted, {version} seen"


def _name(version: str) -> str:
    """As Python's ``ssl`` says it: TLS 1.0 is ``TLSv1``."""
    return "1" if version == "1.0" else version


def _features(wanted: t.Sequence[str], seen: Values) -> str:
    offered = _last(seen)
    missing = [name.upper() for name in wanted if name.upper() not in offered]
    return (
        "features: {} wanted, {} seen".format(", ".join(missing), ", ".join(sorted(offered)) or "none")
        if missing
        else ""
    )


def _first(seen: Values) -> Values:
    found: Values = seen["capabilities"]["before_tls"]
    return found


def _last(seen: Values) -> Values:
    found: Values = seen["capabilities"]["after_tls"] or seen["capabilities"]["before_tls"]
    return found


CHECKS: dict[str, t.Callable[[t.Any, Values], str]] = {
    "category": _category,
    "min_cert_days": _days,
    "starttls": _starttls,
    "auth": _auth,
    "no_plain_before_tls": _no_plain,
    "tls_version": _tls_version,
    "features": _features,
}
