# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we say to the server, in order, and what each answer means. Reads like RFC 5321 section 3."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from .auth import Credential, Mechanism, Unusable, candidates
from .failure import Failure
from .record import Record
from .reply import Capabilities, Reply

LEVELS = ("connect", "tls", "auth", "envelope")

# RFC 5321 wants the client to wait for the answer to QUIT; a server that keeps us waiting has still passed.
QUIT_PATIENCE = 2.0

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_UNSUPPORTED = re.compile(
    r"unsupported|unrecogni[sz]ed|unknown|not (?:supported|implemented|recogni[sz]ed|available)|invalid mechanism", re.I
)


class Goal(t.NamedTuple):
    """How far to go, and with what. ``helo`` empty: the address we connect from (RFC 5321 4.1.4)."""

    helo: str
    security: str
    level: str
    credential: t.Optional[Credential] = None
    mechanisms: t.Tuple[str, ...] = ()
    allow_plaintext_auth: bool = False
    sender: str = ""
    recipients: t.Tuple[str, ...] = ()
    message: t.Optional[bytes] = None
    greeting_patience: t.Optional[float] = None

    def reaches(self, level: str) -> bool:
        """Whether this level is to be reached."""
        return LEVELS.index(self.level) >= LEVELS.index(level)


class Command(t.NamedTuple):
    """What goes on the wire, with its line end, and what a transcript may print of it."""

    line: bytes
    shown: str


class Resolve(t.NamedTuple):
    """Look the name up; answered with the addresses."""


class Connect(t.NamedTuple):
    """Open the connection; answered with a :class:`Peer`."""


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


Action = t.Union[Resolve, Connect, StartTls, Send, AwaitReply, Patience]
Dialogue = t.Generator[Action, t.Any, None]
Asking = t.Generator[Action, t.Any, Reply]


def command(verb: str, argument: str = "", shown: str = "") -> Command:
    """The only place where commands are made: no control character gets past it (command injection)."""
    line = verb + " " + argument if argument else verb
    if _CONTROL.search(line):
        raise Failure("protocol_error", detail="%s: control characters are not allowed in a command" % verb)
    return Command(line.encode("utf-8") + b"\r\n", shown or line)


def converse(goal: Goal, record: Record) -> Dialogue:
    """The whole conversation. Never raises: how it ended is in ``record``."""
    try:
        yield from _connect(goal, record)
        yield from _greet(goal, record)
        record.reached = "connect"
        if goal.reaches("tls"):
            yield from _starttls(goal, record)
            record.reached = "tls"
        if goal.reaches("auth") and goal.credential is not None:
            yield from _authenticate(goal, goal.credential, record)
        if goal.reaches("auth"):
            record.reached = "auth"
        if goal.reaches("envelope"):
            yield from _envelope(goal, record)
        yield from _quit(record)
    except Failure as failure:
        record.failure = failure
        if failure.reply is not None and failure.reply.code != 421 and failure.category != "protocol_error":
            yield from _quit(record)


def _connect(goal: Goal, record: Record) -> Dialogue:
    with record.during("resolve"):
        record.resolved = yield Resolve()
    with record.during("connect"):
        record.peer = yield Connect()
    if goal.security == "tls":
        with record.during("tls"):
            record.tls = yield StartTls()


def _greet(goal: Goal, record: Record) -> Dialogue:
    # Nothing is sent before the greeting: Exim and postscreen turn away those who talk first (RFC 5321 3.1).
    with record.during("greeting"):
        yield Patience(goal.greeting_patience)
        record.greeting = record.reply = yield AwaitReply()
        yield Patience(None)
        _require(record.reply, 2, "server_busy" if record.reply.kind == 4 else "greeting_rejected")
    record.before_tls = record.capabilities = yield from _ehlo(goal, record, "ehlo")
    if goal.security == "tls":
        record.before_tls, record.after_tls = Capabilities({}), record.capabilities


