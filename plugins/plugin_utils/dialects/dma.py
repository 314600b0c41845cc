# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of DragonFly Mail Agent's ``dma.conf``: ``KEY value``, or ``KEY`` alone for what is switched on.

Tree: ``{KEY: value}``; true is the key alone, and false is no line at all. Shared: ``merge`` and ``remove``.
A line that begins with a blank is a comment.
Cannot carry: a line break, NUL, a blank, ``#`` (it begins a comment anywhere), an empty value.
Source: dma 0.13 ``conf.c`` (parse_conf).
"""

from __future__ import annotations

import re
import typing as t

from . import _flat, _keyed
from ._text import comment_lines as comment
from ._text import one_line
from .base import CannotCarry, Owns, Tree, Value

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]


def write(tree: Tree) -> str:
    """One line for each key that is not switched off."""
    return _flat.write(_on(tree), _behind, _line)


def quote(value: Value) -> str:
    """The value, raw; nothing for what is switched on."""
    if isinstance(value, bool):
        return ""
    text = one_line(value)
    if not text or re.search(r"[\s#]", text):
        raise CannotCarry("a blank ends the value and a # begins a comment here")
    return text


def read(text: str) -> Tree:
    """``{KEY: text}``, true for a key alone; raises NotValid."""
    return {key: _plain(value) for key, value in _flat.values(text, _SYNTAX).items()}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our keys set; raises NotValid."""
    return _keyed.merge(text, _flat.spelled(_on(tree), _behind), owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our keys as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts; raises NotValid."""
    return _keyed.alike(before, after, owns, _SYNTAX)


def values(text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
    """What is set at these paths; raises NotValid."""
    return _keyed.values(text, paths, _SYNTAX, _plain)


def _plain(spelled: str) -> Value:
    return spelled.strip() or True


def _on(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if value is not False}


def _behind(value: Value) -> str:
    """What stands right behind the key: a key alone in the user's file has no blank for a value to follow."""
    spelled = quote(value)
    return f" {spelled}" if spelled else ""


def _line(key: str, spelled: str) -> str:
    return key + spelled


def _keeps(rest: str) -> bool:
    return rest in ("", "\n")


# One blank ends the key, the next are a part of the value, as are those before a comment or the end, and a carriage return.
_SYNTAX = _flat.syntax(
    re.compile(r"(?P<key>[A-Z][A-Z0-9_]*)(?=[ \t\n#]|\Z)(?P<value>[^#\n]*)"),
    _line,
    r"([A-Z][A-Z0-9_]*)([ \t]+[^\s#]+)?",
    "not of the form: KEY value",
    comment=re.compile(r"[ \t#]|\Z"),
    keeps=_keeps,
    newline="\n",
)
