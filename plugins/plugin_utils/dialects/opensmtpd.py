# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of OpenSMTPD's ``smtpd.conf``: statements of keywords and strings in double quotes; a backslash joins lines.

Tree: ``{keywords: {"": value, more keywords: value}}``, as ``{"action": {"": "relay", "relay host": "smtps://a.example"}}``; true is
the keywords alone.
Cannot carry: a line break, NUL, a double quote, a backslash.
Source: OpenSMTPD 6.8 ``usr.sbin/smtpd/parse.y`` (yylex), smtpd.conf(5).
"""

from __future__ import annotations

from . import _statements
from ._text import comment_lines as comment
from ._text import one_line
from .base import CannotCarry, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_JOINT = " \\"


def write(tree: Tree) -> str:
    """Each statement."""
    return _statements.write(tree, quote, _JOINT)


def quote(value: Value) -> str:
    """The string in double quotes."""
    text = one_line(value)
    if '"' in text or "\\" in text:
        raise CannotCarry("a double quote or a backslash has no spelling here that every version reads")
    return f'"{text}"'


def read(text: str) -> Tree:
    """The statements; raises NotValid."""
    return _statements.read(text, lambda spelled: spelled[1:-1], _JOINT)
