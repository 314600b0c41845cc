# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a Python settings file: ``NAME = literal``, as a Django settings drop-in.

Tree: ``{NAME: value}``; a value is a string, number, true/false, or a list or dict of those.
Cannot carry: nothing known. (What ``smtplib`` cannot send, such as a non-ASCII password, is for the entry to refuse.)
Source: Python language reference, section 2.4 "Literals".
"""

from __future__ import annotations

import ast

from ._text import comment_lines as comment
from .base import NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One assignment for each name."""
    return "".join(f"{name} = {quote(value)}\n" for name, value in tree.items())


def quote(value: Value) -> str:
    """The literal, in ASCII whatever the value holds."""
    return ascii(value)


def read(text: str) -> Tree:
    """``{NAME: value}``; raises NotValid for statements other than assignments of literals."""
    try:
        statements = ast.parse(text).body
    except (RecursionError, MemoryError):  # what Python says of brackets in brackets, a thousand deep
        raise NotValid("nested too deeply") from None
    except (SyntaxError, ValueError) as error:
        raise NotValid("not Python", getattr(error, "lineno", None) or 0) from None
    tree = {}
    for statement in statements:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise NotValid("not a plain assignment", statement.lineno)
        try:
            tree[statement.targets[0].id] = ast.literal_eval(statement.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            raise NotValid("not a literal", statement.lineno) from None
    return tree
