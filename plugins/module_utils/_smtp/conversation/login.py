# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login, as part of the conversation: which mechanism, what is sent, and when the next one may be tried (RFC 4954 4)."""

from __future__ import annotations

import base64
import binascii
import functools
import re
import typing as t

from ..protocol.bounds import listed
from ..protocol.commands import Action, Asking, Compute, Dialogue, SmtpCommand, ask, command, refused
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from ..protocol.reply import Reply
from ..sasl.credential import BadChallenge, Credential, Exchange, MechanismError, Session, UnusableMechanism
from ..sasl.mechanisms import Mechanism, candidates
from .goal import Goal

# A longer initial response is sent when the server asks for it: 512 octets a command (RFC 5321 4.5.3.1.4), less "AUTH " and the line end.
MOST_IN_COMMAND = 505

_UNSUPPORTED = (
    r"(?i)unsupported|unrecogni[sz]ed|unknown|not (?:supported|implemented|recogni[sz]ed|available)|invalid mechanism"
)
_WEAK = r"(?i)\bweak"


def authenticate(goal: Goal, credential: Credential, record: ConversationLog) -> Dialogue:
    """One login attempt: another mechanism follows only where the server does not have the one before. Raises :class:`Failure`."""
    if record.tls is None and not goal.allow_plaintext_auth and not record.peer.loopback:
        raise Failure("auth_requires_tls", detail="the password was not sent, because the connection is not encrypted")
    offered = record.capabilities.auth
    if not offered:
        starttls = record.tls is None and record.capabilities.offers("STARTTLS")
        raise Failure(
            "auth_not_offered", starttls_hint="It does offer STARTTLS: use security: starttls." if starttls else ""
        )
    reply, detail, end_point = None, "", _end_point(record)
    for mechanism in candidates(offered, goal.mechanisms, credential, bool(end_point)):
        try:
            reply, rejected_login = yield from _login(
                mechanism, _session(goal, credential, mechanism, end_point, record), record
            )
        except UnusableMechanism as exc:
            # Nothing was sent: another mechanism is not another attempt.
            detail = f"{mechanism.name}: {exc}"
            record.remark(detail)
            continue
        if reply.kind == 2:
            record.mechanism = mechanism.name
            return
        if rejected_login:
            category = "auth_temporary" if reply.kind == 4 else record.suspicion or "auth_failed"
            who = credential.username or "the client certificate"
            raise refused(reply, category, mechanism=mechanism.name, username=who, **WRONG[mechanism.needs])
    raise Failure(
        "auth_mechanism_unsupported", reply, detail, offered=listed(offered), allowed=", ".join(goal.mechanisms)
    )


# What a rejected login calls for, by what the mechanism needs; a password is what diagnosis.py speaks of by itself.
WRONG = {
    "password": {},
    "token": {"wrong": "Correct the username, or have a token made out for this user and this relay"},
    "certificate": {"wrong": "Use a client certificate that the relay knows"},
}


def _end_point(record: ConversationLog) -> bytes:
    """What a login can be tied to; only SCRAM does that."""
    if not any(name.startswith("SCRAM-") for name in record.capabilities.auth):
        return b""
    from ..sasl import channel_binding

    return channel_binding.server_end_point(record.certificate)


def _session(
    goal: Goal, credential: Credential, mechanism: Mechanism, end_point: bytes, record: ConversationLog
) -> Session:
    # A server that refused the -PLUS which it offered is told that we could have used it, like one that never offered it.
    plus = mechanism.name + "-PLUS"
    return Session(
        credential=credential,
        host=goal.host,
        port=goal.port,
        end_point=end_point,
        binding_offered=plus in record.capabilities.auth and plus not in record.tried,
        random=goal.random,
        rest=goal.rest,
        hide=record.hide,
        note=record.remark,
        warn=record.warnings.append,
    )


def _login(
    mechanism: Mechanism, session: Session, record: ConversationLog
) -> t.Generator[Action, t.Any, tuple[Reply, bool]]:
    """One mechanism. Returns the last reply, and whether it was an answer to the login itself."""
    exchange = mechanism.exchange(session)
    first = next(exchange, None)
    record.tried.append(mechanism.name)
    reply = yield from _begin(mechanism.name, first, record)
    rejected_login = reply.kind != 2 and not _mechanism_unknown(reply)
    while reply.kind == 3:
        answer, error = yield Compute(functools.partial(_answer, exchange, reply.lines[-1]))
        if error is not None:
            record.trace("*", f"{mechanism.name}: {error}")
            # RFC 4954 4: "*" cancels. A server that does not wait for it changes nothing about why.
            try:
                yield from ask(record, command("*"))
            except Failure:
                pass
            raise Failure(error.category, reply, detail=f"{mechanism.name}: {error}", mechanism=mechanism.name)
        reply = yield from _say(_encode(answer), record)
        rejected_login = reply.kind != 2
    if reply.kind == 2 and mechanism.proves and not _proven(exchange):
        why = f"{mechanism.name}: it took the login without proof of its own"
        raise Failure("auth_server_unproven", reply, detail=why, mechanism=mechanism.name)
    return reply, rejected_login


def _begin(name: str, first: bytes | None, record: ConversationLog) -> Asking:
    """AUTH, with the initial response where it fits into a command."""
    start = name if first is None else name + " " + (_encode(first) or "=")
    if first is None or len(start) <= MOST_IN_COMMAND:
        record.hide(start.partition(" ")[2])
        return (yield from ask(record, command("AUTH", start, "AUTH " + name + (" ********" if first else ""))))
    reply = yield from ask(record, command("AUTH", name))
    return (yield from _say(_encode(first), record)) if reply.kind == 3 else reply


def _say(answer: str, record: ConversationLog) -> Asking:
    record.hide(answer)
    return (yield from ask(record, SmtpCommand(answer.encode("ascii") + b"\r\n", "********")))


def _answer(exchange: Exchange, challenge: str) -> tuple[bytes, MechanismError | None]:
    """The mechanism's answer to a challenge in base64, or why there is none."""
    try:
        return exchange.send(base64.b64decode(challenge.encode("utf-8"))) or b"", None
    except MechanismError as exc:
        return b"", exc
    except binascii.Error:
        return b"", BadChallenge("its login challenge is not base64")
    except StopIteration:
        return b"", BadChallenge("the server asks for more than the mechanism has")


def _proven(exchange: Exchange) -> bool:
    """Whether the exchange has come to its end, and with it the server to its proof."""
    try:
        exchange.send(b"")
    except StopIteration:
        return True
    except MechanismError:
        return False
    return False


def _mechanism_unknown(reply: Reply) -> bool:
    """504 is "unrecognized authentication type". Some servers say 500 to 502 and put it in words.

    534 is "too weak"; Gmail uses it for a rejected password too, so the word must be there.
    """
    in_words = (reply.code in (500, 501, 502) and re.search(_UNSUPPORTED, reply.text)) or (
        reply.code == 534 and re.search(_WEAK, reply.text)
    )
    return reply.code == 504 or bool(in_words)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
