# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the test message is to look: what was declared of it, apart from writing it, which takes the mail packages."""

from __future__ import annotations

import codecs

from .light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import typing as t


class Wording(NamedTuple):
    """Subject, Reply-To (bare, or empty), signature (one line), character set, and whether plain text is all there is."""

    subject: str
    reply_to: str
    signature: str
    charset: str
    plain_text: bool


def read(options: t.Mapping[str, t.Any]) -> tuple[Wording, list[str]]:
    """From the options ``subject``, ``reply_to`` and ``looks``, with problems as ``path: what. What instead. [code]``."""
    given = options.get("looks") or {}
    charset = given.get("charset") or "utf-8"
    signature, reply_to = given.get("signature") or "", options.get("reply_to") or ""
    problems = []
    if not _is_text(charset):
        problems.append("looks.charset: is not a character set. Write one such as utf-8 or iso-8859-1. [message-charset]")
    if not signature.isprintable():
        problems.append("looks.signature: holds a control character. Write it on one line without. [control-character]")
    if any(char in "<>,;" or char.isspace() for char in reply_to):
        problems.append("reply_to: an address is written bare, as user@example.com. [address-form]")
    plain_text = given.get("plain_text")
    return Wording(options.get("subject") or "", reply_to, signature, charset, plain_text is None or plain_text), problems


def _is_text(charset: str) -> bool:
    """Whether Python has it, as a character set and not as one of its other codecs, such as base64 or rot13."""
    try:
        return codecs.lookup(charset).name != "idna" and "a".encode(charset).decode(charset) == "a" and charset.isascii()
    except (LookupError, ValueError):
        return False
