# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we say to the server, in order, and what each answer means. Reads like RFC 5321 section 3."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from ..diagnosis.classify import classify
from ..protocol.bounds import listed
from ..protocol.commands import (
    Action,
    AwaitReply,
    Connect,
    Dialogue,
    Patience,
    Resolve,
    Send,
    SmtpCommand,
    StartTls,
    Tunnel,
    ask,
    command,
    require,
)
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from ..protocol.reply import Capabilities, Reply
from .goal import Goal
from .login import authenticate

if t.TYPE_CHECKING:
    from ..protocol.answer import HttpAnswer

# RFC 5321 wants the client to wait for the answer to QUIT; a server that keeps us waiting has still passed.
QUIT_PATIENCE = 2.0


def converse(goal: Goal, record: ConversationLog) -> Dialogue:
    """The whole conversation. Never raises: how it ended is in ``record``."""
    try:
        yield from _connect(goal, record)
        yield from _greet(goal, record)
        record.reached = "connect"
        if goal.reaches("tls"):
            yield from _starttls(goal, record)
            record.reached = "tls"
        if goal.reaches("auth") and goal.credential is not None:
            with record.during("auth"):
                yield from authenticate(goal, goal.credential, record)
        if goal.reaches("auth"):
            record.reached = "auth"
        if goal.reaches("envelope"):
            yield from _envelope(goal, record)
        yield from _quit(record)
    except Failure as failure:
        record.failure = failure
        if failure.reply is not None and failure.reply.code != 421 and failure.category != "protocol_error":
            yield from _quit(record)


def _connect(goal: Goal, record: ConversationLog) -> Dialogue:
    with record.during("resolve"):
        record.resolved = yield Resolve()
    with record.during("connect"):
        record.peer = yield Connect()
    if goal.proxied:
        with record.during("proxy"):
            yield Tunnel()
    if goal.security == "tls":
        with record.during("tls"):
            record.tls = yield StartTls()


def _greet(goal: Goal, record: ConversationLog) -> Dialogue:
    # Nothing is sent before the greeting: Exim and postscreen turn away those who talk first (RFC 5321 3.1).
    with record.during("greeting"):
        yield Patience(goal.greeting_patience)
        greeting: Reply = yield AwaitReply()
        record.greeting = record.reply = greeting
        yield Patience(None)
        require(greeting, 2, "server_busy" if greeting.kind == 4 else "greeting_rejected")
    record.before_tls = record.capabilities = yield from _ehlo(goal, record, "ehlo")
    if goal.security == "tls":
        record.before_tls, record.after_tls = Capabilities({}), record.capabilities


def _ehlo(goal: Goal, record: ConversationLog, step: str) -> t.Generator[Action, t.Any, Capabilities]:
    name = goal.helo or _literal(record.peer.local_ip)
    with record.during(step):
        reply = yield from ask(record, command("LHLO" if goal.lmtp else "EHLO", name))
        # RFC 5321 3.2: a server that does not know EHLO says 500 or 502, and is then greeted with HELO.
        if reply.code in (500, 502) and not goal.lmtp:
            reply = yield from ask(record, command("HELO", name))
            require(reply, 2, "ehlo_rejected", helo=name)
            return Capabilities({})
        require(reply, 2, "ehlo_rejected", helo=name)
        return Capabilities.from_reply(reply)


def _literal(ip: str) -> str:
    return f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"


def _starttls(goal: Goal, record: ConversationLog) -> Dialogue:
    offered = record.capabilities.offers("STARTTLS")
    if goal.security not in ("starttls", "opportunistic") or (goal.security == "opportunistic" and not offered):
        return
    with record.during("starttls"):
        if not offered:
            masked = record.capabilities.masked
            raise Failure(
                "starttls_masked" if masked else "starttls_not_offered",
                offered=listed(sorted(record.capabilities.words)),
            )
        require((yield from ask(record, command("STARTTLS"))), 2, "starttls_refused")
    with record.during("tls"):
        record.tls = yield StartTls()
    # RFC 3207 4.2: forget what was said in clear text, and ask again.
    record.capabilities = Capabilities({})
    record.after_tls = record.capabilities = yield from _ehlo(goal, record, "ehlo_tls")


class Exchange(NamedTuple):
    """One command of the envelope, and whose envelope it is."""

    step: str
    line: SmtpCommand
    sender: str


def _envelope(goal: Goal, record: ConversationLog) -> Dialogue:
    """MAIL and RCPT, then RSET (RFC 5321 3.3), for each sender; or the message. In one group where the server takes groups."""
    try:
        steps = [
            exchange for sender in (goal.sender,) + goal.also_from for exchange in _of_sender(goal, sender, record)
        ]
    except Failure as failure:
        failure.stage = "mail"
        raise
    if goal.message is None and record.capabilities.offers("PIPELINING"):
        steps.append(Exchange("quit", command("QUIT"), goal.sender))
    record.senders = {sender: None for sender in (goal.sender,) + goal.also_from}
    yield from _in_order(goal, steps, record)
    record.reached = "envelope"
    if goal.message is not None:
        yield from _message(goal, goal.message, record)


