# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mail servers of one host: whether what is handed to the local one is forwarded to the relay that is declared behind it."""

from __future__ import annotations

import typing as t

from ..catalogue.loader import Catalogue
from ..declaration.model import ApplicationRequest, AppPlan, Declaration, Gap, HostPlan, Refusal, Relay

CODE = "local-mta-not-forwarding"
#: What the hint names where no entry of the catalogue is listed yet.
USUAL = ("postfix", "exim", "opensmtpd")


def checked(planned: HostPlan, declared: Declaration, catalogue: Catalogue) -> HostPlan:
    """The plan of a host, in which every local MTA that is declared to forward is known to, or is refused, or is said not to be known."""
    servers = [request for request in declared.requests if request.state != "absent" and _listens(request, catalogue)]
    note = (
        ""
        if servers
        else f"No mail server that listens is declared on this host: list {USUAL[0]} as well, through the relay it is to forward to."
    )
    apps: list[AppPlan] = []
    refusals = [refusal._replace(gap=refusal.gap._replace(server=note)) for refusal in planned.refusals]
    refused = {refusal.name for refusal in planned.refusals}
    for plan in planned.apps:
        answer = _checked(plan, servers, declared, refused)
        if isinstance(answer, AppPlan):
            apps.append(answer)
        else:
            refusals.append(answer)
    return planned._replace(apps=tuple(apps), refusals=tuple(refusals))


def _checked(
    plan: AppPlan, servers: t.Sequence[ApplicationRequest], declared: Declaration, refused: t.Container[str]
) -> AppPlan | Refusal:
    relay = plan.relay
    if relay.type != "local_mta" or not relay.sends or relay.via is None or not declared.relays[relay.via].sends:
        return plan
    forwarding = [server.name for server in servers if server.state == "present" and server.relay == relay.via]
    if forwarding:
        known = next((name for name in forwarding if name not in refused), "")
        return plan._replace(
            forwarder=known,
            forwards="" if known else f"{forwarding[0]}, which is to forward to relay {relay.via}, is refused",
        )
    unmanaged = [server.name for server in servers if server.state == "unmanaged"]
    if unmanaged:
        why = (
            f"{' and '.join(unmanaged)} is unmanaged here, so it is not known whether it forwards to relay {relay.via}"
        )
        return plan._replace(
            forwards=f"{why}. {_to_know(relay, [server for server in servers if server.state == 'unmanaged'])}"
        )
    gap = Gap("forwarding", CODE, _why(relay.via, servers), _hint(relay.via, servers))
    if CODE in relay.accept:
        why = f"no mail server of this host is declared to forward to relay {relay.via}. {_to_know(relay, servers)}"
        return plan._replace(accepted=(*plan.accepted, gap), forwards=why)
    return Refusal(plan.request.where, plan.request.name, plan.application.title, gap)


def _to_know(relay: Relay, servers: t.Sequence[ApplicationRequest]) -> str:
    """What ends that it is not known."""
    taken = f"{_configured(str(relay.via), servers)}{', without state: unmanaged' if servers and servers[0].state == 'unmanaged' else ''}"
    return f"{taken}, or leave via out of relay {relay.name}: then the local mail server alone is proven"


def _why(via: str, servers: t.Sequence[ApplicationRequest]) -> str:
    others = [f"{server.name} forwards to relay {server.relay}" for server in servers]
    return (
        f"it hands its mail to the local mail server, and none on this host is declared to forward to relay {via}"
        + (f" ({', '.join(others)})" if others else "")
    )


def _hint(via: str, servers: t.Sequence[ApplicationRequest]) -> str:
    other = (
        "name the relay that it forwards to in via"
        if servers
        else "with state: unmanaged where it is configured by somebody else"
    )
    return f"{_configured(via, servers)}, or {other}"


def _configured(via: str, servers: t.Sequence[ApplicationRequest]) -> str:
    """What has a mail server of this host forward to a relay."""
    if servers:
        return f"Say relay: {via} for {servers[0].name}"
    return f"List {', '.join(USUAL[:-1])} or {USUAL[-1]} on this host with relay: {via}"


def _listens(request: ApplicationRequest, catalogue: Catalogue) -> bool:
    """Whether an application takes mail of other programs on port 25; one that is not in the catalogue does not."""
    return bool(catalogue.find(request.app, request.where).entry.get("listens"))
