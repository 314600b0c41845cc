# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On failure, one more connection, without credentials: what was likely becomes a fact, or is shown to be otherwise."""

from __future__ import annotations

import typing as t

from .dialogue import Goal, converse
from .engine import Engine
from .options import Relay
from .record import Record
from .secret import Redactor
from .transport import Deadline, Endpoint, run


class Finding(t.NamedTuple):
    """What the second connection showed. ``category`` empty: the first verdict stands."""

    confirmed_by: str
    category: str = ""
    remedies: t.Tuple[str, ...] = ()
    tls: t.Any = None


SILENT = ("greeting_timeout", "disconnected", "not_smtp")
NO_HANDSHAKE = ("tls_mode_mismatch", "tls_handshake_closed")


def confirm(relay: Relay, record: Record, deadline: Deadline) -> Finding | None:
    """Look once more where that can tell something; None where it cannot or did not. ``record`` is of the failed conversation."""
    failure = record.failure
    assert failure is not None
    if failure.category.startswith("cert_") and failure.facts.get("tls") is None:
        return _certificate(relay, deadline)
    if relay.security != "tls" and failure.stage == "greeting" and failure.category in SILENT:
        return _speaks_tls(relay, deadline)
    if relay.security == "tls" and failure.stage == "tls" and failure.category in NO_HANDSHAKE:
        return _speaks_plainly(relay, deadline)
    return None


def _look(relay: Relay, security: str, level: str, deadline: Deadline) -> Record:
    record = Record(Redactor())
    goal = Goal(relay.helo, security, level)
    settings = relay.tls._replace(verify=False, fingerprints=())
    run(Engine(converse(goal, record), record.trace), Endpoint(relay.host, relay.port, settings), record, deadline)
    return record


def _certificate(relay: Relay, deadline: Deadline) -> Finding | None:
    seen = _look(relay, relay.security, "tls", deadline).tls
    if seen is None:
        return None
    return Finding("the certificate was read on a second connection, without verifying it and without logging in", tls=seen)


def _speaks_tls(relay: Relay, deadline: Deadline) -> Finding | None:
    seen = _look(relay, "tls", "connect", deadline)
    if seen.tls is None or seen.greeting is None:
        return None
    text = "a second connection began with TLS and was greeted: " + str(seen.greeting)
    return Finding(text, "tls_mode_mismatch", ("Use security: tls with port %d." % relay.port,), seen.tls)


def _speaks_plainly(relay: Relay, deadline: Deadline) -> Finding | None:
    seen = _look(relay, "none", "connect", deadline)
    if seen.failure is not None and seen.failure.category == "not_smtp":
        return Finding("a second connection without TLS was answered: %s" % seen.failure.detail, "not_smtp", ("Correct host and port.",))
    if seen.greeting is None:
        return None
    text = "a second connection without TLS was greeted: " + str(seen.greeting)
    if seen.capabilities.offers("STARTTLS"):
        return Finding(text + "; it offers STARTTLS", "tls_mode_mismatch", ("Use security: starttls with port %d." % relay.port,))
    return Finding(text + "; it does not offer STARTTLS", "tls_mode_mismatch", ("Use a port that speaks TLS: this one has none at all.",))
