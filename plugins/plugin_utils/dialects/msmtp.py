# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ``msmtprc``: a keyword, a blank and the value, in double quotes without any escape.

Tree: ``{"defaults": {keyword: value}, "accounts": {name: {keyword: value}}, "default": name}``, each part optional.
``default`` names the account that is used when none is asked for; an account may as well be named ``default`` itself.
A true/false is written ``on``/``off``.
Cannot carry: a line break, NUL, a line of more than 500 bytes (msmtp refuses the file).
Source: msmtp 1.8 ``src/conf.c`` (LINEBUFSIZE, get_cmd_and_arg, trim_string), msmtp(1) "Configuration files".
"""

from __future__ import annotations

import re
import typing as t

from ._text import ASCII_BLANKS, line_number, lines_of, one_line
from ._text import comment_lines as comment
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_LONGEST_LINE = 499
_BARE = re.compile(r"[A-Za-z0-9_.+@%^,/:=-]+")


def write(tree: Tree) -> str:
    """Defaults first: they hold for the accounts after them."""
    blocks = []
    if tree.get("defaults"):
        blocks.append("defaults\n" + _settings(tree["defaults"]))
    for name, settings in tree.get("accounts", {}).items():
        blocks.append(f"account {name}\n" + _settings(settings))
    if "default" in tree:
        blocks.append(f"account default : {tree['default']}\n")
    return "\n".join(blocks)


def _settings(settings: t.Mapping[str, Value]) -> str:
    lines = [f"{keyword} {quote(value)}" for keyword, value in settings.items()]
    if any(len(line.encode("utf-8", "surrogateescape")) > _LONGEST_LINE for line in lines):
        raise CannotCarry("msmtp reads lines of at most 500 bytes")
    return "".join(f"{line}\n" for line in lines)


def quote(value: Value) -> str:
    """Bare where it is one harmless word, else in double quotes; what is inside is taken as it stands."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = one_line(value)
    return text if _BARE.fullmatch(text) else f'"{text}"'


def read(text: str) -> Tree:
    """The tree, every value a string; raises NotValid for a setting outside a block."""
    tree: dict[str, t.Any] = {}
    block: dict[str, str] | None = None
    for offset, line in lines_of(text):
        line = line.strip(ASCII_BLANKS)
        if not line or line.startswith("#"):
            continue
        keyword, _blank, value = line.partition(" ")
        value = value.strip(ASCII_BLANKS)
        if keyword == "defaults":
            block = tree.setdefault("defaults", {})
        elif keyword == "account" and value.startswith("default :"):
            tree["default"] = value.partition(":")[2].strip()
        elif keyword == "account":
            block = tree.setdefault("accounts", {}).setdefault(value, {})
        elif block is None:
            raise NotValid("a setting before the first account", line_number(text, offset))
        else:
            wrapped = len(value) > 1 and value[0] == value[-1] == '"'
            block[keyword] = value[1:-1] if wrapped else value
    return tree
