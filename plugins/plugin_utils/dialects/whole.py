# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a file that is one value and nothing else, not even a line end: a secret file.

Some readers take a line end for a part of the value (Alertmanager 0.25 sends it to the relay), and none needs one.
Tree: one string.
Cannot carry: a line break, NUL, the empty string. What a reader strips is for the application's own entry to refuse.
"""

from __future__ import annotations

from ._text import one_line
from .base import CannotCarry, Tree, Value

__all__ = ["quote", "read", "write"]


def write(tree: Tree) -> str:
    """The value."""
    return quote(tree)


def quote(value: Value) -> str:
    """The value as it is."""
    text = one_line(value)
    if not text:
        raise CannotCarry("an empty file reads as no secret at all")
    return text


def read(text: str) -> Tree:
    """The text as it is."""
    return text
