# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where there was no token, or Graph could not be reached: one more connection, without any secret, that tells on which side the fault is.

- The handshake with the token endpoint (or Graph) failed: it is asked again whatever certificate it shows, or without TLS.
- The endpoint gave no token, or could not be connected to: the relay is looked at, without a login. The endpoint itself would be no
  wiser: all its addresses were tried, its port is part of a URL, and what it says of a client it says only to that client.
- Graph took the connection and refused the token, the mailbox or the message: nothing. Without the token it tells nobody anything.
"""

from __future__ import annotations

import typing as t

from ..._shared.secret import Redactor
from ..network.route import at
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from ..web.http import HttpRequest, HttpRoute, Url, ask, reach
from .handshake_probe import Look, look, unverified
from .second_connection import NO_AGREEMENT, NO_HANDSHAKE, FollowUpFinding
from .token_login import graph_way

if t.TYPE_CHECKING:
    from ..network.transport import Deadline
    from ..options.target import RelayTarget
    from ..x509.certificate import TlsInfo

# What answers at all answers soon.
PATIENCE = 5.0


def confirm(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> FollowUpFinding | None:
    """``record`` is of the failed attempt; None where another look would tell nothing."""
    failure = record.failure
    if failure is None:
        raise AssertionError("nothing failed, so nothing is to be confirmed")
    deadline = deadline.within(PATIENCE)
    if failure.stage == "token":
        if relay.oauth2 is not None and relay.oauth2.url is not None and failure.facts.get("at") == "tls":
            return _handshake(failure, relay.oauth2.url, relay.oauth2.way, deadline)
        return _relay(relay, deadline)
    if relay.graph is not None and failure.stage == "tls":
        return _handshake(failure, relay.graph, graph_way(relay), deadline)
    return None


def _handshake(failure: Failure, url: Url, way: HttpRoute, deadline: Deadline) -> FollowUpFinding | None:
    if failure.category.startswith("cert_"):
        return _as_it_is(_seen(url, way._replace(tls=unverified(way.tls)), deadline))
    if failure.category in NO_AGREEMENT:
        info = _seen(url, way._replace(tls=unverified(way.tls)._replace(client=None, glance=True)), deadline)
        return (
            FollowUpFinding(
                f"on a second connection, which would have taken anything, it agreed to {info.version}", tls=info
            )
            if info
            else None
        )
    return _plainly(url, way, deadline) if failure.category in NO_HANDSHAKE else None


def _seen(url: Url, way: HttpRoute, deadline: Deadline) -> TlsInfo | None:
    seen = ConversationLog(Redactor())
    try:
        reach(url, way, seen, deadline)
    except Failure as failure:
        return failure.facts.get("tls")
    return seen.tls


def _as_it_is(info: TlsInfo | None) -> FollowUpFinding | None:
    if info is None:
        return None
    words = (
        info.subject or "no subject",
        ", ".join(info.names) or "no name",
        info.issuer,
        info.not_before,
        info.not_after,
    )
    text = "its certificate, read on a second connection without verifying it, is of %s, for %s, by %s, valid from %s to %s"
    return FollowUpFinding(text % words, tls=info)


def _plainly(url: Url, way: HttpRoute, deadline: Deadline) -> FollowUpFinding | None:
    """Without TLS, the path, or anything else that the request held."""
    try:
        response = ask(
            HttpRequest("GET", url._replace(scheme="http", target="/")),
            way,
            ConversationLog(Redactor()),
            deadline,
            "look",
        )
    except Failure:
        return None
    return FollowUpFinding(
        "a second connection without TLS, and without any secret, was answered with HTTP %d" % response.status
    )


def _relay(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    """Whether the relay itself is well, as far as can be seen without the login."""
    where = at(relay.host, relay.port)
    if relay.graph is not None:
        seen = ConversationLog(Redactor())
        try:
            reach(relay.graph, graph_way(relay), seen, deadline)
        except Failure as failure:
            seen.failure = failure
    else:
        seen = look(relay, Look("tls"), deadline)
    if not deadline.rest():
        return None  # how far it got then tells of the clock
    if seen.failure is None:
        text = (
            "%s itself answers as declared, as far as can be seen without logging in: it is the token that is missing"
        )
        return FollowUpFinding(text % where, tls=seen.tls)
    return FollowUpFinding(
        f"{where} does not answer as declared either, at {seen.failure.stage}: {seen.failure.category}"
    )
