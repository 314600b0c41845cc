# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Debian's ``exim4.conf.localmacros``, and of options in its ``conf.d``: ``NAME = value``, raw to the end of the line.

Tree: ``{NAME: value}``. Shared: ``merge`` and ``remove``; other lines of Exim's main configuration may stand around ours.
Not valid here: a last line that ends in a backslash.
Cannot carry: a line break, NUL, blanks at either end (stripped), ``$`` and a backslash (Exim expands values), an empty value.
Source: Exim specification 6.4 "Macros in the configuration file"; Debian's README.Debian of exim4.
"""

from __future__ import annotations

import re
import typing as t

from . import _flat, _keyed
from ._text import comment_lines as comment
from ._text import one_line, refuse_edge_blanks
from .base import CannotCarry, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]


def write(tree: Tree) -> str:
    """One line for each macro or option."""
    return _flat.write(tree, quote, _line)


def quote(value: Value) -> str:
    """The value, raw."""
    text = one_line(value)
    refuse_edge_blanks(text)
    if not text or "$" in text or "\\" in text:
        raise CannotCarry("Exim expands $ and a backslash in a macro, and knows no empty one here")
    return text


def read(text: str) -> Tree:
    """``{NAME: text}``."""
    return _flat.values(text, _SYNTAX)


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our macros set."""
    return _keyed.merge(text, _flat.spelled(tree, quote), owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our macros as in the original."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts; raises NotValid."""
    return _keyed.alike(before, after, owns, _SYNTAX)


def values(text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
    """What is set at these paths; raises NotValid."""
    return _keyed.values(text, paths, _SYNTAX)


def _line(name: str, spelled: str) -> str:
    return f"{name} = {spelled}"


_SYNTAX = _flat.syntax(
    re.compile(r"[ \t]*(?P<key>[A-Za-z]\w*)[ \t]*==?[ \t]*"),
    _line,
    r"([A-Za-z][A-Za-z0-9_]*)[ \t]*=[ \t]*([^\s=\\](?:[^\r\n\\]*[^\s\\])?)?",
    continued="\\",
)
