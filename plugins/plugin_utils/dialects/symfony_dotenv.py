# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Symfony's ``.env.local``: ``KEY='value'``, single quotes as in a shell, in which nothing is expanded.

Tree: ``{KEY: value}``. Shared: ``merge`` and ``remove``; the last of equal keys is in force.
Cannot carry: a line break, NUL.
Not valid here: what Symfony refuses, a quote that is never closed and blanks without quotes, as one such line stops every program.
``read`` leaves ``$NAME`` of the user's own values as it stands.
Source: Symfony ``Component/Dotenv/Dotenv.php`` (lexVarname, lexValue).
"""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import BOM, line_number, one_line
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]

# PHP's blanks are of ASCII alone, and a value without quotes goes up to the end of its line, behind a backslash too.
_BLANK = re.compile(r"[ \t\v\f]*(?:#[^\r\n]*)?(?:(?:\r\n|\n|\r)|\Z)")
_NAME = re.compile(r"[ \t\v\f]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_NOTHING = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_QUOTED = re.compile(r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)\"""", re.DOTALL)
_BARE = re.compile(r"""(?:\\["']|[^"'#\r\n]|(?<![ \t])#)+""")
_STRIPPED = " \t\n\r\0\v"
# What is replaced may have blanks around it.
_REPLACED = re.compile(r"\\\\|\$\{?[A-Za-z_]")
_END = re.compile(r"(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(_line(key, quote(value)) + "\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """The value in single quotes; one that it holds stands between double quotes."""
    return "'" + one_line(value).replace("'", "'\"'\"'") + "'"


def read(text: str) -> Tree:
    """``{KEY: text}``; raises NotValid where Symfony would refuse the file."""
    return {name: value for _section, piece in _keyed.settings(text, _SYNTAX) for name, value in piece.items()}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our keys set; raises NotValid."""
    return _keyed.merge(text, {(key,): quote(value) for key, value in tree.items()}, owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our keys as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts; raises NotValid."""
    return _keyed.alike(before, after, owns, _SYNTAX)


def values(text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
    """What is set at these paths; raises NotValid."""
    return _keyed.values(text, paths, _SYNTAX)


def _line(key: str, spelled: str) -> str:
    return f"{key}={spelled}"


def _scan(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    first = offset = 1 if text.startswith(BOM) else 0
    yield _keyed.Header((), first, first)
    while offset < len(text):
        plain = many.match(text, offset) if many else None
        if plain:
            yield _keyed.Plain(offset, plain.end())
            offset = plain.end()
            continue
        passed = _BLANK.match(text, offset)
        if passed:
            offset = passed.end()
            continue
        entry = _entry(text, offset)
        yield entry
        offset = entry.end


def _entry(text: str, start: int) -> _keyed.Entry:
    found = _NAME.match(text, start)
    if not found or text[found.end() : found.end() + 1] != "=":
        raise NotValid("not of the form KEY=value", line_number(text, start))
    at = value_start = value_end = found.end() + 1
    nothing, value = _NOTHING.match(text, at), ""
    if not nothing and text[at] in " \t":
        raise NotValid("a blank before the value", line_number(text, start))
    while not nothing and at < len(text):
        piece = _QUOTED.match(text, at) or _BARE.match(text, at)
        if not piece:
            break  # a comment, or the end of the line
        part, length = _part(piece)
        value, at, value_end = value + part, piece.end(), at + length if length else value_end
    end = _END.match(text, nothing.end() if nothing else at)
    if not end:
        raise NotValid("a quote that is never closed", line_number(text, start))
    return _keyed.Entry((found["name"],), start, end.end(), value_start, value_end, value)


def _part(piece: t.Match[str]) -> tuple[str, int]:
    """What a piece of a value stands for, and the length of its spelling. Raises NotValid."""
    if piece.re is _QUOTED:
        return piece["single"] if piece["single"] is not None else re.sub(r'\\(["$\\])', r"\1", piece["double"]), len(
            piece[0]
        )
    spelled = piece[0].rstrip(_STRIPPED)
    if re.search(r"[ \t\v\f]", spelled) and not _REPLACED.search(spelled):
        raise NotValid("blanks without quotes", line_number(piece.string, piece.start()))
    return re.sub(r"""\\(["'\\])""", r"\1", spelled), len(spelled)


_SYNTAX = _keyed.LineSyntax(
    _scan, _line, r"""([A-Za-z_][A-Za-z0-9_]*)=(?:'([^'\r\n]*)'|"([^"\\$\r\n]*)"|([A-Za-z0-9_./:@,+-]*))"""
)
