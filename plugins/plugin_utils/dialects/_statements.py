# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements of several words, such as a ``mailserver`` of Monit or an ``action`` of OpenSMTPD: one word and its value a line.

A tree is ``{words: {"": value, more words: value, ...}}``: the words of a statement with the value right behind them, then what
follows. Words stand as they are; true is the words alone. The first line starts at the margin, the others are indented.
"""

from __future__ import annotations

import re
import typing as t

from ._text import line_number, lines_of
from .base import NotValid, Tree, Value

_LINE = re.compile(r"""(?P<words>[^"']*?)(?: (?P<value>(?P<mark>["']).*(?P=mark)|[0-9]+))?""")


def write(tree: Tree, quote: t.Callable[[Value], str], joint: str = "") -> str:
    """Each statement; ``joint`` stands at the end of a line that the next one continues."""
    return "".join(f"{joint}\n  ".join(_lines(words, statement, quote)) + "\n" for words, statement in tree.items())


def _lines(words: str, statement: t.Mapping[str, Value], quote: t.Callable[[Value], str]) -> t.Iterator[str]:
    yield _line(words, statement.get("", True), quote)
    yield from (_line(more, value, quote) for more, value in statement.items() if more)


def _line(words: str, value: Value, quote: t.Callable[[Value], str]) -> str:
    return words if value is True else f"{words} {quote(value)}"


def read(text: str, bare: t.Callable[[str], str], joint: str = "") -> Tree:
    """The statements of what ``write`` writes; raises NotValid for anything else. ``bare`` undoes ``quote``."""
    tree: dict[str, dict[str, t.Any]] = {}
    statement: dict[str, t.Any] | None = None
    for offset, line in lines_of(text):
        spelled = line.rstrip("\r\n").removesuffix(joint)
        if not spelled or spelled.startswith("#"):
            continue
        found = _LINE.fullmatch(spelled.strip())
        if not found or (spelled.startswith(" ") and statement is None):
            raise NotValid('not of the form: words "value"', line_number(text, offset))
        value = True if found["value"] is None else bare(found["value"])
        if spelled.startswith(" ") and statement is not None:
            statement[found["words"]] = value
        else:
            statement = tree[found["words"]] = {} if value is True else {"": value}
    return tree
