# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values out of what a host or a relay left behind, of whatever shape it is: nothing in it is trusted."""

from __future__ import annotations

import typing as t

from ...module_utils._shared.visible import visible

Facts = t.Mapping[str, t.Any]
MOST = 10**15
LONGEST = 4000  # characters of one text: what is longer is noise, and a page must open quickly


def shown(value: t.Any) -> str:
    """A value as text in which every character can be seen: U+202E and its like become ⟨U+202E⟩."""
    if value is None:
        return ""
    # Line end and tab stay. XML takes none of the others either.
    text = visible(str(value), keep="\n\t", escape=lambda char: f"⟨U+{ord(char):04X}⟩")
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def mapping(value: t.Any) -> Facts:
    return value if isinstance(value, t.Mapping) else {}


def items(value: t.Any) -> list[Facts]:
    return [item for item in value if isinstance(item, t.Mapping)] if isinstance(value, (list, tuple)) else []


def texts(value: t.Any) -> tuple[str, ...]:
    return tuple(shown(item) for item in value) if isinstance(value, (list, tuple)) else ()


def number(value: t.Any) -> float:
    # Not every number that JSON of Python's can hold is one: NaN, Infinity, and whole ones of a thousand digits.
    return float(value) if isinstance(value, (int, float)) and -MOST < value < MOST else 0.0
