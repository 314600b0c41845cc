# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test message (RFC 5322), by the standard library's own writer."""

from __future__ import annotations

import datetime
import email.message
import email.policy
import email.utils
import typing as t
import uuid


class Message(t.NamedTuple):
    """A message ready to send."""

    message_id: str
    data: bytes


SUBJECT = "smarthost.mail: test message"


def compose(sender: str, recipients: t.Sequence[str], subject: str, helo: str, now: datetime.datetime) -> Message:
    """Plain text with every header that a filter looks for. ``sender`` and ``recipients`` are bare addresses."""
    everyone = (sender,) + tuple(recipients)
    policy = email.policy.SMTP if all(text.isascii() for text in everyone) else email.policy.SMTPUTF8
    domain = sender.rpartition("@")[2] or helo
    message = email.message.EmailMessage(policy=policy)
    message["Date"] = email.utils.format_datetime(now)
    message["Message-ID"] = "<%s@%s>" % (uuid.uuid4().hex, domain.encode("idna").decode("ascii"))
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject or SUBJECT
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "This message was sent by the Ansible module smarthost.mail.smtp_probe on %s\nto prove that mail goes out. No answer is needed.\n"
        % (helo or "a host")
    )
    return Message(message["Message-ID"], message.as_bytes())
