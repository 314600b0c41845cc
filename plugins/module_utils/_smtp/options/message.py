# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the test message, apart from writing it, which takes the mail packages."""

from __future__ import annotations

import codecs
import re
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.problem import Problem

# RFC 5322 3.4: a display name, quoted or not, before an address in angle brackets.
_NAMED = r'(?:"((?:[^"\\\x00-\x1f\x7f-\x9f]|\\[^\x00-\x1f\x7f-\x9f])*)"|([^"<>\x00-\x1f\x7f-\x9f]*))\s*<([^<>\s]+)>\Z'


class MessageOptions(NamedTuple):
    """Subject, Reply-To (bare, or empty), signature (one line), character set, and whether plain text is all there is.

    ``from_name`` and ``reply_to_name`` are the display names beside the addresses; empty for none.
    """

    subject: str
    reply_to: str
    signature: str
    charset: str
    plain_text: bool
    from_name: str = ""
    reply_to_name: str = ""


def mailbox(text: str) -> tuple[str, str]:
    """Display name and bare address of ``Name <address>``, ``"Name" <address>`` or ``address``. What is neither comes back as the address."""
    # Most have none, and need no pattern.
    found = re.match(_NAMED, text) if "<" in text else None
    if found is None:
        return "", text
    quoted, plain, address = found.groups()
    return (re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip()), address


def read(options: t.Mapping[str, t.Any]) -> tuple[MessageOptions, list[Problem]]:
    """From the options ``subject``, ``reply_to`` and ``message_options``, with every problem."""
    given = options.get("message_options") or {}
    charset = given.get("charset") or "utf-8"
    signature, reply_to = given.get("signature") or "", options.get("reply_to") or ""
    problems = []
    if not _is_text(charset):
        problems.append(
            Problem(
                "message_options.charset",
                "this is not a character set.",
                "message-charset",
                "Write one such as utf-8 or iso-8859-1.",
            )
        )
    if not signature.isprintable():
        what = "this holds a control character."
        problems.append(
            Problem("message_options.signature", what, "control-character", "Write it on one line without.")
        )
    if any(char in "<>,;" or char.isspace() for char in reply_to):
        hint = "Write one address, as help@example.com or Help <help@example.com>."
        problems.append(Problem("reply_to", "this is not a mail address.", "not-an-address", hint))
    plain_text = given.get("plain_text")
    names = [options.get(key) or "" for key in ("from_name", "reply_to_name")]
    return MessageOptions(
        options.get("subject") or "", reply_to, signature, charset, plain_text is None or plain_text, *names
    ), problems


def _is_text(charset: str) -> bool:
    """Whether Python has it, as a character set and not as one of its other codecs, such as base64 or rot13."""
    try:
        return (
            codecs.lookup(charset).name != "idna" and "a".encode(charset).decode(charset) == "a" and charset.isascii()
        )
    except (LookupError, ValueError):
        return False
