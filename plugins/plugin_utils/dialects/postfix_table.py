# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a Postfix lookup table in text form (``texthash:``, the source of ``lmdb:`` and ``hash:``).

Tree: ``[[key, value], ...]``, such as ``[["[smtp.example.com]:465", "user:password"]]``.
Cannot carry: a line break, NUL, blanks at either end of a value (Postfix strips them), an empty value; in a key also any
blank, a double quote, a leading ``#``.
Source: postmap(5), Postfix ``src/util/dict_thash.c``.
"""

from __future__ import annotations

import re

from ._text import ASCII_BLANKS, line_number, lines_of, one_line, refuse_edge_blanks
from ._text import comment_lines as comment
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One line for each pair."""
    return "".join(f"{_key(key)} {quote(value)}\n" for key, value in tree)


def quote(value: Value) -> str:
    """The value, raw."""
    text = one_line(value)
    refuse_edge_blanks(text)
    if not text:
        raise CannotCarry("a table has no empty values")
    return text


def _key(key: str) -> str:
    if not key or key.startswith("#") or re.search(r'[\s"\0]', key):
        raise CannotCarry("a key of a table has no blanks, no double quote and no # in front")
    return key


def read(text: str) -> Tree:
    """``[[key, text], ...]``; raises NotValid for a key without a value or a continued line."""
    tree = []
    for offset, line in lines_of(text):
        bare = line.strip(ASCII_BLANKS)
        if not bare or bare.startswith("#"):
            continue
        pair = re.split(f"[{ASCII_BLANKS}]+", bare, maxsplit=1)
        if line[0] in ASCII_BLANKS or len(pair) != 2:
            raise NotValid("not of the form: key, blank, value", line_number(text, offset))
        tree.append(pair)
    return tree
