# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that cannot print itself, and the net that catches it when a server says it back."""

from __future__ import annotations

import typing as t

from .spelling_search import Net, letters
from .spellings import ORDINARY, spellings, within_base64
from .text import enhanced_code
from .visible import visible

HIDDEN = "********"  # in what others wrote
SHOWN_SECRET = "(secret)"  # in what we write ourselves

# Fewer characters than this are everywhere in every text.
FEW = 4


class Secret:
    """Holds a password or token. Only :meth:`reveal` gives it out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The plain text, for the one line that writes it into a file or puts it on the wire."""
        return self._text

    def __repr__(self) -> str:
        return SHOWN_SECRET

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return SHOWN_SECRET

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> t.NoReturn:
        raise TypeError("a secret is not pickled")


class Redactor:
    """Replaces every known secret by stars, however a server spells it, cuts it or spreads it over lines.

    A secret of few characters, or one that is a part of an ordinary word, is replaced only where it stands alone: stars in the middle of
    words that everybody knows would tell what they hide. :meth:`clean` leaves even that out in sentences of ours.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._sent: set[str] = set()
        self._lines: set[str] = set()
        self._alone: set[str] = set()
        self._exact: set[str] = set()
        self._net: Net | None = None

    def learn(self, username: str, secret: Secret) -> None:
        """Know a login: the secret itself and everything PLAIN turns it into."""
        text = secret.reveal()
        if not text:
            return
        self._net = None
        few = len(text) < FEW
        if not few and len(letters(text)[0]) < FEW:
            self._exact.add(text)
        elif few or any(text.casefold() in word for word in ORDINARY):
            self._alone.add(text)
        if few:
            # Where there is too little of them in another spelling, it could be anything: 31 is "1" in hexadecimal, and a minute.
            self._alone.update(form for form in spellings(text) | {text.encode("utf-8").hex()} if len(form) >= FEW)
        elif text not in self._exact:
            self._known.add(text)
        for blob in (text, "\0" + username + "\0" + text, username + "\0" + username + "\0" + text):
            if blob is not text or not few:
                self._sent.update(within_base64(blob.encode("utf-8")), (blob.encode("utf-8").hex(),))

    def learn_token(self, secret: Secret) -> None:
        """Know a token or a client secret; of a JWT what follows its head, which is no secret: claims and signature."""
        _head, dot, rest = secret.reveal().partition(".")
        if dot and "." in rest:
            self.learn_line(rest)
        else:
            self.learn("", secret)

    def learn_line(self, text: str) -> None:
        """Know one line that was sent while logging in, such as a CRAM-MD5 answer."""
        if len(text) > 3 and text not in self._alone:
            self._lines.add(text)
            self._net = None

    def _ready(self) -> Net:
        if self._net is None:
            known = {
                form for text in self._known for form in spellings(text, fully=True) | {text.upper(), visible(text)}
            }
            sent = self._sent | {form for text in self._lines for form in spellings(text)}
            self._net = Net(known, sent, self._alone, self._exact)
        return self._net

    def texts(self, texts: t.Sequence[str], ours: bool = False) -> list[str]:
        """``texts`` with each secret replaced, also where one begins in a text and goes on in the next.

        Blanks, line ends, what cannot be seen and upper case make no difference. ``ours``: these are sentences of ours.
        """
        if not self._knows_any():
            return list(texts)
        return self._ready().replaced(texts, HIDDEN, alone=not ours)

    def text(self, text: str, ours: bool = False) -> str:
        """The same for one text."""
        return self.texts((text,), ours)[0]

    def transcript(self, lines: t.Sequence[str]) -> list[str]:
        """The same for lines such as ``S: 535-5.7.8 text``: what the server says is also looked at without what begins each line."""
        said = [number for number, line in enumerate(lines) if line.startswith("S: ")]
        cleaned = list(lines)
        for columns in (_after_code, _after_enhanced):
            parts = [columns(cleaned[number]) for number in said]
            for number, at, text in zip(
                said, parts, self.texts([cleaned[number][at:] for number, at in zip(said, parts)])
            ):
                cleaned[number] = cleaned[number][:at] + text
        return [self.text(line, ours=not line.startswith("S: ")) for line in cleaned]

    def clean(self, value: t.Any, keep: t.Collection[str] = (), ours: t.Collection[str] = ()) -> t.Any:
        """The same for the values of lists and dicts. Those under the keys in ``keep`` are words of ours and stay, those in ``ours`` sentences."""
        # Nearly always there is nothing in any of it, and one look tells.
        if not self._knows_any() or self._ready().has_nothing("".join(_strings(value))):
            return value
        return self._cleaned(value, keep, ours, False)

    def _cleaned(self, value: t.Any, keep: t.Collection[str], ours: t.Collection[str], own: bool) -> t.Any:
        if isinstance(value, str):
            return self.text(value, own)
        if isinstance(value, (list, tuple)):
            if all(isinstance(item, str) for item in value):
                return self.texts(value, own)
            return [self._cleaned(item, keep, ours, own) for item in value]
        if isinstance(value, dict):
            return {
                key: item if key in keep else self._cleaned(item, keep, ours, own or key in ours)
                for key, item in value.items()
            }
        return value

    def _knows_any(self) -> bool:
        return bool(self._known or self._sent or self._lines or self._alone or self._exact)


def _strings(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _after_code(line: str) -> int:
    return len("S: 250-")


def _after_enhanced(line: str) -> int:
    code = enhanced_code(line[len("S: 250-") :])
    return len("S: 250-") + (len(code) + 1 if code else 0)
