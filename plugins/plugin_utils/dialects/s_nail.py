# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

r"""Dialect of a file that S-nail sources: ``wysh set name=$'value'``, with a backslash before a single quote and a backslash.

Tree: ``{name: value}``. True is the name alone, false ``unset name``.
Cannot carry: a line break, NUL, another control character.
Source: s-nail(1) 14.9, "Shell-style argument quoting"; ``wysh`` asks for it whatever v15-compat says.
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line, with_backslashes
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_LINE = re.compile(r"(?:wysh )?(?P<off>un)?set (?P<name>[\w-]+)(?:=\$'(?P<value>(?:[^'\\]|\\['\\])*)')?")


def write(tree: Tree) -> str:
    """One line for each name."""
    return "".join(_line(name, value) for name, value in tree.items())


def _line(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return f"{'set' if value else 'unset'} {name}\n"
    return f"wysh set {name}={quote(value)}\n"


def quote(value: Value) -> str:
    """The value in dollar-single-quotes."""
    text = one_line(value)
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise CannotCarry("a control character is no part of a line here")
    return "$'" + with_backslashes(text, "\\'") + "'"


def read(text: str) -> Tree:
    """``{name: text, true or false}`` of what ``write`` writes; raises NotValid for anything else."""
    tree: dict[str, str | bool] = {}
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        if not bare or bare.startswith("#"):
            continue
        found = _LINE.fullmatch(bare)
        if not found:
            raise NotValid("not of the form: set name=$'value'", line_number(text, offset))
        value = found["value"]
        tree[found["name"]] = not found["off"] if value is None else re.sub(r"\\(.)", r"\1", value)
    return tree
