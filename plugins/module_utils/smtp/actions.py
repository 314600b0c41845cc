# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversation is made of: the things that it asks of the world, commands, and what a refusal is."""

from __future__ import annotations

import re
import typing as t

from .failure import Failure
from .record import Record
from .reply import Reply

_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Command(t.NamedTuple):
    """What goes on the wire, with its line end, and what a transcript may print of it."""

    line: bytes
    shown: str


class Resolve(t.NamedTuple):
    """Look the name up; answered with the addresses."""


class Connect(t.NamedTuple):
    """Open the connection; answered with a :class:`Peer`."""


class Tunnel(t.NamedTuple):
    """Have the proxy connect to the relay; answered when it has."""


class StartTls(t.NamedTuple):
    """Secure the connection now; answered with what TLS settled on."""


class Send(t.NamedTuple):
    """Send commands, in one group where there are several (RFC 2920). Not answered."""

    commands: t.Tuple[Command, ...]


class AwaitReply(t.NamedTuple):
    """Wait for the next reply; answered with it."""


class Patience(t.NamedTuple):
    """From here on wait at most so many seconds in all (None: what the deadline allows). Not answered."""

    seconds: t.Optional[float]


class Peer(t.NamedTuple):
    """The two ends of the connection."""

    ip: str
    local_ip: str
    loopback: bool


class Compute(t.NamedTuple):
    """Do this work, which does not raise, as long as there is time for it; answered with what it returns."""

    work: t.Callable[[], t.Any]


Action = t.Union[Resolve, Connect, Tunnel, StartTls, Send, AwaitReply, Patience, Compute]
Dialogue = t.Generator[Action, t.Any, None]
Asking = t.Generator[Action, t.Any, Reply]


def command(verb: str, argument: str = "", shown: str = "") -> Command:
    """The only place where commands are made: no control character gets past it (command injection)."""
    line = verb + " " + argument if argument else verb
    if _CONTROL.search(line):
        raise Failure("protocol_error", detail="%s: control characters are not allowed in a command" % verb)
    return Command(line.encode("utf-8") + b"\r\n", shown or line)


def ask(record: Record, line: Command) -> Asking:
    """Send one command and wait for its reply."""
    yield Send((line,))
    record.reply = yield AwaitReply()
    return record.reply


def require(reply: Reply, kind: int, otherwise: str, **facts: t.Any) -> None:
    """Raise :class:`Failure` unless the reply's first digit is ``kind``."""
    if reply.kind != kind:
        raise refused(reply, otherwise, **facts)


def refused(reply: Reply, category: str, **facts: t.Any) -> Failure:
    """What a refusal is."""
    # RFC 5321 3.8: 421 means that the server is going away, whatever was asked.
    return Failure("server_busy" if reply.code == 421 else category, reply, **facts)
