# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several dialects share: values as plain words, comment lines, line ends."""

from __future__ import annotations

import re
import typing as t

from .base import CannotCarry, Value, refuse_line_breaks

BOM = "\ufeff"
ASCII_BLANKS = " \t\n\r\v\f"


def plain(value: Value) -> str:
    """``true``/``false``, digits, or the string itself. Raises CannotCarry for a list or a dict."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str)):
        return str(value)
    raise CannotCarry("only a string, a number or true/false can be written here")


def one_line(value: Value) -> str:
    """``plain``, for dialects that end a value at the end of its line. Raises CannotCarry."""
    text = plain(value)
    refuse_line_breaks(text)
    return text


def refuse_edge_blanks(text: str, blanks: str | None = ASCII_BLANKS) -> None:
    """For parsers that strip a value; None: of every blank that Python knows. Raises CannotCarry."""
    if text != text.strip(blanks):
        raise CannotCarry("blanks at either end are stripped here")


def with_backslashes(text: str, special: str) -> str:
    """A backslash before each special character (the backslash has to be among them)."""
    return "".join("\\" + char if char in special else char for char in text)


def comment_lines(text: str, mark: str = "#") -> str:
    """Each line of the text as a comment line."""
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.splitlines())


def line_end(text: str) -> str:
    """The line end that a text uses: that of its first line; LF when it has none."""
    found = re.search(r"\r?\n", text)
    return found.group() if found else "\n"


def line_number(text: str, offset: int) -> int:
    """The line, counted from 1, that holds the character at this offset."""
    return text.count("\n", 0, offset) + 1


class Lines:
    """The lines of a text one after the other, each with its offset; what ``plain`` matches comes at once, marked as such.

    A byte order mark belongs to no line.
    """

    def __init__(self, text: str, plain: t.Pattern[str] | None = None) -> None:
        self._text, self._plain = text, plain
        self._offset = 1 if text.startswith(BOM) else 0

    def __iter__(self) -> t.Iterator[tuple[int, str, bool]]:
        while self._offset < len(self._text):
            found = self._plain.match(self._text, self._offset) if self._plain else None
            if found:
                self._offset = found.end()
                yield found.start(), found.group(), True
            else:
                yield (*self.line(), False)

    def line(self) -> tuple[int, str]:
        """The next line; an empty one at the end of the text."""
        start = self._offset
        self._offset = self._text.find("\n", start) + 1 or len(self._text)
        return start, self._text[start : self._offset]


def lines_of(text: str) -> t.Iterator[tuple[int, str]]:
    """Each line with its end, and the offset of its first character. A byte order mark belongs to no line."""
    offset = 1 if text.startswith(BOM) else 0
    while offset < len(text):
        end = text.find("\n", offset) + 1 or len(text)
        yield offset, text[offset:end]
        offset = end
