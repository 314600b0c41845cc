# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ``ssmtp.conf``: ``Key=value``, raw, without any quoting.

Tree: ``{Key: value}``. A true/false is written ``yes``/``no``.
Cannot carry: a line break, NUL, blanks, ``#`` and ``=``, and a colon but before a port (sSMTP cuts a value at each of them, without
a word), an empty value.
Source: ssmtp 2.64 ``ssmtp.c`` (read_config); measured.
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key}={quote(value)}\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """The value, raw."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = one_line(value)
    if not text or re.search(r"[\s#=]|:(?![0-9]{1,5}\Z)", text):
        raise CannotCarry("sSMTP cuts a value at a blank, #, = or colon")
    return text


def read(text: str) -> Tree:
    """``{Key: text}``; raises NotValid."""
    tree = {}
    for offset, line in lines_of(text):
        bare = line.partition("#")[0].strip()
        key, equals, value = bare.partition("=")
        if bare and not equals:
            raise NotValid("not of the form Key=value", line_number(text, offset))
        if bare:
            tree[key] = value
    return tree
