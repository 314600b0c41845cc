# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What few probes ask for, before and after the conversation: records from DNS, and the relay's other addresses."""

from __future__ import annotations

from ..._shared.problem import Problem
from ..network import dane, dns
from ..network.transport import Deadline
from ..options.target import RelayTarget
from ..protocol.log import ConversationLog
from ..x509.certificate import TlsInfo
from . import addresses, destination


def missing(relay: RelayTarget) -> list[Problem]:
    """What this host lacks for it."""
    rows = (
        ("resolve", relay.route.resolve != "host"),
        ("dane", relay.route.dane),
        ("mta_sts", relay.mta_sts is not None),
    )
    asked = [option for option, wanted in rows if wanted]
    return [problem for option in asked[:1] for problem in dns.missing(option)]


def before(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> RelayTarget:
    """The relay to talk to; see :func:`destination.find`."""
    return destination.find(relay, record, deadline)


def after(relay: RelayTarget, record: ConversationLog, deadline: Deadline, confirmed: TlsInfo | None) -> None:
    """Look at every address if that was asked for, at the domain's policy, and at what DNS says of the certificate; all into ``record``.

    ``confirmed``: the certificate that a further connection showed, where the conversation did not get as far.
    """
    if relay.route.addresses == "all" and addresses.others(record):
        record.warnings += addresses.look_at_each(relay, record, deadline)
    if relay.mta_sts is not None:
        from . import mta_sts

        record.mta_sts = mta_sts.report(relay.mta_sts, relay, record, deadline)
    if relay.route.dane:
        shown = record.failure.facts.get("tls") if record.failure else None
        seen = record.tls or shown or confirmed
        record.dane = dane.report(
            relay.host, relay.port, seen.chain if seen else (), relay.route.dns_servers, deadline.rest()
        )
