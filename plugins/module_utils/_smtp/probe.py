# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes relays: options in, results out. One conversation each, several at once."""

from __future__ import annotations

import time
import typing as t

from .._shared.problem import Problem, ProblemsError
from .._shared.secret import Redactor
from .conversation.dialogue import converse
from .conversation.goal import Goal
from .diagnosis import sunset
from .network import tls
from .network.transport import Deadline, Endpoint, OwnName, run
from .options.relay_options import Options, read
from .options.target import RelayTarget
from .protocol.engine import Engine
from .protocol.log import ConversationLog
from .result import ProbeOutcome, build, extend

# Of the time for all of it, what a greeting that never comes must leave for finding out why.
RESERVE_SHARE, RESERVE_MOST = 0.25, 5.0
# And what looking for this host's own name, to greet with, may take of it at most: without one, the address does.
NAME_SHARE, NAME_MOST = 0.25, 2.0
THREADS = 64

if t.TYPE_CHECKING:
    from .followup.second_connection import FollowUpFinding


def probe_all(many: t.Sequence[Options], check_mode: bool) -> list[dict[str, t.Any]]:
    """Probe every relay, in parallel; results are in the order given. Raises :class:`ProblemsError` before any connection."""
    relays: list[RelayTarget] = []
    problems: list[Problem] = []
    for number, options in enumerate(many):
        relay, wrong = read(options)
        wrong = wrong or (_unusable(relay, check_mode) if relay else [])
        problems += _below("relays[%d]." % number, wrong) if len(many) > 1 else wrong
        if relay is not None:
            relays.append(relay)
    if problems:
        raise ProblemsError(problems)
    name = None if all(relay.helo for relay in relays) else OwnName()
    if len(relays) < 2:
        return [probe(relay, check_mode, name) for relay in relays]
    # Imported here: a single relay, the usual case, need not pay for it.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(THREADS, len(relays)) or 1) as pool:
        return list(pool.map(lambda relay: probe(relay, check_mode, name), relays))


def _sending() -> t.Any:
    # Imported here: most probes send nothing, and the standard library's mail packages take longer to load than all of ours.
    from . import sending

    return sending


def _around() -> t.Any:
    # Imported here for the same reason.
    from .followup import dns_checks

    return dns_checks


def _asks_around(relay: RelayTarget) -> bool:
    return relay.route.asks_dns or relay.mta_sts is not None or relay.route.addresses == "all"


def _below(prefix: str, problems: t.Iterable[Problem]) -> list[Problem]:
    return [problem._replace(where=prefix + problem.where) for problem in problems]


def _unusable(relay: RelayTarget, check_mode: bool) -> list[Problem]:
    """What only this host can tell: the CA and the folder for receipts."""
    problems: list[Problem] = []
    for prefix, settings in _trusted(relay):
        try:
            tls.context(settings)
        except ProblemsError as exc:
            problems += _below(prefix, exc.problems)
    if _asks_around(relay):
        problems += _around().missing(relay)
    try:
        if relay.send == "on_change" and not check_mode:
            _sending().prepare(relay)
    except ProblemsError as exc:
        problems += exc.problems
    return problems


def _trusted(relay: RelayTarget) -> t.Iterator[tuple[str, tls.TlsSettings]]:
    """Everything that is to be verified, and what its options begin with."""
    yield "", relay.tls
    if relay.oauth2 is not None and relay.oauth2.url is not None:
        yield "oauth2.", relay.oauth2.way.tls
    if relay.mta_sts is not None:
        yield "mta_sts_", relay.mta_sts.way.tls


def probe(relay: RelayTarget, check_mode: bool, name: OwnName | None = None) -> dict[str, t.Any]:
    """One relay, one login attempt at most. Never raises on account of the network; see ``result`` for the value.

    ``name``: where to learn with what to greet a relay whose options do not say.
    """
    started = time.monotonic()
    deadline = Deadline(relay.timeout)
    if name is not None and not relay.helo:
        relay = relay._replace(helo=name.within(min(relay.timeout * NAME_SHARE, NAME_MOST)))
    redactor = Redactor()
    if relay.credential is not None:
        for secret in (relay.credential.password, relay.credential.token or relay.credential.password):
            redactor.learn(relay.credential.username, secret)
    if relay.route.proxy is not None:
        redactor.learn(relay.route.proxy.username, relay.route.proxy.password)
        redactor.learn_line(relay.route.proxy.basic)
    record = ConversationLog(redactor)
    if relay.route.resolve != "host":
        relay = _around().before(relay, record, deadline)
    due = relay.send != "never" and _sending().due(relay)
    message = _sending().compose(relay) if due and not check_mode else None
    _hold(relay, message, record, redactor, deadline)
    sent = message is not None and record.accepted is not None
    finding: FollowUpFinding | None = None
    if record.failure is not None and relay.diagnose:
        finding = _confirm(relay, record, deadline)
    if _asks_around(relay):
        _around().after(relay, record, deadline, finding.tls if finding else None)
    result = build(
        ProbeOutcome(
            relay=relay,
            record=record,
            finding=finding,
            changed=sent or (check_mode and due and record.failure is None),
            sent=sent,
            message_id=message.message_id if sent and message is not None else "",
            ms=round((time.monotonic() - started) * 1000, 1),
        ),
        redactor,
    )
    if relay.send == "on_change":
        if sent:
            _sending().remember(relay, result)
        extend(result, _sending().compare(relay, result), redactor)
    return result


def _confirm(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> FollowUpFinding | None:
    # Imported here: only a failure needs it, and which one depends on where it was.
    if relay.graph is not None or (record.failure is not None and record.failure.stage == "token"):
        from .followup import web_second_connection

        return web_second_connection.confirm(relay, record, deadline)
    from .followup import second_connection

    return second_connection.confirm(relay, record, deadline)


def _hold(relay: RelayTarget, message: t.Any, record: ConversationLog, redactor: Redactor, deadline: Deadline) -> None:
    """The conversation: with a token fetched before it, or with Graph, where that was declared."""
    record.warnings += sunset.notices(
        relay.host, relay.credential is not None and bool(relay.credential.password.reveal())
    )
    if relay.oauth2 is not None:
        # Imported here: most relays take a password, and need not pay for it.
        from .followup import token_login

        ready = token_login.with_token(relay, record, redactor, deadline)
        if ready is None:
            return
        relay = ready
        if relay.graph is not None:
            return token_login.converse_with_graph(relay, message.data if message else None, record, redactor, deadline)
    if record.failure is None:
        endpoint = Endpoint(relay.host, relay.port, relay.tls, relay.route, _reserve(relay))
        run(Engine(converse(_goal(relay, message, deadline), record), record.trace), endpoint, record, deadline)


def _reserve(relay: RelayTarget) -> float:
    return min(relay.timeout * RESERVE_SHARE, RESERVE_MOST) if relay.diagnose else 0.0


def _goal(relay: RelayTarget, message: t.Any, deadline: Deadline) -> Goal:
    return Goal(
        helo=relay.helo,
        security=relay.security,
        level=relay.level,
        credential=relay.credential,
        mechanisms=relay.mechanisms,
        allow_plaintext_auth=relay.allow_plaintext_auth,
        sender=relay.sender,
        recipients=relay.recipients,
        also_from=relay.also_from,
        own_recipient=relay.own_recipient,
        message=message.data if message else None,
        lmtp=relay.route.protocol == "lmtp",
        proxied=relay.route.proxy is not None,
        greeting_patience=relay.timeout - _reserve(relay) if relay.diagnose else None,
        host=relay.host,
        port=relay.port,
        rest=deadline.rest,
    )
