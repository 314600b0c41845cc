# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a level cannot see: a probe that passed is no promise beyond these lines."""

from __future__ import annotations

NOT_SEEN = {
    "connect": (
        "whether TLS works",
        "whether the login works",
        "whether the sender is accepted",
        "whether mail is relayed",
    ),
    "tls": ("whether the login works", "whether the sender is accepted", "whether mail is relayed"),
    "auth": ("whether this login may use the sender", "whether mail is relayed", "whether a quota is used up"),
    "envelope": ("what the relay says to the content", "whether a quota is used up", "greylisting at later hosts"),
    "message": ("delivery: the relay accepted the message, later hosts may not", "whether it lands among junk"),
}

# Those who check the sender only when the message is there.
AFTER_DATA = {
    "m365": "Microsoft 365 checks the right to send as the sender only after the message",
    "ses": "Amazon SES checks whether the sender is verified only after the message",
    "zoho": "Zoho checks the sender only after the message",
    "mailgun": "Mailgun refuses sandbox domains only at the message",
}
AFTER_MESSAGE = {"postmark": "Postmark drops mail to suppressed recipients after it accepted the message"}


def blind_spots(level: str, provider: str) -> list[str]:
    """What is still unknown when ``level`` was reached, with what is known of this provider."""
    extra = AFTER_MESSAGE if level == "message" else AFTER_DATA
    found = list(NOT_SEEN.get(level, NOT_SEEN["connect"]))
    if provider in extra:
        found.insert(0, extra[provider])
    return found
