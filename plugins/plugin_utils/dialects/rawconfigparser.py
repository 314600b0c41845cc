# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ini files that Python's ``RawConfigParser`` reads: Odoo's ``odoo.conf``, Mailman's ``mailman.cfg``.

Tree: ``{section: {key: value}}``, keys in lower case, as the parser makes them. Shared: ``merge`` and ``remove``.
Values are raw: quotes, ``%``, ``#`` and ``;`` are part of them. A line that is indented deeper than its key continues the value.
Cannot carry: a line break, NUL, blanks of any kind at either end (they are stripped).
Not valid here: a line that is neither a section, a comment nor a key with ``=`` or ``:``, and a key above the first section.
Source: Python ``Lib/configparser.py`` (RawConfigParser._read).
"""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import Lines, line_number, one_line, refuse_edge_blanks
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]

_HEADER = re.compile(r"\[(?P<name>.+)\]")
_OPTION = re.compile(r"(?P<key>.*?)\s*[=:][^\S\r\n]*(?P<value>[^\r\n]*)")


def write(tree: Tree) -> str:
    """Each section under its header, a blank line between."""
    return "\n".join(
        "".join(
            f"{line}\n" for line in [_header((section,)), *(_line(key, quote(value)) for key, value in keys.items())]
        )
        for section, keys in tree.items()
    )


def quote(value: Value) -> str:
    """The value, raw."""
    text = one_line(value)
    refuse_edge_blanks(text, None)
    return text


def read(text: str) -> Tree:
    """``{section: {key: text}}`` as the parser sees it; raises NotValid."""
    tree: dict[str, dict[str, str]] = {}
    for section, piece in _keyed.settings(text, _SYNTAX):
        tree.setdefault(section[0], {}).update(piece)
    return tree


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our keys set; raises NotValid."""
    wanted: dict[_keyed.Path, str] = {
        (section, key): quote(value) for section, keys in tree.items() for key, value in keys.items()
    }
    return _keyed.merge(text, wanted, owns, _SYNTAX)


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
    return f"{key} = {spelled}".rstrip()


def _header(name: _keyed.Path) -> str:
    return f"[{name[0]}]"


def _scan(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    section: _keyed.Path = ()
    entry: _keyed.Entry | None = None
    more: list[str] = []
    indent = 0
    for start, line, plain in Lines(text, many):
        if plain:
            if entry is not None:
                yield _joined(entry, more)
                entry, more = None, []
            if not section:
                raise NotValid("a key above the first section", line_number(text, start))
            indent = 0
            yield _keyed.Plain(start, start + len(line))
            continue
        if "\r" in line.rstrip("\r\n"):
            raise NotValid(
                "a carriage return in the middle of a line, which ends it for Python", line_number(text, start)
            )
        bare, here = line.strip(), len(line) - len(line.lstrip())
        if not bare or bare[0] in "#;":
            if entry is not None and not bare:
                more.append("")
            continue
        if entry is not None and here > indent:
            more.append(bare)
            entry = entry._replace(end=start + len(line), value_end=start + len(line.rstrip()))
            continue
        if entry is not None:
            yield _joined(entry, more)
            entry, more = None, []
        indent, found = here, _HEADER.match(bare)
        if found:
            section = (found["name"],)
            yield _keyed.Header(section, start, start + len(line))
        elif section:
            entry = _entry(text, start, line, section)
        else:
            raise NotValid("a key above the first section", line_number(text, start))
    if entry is not None:
        yield _joined(entry, more)


def _entry(text: str, start: int, line: str, section: _keyed.Path) -> _keyed.Entry:
    found = _OPTION.match(line)
    if not found or not found["key"].strip():
        raise NotValid("neither a section, a comment nor KEY = value", line_number(text, start))
    value = found["value"].rstrip()
    value_start = start + found.start("value")
    return _keyed.Entry(
        (*section, found["key"].strip().lower()), start, start + len(line), value_start, value_start + len(value), value
    )


def _joined(entry: _keyed.Entry, more: list[str]) -> _keyed.Entry:
    """The entry with the further lines of its value; blank ones count only between others."""
    return entry._replace(value="\n".join([entry.value, *more]).rstrip()) if more else entry


_SYNTAX = _keyed.LineSyntax(
    _scan,
    _line,
    r"([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(\S(?:[^\r\n]*\S)?)?",
    r"(?=[^\s#;])",
    _header,
    indented=True,
    key=str.lower,
)
