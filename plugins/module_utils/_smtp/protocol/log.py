# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, step by step: filled by the dialogue and the transport, read by the report."""

from __future__ import annotations

import time
import typing as t

from ..._shared.light import NamedTuple
from .bounds import FIRST, LAST, MORE, ending
from .failure import Failure
from .reply import Capabilities, Reply

if t.TYPE_CHECKING:
    from ..._shared.secret import Redactor
    from ..x509.certificate import TlsInfo
    from .answer import HttpAnswer

# A deadline that passes has its own name where the step tells more than the clock.
LATE_AT = {
    "resolve": "dns_failure",
    "connect": "connect_timeout",
    "proxy": "connect_timeout",
    "greeting": "greeting_timeout",
}

MOST_OF_LINE = 2000


class LoggedStep(NamedTuple):
    """One exchange; ``ms`` is how long it took."""

    name: str
    ok: bool
    reply: t.Union[Reply, HttpAnswer, None]
    ms: float


class Address(NamedTuple):
    """One address of the name, and what came of connecting to it. ``error`` is empty where it worked.

    ``category`` and ``cert_sha256`` are filled where the address was looked at alone, ``category`` also where it failed.
    """

    ip: str
    port: int
    family: str
    ok: bool
    error: str
    ms: float
    category: str = ""
    cert_sha256: str = ""


class Peer(NamedTuple):
    """The two ends of the connection."""

    ip: str
    local_ip: str
    loopback: bool


class ConversationLog:
    """The memory of one conversation."""

    def __init__(self, redactor: Redactor, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._redactor = redactor
        self.steps: list[LoggedStep] = []
        self._first: list[str] = []
        self._last: list[str] = []
        self._room = 2 * FIRST.characters
        self.lines = 0
        self.resolved: list[str] = []
        self.addresses: list[Address] = []
        self.peer: Peer = None  # type: ignore[assignment]  # set by the first thing that the dialogue does
        self.greeting: Reply | None = None
        self.reply: Reply | HttpAnswer | None = None
        self.capabilities = self.before_tls = self.after_tls = Capabilities({})
        self.tls: TlsInfo | None = None
        self.certificate = b""
        self.tried: list[str] = []
        self.mechanism = ""
        self.remarks: list[str] = []
        self.suspicion = ""
        self.warnings: list[str] = []
        self.token: dict[str, t.Any] = {}
        self.unseen: tuple[str, ...] = ()
        self.accepted: Reply | HttpAnswer | None = None
        self.senders: dict[str, Failure | None] = {}  # those whose envelope was tried, and why one was refused
        self.untested: Reply | HttpAnswer | None = (
            None  # what was said to a recipient of our own choice, which proves nothing
        )
        self.quit_sent = False
        self.reached = ""
        self.failure: Failure | None = None
        self.dane: dict[str, t.Any] = {}
        self.mta_sts: dict[str, t.Any] = {}
        self.exchangers: tuple[str, ...] = ()

    def trace(self, who: str, text: str) -> None:
        """Add a line to the transcript: ``C`` we said, ``S`` the server said, ``*`` something happened."""
        self._keep(f"{who}: {text}")

    def include(self, other: ConversationLog) -> None:
        """What was said in a conversation beside this one, or inside of it, belongs into the same transcript."""
        for line in other.transcript:
            self._keep(line)

    def _keep(self, line: str) -> None:
        line = line if len(line) <= MOST_OF_LINE else line[:MOST_OF_LINE] + MORE
        self.lines += 1
        if len(self._first) < 2 * FIRST.lines and self._room > 0:
            self._first.append(line)
            self._room -= len(line)
        else:
            self._room = 0
            self._last.append(line)
            if len(self._last) > 4 * LAST.lines:
                del self._last[: -2 * LAST.lines]

    @property
    def transcript(self) -> list[str]:
        """What was said, line by line; where that is very much, its beginning and its end. ``lines`` is how many lines there were."""
        return self._first + ending(self._last, 2 * LAST.lines, 2 * LAST.characters)

    def hide(self, line: str) -> None:
        """This was sent while logging in: it must not show, should the server say it back."""
        self._redactor.learn_line(line)

    def remark(self, text: str, suspicion: str = "") -> None:
        """Something that a mechanism saw; ``suspicion`` is the category of a refusal that follows then, empty for the usual one."""
        self.remarks.append(text)
        self.suspicion = suspicion
        self.trace("*", text)

    def during(self, name: str) -> _During:
        """Everything inside is this step; the name is what the user sees."""
        return _During(self, name, self._clock)


class _During:
    """A step while it lasts."""

    def __init__(self, record: ConversationLog, name: str, clock: t.Callable[[], float]) -> None:
        self._record, self._name, self._clock = record, name, clock

    def __enter__(self) -> None:
        self._started, self._record.reply = self._clock(), None

    def __exit__(self, kind: t.Any, failure: t.Any, trace: t.Any) -> None:
        if kind is None:
            self._note(True, self._record.reply)
        elif isinstance(failure, Failure):
            failure.stage = failure.stage or self._name
            if failure.category == "deadline_exceeded":
                failure.category = LATE_AT.get(self._name, failure.category)
            self._note(False, failure.reply or self._record.reply)

    def _note(self, ok: bool, reply: t.Any) -> None:
        self._record.steps.append(LoggedStep(self._name, ok, reply, round((self._clock() - self._started) * 1000, 1)))
