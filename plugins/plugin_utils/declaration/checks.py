# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a piece of the declaration is checked for: its shape by the schema, control characters, names of relays that there are."""

from __future__ import annotations

import re
import typing as t

from ..problems import Problem, did_you_mean, one_of
from .validation import problems_of, short

CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
)  # with halves of characters, which no encoding takes


def checked(value: t.Any, definition: str, where: str) -> list[Problem]:
    problems = problems_of(value, "smtp_relay", definition, where)
    seen = {problem.where for problem in problems}
    return problems + [problem for problem in _control_characters(value, where) if problem.where not in seen]


def _control_characters(value: t.Any, where: str) -> list[Problem]:
    """A second net below the patterns of the schema: no string with a control character goes any further."""
    if isinstance(value, dict):
        return [
            problem for key, item in value.items() for problem in _control_characters(item, f"{where}.{short(key)}")
        ]
    if isinstance(value, list):
        return [
            problem for number, item in enumerate(value) for problem in _control_characters(item, f"{where}[{number}]")
        ]
    if isinstance(value, str) and CONTROL.search(
        value.replace("\n", "") if where.endswith(".oauth2.jwt_key") else value
    ):
        return [
            Problem(
                where,
                "this holds a control character (or a line break).",
                "control-character",
                "Write it on one line without control characters.",
            )
        ]
    return []


def unknown_relay(where: str, name: str, known: t.Iterable[str]) -> Problem:
    known = list(known)
    return Problem(
        where,
        f'there is no relay "{short(name)}" to use here.{did_you_mean(name, known)}',
        "unknown-relay",
        one_of(known) if known else "",
    )
