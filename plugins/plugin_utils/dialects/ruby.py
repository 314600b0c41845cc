# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a Ruby file of settings: ``Name = literal``, as a Rails initializer, or ``name['key'] = literal``, as GitLab's ``gitlab.rb``.

Tree: ``{name: value}``; a value is a string, number, true/false, a list, or a dict, whose keys become symbols. A dict
``{"symbol": word}`` is the symbol itself.
Strings stand in single quotes with a backslash before a single quote and a backslash: nothing is interpolated.
Cannot carry: nothing known.
Source: Ruby's documentation of literals, "Strings".
"""

from __future__ import annotations

import re
import typing as t

from ._text import comment_lines, with_backslashes
from .base import NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_TOKEN = re.compile(
    r"\s+|(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>-?[0-9]+)|(?P<word>true|false)\b|(?P<symbol>:[a-z_]\w*)|(?P<key>[a-z_]\w*):"
    r"|(?P<mark>[{}\[\],])",
    re.DOTALL,
)
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z][\w:.]*(?:\['\w+'\])?) = ")


def comment(text: str) -> str:
    """Each line as a comment, below the word that makes every string in the file UTF-8."""
    return "# frozen_string_literal: true\n" + comment_lines(text)


def write(tree: Tree) -> str:
    """One assignment for each name."""
    return "".join(f"{name} = {quote(value)}\n" for name, value in tree.items())


def quote(value: Value) -> str:
    """The literal, a dict with one key a line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(quote, value)) + "]"
    if isinstance(value, dict):
        if list(value) == ["symbol"]:
            return f":{value['symbol']}"
        return "{\n" + "".join(f"  {key}: {quote(item)},\n" for key, item in value.items()) + "}"
    return "'" + with_backslashes(value, "\\'") + "'"


def read(text: str) -> Tree:
    """``{name: value}`` of what ``write`` writes; raises NotValid for anything else."""
    tree = {}
    text = "".join(re.split(r"^#.*\n", text, flags=re.MULTILINE))
    while text:
        found = _ASSIGNMENT.match(text)
        if not found:
            raise NotValid("not an assignment of a literal")
        try:
            tree[found["name"]], text = _value(text[found.end() :])
        except RecursionError:
            raise NotValid("nested too deeply") from None
        text = text.lstrip("\n")
    return tree


def _value(text: str) -> tuple[t.Any, str]:
    """The literal at the start of the text, and what follows it."""
    kind, spelled, rest = _token(text)
    if kind == "string":
        return re.sub(r"\\([\\'])", r"\1", spelled[1:-1]), rest
    if kind == "number":
        return int(spelled), rest
    if kind == "word":
        return spelled == "true", rest
    if kind == "symbol":
        return {"symbol": spelled[1:]}, rest
    if spelled == "{":
        return _inside(rest, "}", {})
    if spelled == "[":
        return _inside(rest, "]", [])
    raise NotValid("not a literal")


def _inside(text: str, end: str, found: t.Any) -> tuple[t.Any, str]:
    while True:
        kind, spelled, rest = _token(text)
        if spelled == end:
            return found, rest
        if spelled == ",":
            text = rest
        elif kind == "key" and isinstance(found, dict):
            found[spelled[:-1]], text = _value(rest)
        elif isinstance(found, list):
            item, text = _value(text)
            found.append(item)
        else:
            raise NotValid("not a literal")


def _token(text: str) -> tuple[str, str, str]:
    found = _TOKEN.match(text)
    if found and found.lastgroup is None:
        return _token(text[found.end() :])
    if not found:
        raise NotValid("not a literal")
    return found.lastgroup or "", found.group(), text[found.end() :]
