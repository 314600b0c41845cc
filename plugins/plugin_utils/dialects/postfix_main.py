# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Postfix ``main.cf``: ``parameter = value``, raw; a line that starts with a blank continues the one before.

Tree: ``{parameter: value}``. Shared: ``merge`` and ``remove``; the last of equal parameters is in force.
True/false is written ``yes``/``no``. A ``$`` is doubled, so that Postfix takes it as it stands: a value never refers to a parameter.
Comments between the lines of one continued value are part of that value.
Cannot carry: a line break, NUL, blanks at either end (stripped).
Source: postconf(5), Postfix ``src/util/readlline.c``, ``src/util/mac_parse.c`` (``$$``).
"""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import ASCII_BLANKS, BOM, Lines, line_number, one_line, refuse_edge_blanks
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]

_ASSIGNMENT = re.compile(r"(?P<name>[^\s=]+)\s*=[ \t]*")


def write(tree: Tree) -> str:
    """One line for each parameter."""
    return "".join(_line(name, quote(value)) + "\n" for name, value in tree.items())


def quote(value: Value) -> str:
    """The value, raw but for the dollar sign."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = one_line(value)
    refuse_edge_blanks(text)
    return text.replace("$", "$$")


def read(text: str) -> Tree:
    """``{parameter: text}`` with continued lines joined and references left as they stand; raises NotValid."""
    return {name: _plain(value) for _section, piece in _keyed.settings(text, _SYNTAX) for name, value in piece.items()}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our parameters set; raises NotValid."""
    return _keyed.merge(text, {(name,): quote(value) for name, value in tree.items()}, owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our parameters as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts; raises NotValid."""
    return _keyed.alike(before, after, owns, _SYNTAX)


def values(text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
    """What is set at these paths; raises NotValid."""
    return _keyed.values(text, paths, _SYNTAX, _plain)


def _plain(spelled: str) -> str:
    return spelled.replace("$$", "$")


def _line(name: str, spelled: str) -> str:
    return f"{name} = {spelled}" if spelled else f"{name} ="


def _scan(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    first = 1 if text.startswith(BOM) else 0
    yield _keyed.Header((), first, first)
    entry: _keyed.Entry | None = None
    more: list[str] = []
    for start, line, plain in Lines(text, many):
        if plain:
            if entry is not None:
                yield _joined(entry, more)
                entry, more = None, []
            yield _keyed.Plain(start, start + len(line))
            continue
        bare = line.strip(ASCII_BLANKS)
        if not bare or bare.startswith("#"):
            continue
        end, value_end = start + len(line), start + len(line.rstrip(ASCII_BLANKS))
        if line[0] in ASCII_BLANKS:
            if entry is None:
                raise NotValid("the first line starts with a blank, but continues nothing", line_number(text, start))
            more.append(line.rstrip(ASCII_BLANKS))
            entry = entry._replace(end=end, value_end=value_end)
            continue
        if entry is not None:
            yield _joined(entry, more)
            more = []
        found = _ASSIGNMENT.match(line)
        if not found:
            raise NotValid("not of the form: parameter = value", line_number(text, start))
        value_start = start + found.end()
        value_end = max(value_start, value_end)
        entry = _keyed.Entry((found["name"],), start, end, value_start, value_end, text[value_start:value_end])
    if entry is not None:
        yield _joined(entry, more)


def _joined(entry: _keyed.Entry, more: list[str]) -> _keyed.Entry:
    return entry._replace(value="".join([entry.value, *more]).lstrip(ASCII_BLANKS)) if more else entry


_SYNTAX = _keyed.LineSyntax(_scan, _line, r"([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(\S(?:[^\r\n]*\S)?)?", r"(?=[^\s#])")
