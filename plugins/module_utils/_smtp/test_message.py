# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test message (RFC 5322), by the standard library's own writer."""

from __future__ import annotations

import base64
import datetime
import email.message
import email.policy
import email.utils
import html
import re
import typing as t
import uuid

from .._shared.light import NamedTuple
from .options.message import MessageOptions


class ProbeMessage(NamedTuple):
    """A message ready to send."""

    message_id: str
    data: bytes


_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z"
_DOMAIN = r"[A-Za-z0-9.-]+\Z"
SUBJECT = "smarthost.mail: test message"
TEXT = """\
This message was sent by the Ansible module smarthost.mail.smtp_probe on %s
to prove that mail goes out. No answer is needed.
"""


def compose(
    sender: str, recipients: t.Sequence[str], options: MessageOptions, helo: str, now: datetime.datetime
) -> ProbeMessage:
    """Every header that a filter looks for, and text in one part or two. ``sender`` and ``recipients`` are bare addresses,
    their names are in ``options``.

    The body is 7 bit in any character set, so that no relay need offer 8BITMIME. The headers are UTF-8 only where an
    address is, and that address needs SMTPUTF8 anyhow.
    """
    everyone = (sender, options.reply_to) + tuple(recipients)
    policy = (email.policy.SMTP if all(text.isascii() for text in everyone) else email.policy.SMTPUTF8).clone(
        cte_type="7bit"
    )
    message = email.message.EmailMessage(policy=policy)
    message["Date"] = email.utils.format_datetime(now)
    message["Message-ID"] = f"<{uuid.uuid4().hex}@{_domain(sender, helo)}>"
    message["Subject"] = options.subject or SUBJECT
    message["Auto-Submitted"] = "auto-generated"
    _fill(message, TEXT % (helo or "a host"), options)
    people = _header("From", mailbox(options.from_name, sender)) + _header("To", *recipients)
    if options.reply_to:
        people += _header("Reply-To", mailbox(options.reply_to_name, options.reply_to))
    return ProbeMessage(message["Message-ID"], people + message.as_bytes())


def _header(name: str, *mailboxes: str) -> bytes:
    """One on a line. Not by the library's writer, which loses blanks of long names and raises for addresses that only look odd."""
    return ("{}: {}\r\n".format(name, ",\r\n ".join(mailboxes))).encode("utf-8")


def mailbox(name: str, address: str) -> str:
    """``name <address>``, folded between them, or the bare address."""
    return f"{phrase(name)}\r\n <{address}>" if name else address


def _domain(sender: str, helo: str) -> str:
    """The sender's, or what else a Message-ID may end in."""
    for text in (sender.rpartition("@")[2], helo):
        try:
            domain = text.encode("idna").decode("ascii")
        except UnicodeError:
            continue
        if re.match(_DOMAIN, domain):
            return domain
    return "localhost"


def phrase(name: str) -> str:
    """A display name as a header has it: as it is, quoted (RFC 5322 3.2.4), or in encoded words (RFC 2047 5) of whole characters."""
    if name.isascii() and len(name) <= 60 and "=?" not in name:
        return name if re.match(_ATOMS, name) else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))
    words = [""]
    for character in name:
        if len((words[-1] + character).encode("utf-8")) > 39:
            words.append("")
        words[-1] += character
    return "\r\n ".join(
        "=?utf-8?b?{}?=".format(base64.b64encode(word.encode("utf-8")).decode("ascii")) for word in words
    )


def _fill(message: email.message.EmailMessage, text: str, options: MessageOptions) -> None:
    """Plain text, and the same in HTML beside it unless plain text was declared. "-- " begins a signature (RFC 3676 4.3)."""
    plain = text + (f"\n-- \n{options.signature}\n" if options.signature else "")
    charset = fitting(options.charset, plain)
    message.set_content(plain, charset=charset)
    if not options.plain_text:
        marked = f"<p>{html.escape(text.strip())}</p>"
        marked += f"<p>-- <br>{html.escape(options.signature)}</p>" if options.signature else ""
        message.add_alternative(
            f'<!DOCTYPE html>\n<html lang="en"><body>\n{marked}\n</body></html>\n', subtype="html", charset=charset
        )


def fitting(charset: str, text: str) -> str:
    """The character set that was declared, or UTF-8 where it has not all of the letters."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset
