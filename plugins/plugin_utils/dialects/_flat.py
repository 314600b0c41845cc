# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's file of one setting a line, all other lines kept: the Syntax of ``_keyed`` for a pattern."""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import ASCII_BLANKS, BOM, Lines, line_number
from .base import NotValid

_COMMENT = re.compile(rf"[{ASCII_BLANKS}]*(?:#|\Z)")


def syntax(
    pattern: t.Pattern[str],
    line: t.Callable[[str, str], str],
    plain: str,
    other: str | None = None,
    continued: str = "",
    comment: t.Pattern[str] = _COMMENT,
    **more: t.Any,
) -> _keyed.LineSyntax:
    """Lines that ``pattern`` matches up to their value are settings (group ``key``); the value is the rest of the line, or the group ``value``.

    other: why a line that is neither a setting, blank nor a comment is not valid; None passes over it. continued: what stands at the end of
    a line that the next one continues. comment: what a line without its end is that is none to the parser. plain, more: as in ``_scan.Syntax``.
    """

    def scan(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
        first = 1 if text.startswith(BOM) else 0
        yield _keyed.Header((), first, first)
        for start, end, plain in _whole_lines(text, continued, many):
            if plain:
                yield _keyed.Plain(start, end)
                continue
            bare = read.bare(text[start:end])
            found = None if comment.match(bare) else pattern.match(text, start, end)
            if continued and _goes_on(bare, continued):
                raise NotValid("the last line goes on, and would take in ours", line_number(text, len(text)))
            if found:
                value_start, stop = (
                    found.span("value")
                    if "value" in pattern.groupindex
                    else (found.end(), start + len(bare.rstrip(ASCII_BLANKS)))
                )
                yield _keyed.Entry(
                    (found["key"],), start, end, value_start, max(value_start, stop), text[value_start:stop]
                )
            elif other and not comment.match(bare):
                raise NotValid(other, line_number(text, start))

    read = _keyed.LineSyntax(scan, line, plain, **more)
    return read


def _whole_lines(text: str, continued: str, many: t.Pattern[str] | None) -> t.Iterator[tuple[int, int, bool]]:
    """Start and end of each line, with the lines that continue it; of many plain ones at once."""
    lines = Lines(text, many)
    for start, line, plain in lines:
        end = start + len(line)
        while continued and not plain and line and _goes_on(line, continued):
            _start, line = lines.line()
            end += len(line)
        yield start, end, plain


def _goes_on(line: str, continued: str) -> bool:
    bare = line.strip(ASCII_BLANKS)
    return bare.endswith(continued) and not bare.startswith("#")


def values(text: str, spoken: _keyed.LineSyntax) -> dict[str, str]:
    """``{key: spelled value}``; of equal keys the last. Raises NotValid."""
    found: dict[str, str] = {}
    for _section, piece in _keyed.settings(text, spoken):
        found.update(piece)
    return found


def spelled(tree: t.Mapping[str, t.Any], quote: t.Callable[[t.Any], str]) -> dict[tuple[str, ...], str]:
    """The tree as ``_keyed.merge`` wants it."""
    return {(key,): quote(value) for key, value in tree.items()}


def write(tree: t.Mapping[str, t.Any], quote: t.Callable[[t.Any], str], line: t.Callable[[str, str], str]) -> str:
    """One line for each key."""
    return "".join(line(key, quote(value)) + "\n" for key, value in tree.items())
