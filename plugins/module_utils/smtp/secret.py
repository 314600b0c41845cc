# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that cannot print itself, and the net that catches it when a server says it back."""

from __future__ import annotations

import base64
import re
import typing as t
import urllib.parse

HIDDEN = "********"


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
    """Replaces every known secret, in each encoding a server may echo, by stars."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def learn(self, username: str, secret: Secret) -> None:
        """Know a login: the secret itself and everything PLAIN and LOGIN turn it into."""
        text = secret.reveal()
        if not text:
            return
        self._forms.update((text, urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text)))
        # A reply that is not UTF-8 is shown as latin-1 (see reply.py): the secret then looks like this.
        self._forms.add(text.encode("utf-8").decode("latin-1"))
        self._forms.add(text.encode("unicode_escape").decode("ascii"))
        for blob in (text, "\0" + username + "\0" + text, username + "\0" + username + "\0" + text):
            self._learn_bytes(blob.encode("utf-8"))

    def learn_line(self, text: str) -> None:
        """Know one line that was sent while logging in, such as a CRAM-MD5 answer."""
        if len(text) > 3:
            self._forms.add(text)

    def _learn_bytes(self, data: bytes) -> None:
        self._forms.add(data.hex())
        for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
            text = encoded.decode("ascii")
            self._forms.update((text, text.rstrip("=")))

    def text(self, text: str) -> str:
        """``text`` with each secret replaced; upper and lower case are alike."""
        if not self._forms:
            return text
        longest_first = sorted(self._forms, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text, flags=re.IGNORECASE)

    def clean(self, value: t.Any, keep: t.Collection[str] = ()) -> t.Any:
        """The same for the values of lists and dicts; those under the keys in ``keep`` are words of ours and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.clean(item, keep) for item in value]
        if isinstance(value, dict):
            return {key: item if key in keep else self.clean(item, keep) for key, item in value.items()}
        return value
