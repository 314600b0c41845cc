# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a PHP file that sets variables, array elements and properties, included by an application's own settings file.

Tree: ``{target: value}``; a target is what stands left of ``=``, such as ``$wgSMTP``, ``$config['smtp_host']`` or
``$CFG->smtphosts``; a value is a string, number, true/false, or a list or dict of those.
Cannot carry: nothing known; a line break survives as well.
Source: PHP manual, "Strings: single quoted" (only ``\\\\`` and ``\\'`` are escapes).
"""

from __future__ import annotations

import re

from ._text import line_number
from .base import NotValid, Tree
from .php import OPENING, Reader, comment, quote

__all__ = ["comment", "quote", "read", "write"]

_TARGET = re.compile(r"(?P<target>\$[A-Za-z_]\w*(?:\['\w+'\]|->\w+)*) = ")


def write(tree: Tree) -> str:
    """One assignment for each target."""
    return "<?php\n" + "".join(f"{target} = {quote(value)};\n" for target, value in tree.items())


def read(text: str) -> Tree:
    """The tree of what ``write`` writes; raises NotValid for PHP beyond assignments of literals."""
    opening = OPENING.match(text)
    if not opening:
        raise NotValid("does not start with <?php", 1)
    reader, tree = Reader(text, opening.end()), {}
    while rest := text[reader.offset :].lstrip():
        reader.offset = len(text) - len(rest)
        found = _TARGET.match(text, reader.offset)
        if not found:
            raise NotValid("not an assignment", line_number(text, reader.offset))
        reader.offset = found.end()
        tree[found["target"]] = reader.value()
        reader.expect(";")
    return tree
