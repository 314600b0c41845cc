# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's file of one setting a line, all other lines kept: the Syntax of ``_keyed`` for a pattern."""

from __future__ import annotations

import typing as t

from . import _keyed
from ._text import ASCII_BLANKS, BOM, line_number, lines_of
from .base import NotValid


def syntax(
    pattern: t.Pattern[str], line: t.Callable[[str, str], str], other: str | None = None, continued: str = "", remark: str = "",
) -> _keyed.Syntax:
    """Lines that ``pattern`` matches up to their value are settings (group ``key``); the value is the rest of the line.

    other: why a line that is neither a setting, blank nor a comment is not valid; None passes over it.
    continued: what stands at the end of a line that the next one continues. remark: what begins a comment behind a value.
    """

    def scan(text: str) -> _keyed.Document:
        entries = []
        for start, end in _whole_lines(text, continued):
            bare = text[start:end].strip(ASCII_BLANKS)
            found = pattern.match(text, start, end)
            if continued and bare.endswith(continued) and not bare.startswith("#"):
                raise NotValid("the last line goes on, and would take in ours", line_number(text, len(text)))
            if found and not bare.startswith("#"):
                rest = text[found.end():end].partition(remark)[0] if remark else text[found.end():end]
                stop = found.end() + len(rest.rstrip(ASCII_BLANKS))
                entries.append(_keyed.Entry((found["key"],), start, end, found.end(), stop, text[found.end():stop]))
            elif other and bare and not bare.startswith("#"):
                raise NotValid(other, line_number(text, start))
        first = 1 if text.startswith(BOM) else 0
        return _keyed.Document(tuple(entries), (_keyed.Section((), first, first, len(text)),))

    return _keyed.Syntax(scan, line)


def _whole_lines(text: str, continued: str) -> t.Iterator[tuple[int, int]]:
    """Start and end of each line, with the lines that continue it."""
    start = None
    for offset, line in lines_of(text):
        start = offset if start is None else start
        bare = line.strip(ASCII_BLANKS)
        if not (continued and bare.endswith(continued) and not bare.startswith("#")):
            yield start, offset + len(line)
            start = None
    if start is not None:
        yield start, len(text)


def values(text: str, spoken: _keyed.Syntax) -> dict[str, str]:
    """``{key: spelled value}``; of equal keys the last. Raises NotValid."""
    return {entry.path[0]: entry.value for entry in spoken.scan(text).entries}


def spelled(tree: t.Mapping[str, t.Any], quote: t.Callable[[t.Any], str]) -> dict[tuple[str, ...], str]:
    """The tree as ``_keyed.merge`` wants it."""
    return {(key,): quote(value) for key, value in tree.items()}


def write(tree: t.Mapping[str, t.Any], quote: t.Callable[[t.Any], str], line: t.Callable[[str, str], str]) -> str:
    """One line for each key."""
    return "".join(line(key, quote(value)) + "\n" for key, value in tree.items())
