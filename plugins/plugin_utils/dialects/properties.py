# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Java ``.properties`` for Spring: ``key=value``, in ASCII with ``\\uXXXX``, so that its encoding does not matter.

Tree: ``{key: value}``. A backslash stands before a backslash, a blank at the start, ``# ! = :``.
Cannot carry: ``${`` (Spring puts a property in its place, and before 6.2 there is no escape), NUL.
Source: java.util.Properties (load); Spring's ``PropertyPlaceholderHelper``.
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, plain
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key}={quote(value)}\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """The value, escaped."""
    text = plain(value)
    if "${" in text or "\0" in text:
        raise CannotCarry("Spring puts another property in the place of ${...}, and NUL is no text")
    spelled = "".join(map(_char, text))
    return re.sub(r"\A ", r"\\ ", spelled)


def _char(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char in "\\#!=:":
        return "\\" + char
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def read(text: str) -> Tree:
    """``{key: text}`` of what ``write`` writes; raises NotValid for a line without ``=``."""
    tree = {}
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        if not bare or bare[0] in "#!":
            continue
        key, equals, spelled = bare.partition("=")
        if not equals:
            raise NotValid("not of the form key=value", line_number(text, offset))
        tree[key] = _plain(spelled)
    return tree


def _plain(spelled: str) -> str:
    text = re.sub(r"\\(u[0-9a-f]{4}|.)", _unescape, spelled)
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


def _unescape(found: re.Match[str]) -> str:
    short = {spelled[1]: char for char, spelled in _SHORT.items()}
    return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else short.get(found[1], found[1])
