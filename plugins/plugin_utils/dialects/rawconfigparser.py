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

from . import _keyed
from ._text import line_number, lines_of, one_line, refuse_edge_blanks
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["comment", "merge", "quote", "read", "remove", "write"]

_HEADER = re.compile(r"\[(?P<name>.+)\]")
_OPTION = re.compile(r"(?P<key>.*?)\s*[=:][^\S\r\n]*(?P<value>[^\r\n]*)")


def write(tree: Tree) -> str:
    """Each section under its header, a blank line between."""
    return "\n".join(
        "".join(f"{line}\n" for line in [_header((section,)), *(_line(key, quote(value)) for key, value in keys.items())])
        for section, keys in tree.items()
    )


def quote(value: Value) -> str:
    """The value, raw."""
    text = one_line(value)
    refuse_edge_blanks(text, None)
    return text


def read(text: str) -> Tree:
    """``{section: {key: text}}`` as the parser sees it; raises NotValid."""
    document = _scan(text)
    tree: dict[str, dict[str, str]] = {section.name[0]: {} for section in document.sections}
    for entry in document.entries:
        tree[entry.path[0]][entry.path[1]] = entry.value
    return tree


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our keys set; raises NotValid."""
    wanted: dict[_keyed.Path, str] = {(section, key): quote(value) for section, keys in tree.items() for key, value in keys.items()}
    return _keyed.merge(text, wanted, owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our keys as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def _line(key: str, spelled: str) -> str:
    return f"{key} = {spelled}".rstrip()


def _header(name: _keyed.Path) -> str:
    return f"[{name[0]}]"


def _scan(text: str) -> _keyed.Document:
    entries: list[_keyed.Entry] = []
    headers: list[tuple[_keyed.Path, int, int]] = []
    indent = continues = -1
    for start, line in lines_of(text):
        bare, here = line.strip(), len(line) - len(line.lstrip())
        if not bare or bare[0] in "#;":
            continue
        if continues == len(headers) and here > indent:
            entries[-1] = _continued(entries[-1], start, line)
            continue
        indent, found = here, _HEADER.match(bare)
        if found:
            headers.append(((found["name"],), start, start + len(line)))
        elif headers:
            entries.append(_entry(text, start, line, headers[-1][0]))
            continues = len(headers)
        else:
            raise NotValid("a key above the first section", line_number(text, start))
    ends = [header[1] for header in headers[1:]] + [len(text)]
    return _keyed.Document(tuple(entries), tuple(_keyed.Section(*header, end) for header, end in zip(headers, ends)))


def _entry(text: str, start: int, line: str, section: _keyed.Path) -> _keyed.Entry:
    found = _OPTION.match(line)
    if not found or not found["key"].strip():
        raise NotValid("neither a section, a comment nor KEY = value", line_number(text, start))
    value = found["value"].rstrip()
    value_start = start + found.start("value")
    return _keyed.Entry((*section, found["key"].strip().lower()), start, start + len(line), value_start, value_start + len(value), value)


def _continued(entry: _keyed.Entry, start: int, line: str) -> _keyed.Entry:
    """The entry with one more line of its value."""
    return entry._replace(end=start + len(line), value_end=start + len(line.rstrip()), value=f"{entry.value}\n{line.strip()}")


_SYNTAX = _keyed.Syntax(_scan, _line, _header)
