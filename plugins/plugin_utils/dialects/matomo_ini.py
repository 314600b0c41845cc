# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Matomo's ``*.ini.php``: PHP's ``parse_ini_string``, then HTML entities are decoded.

Tree: ``{section: {key: value}}``. What means something to PHP between double quotes is written as an entity, so nothing is
expanded and nothing ends the quote. The first line keeps a web server from showing the file.
Cannot carry: a line break, NUL, a text that is an HTML entity itself (the file is decoded twice).
Source: matomo-org/component-ini ``src/IniReader.php``; Matomo ``core/Config/IniFileChain.php`` (decodeValues); PHP ``parse_ini_string``.
"""

from __future__ import annotations

import re

from ._text import comment_lines, line_number, lines_of, one_line
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_GUARD = "; <?php exit; ?> DO NOT REMOVE THIS LINE\n"
_SPECIAL = re.compile(r'["\\$&<>]')
_ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-f]+|\w+);", re.IGNORECASE)
_LINE = re.compile(r'\[(?P<section>[\w ]+)\]|(?P<key>\w+) = (?:"(?P<text>[^"\\$]*)"|(?P<number>\d+))')


def comment(text: str) -> str:
    """Each line as a comment."""
    return comment_lines(text, ";")


def write(tree: Tree) -> str:
    """The line that guards it, then each section under its header."""
    return _GUARD + "".join(
        f"\n[{section}]\n" + "".join(f"{key} = {quote(value)}\n" for key, value in keys.items())
        for section, keys in tree.items()
    )


def quote(value: Value) -> str:
    """A number (1 and 0 for true and false), or the text in double quotes."""
    if isinstance(value, int):
        return str(int(value))
    text = one_line(value)
    if _ENTITY.search(text):
        raise CannotCarry("an HTML entity is decoded twice here")
    return '"' + _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", text) + '"'


def read(text: str) -> Tree:
    """``{section: {key: text}}`` of what ``write`` writes; raises NotValid for anything else."""
    tree: Tree = {}
    section: Tree | None = None
    for offset, line in lines_of(text):
        bare = line.rstrip("\r\n")
        if not bare or bare.startswith(";"):
            continue
        found = _LINE.fullmatch(bare)
        if found and found["section"]:
            section = tree.setdefault(found["section"], {})
        elif found and section is not None:
            section[found["key"]] = found["number"] or re.sub(
                "&#([0-9]+);", lambda entity: chr(int(entity[1])), found["text"]
            )
        else:
            raise NotValid("neither a section nor key = value", line_number(text, offset))
    return tree
