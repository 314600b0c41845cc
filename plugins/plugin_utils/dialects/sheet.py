# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a checklist for a person at a web form: Markdown that also reads as plain text.

Tree: ``{title: {field: value}}``, in the order of the form. True/false is written ``on``/``off``, a list with commas, and an
empty string as ``(leave empty)``. A secret arrives here as the words that the caller shows instead of it.
Cannot carry: a line break, NUL, blanks at either end (nobody sees them), the words ``(leave empty)`` themselves; a field's
name with ``": "`` in it.
"""

from __future__ import annotations

import re

from ._text import line_number, lines_of, one_line, refuse_edge_blanks
from .base import CannotCarry, NotValid, Tree, Value

SECRET = "(from the vault)"
_EMPTY = "(leave empty)"
_ROW = re.compile(r"- \[[ x]\] (?P<field>.+?): (?P<value>.*)")


def comment(text: str) -> str:
    """Each line as a Markdown quotation, then a blank line."""
    return "".join(f"> {line}\n" for line in text.splitlines()) + "\n"


def write(tree: Tree) -> str:
    """A section for each title, a box to tick for each field."""
    return "\n".join(f"## {one_line(title)}\n\n" + _rows(fields) for title, fields in tree.items())


def _rows(fields: dict[str, Value]) -> str:
    for field in fields:
        if ": " in field:
            raise CannotCarry("a field's name ends at its colon")
    return "".join(f"- [ ] {one_line(field)}: {quote(value)}\n" for field, value in fields.items())


def quote(value: Value) -> str:
    """The value as a person types or ticks it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(quote, value))
    text = one_line(value)
    refuse_edge_blanks(text)
    if text == _EMPTY:
        raise CannotCarry(f"{_EMPTY} means an empty field")
    return text or _EMPTY


def read(text: str) -> Tree:
    """``{title: {field: text}}``; raises NotValid for a line that is neither title, row, quotation nor blank."""
    tree: dict[str, dict[str, str]] = {}
    rows: dict[str, str] | None = None
    for offset, line in lines_of(text):
        line = line.rstrip("\r\n")
        row = _ROW.fullmatch(line)
        if line.startswith("## "):
            rows = tree.setdefault(line[3:], {})
        elif row and rows is not None:
            rows[row["field"]] = "" if row["value"] == _EMPTY else row["value"]
        elif line and not line.startswith(">"):
            raise NotValid("neither a title nor a row", line_number(text, offset))
    return tree
