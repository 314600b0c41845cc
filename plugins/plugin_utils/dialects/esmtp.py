# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ``esmtprc``: ``key = value``, in double quotes where the value holds none.

Tree: ``{key: value}``. A backslash is doubled. ``starttls`` takes a keyword, which quotes would make a string.
Cannot carry: a line break, NUL, an empty value, a double quote together with a blank or ``#`` or at both ends.
Source: esmtp 1.2 ``src/lexer.l``; measured.
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key} = {one_line(value) if key == 'starttls' else quote(value)}\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """In double quotes, or bare where it holds one."""
    text = one_line(value)
    if not text:
        raise CannotCarry("there are no empty values here")
    if '"' in text and (re.search(r"[\s#]", text) or text[0] == '"' or text[-1] == '"'):
        raise CannotCarry("a double quote has no escape here, and quotes are needed for what else it holds")
    spelled = text.replace("\\", "\\\\")
    return spelled if '"' in text else f'"{spelled}"'


def read(text: str) -> Tree:
    """``{key: text}`` of what ``write`` writes; raises NotValid for anything else."""
    tree = {}
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        if not bare or bare.startswith("#"):
            continue
        key, equals, spelled = bare.partition(" = ")
        if not equals:
            raise NotValid("not of the form key = value", line_number(text, offset))
        wrapped = len(spelled) > 1 and spelled[0] == spelled[-1] == '"'
        tree[key] = (spelled[1:-1] if wrapped else spelled).replace("\\\\", "\\")
    return tree
