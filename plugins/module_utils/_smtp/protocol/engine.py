# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a dialogue against bytes. The only object that a transport talks to; never touches a socket itself."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from .commands import AwaitReply, Dialogue, Patience, Send, StartTls
from .failure import Failure
from .reply import Malformed, Reply, ReplyParser

if t.TYPE_CHECKING:
    from .commands import Compute, Connect, Resolve, Tunnel

# Of one conversation: a thousand recipients do not come near it.
MAX_RECEIVED = 1048576

Trace: t.TypeAlias = "t.Callable[[str, str], None]"


class Write(NamedTuple):
    """Send these bytes."""

    data: bytes


class Read(NamedTuple):
    """Wait for bytes and hand them to :meth:`Engine.received`."""


class Close(NamedTuple):
    """The conversation is over."""


Effect: t.TypeAlias = "t.Union[Resolve, Connect, Tunnel, Write, Read, StartTls, Patience, Compute, Close]"

if t.TYPE_CHECKING:

    class AnyEngine(t.Protocol):
        """What a transport carries out: SMTP's engine, or HTTP's."""

        def start(self) -> list[Effect]: ...
        def answered(self, answer: t.Any) -> list[Effect]: ...
        def received(self, data: bytes) -> list[Effect]: ...
        def broke(self, failure: Failure) -> list[Effect]: ...


class Engine:
    """Feed it what arrived, do what it returns. Every method returns the effects to carry out, in order."""

    def __init__(self, dialogue: Dialogue, trace: Trace) -> None:
        self._dialogue = dialogue
        self._parser = ReplyParser()
        self._trace = trace
        self._replies = 0
        self._received = 0

    def start(self) -> list[Effect]:
        """Begin."""
        return self._resume(None)

    def answered(self, answer: t.Any) -> list[Effect]:
        """What ``Resolve``, ``Connect``, ``StartTls`` or ``Compute`` came to; handed to the dialogue."""
        return self._resume(answer)

    def received(self, data: bytes) -> list[Effect]:
        """Bytes from the peer; ``b""`` means that it closed the connection."""
        if not data:
            unfinished = " in the middle of a reply" if self._parser.pending else ""
            return self.broke(Failure("disconnected", detail="the server closed the connection" + unfinished))
        self._received += len(data)
        if self._received > MAX_RECEIVED:
            category = "protocol_error" if self._replies else "not_smtp"
            return self.broke(Failure(category, detail="it sent more than %d bytes" % MAX_RECEIVED))
        self._parser.feed(data)
        try:
            reply = self._next_reply()
        except Failure as failure:
            return self.broke(failure)
        return [Read()] if reply is None else self._resume(reply)

    def broke(self, failure: Failure) -> list[Effect]:
        """Something other than a reply happened: the dialogue learns of it where it stands."""
        try:
            return self._follow(self._dialogue.throw(failure))
        except StopIteration:
            return [Close()]

    def _resume(self, answer: t.Any) -> list[Effect]:
        try:
            return self._follow(self._dialogue.send(answer))
        except StopIteration:
            return [Close()]

    def _follow(self, action: t.Any) -> list[Effect]:
        """Turn actions into effects until one must wait for the world. Raises StopIteration at the end."""
        effects: list[Effect] = []
        while True:
            try:
                answer = self._act(action, effects)
                if answer is None and not isinstance(action, (Send, Patience)):
                    return effects
                action = self._dialogue.send(answer)
            except Failure as failure:
                action = self._dialogue.throw(failure)
            except StopIteration:
                return effects + [Close()]

    def _act(self, action: t.Any, effects: list[Effect]) -> Reply | None:
        if isinstance(action, AwaitReply):
            reply = self._next_reply()
            if reply is None:
                effects.append(Read())
            return reply
        if isinstance(action, Send):
            self._nothing_unasked()
            for command in action.commands:
                self._trace("C", command.shown)
            effects.append(Write(b"".join(command.line for command in action.commands)))
            return None
        if isinstance(action, StartTls):
            self._nothing_before_tls()
            self._trace("*", "TLS handshake")
        effects.append(action)
        return None

    def _next_reply(self) -> Reply | None:
        try:
            reply = self._parser.next_reply()
        except Malformed as exc:
            self._trace("S", exc.shown)
            category = "protocol_error" if self._replies else "not_smtp"
            raise Failure(category, detail=f"it sent {exc.why}: {exc.shown}") from exc
        if reply is not None:
            self._replies += 1
            for number, line in enumerate(reply.lines, 1):
                self._trace("S", "%d%s%s" % (reply.code, "-" if number < len(reply.lines) else " ", line))
        return reply

    def _nothing_unasked(self) -> None:
        """A reply nobody asked for would be taken for the answer to the next command."""
        if not self._parser.pending:
            return
        reply = self._next_reply()
        # RFC 5321 3.8: 421 is the one reply that a server may send at any time.
        if reply is not None and reply.code == 421:
            raise Failure("server_busy", reply)
        raise Failure("protocol_error", reply, detail="it answered before it was asked", unasked=True)

    def _nothing_before_tls(self) -> None:
        """RFC 3207 4.2, CVE-2011-0411: plain text behind the 220 would be read as if it came through TLS."""
        if self._parser.pending:
            raise Failure(
                "starttls_injection", detail="%d bytes in clear text behind the go-ahead for TLS" % self._parser.pending
            )
