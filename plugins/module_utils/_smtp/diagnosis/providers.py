# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the large providers really mean by their replies: rows of data, looked at before the registry.

Providers reuse registered codes for things of their own: 5.7.30 is REQUIRETLS at IANA and "passwords are off" at Microsoft.
"""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple

if t.TYPE_CHECKING:
    from .provider_row import Row


class Provider(NamedTuple):
    """How a provider is recognised: the end of the host's name, or a part of the greeting (both in lower case)."""

    title: str
    hosts: t.Tuple[str, ...]
    greetings: t.Tuple[str, ...] = ()


PROVIDERS = {
    "m365": Provider(
        "Microsoft 365",
        (".outlook.com", ".office365.com", ".outlook.office365.com", ".graph.microsoft.com"),
        ("microsoft esmtp mail service",),
    ),
    "gmail": Provider("Gmail", (".gmail.com", ".google.com", ".googlemail.com"), ("gsmtp",)),
    "ses": Provider("Amazon SES", (".amazonaws.com",), ("amazonses.com", "simpleemailservice")),
    "sendgrid": Provider("SendGrid", (".sendgrid.net",), ("sendgrid",)),
    "mailgun": Provider("Mailgun", (".mailgun.org",), ("mailgun",)),
    "postmark": Provider("Postmark", (".postmarkapp.com",), ("postmark",)),
    "yandex": Provider("Yandex", (".yandex.ru", ".yandex.com", ".yandex.net"), ("yandex",)),
    "zoho": Provider("Zoho", (".zoho.com", ".zoho.eu", ".zoho.in", ".zohocloud.ca"), ("zoho",)),
    "zeptomail": Provider("ZeptoMail", (".zeptomail.com", ".zeptomail.eu", ".zeptomail.in"), ("zeptomail",)),
    "ovh": Provider("OVH", (".ovh.net", ".ovh.ca", ".mail.ovh.net"), ("ovh",)),
    "brevo": Provider("Brevo", (".brevo.com", ".sendinblue.com"), ("sendinblue", "brevo")),
    "socketlabs": Provider("SocketLabs", (".socketlabs.com",), ("socketlabs",)),
}


def rows() -> tuple[Row, ...]:
    """Every row. Microsoft first: it has the most particular texts."""
    # Imported here: only a refusal needs them.
    from . import replies_microsoft, replies_others

    return replies_microsoft.ROWS + replies_others.ROWS


def recognise(host: str, greeting: str) -> str:
    """The id of the provider behind this host name or greeting; empty if unknown."""
    name, said = "." + host.lower().rstrip("."), greeting.lower()
    for key, provider in PROVIDERS.items():
        if name.endswith(provider.hosts) or any(words in said for words in provider.greetings):
            return key
    return ""


def find(provider: str, reply: str) -> Row | None:
    """The row for this reply, given as ``535 5.7.8 text``."""
    said = reply.lower()
    for row in rows():
        if row.of in ("", provider) and all(fragment in said for fragment in row.fragments):
            return row
    return None
