# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reply codes mean: RFC 5321 and the whole IANA registry of enhanced codes, as data.

The registry is https://www.iana.org/assignments/smtp-enhanced-status-codes as of 2024-12-06 (RFC 3463, 3886, 4468, 4954,
5248, 6531, 6710, 7293, 7372, 7505, 8617, 8689). Providers reuse numbers: look at ``providers`` first.
"""

from __future__ import annotations

BASIC = {
    211: "status",
    214: "help",
    220: "ready",
    221: "closing the connection, as asked",
    235: "logged in",
    250: "accepted",
    251: "accepted, will be forwarded",
    252: "cannot be checked, but is accepted",
    334: "login challenge",
    354: "send the message",
    421: "the server is going away: overload, a limit, the EHLO name, or a policy",
    432: "the password must first be moved to a new mechanism",
    450: "mailbox not available now: busy, or greylisted",
    451: "error at the server, for now",
    452: "out of space, or too many recipients, for now",
    453: "no mail for you: this is a service for another purpose",
    454: "login or TLS not available now, or a quota is used up",
    455: "these parameters cannot be used now",
    458: "no messages can be queued for this node: this is a service for another purpose",
    459: "this node is not allowed: this is a service for another purpose",
    500: "command not known, or too long",
    501: "wrong arguments",
    502: "command not implemented",
    503: "commands in the wrong order",
    504: "parameter or login mechanism not known",
    521: "this host takes no mail",
    523: "message larger than allowed, or password to be changed",
    524: "password to be moved to a new mechanism",
    530: "TLS, or a login, is needed first",
    534: "this mechanism is too weak, or this account needs an app password",
    535: "login refused",
    538: "this mechanism is allowed over TLS only",
    550: "refused: policy, no right to relay, or no such mailbox",
    551: "recipient is not local",
    552: "too large, or the mailbox is full",
    553: "address refused: malformed, or not yours to use",
    554: "transaction failed, or no SMTP service here",
    555: "MAIL or RCPT parameter not known",
    556: "this domain takes no mail",
}

# subject.detail (without the class): meaning, what to do at a relay
ENHANCED = {
    "0.0": ("not specified", "Read the text of the reply."),
    "1.0": ("other trouble with an address", "Check the recipient."),
    "1.1": ("no such mailbox", "Check the recipient."),
    "1.2": ("no such domain", "Check the recipient's domain."),
    "1.3": ("malformed recipient address", "Check the recipient."),
    "1.4": ("ambiguous recipient", "Check the recipient."),
    "1.5": ("recipient valid", "Nothing to do."),
    "1.6": ("recipient has moved", "Use the new address."),
    "1.7": ("malformed sender address", "Check the sender."),
    "1.8": ("the sender's domain cannot be used", "Check the sender's domain and its DNS."),
    "1.9": ("handed on to a mailer that does not conform", "Nothing to do."),
    "1.10": ("the recipient's domain says that it takes no mail", "Use another recipient."),
    "2.0": ("other trouble with the mailbox", "Ask the recipient's side."),
    "2.1": ("mailbox switched off", "Ask the recipient's side."),
    "2.2": ("mailbox full", "Ask the recipient's side."),
    "2.3": ("message longer than the mailbox allows", "Send something shorter."),
    "2.4": ("trouble with expanding a mailing list", "Ask the owner of the list."),
    "3.0": ("other trouble with the mail system", "Ask the operator of the relay."),
    "3.1": ("mail system full", "Wait, or ask the operator of the relay."),
    "3.2": ("system takes no messages now", "Wait, then try again."),
    "3.3": ("system lacks a feature", "Ask the operator of the relay."),
    "3.4": ("message too big for the system", "Send something smaller."),
    "3.5": ("system misconfigured", "Ask the operator of the relay."),
    "3.6": ("priority was changed", "Nothing to do."),
    "4.0": ("other trouble with the network", "Check network and DNS of the relay."),
    "4.1": ("the next host does not answer", "Check network and DNS of the relay."),
    "4.2": ("bad connection", "Try again."),
    "4.3": ("directory or DNS failure", "Check the DNS of the relay."),
    "4.4": ("no route", "Check the DNS and routing of the relay."),
    "4.5": ("congestion, or a limit", "Send less, or wait."),
    "4.6": ("mail loop", "Check the routing of the relay."),
    "4.7": ("delivery took too long", "Check the next host after the relay."),
    "5.0": ("other trouble with the protocol", "Read the text of the reply."),
    "5.1": ("command not valid now", "Check port and security mode."),
    "5.2": ("syntax error", "Check the HELO name and the addresses."),
    "5.3": ("too many recipients", "Use fewer recipients in one message."),
    "5.4": ("arguments not valid", "Check the HELO name, the addresses and the mechanism."),
    "5.5": ("wrong protocol version", "Check port and security mode."),
    "5.6": ("login line too long", "Use a shorter token, or another mechanism."),
    "6.0": ("other trouble with the content", "Send a plain text."),
    "6.1": ("this kind of content is not taken", "Send a plain text."),
    "6.2": ("content must be converted, and may not be", "Send 7-bit text."),
    "6.3": ("content must be converted, and cannot be", "Send 7-bit text."),
    "6.4": ("content was converted with loss", "Send 7-bit text."),
    "6.5": ("converting the content failed", "Send 7-bit text."),
    "6.6": ("content not available", "Send it again."),
    "6.7": ("addresses that are not ASCII are not allowed", "Use ASCII addresses."),
    "6.8": ("the reply would need UTF-8", "Use a relay with SMTPUTF8, or ASCII addresses."),
    "6.9": ("UTF-8 headers cannot be passed on", "Use ASCII headers."),
    "6.10": ("the reply would need UTF-8 (old number of X.6.8)", "Use a relay with SMTPUTF8, or ASCII addresses."),
    "7.0": ("other security reason", "Read the text of the reply."),
    "7.1": ("not authorised", "Log in, or have the right to relay granted."),
    "7.2": ("expanding this list is not allowed", "Ask the owner of the list."),
    "7.3": ("security conversion needed, and not possible", "Ask the operator of the relay."),
    "7.4": ("security feature not supported", "Choose a mechanism that is offered."),
    "7.5": ("cryptographic failure", "Check certificates and clocks."),
    "7.6": ("cryptographic algorithm not supported", "Check TLS versions and ciphers."),
    "7.7": ("message integrity failure", "Send it again."),
    "7.8": ("user name or password not valid", "Correct the username or the password; the connection itself is fine."),
    "7.9": ("login mechanism too weak", "Choose a stronger mechanism."),
    "7.10": ("encryption needed", "Use security: starttls or tls."),
    "7.11": ("encryption needed for this mechanism", "Use security: starttls or tls."),
    "7.12": (
        "password must first be moved to a new mechanism",
        "Log in once with PLAIN over TLS, or reset the password.",
    ),
    "7.13": ("account switched off", "Have the account switched on."),
    "7.14": ("no trust relationship", "Ask the operator of the relay."),
    "7.15": ("priority too low", "Send with a higher priority."),
    "7.16": ("message too big for its priority", "Send something smaller."),
    "7.17": ("the mailbox has a new owner", "Use another recipient."),
    "7.18": ("the domain has a new owner", "Use another recipient."),
    "7.19": ("whether the owner changed cannot be checked", "Use another recipient."),
    "7.20": ("no DKIM signature passes", "Have the relay sign for the sender's domain."),
    "7.21": ("no acceptable DKIM signature", "Have the relay sign for the sender's domain."),
    "7.22": ("no DKIM signature of the author's domain", "Have the relay sign for the sender's domain."),
    "7.23": ("SPF fails", "Name the sending host in the SPF record of the sender's domain."),
    "7.24": ("SPF cannot be evaluated", "Correct the SPF record of the sender's domain."),
    "7.25": ("reverse DNS fails", "Give the sending address a PTR record that leads back to it."),
    "7.26": ("several sender checks fail", "Check SPF, DKIM and reverse DNS of the sending side."),
    "7.27": ("the sender's domain says that it takes no mail", "Use a sender that can receive."),
    "7.28": ("mail flood", "Send less, or wait."),
    "7.29": ("ARC validation fails", "Ask the operator of the relay."),
    "7.30": ("REQUIRETLS needed, and not supported", "Use a path on which every host supports REQUIRETLS."),
}


#: What the registry has for replies that accept; in one of them every other number, such as 2.7.0, tells what was done and no trouble with it.
OF_SUCCESS = ("1.5", "1.9", "3.6", "6.4")


def meaning(code: int, enhanced: str) -> str:
    """One phrase for a reply: the enhanced code where the registry has it, else the basic code, else its first digit."""
    row = _row(code, enhanced)
    return row[0] if row is not None else BASIC.get(code) or {2: "done", 3: "go on", 4: "not now", 5: "no"}[code // 100]


def remedy(enhanced: str) -> str:
    """What the registry's meaning suggests; empty where the code is unknown or says nothing."""
    row = _row(0, enhanced) if enhanced[:1] != "2" else None
    return row[1] if row is not None else ""


def _row(code: int, enhanced: str) -> tuple[str, str] | None:
    """The registry's row for an enhanced code, where it says something of a reply like this one."""
    number = enhanced.partition(".")[2]
    accepts = code // 100 == 2 or enhanced[:1] == "2"
    return None if number == "0.0" or accepts and number not in OF_SUCCESS else ENHANCED.get(number)
