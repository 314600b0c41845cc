# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a WordPress plugin that hooks into ``wp_mail``: a file of its own in ``wp-content/mu-plugins``.

Tree: ``{hook: {property: value}}`` sets properties of what the hook is given (``phpmailer_init``: the mailer);
``{filter: value}`` makes the filter answer this value. A value is a string, number, true/false, or a list or dict of those.
Every hook runs last, so that no other plugin has the last word.
Cannot carry: nothing known; a line break survives as well.
Source: WordPress ``wp-includes/pluggable.php`` (wp_mail), ``wp-includes/plugin.php``; PHP manual, "Strings: single quoted".
"""

from __future__ import annotations

import re

from ._text import line_number
from .base import NotValid, Tree
from .php import OPENING, Reader, comment, quote, spell

__all__ = ["comment", "quote", "read", "write"]

_END = "}, PHP_INT_MAX);\n"
_ACTION = re.compile(r"add_action\('(?P<hook>\w+)', function \(\$given\) \{\n")
_FILTER = re.compile(r"add_filter\('(?P<hook>\w+)', function \(\) \{\n    return ")
_PROPERTY = re.compile(r"    \$given->(?P<name>\w+) = ")


def write(tree: Tree) -> str:
    """One action or filter for each hook."""
    return "<?php\n" + "".join(
        _action(hook, value)
        if isinstance(value, dict)
        else f"add_filter('{hook}', function () {{\n    return {quote(value)};\n{_END}"
        for hook, value in tree.items()
    )


def _action(hook: str, properties: Tree) -> str:
    lines = "".join(f"    $given->{name} = {spell(value, '    ')};\n" for name, value in properties.items())
    return f"add_action('{hook}', function ($given) {{\n{lines}{_END}"


def read(text: str) -> Tree:
    """The tree of what ``write`` writes; raises NotValid for anything else."""
    opening = OPENING.match(text)
    if not opening:
        raise NotValid("does not start with <?php", 1)
    reader = Reader(text, opening.end())
    tree: Tree = {}
    while reader.offset < len(text):
        found = _ACTION.match(text, reader.offset) or _FILTER.match(text, reader.offset)
        if not found:
            raise NotValid("neither add_action nor add_filter as written here", line_number(text, reader.offset))
        reader.offset = found.end()
        tree[found["hook"]] = _properties(reader) if found.re is _ACTION else _statement(reader)
        if not text.startswith(_END, reader.offset):
            raise NotValid("no end of the function where one is needed", line_number(text, reader.offset))
        reader.offset += len(_END)
    return tree


def _properties(reader: Reader) -> Tree:
    properties = {}
    while found := _PROPERTY.match(reader.text, reader.offset):
        reader.offset = found.end()
        properties[found["name"]] = _statement(reader)
    return properties


def _statement(reader: Reader) -> Tree:
    """The literal up to the end of its line."""
    value = reader.value()
    reader.expect(";")
    reader.offset += 1
    return value
