# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On failure, more connections, without credentials: what was likely becomes a fact, or is shown to be otherwise."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from ..network.route import is_path
from ..network.transport import Deadline
from ..options.target import RelayTarget
from ..protocol.log import ConversationLog
from . import addresses
from .handshake_probe import Look, look, look_at_all, unverified


class FollowUpFinding(NamedTuple):
    """What the further connections showed. ``category`` empty: the first verdict stands."""

    confirmed_by: str
    category: str = ""
    remedies: t.Tuple[str, ...] = ()
    tls: t.Any = None


SILENT = ("greeting_timeout", "disconnected", "not_smtp")
NO_HANDSHAKE = ("tls_mode_mismatch", "tls_handshake_closed")
NO_AGREEMENT = ("tls_version", "tls_cipher", "client_cert_required")
NO_CONNECTION = ("connect_refused", "connect_timeout", "port_blocked")
# Where submission and relaying are offered (RFC 8314, RFC 6409, RFC 5321, and what providers add for networks that block 25).
USUAL_PORTS = ((587, "starttls"), (465, "tls"), (25, "starttls"), (2525, "starttls"))
# A port that answers does so at once; a blocked one must not use up the time of all.
PORT_PATIENCE = 3.0


def confirm(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> FollowUpFinding | None:
    """Look again where that can tell something; None where it cannot or did not. ``record`` is of the failed conversation."""
    found = _same_place(relay, record, deadline)
    if (
        relay.route.proxy is None
        and record.failure is not None
        and record.failure.stage in addresses.EARLY
        and addresses.others(record)
    ):
        differ = addresses.look_at_each(relay, record, deadline)
        record.warnings += differ
        if differ:
            text = "each address was tried alone, without logging in"
            return found._replace(confirmed_by=found.confirmed_by + "; " + text) if found else FollowUpFinding(text)
    return found


def _same_place(relay: RelayTarget, record: ConversationLog, deadline: Deadline) -> FollowUpFinding | None:
    failure = record.failure
    if failure is None:
        raise AssertionError("nothing failed, so nothing is to be confirmed")
    if failure.category.startswith("cert_") and failure.facts.get("tls") is None:
        return _certificate(relay, deadline)
    if relay.security != "tls" and failure.stage == "greeting" and failure.category in SILENT:
        return _speaks_tls(relay, deadline)
    if relay.security == "tls" and failure.stage == "tls" and failure.category in NO_HANDSHAKE:
        return _speaks_plainly(relay, deadline)
    if failure.stage == "tls" and failure.category in NO_AGREEMENT:
        return _any_tls(relay, deadline)
    if failure.stage in ("connect", "proxy") and failure.category in NO_CONNECTION and not is_path(relay.host):
        return _other_ports(relay, deadline)
    return None


def _certificate(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    seen = look(relay, Look("tls", tls=unverified(relay.tls)), deadline).tls
    if seen is None:
        return None
    return FollowUpFinding(
        "the certificate was read on a second connection, without verifying it and without logging in", tls=seen
    )


def _any_tls(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    """What it would have agreed to, had it been asked for less."""
    settings = unverified(relay.tls)._replace(client=None, glance=True)
    seen = look(relay, Look("tls", tls=settings), deadline)
    info = seen.tls or (seen.failure.facts.get("tls") if seen.failure else None)
    if info is None:
        return None
    agreed = (
        f"it agreed to {info.version} with {info.cipher}"
        if info.cipher
        else "it sent its certificate before it hung up"
    )
    return FollowUpFinding(f"on a second connection, which would have taken anything, {agreed}", tls=info)


def _speaks_tls(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    seen = look(relay, Look("connect", "tls", tls=unverified(relay.tls)), deadline)
    if seen.tls is None or seen.greeting is None:
        return None
    text = "a second connection began with TLS and was greeted: " + str(seen.greeting)
    return FollowUpFinding(text, "tls_mode_mismatch", ("Use security: tls with port %d." % relay.port,), seen.tls)


def _speaks_plainly(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    seen = look(relay, Look("connect", "none"), deadline)
    if seen.failure is not None and seen.failure.category == "not_smtp":
        return FollowUpFinding(
            f"a second connection without TLS was answered: {seen.failure.detail}",
            "not_smtp",
            ("Correct host and port.",),
        )
    if seen.greeting is None:
        return None
    text = "a second connection without TLS was greeted: " + str(seen.greeting)
    if seen.capabilities.offers("STARTTLS"):
        return FollowUpFinding(
            text + "; it offers STARTTLS", "tls_mode_mismatch", ("Use security: starttls with port %d." % relay.port,)
        )
    return FollowUpFinding(
        text + "; it does not offer STARTTLS",
        "tls_mode_mismatch",
        ("Use a port that speaks TLS: this one has none at all.",),
    )


def _other_ports(relay: RelayTarget, deadline: Deadline) -> FollowUpFinding | None:
    ports = [(port, security) for port, security in USUAL_PORTS if port != relay.port]
    looks = [Look("tls", security, port, tls=unverified(relay.tls)) for port, security in ports]
    seen = look_at_all(relay, looks, deadline.within(PORT_PATIENCE))
    good = [(port, security) for (port, security), record in zip(ports, seen) if record.reached == "tls"]
    plain = [port for (port, _security), record in zip(ports, seen) if record.reached == "connect"]
    if not good and not plain:
        tried = ", ".join(str(port) for port, _security in ports)
        return FollowUpFinding(f"none of the usual ports ({tried}) answers either")
    text = "the same host answers on {}".format(
        ", ".join(
            ["port %d with security: %s" % one for one in good] + ["port %d without TLS" % port for port in plain]
        )
    )
    return FollowUpFinding(text, remedies=tuple("Use port %d with security: %s." % one for one in good))
