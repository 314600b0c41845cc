# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP replies: bytes in, :class:`Reply` and :class:`Capabilities` out. No sockets, no policy (RFC 5321 4.2)."""

from __future__ import annotations

import re
import typing as t

# RFC 5321 4.5.3.1.5 allows 512 octets a reply line; real servers send more. No reply of a sane server comes near 64 KiB.
MAX_LINE = 4096
MAX_REPLY = 65536

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)
_ENHANCED = re.compile(r"\A([245])\.(\d{1,3})\.(\d{1,3})(?=[ :]|\Z)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_MASKED = re.compile(r"X{4,}[A-Z]?\Z")


class Malformed(Exception):
    """The peer sent bytes that are not an SMTP reply. ``shown`` is the beginning of them, printable."""

    def __init__(self, why: str, data: bytes) -> None:
        super().__init__(why)
        self.why = why
        self.shown = printable(data[:120])


def printable(data: bytes) -> str:
    """Text of a server, safe for a terminal: UTF-8, else latin-1, with control characters escaped."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return _CONTROL.sub(lambda found: "\\x%02x" % ord(found.group()), text)


class Reply(t.NamedTuple):
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
        found = [match.group(0) for match in map(_ENHANCED.match, self.lines) if match]
        return found[-1] if found else ""

    @property
    def text(self) -> str:
        """The words, without the enhanced code that each line repeats."""
        return " ".join(_ENHANCED.sub("", line, count=1).strip() for line in self.lines).strip()

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
            if end < 0:
                self._check_unfinished_line()
                return None
            line = bytes(self._data[:end]).rstrip(b"\r")
            del self._data[: end + 1]
            reply = self._take(line)
            if reply is not None:
                return reply

    def _check_unfinished_line(self) -> None:
        if len(self._data) > MAX_LINE:
            raise Malformed("a line of more than %d bytes without an end" % MAX_LINE, bytes(self._data))
        # A TLS record has no newline to wait for, and a reply starts with a digit.
        if self._data and not 0x32 <= self._data[0] <= 0x35:
            raise Malformed("something that is not a reply", bytes(self._data))

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.match(line)
        self._size += len(line)
        if match is None:
            raise Malformed("something that is not a reply", line)
        if self._size > MAX_REPLY:
            raise Malformed("one reply of more than %d bytes" % MAX_REPLY, line)
        if self._lines and match.group(1) != self._code:
            # RFC 5321 4.2.1: every line of a multi-line reply carries the same code.
            raise Malformed("a reply that changes its code half way", line)
        self._code = match.group(1)
        self._lines.append(match.group(3) or b"")
        if match.group(2) == b"-":
            return None
        reply = Reply(int(self._code), tuple(map(printable, self._lines)))
        self._lines, self._size = [], 0
        return reply


class Capabilities(t.NamedTuple):
    """What the last EHLO offered, keyword to parameters. Empty before EHLO and after HELO."""

    words: t.Dict[str, str]

    @classmethod
    def from_reply(cls, reply: Reply) -> Capabilities:
        """Read the lines after the first (RFC 5321 4.1.1.1), and the old ``AUTH=LOGIN`` spelling."""
        words: dict[str, str] = {}
        for line in reply.lines[1:]:
            keyword, _gap, params = line.strip().replace("=", " ", 1).partition(" ")
            keyword = keyword.upper()
            if keyword and (keyword not in words or keyword == "AUTH"):
                words[keyword] = (words.get(keyword, "") + " " + params).strip()
        return cls(words)

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
        return any(_MASKED.match(keyword) for keyword in self.words)
