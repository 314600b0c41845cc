# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Debian's ``update-exim4.conf.conf``: ``name='value'``, which a POSIX shell sources.

Tree: ``{name: value}``. Shared: ``merge`` and ``remove``; the last of equal names is in force.
Cannot carry: a line break, NUL, a single quote (Debian's package rewrites the file, and knows no escape for one).
Not valid here: a line that is no assignment of one word, with or without a comment behind it; a word over several lines, with a backslash,
``$`` or a backtick, all of which only a shell can read (``export``, ``;`` and what it runs as well).
Source: update-exim4.conf(8), ``debian/debconf/update-exim4.conf`` of exim4 4.96.
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
    """One line for each name."""
    return _flat.write(tree, quote, _line)


def quote(value: Value) -> str:
    """The value in single quotes."""
    text = one_line(value)
    if "'" in text:
        raise CannotCarry("a single quote ends the value")
    return f"'{text}'"


def read(text: str) -> Tree:
    """``{name: text}``; raises NotValid."""
    return {name: _bare(value) for name, value in _flat.values(text, _SYNTAX).items()}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our names set; raises NotValid."""
    return _keyed.merge(text, _flat.spelled(tree, quote), owns, _SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our names as in the original; raises NotValid."""
    return _keyed.remove(text, owns, original, _SYNTAX)


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts; raises NotValid."""
    return _keyed.alike(before, after, owns, _SYNTAX)


def values(text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
    """What is set at these paths; raises NotValid."""
    return _keyed.values(text, paths, _SYNTAX, _bare)


def _bare(spelled: str) -> str:
    return "".join(piece[1:-1] if piece[0] in "'\"" else piece for piece in re.findall(_PIECE, spelled))


def _line(name: str, spelled: str) -> str:
    return f"{name}={spelled}"


# To a shell only a line feed ends a line, and only space and tab stand between words: a carriage return is a part of the value.
_PIECE = r"""'[^'\n\0]*'|"[^"\\$`\n\0]*"|[^ \t\n\0'"\\$`&|;<>()]"""
_SYNTAX = _flat.syntax(
    re.compile(rf"[ \t]*(?P<key>[A-Za-z_]\w*)=(?P<value>(?:{_PIECE})*)(?=(?:[ \t]+#[^\n]*|[ \t]*)(?:\n|\Z))", re.ASCII),
    _line,
    r"""([A-Za-z_][A-Za-z0-9_]*)=('[^'\r\n]*'|"[^"\\$`\r\n]*"|[A-Za-z0-9_./:@,+-]*)""",
    "not of the form name='value'",
    comment=re.compile(r"[ \t]*(?:#|\Z)"),
    newline="\n",
)
