# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a relay with ``oauth2`` needs besides the conversation: the token before it, and Graph in its place."""

from __future__ import annotations

import typing as t

from ..._shared.secret import Redactor
from ..network.route import Route
from ..network.transport import Deadline
from ..options.target import RelayTarget
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from ..web import graph, oauth2
from ..web.http import HttpRoute

ROTATED = (
    "The token endpoint gave a new refresh token in the place of oauth2.refresh_token. Where it retires the old one, the next probe, "
    "and every application that uses the old one, is refused: sign in again for the probe alone, or use client credentials"
)


def with_token(
    relay: RelayTarget, record: ConversationLog, redactor: Redactor, deadline: Deadline
) -> RelayTarget | None:
    """The relay with its token as the credential, where the level needs one; None, with the failure in ``record``, without a token."""
    if relay.oauth2 is None or relay.credential is None or relay.level in ("connect", "tls"):
        return relay
    try:
        token = oauth2.obtain(relay.oauth2, record, redactor, deadline)
    except Failure as failure:
        record.failure = failure
        return None
    if token.rotated:
        record.warnings.append(ROTATED)
    return relay._replace(credential=relay.credential._replace(token=token.secret))


def graph_way(relay: RelayTarget) -> HttpRoute:
    """How to get to Graph: with the relay's own TLS, by way of its proxy."""
    return HttpRoute(relay.tls, Route(proxy=relay.route.proxy))


def converse_with_graph(
    relay: RelayTarget, message: t.Optional[bytes], record: ConversationLog, redactor: Redactor, deadline: Deadline
) -> None:
    """Instead of SMTP. Never raises: how it ended is in ``record``."""
    if relay.graph is None:
        raise AssertionError("only called for a relay of type ms_graph")
    token = relay.credential.token if relay.credential else None
    mailbox = graph.GraphClient(relay.graph, graph_way(relay), relay.sender, token, message)
    graph.converse(mailbox, relay.level, record, redactor, deadline)