def _of_sender(goal: Goal, sender: str, record: ConversationLog) -> list[Exchange]:
    recipients = (sender,) if goal.own_recipient and sender != goal.sender else goal.recipients
    steps = [
        Exchange(
            "mail",
            command("MAIL", _path("FROM", sender) + _utf8(sender, recipients, record) + _size(goal, record)),
            sender,
        )
    ]
    steps += [Exchange("rcpt", command("RCPT", _path("TO", recipient)), sender) for recipient in recipients]
    return steps + ([Exchange("rset", command("RSET"), sender)] if goal.message is None else [])


def _size(goal: Goal, record: ConversationLog) -> str:
    """Tells the size beforehand where the server wants it (RFC 1870 6), and sends nothing that is over its limit; 0 is none."""
    if goal.message is None or not record.capabilities.offers("SIZE"):
        return ""
    limit = record.capabilities.words["SIZE"].split(" ")[0]
    if limit.isdecimal() and 0 < int(limit) < len(goal.message):
        raise Failure(
            "message_too_large", detail="the message has %d bytes, the server takes %s" % (len(goal.message), limit)
        )
    return " SIZE=%d" % len(goal.message)


def _path(word: str, address: str) -> str:
    return f"{word}:<{address}>"


def _utf8(sender: str, recipients: t.Tuple[str, ...], record: ConversationLog) -> str:
    """What MAIL needs to say where an address is not ASCII (RFC 6531 3.4)."""
    if all(address.isascii() for address in (sender,) + recipients):
        return ""
    if record.capabilities.offers("SMTPUTF8"):
        return " SMTPUTF8"
    category = "recipient_rejected" if sender.isascii() else "sender_rejected"
    raise Failure(category, detail="the address is not ASCII and the server does not offer SMTPUTF8")


OF_THE_SENDER = ("sender_rejected", "send_as_denied", "sender_unverified")
REFUSED_AT = {"mail": "sender_rejected", "rcpt": "recipient_rejected", "rset": "protocol_error"}


def _in_order(goal: Goal, steps: list[Exchange], record: ConversationLog) -> Dialogue:
    """Send in one group if PIPELINING is offered, else one by one. Judges every reply; of each sender the first refusal counts."""
    grouped = record.capabilities.offers("PIPELINING")
    first: Failure | None = None
    if grouped:
        yield Send(tuple(exchange.line for exchange in steps))
    for step, line, sender in steps:
        refused = not grouped and record.senders.get(sender) is not None
        if refused and (step != "rset" or not goal.also_from):
            continue
        if step == "quit":
            yield Patience(QUIT_PATIENCE)
            record.quit_sent = True
        try:
            with record.during(step):
                record.reply = (yield AwaitReply()) if grouped else (yield from ask(record, line))
                if step != "quit":
                    require(record.reply, 2, REFUSED_AT[step])
        except Failure as failure:
            if (
                step == "rcpt"
                and goal.own_recipient
                and failure.reply is not None
                and _of_the_recipient(goal, failure.reply, record)
            ):
                record.untested = failure.reply
                continue
            if step != "quit":
                record.senders[sender] = record.senders[sender] or failure
                failure.facts.setdefault("sender", sender)
            first = first or failure
            if failure.reply is None and step != "quit":
                raise first from None
            if step == "quit":
                break
    if first is not None and first.stage != "quit":
        raise first


def _of_the_recipient(goal: Goal, reply: Reply | HttpAnswer, record: ConversationLog) -> bool:
    """Whether a reply to RCPT speaks of the recipient, and neither of the sender nor of the login: many servers judge these only here."""
    if reply.code == 421:
        return False
    category = classify("recipient_rejected", "rcpt", reply, goal.host, str(record.greeting or "")).category
    return category not in OF_THE_SENDER and not category.startswith("auth_")


def _message(goal: Goal, message: bytes, record: ConversationLog) -> Dialogue:
    """RFC 5321 3.3 and 4.5.2: DATA, the text with dots doubled, a dot alone. RFC 2033 4.2: LMTP answers for each recipient."""
    with record.during("data"):
        require((yield from ask(record, command("DATA"))), 3, "message_rejected")
    lines = message.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    body = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    first: Failure | None = None
    yield Send((SmtpCommand(body + b".\r\n", "(the message, %d bytes)" % len(body)),))
    for _recipient in goal.recipients if goal.lmtp else goal.recipients[:1]:
        try:
            with record.during("message"):
                reply: Reply = yield AwaitReply()
                record.reply = reply
                require(reply, 2, "message_rejected")
                record.accepted = reply
        except Failure as failure:
            first = first or failure
            if failure.reply is None:
                break
    if first is not None:
        raise first


def _quit(record: ConversationLog) -> Dialogue:
    # Manners only: a server that just hangs up has still passed the probe.
    if record.quit_sent:
        return
    record.quit_sent = True
    yield Patience(QUIT_PATIENCE)
    try:
        with record.during("quit"):
            yield from ask(record, command("QUIT"))
    except Failure as failure:
        if failure.facts.get("unasked") and record.failure is None:
            raise
