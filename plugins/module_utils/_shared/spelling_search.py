# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds forms of secrets in texts, whole or in pieces, in time that grows with the texts and with nothing else.

Every ``FRAGMENT`` characters in a row of a form are put into a table. A text is walked once; where enough of its positions in a row begin
with something from the table, that stretch is a piece of a form. (Two forms that continue each other hide a little too much, never too little.)
"""

from __future__ import annotations

import re
import typing as t

from .spellings import ORDINARY
from .visible import can_be_seen

# So many characters in a row of what was sent are taken for a part of it: a server may cut what it says back.
FRAGMENT = 8
# An escape of ours (see visible.py), or one that looks like it.
_ESCAPE = r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U000[0-9a-f]{5}|\\U0010[0-9a-f]{4}"
# What a word may stand between when it stands alone.
_BEFORE, _AFTER = r"(?<![^\s\"'`(<\[{=:,;|])", r"(?=[\s\"'`)>\]},;:!?|]|\.(?:\s|\Z)|\Z)"

Columns: t.TypeAlias = "t.List[int]"


class Net:
    """``known`` are forms of secrets in clear, of which half must not show; ``sent`` others, of which no piece must; ``alone``
    those that count only where they stand alone, as words; ``exact`` those that are little more than blanks and count as they are."""

    def __init__(
        self, known: t.Iterable[str], sent: t.Iterable[str], alone: t.Iterable[str] = (), exact: t.Iterable[str] = ()
    ) -> None:
        self._least: dict[str, int] = {}
        self._telling: set[str] = set()
        self._short: dict[int, set[str]] = {}
        self._whole = set(map(_squeezed, known))
        self._ordinary = {form for form in self._whole if any(form in word for word in ORDINARY)}
        # The least that is wanted of a window has the last word.
        for form in sorted(self._whole - self._ordinary, key=len, reverse=True):
            self._take(form, max(FRAGMENT, len(form) // 2))
        for form in set(map(_squeezed, sent)):
            self._telling.update(self._take(form, FRAGMENT))
        # The beginnings of all there is in the tables, as long as the shortest of it.
        self._width = min([*self._short, FRAGMENT])
        self._firsts: t.Collection[str] = self._least.keys()
        if self._short:
            self._firsts = {window[: self._width] for table in (self._least, *self._short.values()) for window in table}
        words = sorted({form for form in alone if form} | self._spelled_ordinary(alone), key=len, reverse=True)
        self._exact = "|".join(map(re.escape, exact))
        self._words = _BEFORE + "(?:" + "|".join(map(re.escape, words)) + ")" + _AFTER if words else ""

    def _spelled_ordinary(self, alone: t.Iterable[str]) -> set[str]:
        return {
            form
            for word in alone
            for form in (word.upper(), word.lower(), word.capitalize())
            if word.casefold() in self._ordinary
        }

    def _take(self, form: str, least: int) -> list[str]:
        """Put a form into the table. ``least``: how much of it in a row is too much."""
        if 0 < len(form) < FRAGMENT:
            self._short.setdefault(len(form), set()).add(form)
        windows = _windows(form, FRAGMENT)
        self._least.update(dict.fromkeys(windows, least))
        return windows

    def has_nothing(self, text: str) -> bool:
        """Whether it is certain that none of it is in this text, nor in any part of it."""
        return not (self._words or self._exact) and not self._begins_in(text)

    def _begins_in(self, text: str) -> bool:
        return any(map(self._firsts.__contains__, _windows(_squeezed(text), self._width)))

    def replaced(self, texts: t.Sequence[str], stars: str, alone: bool) -> list[str]:
        """``texts``, each with ``stars`` in the place of what was found; also what begins in one and goes on in the next."""
        shown = [re.sub(self._exact, stars, text) for text in texts] if self._exact else list(texts)
        texts = list(shown)
        hidden = self._hidden("".join(texts)) if self._firsts else b""
        if hidden:
            start = 0
            for number, text in enumerate(texts):
                part = hidden[start : start + len(text)]
                start += len(text)
                if any(part):
                    shown[number] = _starred(text, part, stars)
        return [re.sub(self._words, stars, text) for text in shown] if alone and self._words else shown

    def _hidden(self, text: str) -> bytes:
        """One byte a column: 1 where it is to be hidden. Empty where nothing is: nearly always, and no closer look is needed."""
        if not self._begins_in(text):
            return b""
        squeezed, columns = letters(text)
        hidden = bytearray(len(text))
        for start, end in self._runs(squeezed):
            for column in columns[start:end]:
                hidden[column] = 1
        return bytes(hidden)

    def _runs(self, text: str) -> t.Iterator[tuple[int, int]]:
        """Where the pieces begin and end."""
        for width, forms in self._short.items():
            yield from ((at, at + width) for at, window in enumerate(_windows(text, width)) if window in forms)
        windows = [*_windows(text, FRAGMENT), ""] if self._least else []
        begin = -1
        for at, window in enumerate(windows):
            if window in self._least:
                begin = at if begin < 0 else begin
            elif begin >= 0:
                for start, end in _long_enough(begin, [self._least[window] for window in windows[begin:at]]):
                    piece = text[start:end]
                    if self._tells(piece) or not self._telling.isdisjoint(_windows(piece, FRAGMENT)):
                        yield start, end
                begin = -1

    def _tells(self, piece: str) -> bool:
        """A part of a secret that is nothing but a part of an ordinary word tells nobody anything."""
        return piece in self._whole or not any(piece in word for word in ORDINARY)


def _long_enough(begin: int, least: t.Sequence[int]) -> t.Iterator[tuple[int, int]]:
    """Of windows in a row, those that together are as long as each of them wants. Where one wants more, it is none of the piece."""
    rows = [(begin, list(least))]
    while rows:
        begin, wanted = rows.pop()
        length = len(wanted) + FRAGMENT - 1
        if max(wanted) <= length:
            yield begin, begin + length
            continue
        start = 0
        for at, want in enumerate([*wanted, length + 1]):
            if want > length:
                rows += [(begin + start, wanted[start:at])] if at > start else []
                start = at + 1


def _windows(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(len(text) - width + 1)]


def _squeezed(text: str) -> str:
    """The letters alone; the same as :func:`letters` has them, without walking the text where that is not needed."""
    if "\\" in text:
        text = re.sub(_ESCAPE, _kept, text)
    if not text.isprintable():
        text = "".join([char for char in text if can_be_seen(char)])
    return "".join(text.split()).casefold()


def _kept(escape: re.Match[str]) -> str:
    return escape.group() if can_be_seen(chr(int(escape.group()[2:], 16))) else ""


def letters(text: str) -> tuple[str, Columns]:
    """``text`` without blanks and without what cannot be seen (escaped or not), in lower case; and the column that each letter is from."""
    skipped: set[int] = set()
    if "\\" in text:
        for found in re.finditer(_ESCAPE, text):
            if not can_be_seen(chr(int(found.group()[2:], 16))):
                skipped.update(range(*found.span()))
    kept: list[str] = []
    columns: Columns = []
    for column, char in enumerate(text):
        if column not in skipped and not char.isspace() and can_be_seen(char):
            for letter in char.casefold():
                kept.append(letter)
                columns.append(column)
    return "".join(kept), columns


def _starred(text: str, hidden: t.Sequence[int], stars: str) -> str:
    """``text`` with stars in the place of each run of hidden columns, blanks between them included."""
    shown: list[str] = []
    for column, char in enumerate(text):
        between = char.isspace() and 0 < column < len(text) - 1 and hidden[column - 1] and hidden[column + 1]
        if not hidden[column] and not between:
            shown.append(char)
        elif not shown or shown[-1] is not stars:
            shown.append(stars)
    return "".join(shown)
