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

from . import _keyed
from ._text import ASCII_BLANKS, BOM, line_number, lines_of, one_line, refuse_edge_blanks
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["comment", "merge", "quote", "read", "remove", "write"]

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
    return {entry.path[0]: entry.value.replace("$$", "$") for entry in _scan(text).entries}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our parameters set; raises NotValid."""
    return _keyed.merge(text, {(name,): quote(value) for name, value in tree.items()}, owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our parameters as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def _line(name: str, spelled: str) -> str:
    return f"{name} = {spelled}" if spelled else f"{name} ="


def _scan(text: str) -> _keyed.Document:
    entries: list[_keyed.Entry] = []
    for start, line in lines_of(text):
        bare = line.strip(ASCII_BLANKS)
        if not bare or bare.startswith("#"):
            continue
        end, value_end = start + len(line), start + len(line.rstrip(ASCII_BLANKS))
        if line[0] in ASCII_BLANKS:
            if not entries:
                raise NotValid("the first line starts with a blank, but continues nothing", line_number(text, start))
            joined = (entries[-1].value + line.rstrip(ASCII_BLANKS)).lstrip(ASCII_BLANKS)
            entries[-1] = entries[-1]._replace(end=end, value_end=value_end, value=joined)
            continue
        found = _ASSIGNMENT.match(line)
        if not found:
            raise NotValid("not of the form: parameter = value", line_number(text, start))
        value_start = start + found.end()
        value_end = max(value_start, value_end)
        entries.append(_keyed.Entry((found["name"],), start, end, value_start, value_end, text[value_start:value_end]))
    first = 1 if text.startswith(BOM) else 0
    return _keyed.Document(tuple(entries), (_keyed.Section((), first, first, len(text)),))


_SYNTAX = _keyed.Syntax(_scan, _line)
