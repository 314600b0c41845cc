# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test message of one relay: whether it is due, what it is, and that it went out."""

from __future__ import annotations

import datetime
import typing as t

from . import message
from .options import Relay
from .receipt import Receipts


def prepare(relay: Relay) -> None:
    """Make sure that sending can be remembered. Raises :class:`OptionError`."""
    Receipts(relay.state_dir).prepare()


def due(relay: Relay) -> bool:
    """Whether a message is to be sent: always, or because these settings have not been proved by one."""
    return relay.send == "always" or not Receipts(relay.state_dir).known(_settings(relay))


def compose(relay: Relay) -> message.Message:
    """The message, of now."""
    return message.compose(relay.sender, relay.recipients, relay.subject, relay.helo, datetime.datetime.now(datetime.timezone.utc))


def remember(relay: Relay, sent: message.Message) -> None:
    """It went out: not again for these settings. Raises :class:`OptionError`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    Receipts(relay.state_dir).remember(_settings(relay), sent.message_id, now.isoformat())


def _settings(relay: Relay) -> dict[str, t.Any]:
    """Everything that a message proves: if any of it changes, the next message is due."""
    return {
        "relay": [relay.host, relay.port, relay.security, _tls(relay), relay.helo],
        "login": [relay.credential.username, relay.credential.password.reveal()] if relay.credential else [],
        "oauth2": relay.oauth2.identity if relay.oauth2 else [],
        "mechanisms": relay.mechanisms,
        "envelope": [relay.sender, relay.recipients, relay.subject],
    }


def _tls(relay: Relay) -> dict[str, t.Any]:
    return dict(relay.tls._asdict(), client=relay.tls.client[:2] if relay.tls.client else None)
