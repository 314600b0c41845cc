# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP replies: bytes in, :class:`Reply` and :class:`Capabilities` out. No sockets, no policy (RFC 5321 4.2)."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from ..._shared.text import enhanced_code
from ..._shared.visible import visible
from .bounds import MORE

# RFC 5321 4.5.3.1.5 allows 512 octets a reply line; real servers send more. No reply of a sane server comes near 64 KiB.
MAX_LINE = 4096
MAX_REPLY = 65536

# What is looked at and shown of the words of a reply: real ones have some hundred characters, and patterns are held against them.
MAX_TEXT = 4000

# Replies are taken apart without patterns: compiling some takes longer than a whole conversation on the same host.


class Malformed(Exception):
    """The peer sent bytes that are not an SMTP reply. ``shown`` is the beginning of them, printable."""

    def __init__(self, why: str, data: bytes) -> None:
        super().__init__(why)
        self.why = why
        self.shown = printable(data[:120])


def printable(data: bytes) -> str:
    """Text of a server, safe for a terminal: UTF-8, else latin-1, with what cannot be seen escaped."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return visible(text)


class Reply(NamedTuple):
    """One complete server reply. Decide on :attr:`kind`, not on single codes."""

    code: int
    lines: t.Tuple[str, ...]

    @property
    def kind(self) -> int:
        """First digit: 2 done, 3 go on, 4 try later, 5 no (RFC 5321 4.2.1)."""
        return self.code // 100

    @property
    def enhanced(self) -> str:
        """RFC 3463 code of the last line that has one, as ``5.7.8``; empty where there is none."""
        found = list(filter(None, map(enhanced_code, self.lines)))
        return found[-1] if found else ""

    @property
    def text(self) -> str:
        """The words, without the enhanced code that each line repeats; of very many the first."""
        words: list[str] = []
        size = 0
        for line in self.lines:
            words.append(line[len(enhanced_code(line)) :].strip())
            size += len(words[-1]) + 1
            if size > MAX_TEXT:
                return " ".join(words).strip()[:MAX_TEXT] + MORE
        return " ".join(words).strip()

    def __str__(self) -> str:
        return ("%d %s %s" % (self.code, self.enhanced, self.text)).replace("  ", " ").strip()


class ReplyParser:
    """Collects bytes until a reply is whole. Holds at most ``MAX_REPLY`` bytes and one network read."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._lines: list[bytes] = []
        self._code = b""
        self._size = 0

    @property
    def pending(self) -> int:
        """How many bytes were received that are not yet part of a returned reply."""
        return self._size + len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._data += data

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None if more bytes are needed. Raises :class:`Malformed`."""
        while True:
            end = self._data.find(b"\n")
            self._check(end)
            if end < 0:
                return None
            line = bytes(self._data[:end]).rstrip(b"\r")
            del self._data[: end + 1]
            reply = self._take(line)
            if reply is not None:
                return reply

    def _check(self, end: int) -> None:
        """What can be known of a line by its beginning and its length, whether or not its end (-1) has arrived: the same, however it is cut."""
        # A TLS record has no newline to wait for, and a reply starts with a digit.
        if self._data and not 0x32 <= self._data[0] <= 0x35:
            raise Malformed(
                "something that is not a reply", bytes(self._data[: end if end >= 0 else None]).rstrip(b"\r")
            )
        if (end if end >= 0 else len(self._data)) > MAX_LINE:
            raise Malformed("a line of more than %d bytes" % MAX_LINE, bytes(self._data[:MAX_LINE]))

    def _take(self, line: bytes) -> Reply | None:
        code, mark, text = line[:3], line[3:4], line[4:]
        self._size += len(line)
        if len(code) != 3 or not code.isdigit() or code[:1] not in b"2345" or mark not in (b"", b" ", b"-"):
            raise Malformed("something that is not a reply", line)
        if self._size > MAX_REPLY:
            raise Malformed("one reply of more than %d bytes" % MAX_REPLY, line)
        if self._lines and code != self._code:
            # RFC 5321 4.2.1: every line of a multi-line reply carries the same code.
            raise Malformed("a reply that changes its code half way", line)
        self._code = code
        self._lines.append(text)
        if mark == b"-":
            return None
        reply = Reply(int(self._code), tuple(map(printable, self._lines)))
        self._lines, self._size = [], 0
        return reply


class Capabilities(NamedTuple):
    """What the last EHLO offered, keyword to parameters. Empty before EHLO and after HELO."""

    words: t.Dict[str, str]

    @classmethod
    def from_reply(cls, reply: Reply) -> Capabilities:
        """Read the lines after the first (RFC 5321 4.1.1.1), and the old ``AUTH=LOGIN`` spelling."""
        words: dict[str, list[str]] = {}
        for line in reply.lines[1:]:
            keyword, _gap, params = line.strip().replace("=", " ", 1).partition(" ")
            keyword = keyword.upper()
            if keyword and (keyword not in words or keyword == "AUTH"):
                words.setdefault(keyword, []).append(params.strip())
        return cls({keyword: " ".join(filter(None, params)) for keyword, params in words.items()})

    def offers(self, keyword: str) -> bool:
        """Whether this extension was listed."""
        return keyword in self.words

    @property
    def auth(self) -> tuple[str, ...]:
        """The login mechanisms offered, in the server's order."""
        return tuple(dict.fromkeys(self.words.get("AUTH", "").upper().split()))

    @property
    def masked(self) -> bool:
        """A firewall has overwritten a keyword: ``XXXXXXXA`` where STARTTLS was."""
        return any(word.startswith("XXXX") and len(word.lstrip("X")) < 2 for word in self.words)
