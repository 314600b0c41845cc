# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the name that was declared to the host to connect to, where an MX or SRV record stands between them."""

from __future__ import annotations

from ..network import dns
from ..network.transport import Deadline
from ..options.target import RelayTarget
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog


def find(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> RelayTarget:
    """The relay itself, or the best host that DNS names for it. Where it names none, ``record`` holds the failure."""
    if relay.route.resolve == "host":
        return relay
    try:
        with record.during("resolve"):
            servers, seconds = relay.route.dns_servers, deadline.left()
            if relay.route.resolve == "mx":
                targets = dns.mx(relay.host, relay.port, servers, seconds)
            else:
                targets = dns.srv(relay.host, relay.security == "tls", servers, seconds)
    except Failure as failure:
        record.failure = failure
        return relay
    shown = ", ".join("%s port %d" % (target.host, target.port) for target in targets)
    record.trace("*", f"{relay.route.resolve} of {relay.host}: {shown}")
    if relay.route.resolve == "mx":
        record.exchangers = tuple(target.host for target in targets)
    best = targets[0]
    # A name that was declared is the one to verify; DNS must not choose it.
    name = best.host if relay.tls.server_name == relay.host else relay.tls.server_name
    return relay._replace(host=best.host, port=best.port, tls=relay.tls._replace(server_name=name))
