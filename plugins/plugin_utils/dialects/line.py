# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a file that holds one line and nothing else: ``/etc/mailname``, nullmailer's ``helohost``, a secret file.

Tree: one string (or number).
Cannot carry: a line break, NUL, blanks at either end (readers strip them), the empty string (it reads as "not set").
Source: mailname(5); nullmailer 2.2 ``lib/config_read.cc``.
"""

from __future__ import annotations

from ._text import ASCII_BLANKS, one_line, refuse_edge_blanks
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["quote", "read", "write"]


def write(tree: Tree) -> str:
    """The line with its end."""
    return quote(tree) + "\n"


def quote(value: Value) -> str:
    """The value, raw."""
    text = one_line(value)
    refuse_edge_blanks(text)
    if not text:
        raise CannotCarry("an empty line reads as no setting at all")
    return text


def read(text: str) -> Tree:
    """The line; raises NotValid when there are more."""
    line = text.strip(ASCII_BLANKS)
    if "\n" in line:
        raise NotValid("more than one line", 2)
    return line
