# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Dialect of the files that PHP itself is set up with, ``php.ini`` and ``conf.d/*.ini``: ``key = "value"``.

Tree: ``{key: value}``. Everything stands between double quotes, where a backslash takes the meaning from ``"``, ``\`` and ``$``.
Cannot carry: a line break, NUL.
Source: php-src ``Zend/zend_ini_scanner.l`` (INI_SCANNER_NORMAL); measured with PHP 8.2.
"""

from __future__ import annotations

import re

from ._text import comment_lines, line_number, lines_of, one_line, with_backslashes
from .base import NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_LINE = re.compile(r'(?P<key>[\w.-]+) = "(?P<text>(?:[^"\\$]|\\["\\$])*)"')


def comment(text: str) -> str:
    """Each line as a comment."""
    return comment_lines(text, ";")


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key} = {quote(value)}\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """The text in double quotes."""
    return '"' + with_backslashes(one_line(value), '"\\$') + '"'


def read(text: str) -> Tree:
    """``{key: text}`` of what ``write`` writes; raises NotValid for anything else."""
    tree = {}
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        found = _LINE.fullmatch(bare)
        if found:
            tree[found["key"]] = re.sub(r"\\(.)", r"\1", found["text"])
        elif bare and not bare.startswith(";"):
            raise NotValid('not of the form key = "value"', line_number(text, offset))
    return tree
