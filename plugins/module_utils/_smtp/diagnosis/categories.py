# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed list of categories: for each one sentence and what to do, most likely first. The only place with sentences."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple


class Diagnosis(NamedTuple):
    """``sentence`` follows "host:port"; words in braces are facts, see :func:`explain`."""

    sentence: str
    remedies: t.Tuple[str, ...]


_OTHER_TLS = "Use the other mode: security: tls (usually port 465) or security: starttls (usually port 587)."
_FULL_NAME = "Set helo to this host's full name, such as web1.example.com."
_CLOCK = "Check this host's clock."
_RENEW = "Renew the relay's certificate."
_OWN_CA = "If the relay has a CA of its own, put that CA on this host and name it in ca_path."
_LOGIN = "Declare username and password."
_SENDER = "Use a sender that this login owns, or have the right to send as it granted."
_LATER = "Try again later."
_OPERATOR = "Ask the operator of the relay."
_MECHANISM = "Leave auth_mechanisms out, or name one that is offered: {offered}."
_PASSWORD = "{wrong}; the connection itself is fine."
_LESS = "Send less at a time, and wait."

CATEGORIES = {
    "ok": Diagnosis("works", ()),
    "dns_failure": Diagnosis(
        "cannot be looked up: {detail}",
        ("Correct the name of the host.", "Check this host's resolver: getent hosts {host}."),
    ),
    "connect_refused": Diagnosis(
        "refuses connections on this port",
        (
            "Correct the port: {usual_port} is usual with security: {security}.",
            "See that the relay is running and listens on this address.",
        ),
    ),
    "connect_timeout": Diagnosis(
        "does not answer",
        (
            "Look for a firewall between this host and the relay; many clouds block port 25.",
            "Use port 587, 465 or 2525.",
            "Correct the host.",
        ),
    ),
    "network_unreachable": Diagnosis(
        "cannot be reached: {detail}", ("Check this host's routes and addresses, IPv6 too.", "Correct the host.")
    ),
    "port_blocked": Diagnosis(
        "may not be connected to: this host itself forbids it ({detail})",
        ("Allow it in this host's firewall, SELinux policy or sandbox.",),
    ),
    "not_smtp": Diagnosis("does not speak SMTP: {detail}", ("Correct host and port.", "Look for a proxy in between.")),
    "greeting_timeout": Diagnosis(
        "accepted the connection and then did not greet in time",
        (
            "If this port expects TLS at once (465), use security: tls.",
            "Allow more time: the relay may delay its greeting on purpose.",
        ),
    ),
    "greeting_rejected": Diagnosis(
        "turns this host away in its greeting", ("Have this host's address allowed at the relay.", _OPERATOR)
    ),
    "rate_limited": Diagnosis("limits how often this host may come", (_LESS, "Have the limit raised.")),
    "server_busy": Diagnosis("does not serve just now", (_LATER, _OPERATOR)),
    "ehlo_rejected": Diagnosis('does not accept the HELO name "{helo}"', (_FULL_NAME,)),
    "tls_mode_mismatch": Diagnosis("speaks the other TLS mode on this port than security: {security}", (_OTHER_TLS,)),
    "starttls_not_offered": Diagnosis(
        "does not offer STARTTLS",
        (
            _OTHER_TLS,
            "If it offered STARTTLS before, look for someone in between who removes it.",
            "Give the relay a certificate.",
        ),
    ),
    "starttls_masked": Diagnosis(
        "seems to offer STARTTLS, but something in between overwrites the word",
        ("Switch off SMTP inspection (ESMTP fixup) in the firewall.", "Use security: tls on port 465."),
    ),
    "starttls_refused": Diagnosis(
        "offers STARTTLS and then refuses it", (_LATER, "See that the relay has a certificate that it can read.")
    ),
    "starttls_injection": Diagnosis(
        "sent more behind its go-ahead for TLS: {detail}",
        (
            "Treat the network as hostile until this is explained: this is how answers are smuggled into TLS.",
            "Use security: tls on port 465.",
        ),
    ),
    "tls_version": Diagnosis(
        "has no TLS version in common with this host",
        ("Update the relay: TLS 1.2 is needed.", "As a last resort, lower tls_min_version."),
    ),
    "tls_cipher": Diagnosis(
        "ended the TLS handshake: no cipher in common, or it wants a client certificate",
        ("Update the relay's TLS settings.", "Ask whether it wants client certificates."),
    ),
    "tls_handshake_closed": Diagnosis(
        "ended the connection during the TLS handshake", (_OTHER_TLS, "Look at the relay's log.")
    ),
    "client_cert_required": Diagnosis(
        "wants a client certificate, or another one",
        ("Name one that it knows in client_cert and client_key.", "Use a port that takes a login instead.", _OPERATOR),
    ),
    "cert_unknown_ca": Diagnosis(
        "shows a certificate of a CA that this host does not trust",
        (_OWN_CA, "See that the relay sends its intermediate certificates."),
    ),
    "cert_self_signed": Diagnosis(
        "shows a certificate that it signed itself",
        ("Give the relay a certificate of a CA.", "Put that certificate on this host and name it in ca_path."),
    ),
    "cert_expired": Diagnosis("shows a certificate that has expired", (_RENEW, _CLOCK)),
    "cert_not_yet_valid": Diagnosis("shows a certificate that is not valid yet", (_CLOCK, _RENEW)),
    "cert_hostname": Diagnosis(
        'shows a certificate for another name than "{server_name}"',
        (
            "Use one of its names as host: {names}.",
            "If the host is an address or an alias, set tls_server_name to the certificate's name.",
        ),
    ),
    "cert_pin": Diagnosis(
        "shows a certificate that is not one of tls_fingerprints: {detail}",
        ("If the relay's certificate was renewed, pin the new one after checking it.", _OPERATOR),
    ),
    "cert_strict": Diagnosis(
        "shows a certificate chain that breaks a rule: {detail}",
        ("Have the certificate and its CA made anew, with today's key sizes, hashes and extensions.",),
    ),
    "cert_expiring": Diagnosis(
        "has a certificate that ends in {days_left} days, fewer than the {wanted_days} expected", (_RENEW,)
    ),
    "auth_not_offered": Diagnosis(
        "offers no login on this connection",
        (
            "{starttls_hint}",
            "Use the submission port, with security: tls or starttls: many relays offer logins only there.",
            "If the relay needs no login, declare no username.",
        ),
    ),
    "auth_mechanism_unsupported": Diagnosis(
        "takes none of the login mechanisms that were allowed and can be used here; it offers {offered}",
        (_MECHANISM, "{detail}."),
    ),
    "auth_mechanism_too_weak": Diagnosis(
        "refuses this login mechanism ({mechanism}) as too weak",
        ("Allow a stronger mechanism in auth_mechanisms.", "Move the password as its text says."),
    ),
    "auth_requires_tls": Diagnosis(
        "needs TLS before the login",
        (
            "Use security: starttls or tls.",
            "To send the password in clear text all the same: allow_plaintext_auth: true.",
        ),
    ),
    "auth_required": Diagnosis("wants a login first", (_LOGIN,)),
    "auth_failed": Diagnosis('rejected the login of "{username}" ({mechanism})', (_PASSWORD,)),
    "auth_server_unproven": Diagnosis(
        "could not prove that it knows the password: {detail}",
        ("Treat the relay as an impostor until this is explained.", _OPERATOR),
    ),
    "auth_app_password_required": Diagnosis(
        'wants an app password for "{username}"', ("Make an app password for this account and use it here.",)
    ),
    "auth_basic_disabled": Diagnosis("does not take passwords any more", ("Use OAuth2.",)),
    "auth_tenant_disabled": Diagnosis(
        "has SMTP logins switched off for this organisation or mailbox", ("Switch on Authenticated SMTP.",)
    ),
    "auth_policy_blocked": Diagnosis(
        'refuses the login of "{username}" by a policy', ("Have this login exempted from the policy.",)
    ),
    "auth_account_blocked": Diagnosis(
        'has blocked the account "{username}"', ("Have the account released, then change its password.",)
    ),
    "auth_temporary": Diagnosis(
        "cannot check logins just now", (_LATER, "Look at the relay's log: its password store may be down.")
    ),
    "token_error": Diagnosis("was not tried: {detail}", ("Correct the tenant, the client id or the client secret.",)),
    "token_wrong_scope": Diagnosis(
        "needs a token for another purpose: this one has {has}; needed is {needed}",
        ("Ask for the scope that the relay wants.",),
    ),
    "sender_rejected": Diagnosis('does not accept the sender "{sender}"', (_SENDER, "Correct the sender.")),
    "send_as_denied": Diagnosis('does not let this login send as "{sender}"', (_SENDER,)),
    "sender_unverified": Diagnosis(
        'has not verified the sender "{sender}"', ("Verify the sender or its domain at the provider.",)
    ),
    "recipient_rejected": Diagnosis(
        "does not accept the recipient",
        ("Correct the recipient.", "If the text speaks of greylisting, try again in some minutes."),
    ),
    "relay_denied": Diagnosis(
        "does not relay for this host", (_LOGIN, "Have this host's address allowed at the relay.")
    ),
    "quota_exceeded": Diagnosis(
        "says that a quota is used up", ("Wait for the next period, or have the quota raised.",)
    ),
    "message_too_large": Diagnosis(
        "finds the message too large", ("Send something smaller, or have the limit raised.",)
    ),
    "message_rejected": Diagnosis(
        "does not accept the message", ("Read what it said; it is about the content or the sender.", _OPERATOR)
    ),
    "reputation_blocked": Diagnosis(
        "does not trust the sending address or domain",
        ("Look the address up at the list it names, and ask for delisting.", "Correct SPF, DKIM and reverse DNS."),
    ),
    "protocol_error": Diagnosis(
        "does not keep to the protocol: {detail}",
        ("Correct host and port.", "Look for a proxy or a firewall in between."),
    ),
    "disconnected": Diagnosis(
        "hung up: {detail}", (_LATER, "Look at the relay's log: it may turn this host away without a word.")
    ),
    "deadline_exceeded": Diagnosis(
        "did not finish within {timeout:g} s",
        ("Allow more time.", "Look at the relay: it is slow, or keeps clients waiting on purpose."),
    ),
    "expect_unmet": Diagnosis(
        "behaves otherwise than expected: {detail}", ("Correct what is expected, or the relay.",)
    ),
}


