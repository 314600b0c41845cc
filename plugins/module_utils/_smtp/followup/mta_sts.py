# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS (RFC 8461): whether the domain's policy names this relay, and whether the relay keeps to it. A report, never a verdict."""

from __future__ import annotations

import typing as t

from ..._shared.secret import Redactor
from ..diagnosis.categories import explain
from ..network import dns
from ..options.mta_sts_options import Asked
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from ..web.http import HttpRequest, ask
from ..web.mta_sts_policy import MOST_HOSTS, Policy, UnusablePolicy, announced, covers, parse

if t.TYPE_CHECKING:
    from ..network.transport import Deadline
    from ..options.target import RelayTarget

    Report: t.TypeAlias = "dict[str, t.Any]"

MAX_POLICY = 65536  # bytes; RFC 8461 3.3 wants a limit, such as 64 kilobytes
EARLY = ("starttls", "tls")


def report(asked: Asked, relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> Report:
    """``status`` is one of match, mismatch, none, invalid, error. ``record`` is of the conversation with the relay."""
    found: Report = {"domain": asked.domain, "url": str(asked.url), "id": "", "mode": "", "max_age": None}
    found.update(mx=[], unmatched=[], problems=[])
    name = "_mta-sts." + asked.domain
    try:
        records = dns.ask(name, "TXT", relay.route.dns_servers, deadline.left()).records
        found["id"] = announced([b"".join(one.strings) for one in records])
        if not found["id"]:
            return dict(found, status="none", detail=f"{name} has no TXT record that announces a policy")
        policy = parse(_fetch(asked, record, deadline))
    except UnusablePolicy as exc:
        return dict(found, status="invalid", detail=f"senders do as if there were no policy: {exc}")
    except Failure as failure:
        return dict(found, status="error", detail=_why(failure, asked, relay.timeout))
    found.update(mode=policy.mode, max_age=policy.max_age, mx=list(policy.mx[:MOST_HOSTS]))
    if policy.mode == "none":
        return dict(
            found, status="none", problems=list(policy.remarks), detail="the policy is that there is none (mode: none)"
        )
    return _judge(found, policy, relay, record)


def _fetch(asked: Asked, record: ConversationLog, deadline: Deadline) -> bytes:
    """The policy as it is served (RFC 8461 3.3): over verified HTTPS, without a redirect. Raises :class:`UnusablePolicy`, :class:`Failure`."""
    request = HttpRequest("GET", asked.url, accept="text/plain", most=MAX_POLICY)
    own = ConversationLog(Redactor())
    try:
        response = ask(request, asked.way, own, deadline, "mta_sts")
    finally:
        record.include(own)
    if response.status != 200:
        where = ", and senders follow no redirect" if 300 <= response.status < 400 else ""
        raise UnusablePolicy("%s answers with HTTP %d%s" % (asked.url.where, response.status, where))
    if response.media_type != "text/plain":
        raise UnusablePolicy(
            "it is served as %s instead of text/plain" % (response.media_type or "nothing in particular")
        )
    return response.body


def _why(failure: Failure, asked: Asked, timeout: float) -> str:
    if failure.stage == "":
        return failure.detail or "there was no time left to ask"
    facts = dict(
        failure.facts,
        detail=failure.detail,
        host=asked.url.host,
        server_name=asked.way.tls.server_name,
        timeout=timeout,
        stage=failure.stage,
    )
    return f"{asked.url.where} {explain(failure.category, facts)[0]}"


def _judge(found: Report, policy: Policy, relay: RelayTarget, record: ConversationLog) -> Report:
    hosts = record.exchangers or (relay.host,)
    unmatched = [host for host in hosts if not any(covers(pattern, host) for pattern in policy.mx)]
    problems = [f"the policy does not name {host}" for host in unmatched] + _unkept(relay, record)
    detail = "the policy names this relay, and the relay keeps to it"
    if problems and policy.mode == "enforce":
        detail = "senders that hold to the policy would not deliver here"
    elif problems:
        detail = "senders would report this, and deliver all the same"
    elif policy.mode == "testing":
        detail += "; it is only being tested, so that senders deliver in clear text too"
    status = "mismatch" if problems else "match"
    return dict(
        found,
        status=status,
        unmatched=unmatched[:MOST_HOSTS],
        problems=problems[:MOST_HOSTS] + list(policy.remarks),
        detail=detail,
    )


def _unkept(relay: RelayTarget, record: ConversationLog) -> list[str]:
    """What of the relay a policy does not allow: it wants STARTTLS, and a valid certificate for the exchanger's own name (RFC 8461 4.2)."""
    failure = record.failure
    if failure is not None and failure.stage in EARLY:
        return [f"TLS with {relay.host} failed ({failure.category})"]
    if record.tls is None:
        return [f"no TLS was agreed with {relay.host} in this probe"]
    if not record.tls.verified:
        return [f"the certificate of {relay.host} was not verified in this probe"]
    if relay.tls.server_name != relay.host:
        return [f"the certificate was verified for {relay.tls.server_name}, and senders want it for {relay.host}"]
    return []
