# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MX, SRV and TLSA records, by dnspython where this host has it: the standard library asks for addresses only."""

from __future__ import annotations

import importlib
import sys
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.problem import Problem
from ..protocol.failure import Failure

# SMTP never answers to a bare dot (RFC 7505 3, RFC 2782): it says that there is no such service.
NOWHERE = "."


class DnsAnswer(NamedTuple):
    """The records, as dnspython writes them, and whether the resolver says that DNSSEC proved them (RFC 4035 3.2.3)."""

    records: t.Tuple[t.Any, ...]
    secure: bool


class Target(NamedTuple):
    """Where a record sends us. ``rank``: lowest first."""

    rank: t.Tuple[int, int]
    host: str
    port: int


def missing(option: str) -> list[Problem]:
    """What to tell of this option where dnspython is not there."""
    try:
        importlib.import_module("dns.resolver")
    except ImportError:
        what = "this needs the Python library dnspython for %s on this host." % (sys.executable or "Python")
        return [Problem(option, what, "dnspython-missing", f"Install it there, or leave {option} out.")]
    return []


def ask(name: str, kind: str, servers: t.Sequence[tuple[str, int]], seconds: float) -> DnsAnswer:
    """All records of this ``kind``; none if the name has none. Raises :class:`Failure` where DNS cannot tell."""
    resolver_module: t.Any = importlib.import_module("dns.resolver")
    errors: t.Any = importlib.import_module("dns.exception")
    flags: t.Any = importlib.import_module("dns.flags")
    try:
        resolver = resolver_module.Resolver(configure=not servers)
        if servers:
            resolver.nameservers = [address for address, _port in servers]
            resolver.nameserver_ports = dict(servers)
        resolver.lifetime = max(seconds, 0.1)
        # RFC 6840 5.7: a resolver says whether it validated only to those who ask. No search list: the name is whole.
        resolver.use_edns(0, flags.DO, 1232)
        resolver.flags = flags.RD | flags.AD
        answer = resolver.resolve(name, kind, search=False)
    except resolver_module.NXDOMAIN:
        return DnsAnswer((), False)
    except resolver_module.NoAnswer as exc:
        return DnsAnswer((), bool(exc.response().flags & flags.AD))
    except (errors.DNSException, OSError, ValueError) as exc:
        raise Failure("dns_failure", detail="the {} record of {}: {}".format(kind, name, str(exc).rstrip("."))) from exc
    return DnsAnswer(tuple(answer), bool(answer.response.flags & flags.AD))


def mx(domain: str, port: int, servers: t.Sequence[tuple[str, int]], seconds: float) -> list[Target]:
    """Where mail for ``domain`` goes, best first (RFC 5321 5.1: without MX records, to the domain itself). Raises :class:`Failure`."""
    found = ask(domain, "MX", servers, seconds).records
    if not found:
        return [Target((0, 0), domain, port)]
    return _best_first("MX", domain, [Target((record.preference, 0), _host(record.exchange), port) for record in found])


def srv(domain: str, tls: bool, servers: t.Sequence[tuple[str, int]], seconds: float) -> list[Target]:
    """Where ``domain`` takes submissions, best first (RFC 6186 3.1; with TLS from the first byte RFC 8314 5.1)."""
    name = "_submission{}._tcp.{}".format("s" if tls else "", domain)
    found = ask(name, "SRV", servers, seconds).records
    return _best_first(
        "SRV", name, [Target((record.priority, -record.weight), _host(record.target), record.port) for record in found]
    )


def _best_first(kind: str, name: str, targets: list[Target]) -> list[Target]:
    usable = sorted(target for target in targets if target.host != NOWHERE)
    if targets and not usable:
        raise Failure("dns_failure", detail=f"the {kind} record of {name} says that there is no such service")
    if not usable:
        raise Failure("dns_failure", detail=f"{name} has no {kind} record")
    return usable


def _host(name: t.Any) -> str:
    text = str(name)
    return text.rstrip(".") or NOWHERE
