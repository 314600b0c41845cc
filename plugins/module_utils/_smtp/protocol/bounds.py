# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of what others say a result holds. What is more is left out, and the result says where and how much."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple

TEXT = 1000  # characters of one text
ITEMS = 100  # entries of one list or mapping
PART = 16384  # characters of one part of a result, such as all its steps: of what comes after them a text has as few as FEW
FEW = 100
# Lists that are as long as what the user declared, or that are bounded where they are made.
WHOLE = ("recipients", "transcript")
MOST_SAID = 20
MORE = " [...]"


class Share(NamedTuple):
    """Of a transcript, so many lines and characters."""

    lines: int
    characters: int


# Twice as much is kept until secrets have been looked for: they may be spread over the lines at the edge of what is shown.
FIRST, LAST = Share(200, 40000), Share(100, 20000)


def shorten(result: t.Mapping[str, t.Any], left_out: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """``result`` within the bounds, with ``truncated``: what was left out, in words, here and before."""
    said = list(left_out)
    made = {key: _Part(said).value(value, key) for key, value in result.items()}
    made["truncated"] = said[:MOST_SAID] + (["and %d more" % (len(said) - MOST_SAID)] if len(said) > MOST_SAID else [])
    return made


def both_ends(lines: t.Sequence[str], total: int) -> tuple[list[str], list[str]]:
    """The first and the last of a transcript, of which these lines of ``total`` were kept, and what to say of those left out between."""
    first = ending(lines[::-1], *FIRST)[::-1]
    last = ending(lines[len(first) :], *LAST)
    left_out = total - len(first) - len(last)
    if not left_out:
        return first + last, []
    words = "%d of %d lines are left out" % (left_out, total)
    return first + [f"*: {words} here"] + last, ["transcript: " + words]


def ending(lines: t.Sequence[str], most: int, characters: int) -> list[str]:
    """The last lines, no more than this many of them and with no more than this many characters."""
    last: list[str] = []
    for line in reversed(lines[-most:]):
        characters -= len(line)
        if characters < 0:
            break
        last.append(line)
    return last[::-1]


def listed(words: t.Sequence[str], most: int = 20) -> str:
    """For a sentence: ``a, b, c``, and how many more."""
    rest = len(words) - most
    return ", ".join(words[:most]) + (" and %d more" % rest if rest > 0 else "")


class _Part:
    """One key of a result. ``said`` collects what was left out."""

    def __init__(self, said: list[str]) -> None:
        self._said = said
        self._left = PART

    def value(self, value: t.Any, where: str) -> t.Any:
        if isinstance(value, str):
            return self._text(value, where)
        if isinstance(value, (list, tuple)):
            if len(value) <= ITEMS or where in WHOLE:
                return [self.value(item, "%s[%d]" % (where, number)) for number, item in enumerate(value)]
            # What came last tells most of how it ended.
            self._said.append("%s: the first and the last %d of %d entries" % (where, ITEMS // 2, len(value)))
            kept = [*enumerate(value[: ITEMS // 2]), *enumerate(value[-(ITEMS // 2) :], len(value) - ITEMS // 2)]
            return [self.value(item, "%s[%d]" % (where, number)) for number, item in kept]
        if isinstance(value, dict):
            if len(value) > ITEMS:
                self._said.append("%s: the first %d of %d entries" % (where, ITEMS, len(value)))
            return {
                self._key(key, where): self.value(value[key], f"{where}.{self._key(key)}")
                for key in list(value)[:ITEMS]
            }
        return value

    def _text(self, text: str, where: str) -> str:
        most = TEXT if self._left > 0 or where.startswith("transcript[") else FEW
        self._left -= min(len(text), most)
        if len(text) <= most:
            # It was cut where it was read.
            self._said += [f"{where}: its end"] if text.endswith(MORE) else []
            return text
        self._said.append("%s: the first %d of %d characters" % (where, most, len(text)))
        return text[:most] + MORE

    def _key(self, key: str, where: str = "") -> str:
        self._left -= len(key) if where else 0
        return key if len(key) <= FEW else key[:FEW] + MORE
