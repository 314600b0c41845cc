# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Monit's control file: statements of keywords and strings, double-quoted where the string has no double quote.

Tree: ``{keywords: {"": value, more keywords: value}}``, as ``{"set mailserver": {"": "a.example", "port": 25}}``; true is the
keywords alone, a number stands bare. A backslash is doubled.
Cannot carry: a line break, NUL, both kinds of quotes, a blank or a quote at either end (Monit strips them, twice), an empty string.
Source: monit 5.33 ``src/l.l``; measured.
"""

from __future__ import annotations

import re

from . import _statements
from ._text import comment_lines as comment
from ._text import one_line
from .base import CannotCarry, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """Each statement."""
    return _statements.write(tree, quote)


def quote(value: Value) -> str:
    """The string in quotes of the kind that it does not hold; a number bare."""
    text = one_line(value)
    if isinstance(value, int):
        return text
    if not text or re.search(r"\A[\s'\"]|[\s'\"]\Z", text):
        raise CannotCarry("a blank or a quote at either end is stripped here")
    if '"' in text and "'" in text:
        raise CannotCarry("a string cannot hold both kinds of quotes")
    mark = "'" if '"' in text else '"'
    return mark + text.replace("\\", "\\\\") + mark


def read(text: str) -> Tree:
    """The statements; raises NotValid."""
    return _statements.read(
        text, lambda spelled: (spelled[1:-1] if spelled[0] in "\"'" else spelled).replace("\\\\", "\\")
    )
