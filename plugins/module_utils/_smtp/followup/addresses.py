# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address of a relay, each alone and without credentials: a name with several may be well on some of them only."""

from __future__ import annotations

import typing as t

from ..network.transport import Deadline
from ..options.target import RelayTarget
from ..protocol.log import Address, ConversationLog
from .handshake_probe import Look, look_at_all

MOST = 8
# Up to here it is the address that is good or bad; what comes later is the login's or the sender's.
EARLY = ("connect", "greeting", "ehlo", "starttls", "tls", "ehlo_tls")


def others(record: ConversationLog) -> list[str]:
    """The addresses that the conversation did not use, as many as are looked at."""
    used = record.peer.ip if record.peer else ""
    return [ip for ip in dict.fromkeys(record.resolved) if ip != used][:MOST]


def look_at_each(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> list[str]:
    """Look at the others too, put all into ``record.addresses``, and tell how they differ."""
    if any(address.category == "ok" for address in record.addresses):
        return []  # they have been looked at
    ips = others(record)
    seen = dict(zip(ips, look_at_all(relay, [Look("tls", ip=ip) for ip in ips], deadline)))
    tried = {address.ip: address for address in record.addresses}
    if record.peer:
        seen[record.peer.ip] = record
    every = [ip for ip in dict.fromkeys(record.resolved) if ip in seen or ip in tried]
    record.addresses[:] = [_address(ip, seen[ip], tried.get(ip)) if ip in seen else tried[ip] for ip in every]
    return _differences(record.addresses, {ip: frozenset(one.capabilities.words) for ip, one in seen.items()})


def _address(ip: str, seen: ConversationLog, tried: Address | None) -> Address:
    failure = seen.failure if seen.failure and seen.failure.stage in EARLY else None
    known = next((address for address in seen.addresses if address.ip == ip), tried) or Address(
        ip, 0, "", False, "", 0.0
    )
    return known._replace(
        ok=failure is None,
        error=(failure.detail or failure.category) if failure else "",
        category=failure.category if failure else "ok",
        cert_sha256=seen.tls.sha256 if seen.tls else "",
    )


def _differences(addresses: t.Sequence[Address], offers: t.Mapping[str, frozenset[str]]) -> list[str]:
    """One sentence for each way in which the addresses are not alike."""
    well = [address for address in addresses if address.ok]
    found = [
        f"{one.ip} is not well ({one.category}: {one.error}), other addresses are"
        for one in addresses
        if not one.ok and well
    ]
    if len({one.cert_sha256 for one in well}) > 1:
        shown = ", ".join("{} sha256:{}".format(one.ip, one.cert_sha256[:16] or "none") for one in well)
        found.append("the addresses show different certificates: " + shown)
    common = frozenset.intersection(*(offers[one.ip] for one in well)) if well else frozenset()
    for one in well:
        more = sorted(offers[one.ip] - common)
        if more:
            found.append("not every address offers what {} does: {}".format(one.ip, ", ".join(more)))
    return found
