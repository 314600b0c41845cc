# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a PHP file that sets ``$CONFIG``, as Nextcloud includes ``config/*.config.php``: single-quoted literals.

Tree: ``{key: value}``; a value is a string, number, true/false, or a list or dict of those.
Cannot carry: nothing known; a line break survives as well.
Source: PHP manual, "Strings: single quoted" (only ``\\\\`` and ``\\'`` are escapes).
"""

from __future__ import annotations

import re
import typing as t

from ._text import comment_lines, line_number, plain, with_backslashes
from .base import CannotCarry, NotValid, Tree, Value

_TOKEN = re.compile(
    r"(?P<skip>(?:\s+|(?:#|//)[^\n]*\n)+)|'(?P<string>(?:[^'\\]|\\.)*)'|(?P<int>-?[0-9]+)|(?P<word>true|false)|"
    r"(?P<mark>\$CONFIG|array|=>|[=(),;])",
    re.DOTALL,
)
OPENING = re.compile(r"(?:<\?php\n(?:(?://|#)[^\n]*\n)*\?>\n)?<\?php\n")


def comment(text: str) -> str:
    """A PHP block of its own that prints nothing. Raises CannotCarry for text that would end it."""
    if "?>" in text:
        raise CannotCarry("?> ends PHP, also inside a comment")
    return "<?php\n" + comment_lines(text, "//") + "?>\n"


def write(tree: Tree) -> str:
    """The whole file."""
    return f"<?php\n$CONFIG = {spell(tree, '')};\n"


def quote(value: Value) -> str:
    """One literal; lists and dicts become ``array (...)``."""
    return spell(value, "")


def spell(value: Value, indent: str) -> str:
    """As ``quote``, for a line that is indented."""
    if isinstance(value, (dict, list)):
        inner = indent + "  "
        rows = value.items() if isinstance(value, dict) else ((None, item) for item in value)
        lines = [
            inner + ("" if key is None else spell(key, inner) + " => ") + spell(item, inner) + ",\n"
            for key, item in rows
        ]
        return "array (\n" + "".join(lines) + indent + ")"
    if isinstance(value, (bool, int)):
        return plain(value)
    return "'" + with_backslashes(value, "\\'") + "'"


def read(text: str) -> Tree:
    """The tree of what ``write`` writes; raises NotValid for PHP beyond literals."""
    opening = OPENING.match(text)
    if not opening:
        raise NotValid("does not start with <?php", 1)
    reader = Reader(text, opening.end())
    reader.expect("$CONFIG", "=")
    tree = reader.value()
    reader.expect(";")
    return tree


class Reader:
    """Reads literals one token at a time."""

    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset

    def next(self) -> tuple[str, str]:
        """Kind and text of the next token."""
        found = _TOKEN.match(self.text, self.offset)
        if found and found["skip"] is not None:
            self.offset = found.end()
            found = _TOKEN.match(self.text, self.offset)
        if not found:
            raise NotValid("PHP beyond plain literals", line_number(self.text, self.offset))
        self.offset = found.end()
        return t.cast(str, found.lastgroup), found[t.cast(str, found.lastgroup)]

    def expect(self, *marks: str) -> None:
        """Passes these marks."""
        for mark in marks:
            if self.next() != ("mark", mark):
                raise NotValid(f"no {mark} where one is needed", line_number(self.text, self.offset))

    def value(self) -> t.Any:
        """One literal."""
        kind, text = self.next()
        if kind == "string":
            return re.sub(r"\\([\\'])", r"\1", text)
        if kind == "int":
            return int(text)
        if kind == "word":
            return text == "true"
        if text == "array":
            return self.array()
        raise NotValid("no literal where one is needed", line_number(self.text, self.offset))

    def array(self) -> t.Any:
        """A list, or a dict where the first element has a key."""
        self.expect("(")
        items: list[t.Any] = []
        pairs: dict[t.Any, t.Any] = {}
        while not self._closes():
            item = self.value()
            kind_and_text = self.next()
            if kind_and_text == ("mark", "=>"):
                pairs[item] = self.value()
                self.expect(",")
            elif kind_and_text == ("mark", ","):
                items.append(item)
            else:
                raise NotValid("no comma after an element", line_number(self.text, self.offset))
        return pairs or items

    def _closes(self) -> bool:
        before = self.offset
        if self.next() == ("mark", ")"):
            return True
        self.offset = before
        return False
