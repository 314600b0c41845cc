# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversation is made of: the things that it asks of the world, commands, and what a refusal is."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from .failure import Failure
from .log import ConversationLog
from .reply import Reply

_CONTROL = frozenset(map(chr, [*range(0x20), 0x7F]))


class SmtpCommand(NamedTuple):
    """What goes on the wire, with its line end, and what a transcript may print of it."""

    line: bytes
    shown: str


class Resolve(NamedTuple):
    """Look the name up; answered with the addresses."""


class Connect(NamedTuple):
    """Open the connection; answered with a :class:`.record.Peer`."""


class Tunnel(NamedTuple):
    """Have the proxy connect to the relay; answered when it has."""


class StartTls(NamedTuple):
    """Secure the connection now; answered with what TLS settled on."""


class Send(NamedTuple):
    """Send commands, in one group where there are several (RFC 2920). Not answered."""

    commands: t.Tuple[SmtpCommand, ...]


class AwaitReply(NamedTuple):
    """Wait for the next reply; answered with it."""


class Patience(NamedTuple):
    """From here on wait at most so many seconds in all (None: what the deadline allows). Not answered."""

    seconds: t.Optional[float]


class Compute(NamedTuple):
    """Do this work, which does not raise, as long as there is time for it; answered with what it returns."""

    work: t.Callable[[], t.Any]


Action: t.TypeAlias = "t.Union[Resolve, Connect, Tunnel, StartTls, Send, AwaitReply, Patience, Compute]"
Dialogue: t.TypeAlias = "t.Generator[Action, t.Any, None]"
Asking: t.TypeAlias = "t.Generator[Action, t.Any, Reply]"


def command(verb: str, argument: str = "", shown: str = "") -> SmtpCommand:
    """The only place where commands are made: no control character gets past it (command injection)."""
    line = verb + " " + argument if argument else verb
    if not _CONTROL.isdisjoint(line):
        raise Failure("protocol_error", detail=f"{verb}: control characters are not allowed in a command")
    return SmtpCommand(line.encode("utf-8") + b"\r\n", shown or line)


def ask(record: ConversationLog, line: SmtpCommand) -> Asking:
    """Send one command and wait for its reply."""
    yield Send((line,))
    reply: Reply = yield AwaitReply()
    record.reply = reply
    return reply


def require(reply: Reply, kind: int, otherwise: str, **facts: t.Any) -> None:
    """Raise :class:`Failure` unless the reply's first digit is ``kind``."""
    if reply.kind != kind:
        raise refused(reply, otherwise, **facts)


def refused(reply: Reply, category: str, **facts: t.Any) -> Failure:
    """What a refusal is."""
    # RFC 5321 3.8: 421 means that the server is going away, whatever was asked.
    return Failure("server_busy" if reply.code == 421 else category, reply, **facts)