# On this host itself it is a mail server that does not run, and no other port is a way out.
ON_THIS_HOST = {
    "connect_refused": Diagnosis(
        "refuses connections on this port",
        ("Start the mail server of this host, and see that it listens on {host}:{port}.",),
    )
}

# A proxy in between refuses or fails: the relay itself has not been seen.
AT_PROXY = Diagnosis(
    "was not reached through the proxy: {detail}",
    (
        "Correct proxy: its address, its kind, its login.",
        "Have the proxy allow this relay and this port.",
        "Correct host and port.",
    ),
)


class _Facts(dict):  # type: ignore[type-arg]  # dict[str, t.Any] is not there before Python 3.9
    def __missing__(self, key: str) -> str:
        return "(unknown)"


def explain(category: str, facts: t.Mapping[str, t.Any]) -> tuple[str, list[str]]:
    """The sentence and the remedies of ``category``, filled with ``facts``; a fact that is not known says so."""
    there = ON_THIS_HOST if facts.get("on_this_host") else CATEGORIES
    row = AT_PROXY if "proxy" in (facts.get("stage"), facts.get("at")) else there.get(category, CATEGORIES[category])
    known = _Facts((key, value) for key, value in facts.items() if value not in ("", None))
    known.setdefault("timeout", 0)
    known.setdefault("wrong", "Correct the username or the password")
    return row.sentence.format_map(known), [
        remedy.format_map(known) for remedy in row.remedies if _applies(remedy, known)
    ]


def _applies(remedy: str, known: _Facts) -> bool:
    """A remedy that rests on a fact is left out where the fact is not known."""
    return "(unknown)" not in remedy.format_map(known)