def _ehlo(goal: Goal, record: Record, step: str) -> t.Generator[Action, t.Any, Capabilities]:
    name = goal.helo or _literal(record.peer.local_ip)
    with record.during(step):
        reply = yield from _ask(record, command("EHLO", name))
        # RFC 5321 3.2: a server that does not know EHLO says 500 or 502, and is then greeted with HELO.
        if reply.code in (500, 502):
            reply = yield from _ask(record, command("HELO", name))
            _require(reply, 2, "ehlo_rejected", helo=name)
            return Capabilities({})
        _require(reply, 2, "ehlo_rejected", helo=name)
        return Capabilities.from_reply(reply)


def _literal(ip: str) -> str:
    return "[IPv6:%s]" % ip if ":" in ip else "[%s]" % ip


def _starttls(goal: Goal, record: Record) -> Dialogue:
    offered = record.capabilities.offers("STARTTLS")
    if goal.security not in ("starttls", "opportunistic") or (goal.security == "opportunistic" and not offered):
        return
    with record.during("starttls"):
        if not offered:
            masked = record.capabilities.masked
            raise Failure("starttls_masked" if masked else "starttls_not_offered", offered=", ".join(sorted(record.capabilities.words)))
        _require((yield from _ask(record, command("STARTTLS"))), 2, "starttls_refused")
    with record.during("tls"):
        record.tls = yield StartTls()
    # RFC 3207 4.2: forget what was said in clear text, and ask again.
    record.capabilities = Capabilities({})
    record.after_tls = record.capabilities = yield from _ehlo(goal, record, "ehlo_tls")


def _authenticate(goal: Goal, credential: Credential, record: Record) -> Dialogue:
    with record.during("auth"):
        if record.tls is None and not goal.allow_plaintext_auth and not record.peer.loopback:
            raise Failure("auth_requires_tls", detail="the password was not sent, because the connection is not encrypted")
        offered = record.capabilities.auth
        if not offered:
            starttls = record.tls is None and record.capabilities.offers("STARTTLS")
            raise Failure("auth_not_offered", starttls_hint="It does offer STARTTLS: use security: starttls." if starttls else "")
        mechanisms = candidates(offered, goal.mechanisms)
        if not mechanisms:
            raise Failure("auth_mechanism_unsupported", offered=", ".join(offered), allowed=", ".join(goal.mechanisms))
        reply = None
        for mechanism in mechanisms:
            reply, rejected_login = yield from _login(mechanism, credential, record)
            if reply.kind == 2:
                record.mechanism = mechanism.name
                return
            if rejected_login:
                raise _refused(reply, "auth_temporary" if reply.kind == 4 else "auth_failed", mechanism=mechanism.name)
        raise Failure("auth_mechanism_unsupported", reply, offered=", ".join(offered), allowed=", ".join(goal.mechanisms))


def _login(mechanism: Mechanism, credential: Credential, record: Record) -> t.Generator[Action, t.Any, tuple[Reply, bool]]:
    """One mechanism (RFC 4954 4). Returns the last reply, and whether it was an answer to the login itself."""
    record.tried.append(mechanism.name)
    exchange = mechanism.exchange(credential)
    first = next(exchange)
    start = mechanism.name if first is None else mechanism.name + " " + (_encode(first) or "=")
    record.hide(start.partition(" ")[2])
    reply = yield from _ask(record, command("AUTH", start, "AUTH " + mechanism.name + (" ********" if first else "")))
    if reply.kind != 3:
        return reply, reply.kind != 2 and not _mechanism_unknown(reply)
    while reply.kind == 3:
        try:
            answer = _encode(exchange.send(_decode(reply)) or b"")
        except Unusable as exc:
            yield from _ask(record, command("*"))
            raise Failure("auth_mechanism_unsupported", detail="%s: %s" % (mechanism.name, exc)) from exc
        except StopIteration:
            reply = yield from _ask(record, command("*"))
            raise Failure("protocol_error", reply, detail="%s: the server asks for more than the mechanism has" % mechanism.name) from None
        record.hide(answer)
        reply = yield from _ask(record, Command(answer.encode("ascii") + b"\r\n", "********"))
    return reply, reply.kind != 2


