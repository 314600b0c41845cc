# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a ``muttrc``: ``set name='value'``, single quotes as in a shell.

Tree: ``{name: value}``. A true/false is written ``yes``/``no``.
Inside single quotes nothing is expanded; a single quote is written ``'"'"'``.
Cannot carry: a line break, NUL.
Source: mutt 2.2 ``init.c`` (mutt_extract_token), muttrc(5).
"""

from __future__ import annotations

import shlex

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line
from .base import NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One ``set`` for each name."""
    return "".join(f"set {name}={quote(value)}\n" for name, value in tree.items())


def quote(value: Value) -> str:
    """A bare yes, no or number, else single quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = one_line(value)
    return text if isinstance(value, int) else "'" + text.replace("'", "'\"'\"'") + "'"


def read(text: str) -> Tree:
    """``{name: text}`` of what ``write`` writes; raises NotValid for anything else."""
    tree = {}
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        if not bare or bare.startswith("#"):
            continue
        name, equals, spelled = bare.removeprefix("set ").partition("=")
        try:
            [value] = shlex.split(spelled, posix=True)
        except ValueError:
            raise NotValid("not of the form set name='value'", line_number(text, offset)) from None
        if not equals or not bare.startswith("set "):
            raise NotValid("not of the form set name='value'", line_number(text, offset))
        tree[name] = value
    return tree
