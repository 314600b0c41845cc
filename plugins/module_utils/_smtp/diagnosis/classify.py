# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a refusal to its category: provider rows first, then codes and words. The dialogue looks at first digits only."""

from __future__ import annotations

import re
import typing as t

from ..._shared.light import NamedTuple
from ..protocol.reply import Reply
from . import enhanced_codes, providers

if t.TYPE_CHECKING:
    from ..protocol.answer import HttpAnswer


class Classification(NamedTuple):
    """The category, what the reply means, what the one who said it suggests, who that is, and how sure the category is.

    ``confidence`` is certain (seen, or said by who is known to mean that), likely (by words or registered codes) or guess (by the
    step alone).
    """

    category: str
    meaning: str = ""
    remedies: t.Tuple[str, ...] = ()
    provider: str = ""
    confidence: str = "certain"


class ReplyRule(NamedTuple):
    """At one of these ``stages`` (empty: any) a reply ``535 5.7.8 text`` that matches both patterns has this category."""

    stages: t.Tuple[str, ...]
    codes: str
    words: str
    category: str


_MAILING = ("mail", "rcpt", "data", "message", "rset")
_TLS_WORDS = r"starttls|\btls\b|\bssl\b|encrypt"
_RATE_WORDS = r"too many|rate.?limit|too fast|throttl|limit exceeded|slow down"

# What was seen has more than one usual cause, as long as nothing confirms one of them.
AMBIGUOUS = {
    "connect_timeout": "likely",
    "greeting_timeout": "guess",
    "starttls_masked": "likely",
    "tls_mode_mismatch": "likely",
    "tls_cipher": "guess",
    "tls_handshake_closed": "guess",
    "client_cert_required": "likely",
}
# RFC 4954 6, RFC 5321 3.8 and 4.2.3: these say one thing, whoever says them.
PLAIN_CODES = (421, 535)

# The first rule that fits wins.
RULES = (
    ReplyRule((), r"4\d\d|5\d\d 5\.7\.28", _RATE_WORDS, "rate_limited"),
    ReplyRule((), r"5\d\d 5\.7\.28", "", "rate_limited"),
    ReplyRule(
        ("greeting", "mail", "rcpt", "message"),
        r"5\d\d",
        r"blocked using|blacklist|blocklist|block list|spamhaus|reputation|\bdnsbl\b",
        "reputation_blocked",
    ),
    ReplyRule(("greeting", "ehlo", "mail", "rcpt", "message"), r"\d+ [45]\.7\.2[0-6]", "", "reputation_blocked"),
    ReplyRule(("auth",), r"538|\d+ 5\.7\.1[01]\b", "", "auth_requires_tls"),
    ReplyRule(("auth",), r"530", _TLS_WORDS, "auth_requires_tls"),
    ReplyRule(("auth",), r"534|\d+ 5\.7\.9\b", "", "auth_mechanism_too_weak"),
    ReplyRule(("auth",), r"432|524|\d+ [45]\.7\.12", "", "auth_mechanism_too_weak"),
    ReplyRule(("auth",), r"5\d\d 5\.7\.13", "", "auth_account_blocked"),
    ReplyRule(("auth",), r"5\d\d", r"account.*(?:disabled|locked|suspended|blocked)", "auth_account_blocked"),
    ReplyRule(("auth",), r"5\d\d 5\.7\.14", "", "auth_policy_blocked"),
    ReplyRule(("auth",), r"50[0-4]|\d+ 5\.5\.4", "", "auth_mechanism_unsupported"),
    ReplyRule(_MAILING, r"530|\d+ 5\.7\.1[01]\b|5\d\d 5\.7\.0", _TLS_WORDS, "auth_requires_tls"),
    ReplyRule(_MAILING, r"\d+ 5\.7\.1[01]\b", "", "auth_requires_tls"),
    ReplyRule(_MAILING, r"530|503", r"auth|log ?in", "auth_required"),
    ReplyRule(_MAILING, r"5\d\d", r"(?:authentication|log ?in) (?:is )?required|not authenticated", "auth_required"),
    ReplyRule(_MAILING, r"\d+ 5\.3\.4|\d+ 5\.2\.3|523", "", "message_too_large"),
    ReplyRule(_MAILING, r"552", r"size|large|big|long", "message_too_large"),
    ReplyRule(_MAILING, r"[45]\d\d", r"quota|daily limit", "quota_exceeded"),
    ReplyRule(("rcpt", "data", "message"), r"[45]5[014]", r"relay", "relay_denied"),
    ReplyRule(("mail", "message"), r"5\d\d", r"send as|on behalf", "send_as_denied"),
    ReplyRule(("mail", "message"), r"5\d\d", r"not verified|unverified", "sender_unverified"),
    ReplyRule(("rcpt",), r"\d+ [45]\.1\.[78]\b", "", "sender_rejected"),
    # Postfix waits for RCPT with what it has against the sender (smtpd_delay_reject).
    ReplyRule(("rcpt",), r"[45]\d\d", r"sender(?: address)? (?:rejected|denied)|not owned by", "sender_rejected"),
)


def classify(category: str, stage: str, reply: Reply | HttpAnswer | None, host: str, greeting: str) -> Classification:
    """Refine ``category``, the dialogue's word for a refusal at ``stage``."""
    provider = providers.recognise(host, greeting)
    if reply is None or reply.kind < 4:
        return Classification(category, provider=provider, confidence=AMBIGUOUS.get(category, "certain"))
    said, words = str(reply), reply.text
    row = providers.find(provider, said)
    if row is not None:
        return Classification(
            row.category, row.meaning, row.remedies, row.of or provider, "certain" if provider else "likely"
        )
    advice = enhanced_codes.remedy(reply.enhanced)
    sure = "certain" if reply.code in PLAIN_CODES else "likely" if advice else "guess"
    found = Classification(
        category, enhanced_codes.meaning(reply.code, reply.enhanced), (advice,) if advice else (), provider, sure
    )
    for rule in RULES:
        if (
            (not rule.stages or stage in rule.stages)
            and re.match(rule.codes, said)
            and re.search(rule.words, words, re.I)
        ):
            return found._replace(category=rule.category, confidence="likely")
    return found