def _mechanism_unknown(reply: Reply) -> bool:
    """RFC 4954 4: 504 is "unrecognized authentication type". Some servers say 500 to 502 and put it in words."""
    return reply.code == 504 or (reply.code in (500, 501, 502) and bool(_UNSUPPORTED.search(reply.text)))


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(reply: Reply) -> bytes:
    try:
        return base64.b64decode(reply.lines[-1].encode("utf-8"))
    except binascii.Error:
        raise Failure("protocol_error", reply, detail="its login challenge is not base64") from None


def _envelope(goal: Goal, record: Record) -> Dialogue:
    """MAIL and RCPT, then RSET (RFC 5321 3.3), or the message. In one group where the server takes groups."""
    try:
        steps = [("mail", command("MAIL", _path("FROM", goal.sender) + _utf8(goal, record)))]
        steps += [("rcpt", command("RCPT", _path("TO", recipient))) for recipient in goal.recipients]
    except Failure as failure:
        failure.stage = "mail"
        raise
    if goal.message is None:
        steps.append(("rset", command("RSET")))
        if record.capabilities.offers("PIPELINING"):
            steps.append(("quit", command("QUIT")))
    yield from _in_order(steps, record)
    record.reached = "envelope"
    if goal.message is not None:
        yield from _message(goal.message, record)


def _path(word: str, address: str) -> str:
    return "%s:<%s>" % (word, address)


def _utf8(goal: Goal, record: Record) -> str:
    """What MAIL needs to say where an address is not ASCII (RFC 6531 3.4)."""
    if all(address.isascii() for address in (goal.sender,) + goal.recipients):
        return ""
    if record.capabilities.offers("SMTPUTF8"):
        return " SMTPUTF8"
    category = "recipient_rejected" if goal.sender.isascii() else "sender_rejected"
    raise Failure(category, detail="the address is not ASCII and the server does not offer SMTPUTF8")


REFUSED_AT = {"mail": "sender_rejected", "rcpt": "recipient_rejected", "rset": "protocol_error"}


def _in_order(steps: list[tuple[str, Command]], record: Record) -> Dialogue:
    """Send in one group if PIPELINING is offered, else one by one. Judges every reply; the first refusal counts."""
    grouped = record.capabilities.offers("PIPELINING")
    first: Failure | None = None
    if grouped:
        yield Send(tuple(line for _step, line in steps))
    for step, line in steps:
        if step == "quit":
            yield Patience(QUIT_PATIENCE)
            record.quit_sent = True
        try:
            with record.during(step):
                record.reply = (yield AwaitReply()) if grouped else (yield from _ask(record, line))
                if step != "quit":
                    _require(record.reply, 2, REFUSED_AT[step])
        except Failure as failure:
            first = first or failure
            if failure.reply is None and step != "quit":
                raise first from None
            if not grouped or step == "quit":
                break
    if first is not None and first.stage != "quit":
        raise first


def _message(message: bytes, record: Record) -> Dialogue:
    """RFC 5321 3.3 and 4.5.2: DATA, the text with dots doubled, a dot alone."""
    with record.during("data"):
        _require((yield from _ask(record, command("DATA"))), 3, "message_rejected")
    lines = message.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    body = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    with record.during("message"):
        reply = yield from _ask(record, Command(body + b".\r\n", "(the message, %d bytes)" % len(body)))
        _require(reply, 2, "message_rejected")
        record.accepted = reply


def _quit(record: Record) -> Dialogue:
    # Manners only: a server that just hangs up has still passed the probe.
    if record.quit_sent:
        return
    record.quit_sent = True
    yield Patience(QUIT_PATIENCE)
    try:
        with record.during("quit"):
            yield from _ask(record, command("QUIT"))
    except Failure:
        return


def _ask(record: Record, line: Command) -> Asking:
    yield Send((line,))
    record.reply = yield AwaitReply()
    return record.reply


def _require(reply: Reply, kind: int, otherwise: str, **facts: t.Any) -> None:
    if reply.kind != kind:
        raise _refused(reply, otherwise, **facts)


def _refused(reply: Reply, category: str, **facts: t.Any) -> Failure:
    # RFC 5321 3.8: 421 means that the server is going away, whatever was asked.
    return Failure("server_busy" if reply.code == 421 else category, reply, **facts)
