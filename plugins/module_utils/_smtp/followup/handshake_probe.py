# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One more connection to a relay, without credentials and without a message: what others conclude from, many at a time if need be."""

from __future__ import annotations

import threading
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.secret import Redactor
from ..conversation.dialogue import converse
from ..conversation.goal import Goal
from ..network.tls import TlsSettings
from ..network.transport import Deadline, Endpoint, run
from ..options.target import RelayTarget
from ..protocol.engine import Engine
from ..protocol.log import ConversationLog


class Look(NamedTuple):
    """Where to look, and how far; what is left out is as declared."""

    level: str
    security: str = ""
    port: int = 0
    ip: str = ""
    tls: t.Optional[TlsSettings] = None


def look(relay: RelayTarget, what: Look, deadline: Deadline) -> ConversationLog:
    """Have the conversation. How it ended is in the record."""
    record = ConversationLog(Redactor())
    route = relay.route
    goal = Goal(
        relay.helo,
        what.security or relay.security,
        what.level,
        lmtp=route.protocol == "lmtp",
        proxied=route.proxy is not None,
    )
    endpoint = Endpoint(relay.host, what.port or relay.port, what.tls or relay.tls, route, ip=what.ip)
    run(Engine(converse(goal, record), record.trace), endpoint, record, deadline)
    return record


def look_at_all(relay: RelayTarget, many: t.Sequence[Look], deadline: Deadline) -> list[ConversationLog]:
    """The same for several at once; in their order."""
    records: list[ConversationLog | None] = [None] * len(many)

    def one(number: int) -> None:
        records[number] = look(relay, many[number], deadline)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(len(many))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [record for record in records if record is not None]


def unverified(settings: TlsSettings) -> TlsSettings:
    """The same, whatever certificate is shown."""
    return settings._replace(verify=False, fingerprints=())
