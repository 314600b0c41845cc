# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that cannot print itself, and the net that catches it when a server says it back."""

from __future__ import annotations

from .light import TYPE_CHECKING
from .spellings import spellings, within_base64

if TYPE_CHECKING:
    import typing as t

HIDDEN = "********"

# So many characters in a row of what was sent are taken for a part of it: a server may cut what it says back.
FRAGMENT = 8
# Words of our own sentences. A part of a secret that is nothing but one of them tells nobody anything.
ORDINARY = ("password", "username", "credentials", "authentication", "certificate", "connection")


class Secret:
    """Holds a password or token. Only :meth:`reveal` gives it out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The plain text, for the one line that puts it on the wire."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce__(self) -> t.NoReturn:
        raise TypeError("a Secret is not written out")


class Redactor:
    """Replaces every known secret by stars, however a server spells it, cuts it or spreads it over lines."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._sent: set[str] = set()
        self._index: dict[int, set[str]] | None = None
        self._shortest = 0
        self._starts: set[str] = set()

    def learn(self, username: str, secret: Secret) -> None:
        """Know a login: the secret itself and everything PLAIN turns it into."""
        text = secret.reveal()
        if text:
            self._known.add(text)
            for blob in (text, "\0" + username + "\0" + text, username + "\0" + username + "\0" + text):
                self._sent.update(within_base64(blob.encode("utf-8")), (blob.encode("utf-8").hex(),))
            self._index = None

    def learn_token(self, secret: Secret) -> None:
        """Know a token or a client secret, and the telling parts of a JWT: its head is no secret, its claims and signature are."""
        self.learn("", secret)
        for part in secret.reveal().split(".")[1:]:
            self.learn_line(part)

    def learn_line(self, text: str) -> None:
        """Know one line that was sent while logging in, such as a CRAM-MD5 answer."""
        if len(text) > 3:
            self._sent.update(spellings(text))
            self._index = None

    def _pieces(self) -> dict[int, set[str]]:
        """Length to the pieces of that length that must not show: half of the secret in clear, 8 characters of a blob."""
        if self._index is not None:
            return self._index
        pieces: dict[int, set[str]] = {}
        for known in self._known:
            for form in map(_squeeze, spellings(known) | {known.upper()}):
                _cut(form, max(FRAGMENT, len(form) // 2), pieces, ORDINARY)
        for form in map(_squeeze, self._sent):
            _cut(form, FRAGMENT, pieces)
        self._index, self._shortest = pieces, min(pieces, default=0)
        self._starts = {piece[: self._shortest] for some in pieces.values() for piece in some}
        return pieces

    def _suspicious(self, squeezed: str) -> bool:
        """Whether a closer look is needed; nearly always not, and this is quick."""
        self._pieces()
        length = self._shortest
        return not self._starts.isdisjoint([squeezed[start : start + length] for start in range(len(squeezed) - length + 1)])

    def texts(self, texts: t.Sequence[str]) -> list[str]:
        """``texts`` with each secret replaced, also where one begins in a text and goes on in the next.

        Blanks, line ends and upper case make no difference.
        """
        if not self._suspicious(_squeeze("".join(texts))):
            return list(texts)
        letters: list[str] = []
        places: list[tuple[int, int]] = []
        for number, text in enumerate(texts):
            for column, char in enumerate(text):
                if not char.isspace():
                    for letter in char.casefold():
                        letters.append(letter)
                        places.append((number, column))
        squeezed = "".join(letters)
        covered = {
            place
            for length, pieces in self._pieces().items()
            for start in range(len(squeezed) - length + 1)
            if squeezed[start : start + length] in pieces
            for place in places[start : start + length]
        }
        return [_starred(text, {column for number, column in covered if number == index}) for index, text in enumerate(texts)]

    def text(self, text: str) -> str:
        """The same for one text."""
        return self.texts((text,))[0]

    def transcript(self, lines: t.Sequence[str]) -> list[str]:
        """The same for lines such as ``S: 535-5.7.8 text``: what the server says is also looked at without what begins each line."""
        said = [number for number, line in enumerate(lines) if line.startswith("S: ")]
        cleaned = list(lines)
        for columns in (len("S: 250-"), len("S: 250-5.7.8 ")):
            texts = self.texts([cleaned[number][columns:] for number in said])
            for number, text in zip(said, texts):
                cleaned[number] = cleaned[number][:columns] + text
        return [self.text(line) for line in cleaned]

    def clean(self, value: t.Any, keep: t.Collection[str] = ()) -> t.Any:
        """The same for the values of lists and dicts; those under the keys in ``keep`` are words of ours and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.clean(item, keep) for item in value]
        if isinstance(value, dict):
            return {key: item if key in keep else self.clean(item, keep) for key, item in value.items()}
        return value


def _squeeze(text: str) -> str:
    return "".join(text.split()).casefold()


def _cut(form: str, length: int, pieces: dict[int, set[str]], ordinary: t.Sequence[str] = ()) -> None:
    """Add the pieces of this length, or the whole where it is shorter; parts that are but a part of an ordinary word are left out."""
    if form:
        length = min(length, len(form))
        cut = {form[start : start + length] for start in range(len(form) - length + 1)}
        if ordinary:
            cut = {piece for piece in cut if not any(piece in word for word in ordinary)}
        pieces.setdefault(len(form), set()).add(form)
        pieces.setdefault(length, set()).update(cut)


def _starred(text: str, columns: t.Collection[int]) -> str:
    """``text`` with stars in the place of each run of ``columns``, blanks between them included."""
    shown: list[str] = []
    for column, char in enumerate(text):
        hidden = column in columns or (char.isspace() and column - 1 in columns and column + 1 in columns)
        if not hidden:
            shown.append(char)
        elif not shown or shown[-1] is not HIDDEN:
            shown.append(HIDDEN)
    return "".join(shown)
