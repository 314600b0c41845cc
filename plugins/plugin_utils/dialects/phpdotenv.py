# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Laravel's ``.env``: vlucas/phpdotenv 5, then Laravel's ``env()``, which turns words into types.

Tree: ``{KEY: value}``. Shared: ``merge`` and ``remove``; the last of equal keys is in force.
Strings go into double quotes with a backslash before ``\\ " $``. ``env()`` makes true, false, null and empty (also in round
brackets, in any case) a type, and strips one pair of equal quotes around a value: such strings get a pair of quotes of their
own for it to strip. A true/false is written bare.
Cannot carry: a line break, NUL.
Not valid here: a double quote that stays open to the end, where phpdotenv drops the rest of the file without a word.
A key alone is no value (``env()`` gives null).
``read`` gives what ``env()`` gives as text, and leaves ``${NAME}`` of the user's own values as it stands.
Source: phpdotenv ``Parser/Lines.php``, ``Parser/EntryParser.php``; Illuminate ``Support/Env.php``.
"""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import ASCII_BLANKS, BOM, line_number, one_line, with_backslashes
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "variable", "write"]

_BARE = re.compile(r"[A-Za-z0-9_.+@%^,/:-]+")
_WORD = re.compile(r"true|false|null|empty|\((?:true|false|null|empty)\)", re.IGNORECASE)
_WRAPPED = re.compile(r"(['\"]).*\1")
_NAME = re.compile(r"(?:export[ \t\v\f]+)?(?P<quote>['\"]?)(?P<name>[a-zA-Z0-9_.]+)(?P=quote)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\["\\$fnrtv])*)"')
_SINGLE = re.compile(r"'([^']*)'")
_PLAIN = re.compile(rf"[^{ASCII_BLANKS}#]*")
_ESCAPES = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\", "$": "$"}


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(_line(key, quote(value)) + "\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """A bare word where nothing turns it into a type, else a double-quoted string."""
    text = variable(value)
    return text if isinstance(value, int) or _BARE.fullmatch(text) else '"' + with_backslashes(text, '\\"$') + '"'


def variable(value: Value) -> str:
    """What a variable has to hold for ``env()`` to give this value. Raises CannotCarry."""
    text = one_line(value)
    return f'"{text}"' if isinstance(value, str) and (_WORD.fullmatch(text) or _WRAPPED.fullmatch(text)) else text


def read(text: str) -> Tree:
    """``{KEY: text}``; raises NotValid where phpdotenv would refuse the file."""
    tree = {}
    for _section, piece in _keyed.settings(text, _SYNTAX):
        for name, value in piece.items():
            tree[name] = _unwrapped(value)
    return tree


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
    return _keyed.values(text, paths, _SYNTAX, _unwrapped)


def _unwrapped(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') and _WRAPPED.fullmatch(value) else value


def _line(key: str, spelled: str) -> str:
    return f"{key}={spelled}"


def _scan(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    first = 1 if text.startswith(BOM) else 0
    yield _keyed.Header((), first, first)
    for start, end, plain in _raw_entries(text, first, many):
        if plain:
            yield _keyed.Plain(start, end)
            continue
        try:
            yield _entry(text, start, end)
        except NotValid as error:
            raise NotValid(error.why, line_number(text, start)) from None


def _raw_entries(text: str, offset: int, many: t.Pattern[str] | None) -> t.Iterator[tuple[int, int, bool]]:
    """Start and end of each entry: a line, or several when a double quote stays open (Lines.php, quirks included)."""
    start = None
    while offset < len(text):
        plain = many.match(text, offset) if many and start is None else None
        if plain:
            offset = plain.end()
            yield (*plain.span(), True)
            continue
        found = t.cast("re.Match[str]", _LINE.match(text, offset))
        offset = found.end()
        line = found.group().rstrip("\r\n")
        started = '="' in line and not _closes(line, True)
        if start is None and not started:
            if not _is_comment(line):
                yield (*found.span(), False)
            continue
        start = found.start() if start is None else start
        if _closes(line, started):
            if not _is_comment(text[start : found.end()]):
                yield start, found.end(), False
            start = None
    if start is not None:
        raise NotValid("a double quote that is never closed", line_number(text, start))


def _is_comment(lines: str) -> bool:
    return lines.strip(ASCII_BLANKS + "\0")[:1] in ("", "#")


def _closes(line: str, started: bool) -> bool:
    if line == '"':
        return True
    count = len(re.findall(r'(?=([^\\]"))', line.replace("\\\\", "")))
    return count > 1 if started else count >= 1


def _entry(text: str, start: int, end: int) -> _keyed.Entry:
    name, equals, _rest = text[start:end].partition("=")
    found = _NAME.fullmatch(name.strip(ASCII_BLANKS + "\0"))
    if not found:
        raise NotValid("not of the form KEY=value")
    if not equals:
        return _keyed.Entry((found["name"],), start, end, start, start + len(name.rstrip("\r\n")), "", alone=True)
    value_start = start + len(name) + 1
    while value_start < end and text[value_start] in " \t\v\f":
        value_start += 1
    raw = text[value_start:end].rstrip(ASCII_BLANKS + "\0")
    value, length = _value(raw)
    return _keyed.Entry((found["name"],), start, end, value_start, value_start + length, value)


def _value(raw: str) -> tuple[str, int]:
    """Value and the length of its spelling; raises NotValid (EntryParser.php, parseValue)."""
    if raw[:1] == '"':
        found = _DOUBLE.match(raw)
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES[escape[1]], found[1]) if found else ""
    elif raw[:1] == "'":
        found = _SINGLE.match(raw)
        value = found[1] if found else ""
    else:
        found = _PLAIN.match(raw)
        value = found[0] if found else ""
    if not found:
        raise NotValid("a quote that is never closed, or an unknown escape")
    rest = raw[found.end() :].lstrip(ASCII_BLANKS)
    if rest and not rest.startswith("#"):
        raise NotValid("more after the value: quotes are missing")
    return value, found.end()


_SYNTAX = _keyed.LineSyntax(
    _scan, _line, r"""([A-Za-z0-9_.]+)=[ \t]*(?:"([^"\\$\r\n]*)"|'([^'"\r\n]*)'|([A-Za-z0-9_./:@,+-]*))"""
)
