# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test message of one relay: whether it is due, what it is, that it went out, and what has changed since."""

from __future__ import annotations

import datetime
import typing as t

from . import changes, test_message
from .options.target import RelayTarget
from .receipts import Receipts


def prepare(relay: RelayTarget) -> None:
    """Make sure that sending can be remembered. Raises :class:`ProblemsError`."""
    Receipts(relay.state_dir).prepare()


def due(relay: RelayTarget) -> bool:
    """Whether a message is to be sent: always, or because these settings have not been proved by one."""
    return relay.send == "always" or Receipts(relay.state_dir).find(_settings(relay)) is None


def compose(relay: RelayTarget) -> test_message.ProbeMessage:
    """The message, of now."""
    return test_message.compose(
        relay.sender, relay.recipients, relay.message, relay.helo, datetime.datetime.now(datetime.timezone.utc)
    )


def remember(relay: RelayTarget, result: t.Mapping[str, t.Any]) -> None:
    """It went out: not again for these settings. Raises :class:`ProblemsError`."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    noted = {"sent": now, "message_id": result["message"]["message_id"], "relay": changes.state(result)}
    Receipts(relay.state_dir).remember(_settings(relay), noted)


def compare(relay: RelayTarget, result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """``receipt`` and ``changes_since`` for the result. Only what was seen can have changed: not after a failure."""
    found = Receipts(relay.state_dir).find(_settings(relay))
    if found is None or not isinstance(found.get("relay"), dict):
        return {}
    receipt = {"sent": found.get("sent", ""), "message_id": found.get("message_id", "")}
    return {
        "receipt": receipt,
        "changes_since": changes.since(found["relay"], changes.state(result)) if _whole(result) else [],
    }


def _whole(result: t.Mapping[str, t.Any]) -> bool:
    return result["level_reached"] in ("auth", "envelope", "message")


def _settings(relay: RelayTarget) -> dict[str, t.Any]:
    """Everything that a message proves: if any of it changes, the next message is due. Nothing secret, see :mod:`receipt`."""
    return {
        "relay": [relay.host, relay.port, relay.security, _tls(relay), relay.helo],
        "login": [relay.credential.username, relay.credential_id] if relay.credential else [],
        "oauth2": relay.oauth2.identity if relay.oauth2 else [],
        "mechanisms": relay.mechanisms,
        "envelope": [relay.sender, relay.recipients],
        "message": relay.message,
    }


def _tls(relay: RelayTarget) -> dict[str, t.Any]:
    return dict(relay.tls._asdict(), client=relay.tls.client[:2] if relay.tls.client else None)
