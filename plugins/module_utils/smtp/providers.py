# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the large providers really mean by their replies: rows of data, looked at before the registry.

Providers reuse registered codes for things of their own: 5.7.30 is REQUIRETLS at IANA and "passwords are off" at Microsoft.
Sources: Microsoft's NDR table, support.google.com/a/answer/3726730, the Amazon SES guide, and the providers' own help pages.
"""

from __future__ import annotations

import typing as t


class Provider(t.NamedTuple):
    """How a provider is recognised: the end of the host's name, or a part of the greeting (both in lower case)."""

    title: str
    hosts: t.Tuple[str, ...]
    greetings: t.Tuple[str, ...] = ()


PROVIDERS = {
    "m365": Provider("Microsoft 365", (".outlook.com", ".office365.com", ".outlook.office365.com"), ("microsoft esmtp mail service",)),
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


class Row(t.NamedTuple):
    """One reply. All ``fragments`` must be in the reply (lower case, code included); ``of`` empty: whoever says it."""

    key: str
    of: str
    fragments: t.Tuple[str, ...]
    category: str
    meaning: str
    remedies: t.Tuple[str, ...]


_OAUTH = "Use OAuth2, or a relay of your own in front of it; app passwords do not help."
_WAIT = "Wait, and send less at a time."

# The first row that fits wins: the more particular ones come first.
ROWS = (
    Row("m365-tenant", "", ("5.7.139", "disabled for the tenant"), "auth_tenant_disabled", "SMTP AUTH is switched off for the whole organisation",
        ("Switch on Authenticated SMTP for this mailbox: its own setting wins over the organisation's.", _OAUTH)),
    Row("m365-mailbox", "", ("5.7.139", "disabled for the mailbox"), "auth_tenant_disabled", "SMTP AUTH is switched off for this mailbox",
        ("Admin centre, the user, Mail, Manage email apps: tick Authenticated SMTP.",)),
    Row("m365-basic", "", ("5.7.139", "basic authentication is disabled"), "auth_basic_disabled", "logging in with a password is switched off", (_OAUTH,)),
    Row("m365-incorrect", "", ("5.7.139", "credentials were incorrect"), "auth_failed", "wrong user name or password, or the account wants a second factor",
        ("Correct the user name or the password.", "If the account has a second factor, use OAuth2.")),
    Row("m365-criteria", "", ("5.7.139", "did not meet the criteria"), "auth_policy_blocked", "Conditional Access or security defaults refuse this login",
        ("Exclude the service account from that policy, or use OAuth2.",)),
    Row("m365-defaults", "", ("5.7.139", "security defaults"), "auth_policy_blocked", "security defaults refuse this login",
        ("Exclude the service account from that policy, or use OAuth2.",)),
    Row("m365-client-submission", "", ("5.7.30", "basic authentication"), "auth_basic_disabled", "Microsoft 365 no longer takes passwords here", (_OAUTH,)),
    Row("m365-unsuccessful", "", ("535 5.7.3", "authentication unsuccessful"), "auth_failed", "password or token refused",
        ("Correct the user name or the password.", "Switch on Authenticated SMTP for this mailbox.",
         "With OAuth2: the token must be for this mailbox, and the application needs the right to send for it.")),
    Row("m365-not-authenticated", "", ("5.7.57",), "auth_required", "no login happened before MAIL FROM",
        ("Declare username and password, with security: starttls on port 587.",)),
    Row("m365-mechanism", "", ("504", "5.7.4", "unrecognized authentication type"), "auth_mechanism_unsupported", "the server does not take this mechanism here",
        ("Use security: starttls.", "Choose a mechanism that is offered.", "For direct send on port 25, declare no username.")),
    Row("m365-send-as", "", ("sendasdenied",), "send_as_denied", "the login may not send as this sender",
        ("Grant Send As on that mailbox (it takes up to an hour), or use the login's own address as sender.",)),
    Row("exchange-send-as", "", ("5.7.60 ",), "send_as_denied", "the login may not send as this sender",
        ("Grant Send As on that mailbox, or use the login's own address as sender.",)),
    Row("m365-attribution", "m365", ("5.7.64",), "relay_denied", "no inbound connector matches this address or certificate",
        ("Correct the inbound connector.",)),
    Row("m365-bad-sender", "m365", ("5.1.8",), "auth_account_blocked", "the account is blocked for sending spam",
        ("Release it on the Restricted entities page, and change its password.",)),
    Row("m365-ip-blocked", "m365", ("5.7.6", "550", "banned"), "reputation_blocked", "the sending address is on Microsoft's list of blocked addresses",
        ("Ask for delisting at Microsoft's delist portal.",)),
    Row("m365-ip-listed", "m365", ("5.7.511",), "reputation_blocked", "the sending address is on Microsoft's list of blocked addresses",
        ("Ask for delisting at Microsoft's delist portal.",)),
    Row("m365-tenant-ban", "m365", ("5.7.705",), "reputation_blocked", "the whole organisation is banned from sending",
        ("Stop what sends the spam, then contact Microsoft's support.",)),
    Row("m365-traffic", "m365", ("5.7.708",), "reputation_blocked", "traffic is not accepted: a new organisation, or its reputation",
        ("Contact Microsoft's support.",)),
    Row("m365-domain", "m365", ("5.7.750",), "sender_unverified", "the sender's domain is not registered in the organisation", ("Add the domain in the admin centre.",)),
    Row("m365-helo", "m365", ("5.7.506",), "ehlo_rejected", "the HELO name is the server's own", ("Set helo to this host's full name.",)),
    Row("m365-dmarc", "m365", ("5.7.509",), "reputation_blocked", "the sender's domain fails DMARC", ("Correct SPF and DKIM of the sender's domain.",)),
    Row("m365-spam-sender", "m365", ("5.7.50", "550"), "auth_account_blocked", "the account is blocked for sending spam",
        ("Release it on the Restricted entities page, and change its password.",)),
    Row("m365-quota", "m365", ("5.2.2", "submission quota"), "quota_exceeded", "the sender has used up its quota", (_WAIT,)),
    Row("m365-daily", "m365", ("5.1.90",), "quota_exceeded", "the sender has used up its quota for the day", (_WAIT,)),
    Row("m365-suspicious", "m365", ("4.7.5",), "rate_limited", "held back for now as suspicious", (_WAIT,)),
    Row("m365-throttled", "m365", ("4.7.8",), "rate_limited", "held back for now as suspicious", (_WAIT,)),
    Row("exchange-relay", "", ("unable to relay",), "relay_denied", "no right to relay", ("Log in, or add this host to a connector.",)),
    Row("exchange-client", "", ("client was not authenticated",), "auth_required", "no login happened", ("Declare username and password.",)),
    Row("exchange-no-tls", "", ("500 5.3.3", "unrecognized command"), "starttls_refused", "the connector has no TLS",
        ("Give the receive connector a certificate, or use another connector.",)),
    Row("gmail-app-password", "", ("5.7.9", "application-specific password"), "auth_app_password_required", "the account has 2-step verification",
        ("Make an app password for this account and use it here, or use OAuth2.",)),
    Row("gmail-credentials", "", ("5.7.8", "username and password not accepted"), "auth_failed", "wrong, or not an app password",
        ("Make an app password for this account and use it here.", "With OAuth2: the scope must be https://mail.google.com/.")),
    Row("gmail-web-login", "", ("log in with your web browser",), "auth_policy_blocked", "the login was held back as suspicious",
        ("Log in once with a web browser.", "Make an app password for this account and use it here.")),
    Row("gmail-starttls", "", ("must issue a starttls",), "auth_requires_tls", "TLS is needed first", ("Use security: starttls or tls.",)),
    Row("gmail-pipelined", "", ("454 4.5.0",), "protocol_error", "commands were sent ahead of the TLS handshake", ("This is a fault of the program that sends.",)),
    Row("gmail-attempts", "gmail", ("454 4.7.0",), "auth_temporary", "cannot log in just now, or too many attempts", (_WAIT,)),
    Row("gmail-ehlo", "gmail", ("421", "4.7.0", "(ehlo)"), "ehlo_rejected", "it does not take this HELO name, or this host's address is not registered",
        ("Set helo to this host's full name.", "Register this host's address at the SMTP relay service of Google Workspace.")),
    Row("gmail-relay", "", ("5.7.0", "mail relay denied"), "relay_denied", "this host's address or the sender's domain is not registered",
        ("Register this host's address at the SMTP relay service of Google Workspace.", "For a personal account, use smtp.gmail.com.")),
    Row("gmail-auth-required", "gmail", ("530 5.7.0", "authentication required"), "auth_required", "no login happened", ("Declare username and password.",)),
    Row("gmail-policy", "", ("5.7.1", "gcdp"), "message_rejected", "a rule of the organisation refuses it", ("Ask the administrator of the organisation.",)),
    Row("gmail-daily", "", ("550 5.4.5",), "quota_exceeded", "the sender has used up its quota for the day", (_WAIT,)),
    Row("gmail-rate", "gmail", ("450 4.2.1",), "rate_limited", "too many messages at a time", (_WAIT,)),
    Row("ses-required", "ses", ("530", "authentication required"), "auth_required", "no login happened", ("Declare username and password.",)),
    Row("ses-credentials", "", ("535", "authentication credentials invalid"), "auth_failed", "not an SMTP credential of this region",
        ("Make SMTP credentials in the region of this host: they differ from AWS keys and belong to one region.",)),
    Row("ses-subscribed", "", ("535", "not subscribed to ses"), "auth_account_blocked", "the AWS account has not signed up for SES", ("Sign up for SES.",)),
    Row("ses-daily", "", ("454", "throttling failure", "daily message quota"), "quota_exceeded", "the quota for the day is used up: trying again does not help",
        ("Wait until tomorrow, or have the quota raised.",)),
    Row("ses-rate", "", ("454", "throttling failure", "maximum sending rate"), "rate_limited", "too many messages at a time", ("Send less at a time.",)),
    Row("ses-temporary", "", ("454", "temporary authentication failure"), "auth_temporary", "trouble at AWS, or with the key",
        ("Try again later.", "Make the SMTP credentials anew.")),
    Row("ses-unverified", "", ("554", "email address is not verified"), "sender_unverified", "sender (in the sandbox also the recipient) is not verified in this region",
        ("Verify the address or domain in this region.", "Have the account moved out of the sandbox.")),
    Row("ses-iam", "", ("554", "access denied", "ses:send"), "send_as_denied", "the IAM user may not send", ("Grant ses:SendRawEmail.",)),
    Row("ses-concurrent", "", ("421", "too many concurrent smtp connections"), "rate_limited", "too many connections at a time", ("Open fewer connections.",)),
    Row("ses-idle", "", ("451", "timeout waiting for data"), "deadline_exceeded", "the server waited too long for the client", ("Check the network between this host and the relay.",)),
    Row("ses-too-long", "", ("552", "message is too long"), "message_too_large", "over the size limit", ("Send something smaller.",)),
    Row("sendgrid-credits", "", ("451", "maximum credits exceeded"), "quota_exceeded", "the plan's limit is used up; the password is not at fault",
        ("Wait for the next period, or change the plan.",)),
    Row("sendgrid-login", "sendgrid", ("535", "authentication failed"), "auth_failed", "wrong API key",
        ('The username is the word "apikey", the password is the API key (SG. ...) with the Mail Send right.',)),
    Row("sendgrid-sender", "", ("verified sender identity",), "sender_unverified", "the sender is not verified", ("Verify the sender or its domain.",)),
    Row("mailgun-relay", "mailgun", ("5.7.1", "relaying denied"), "relay_denied", "no login, or the login of another domain",
        ("Declare username and password of this sender's domain.",)),
    Row("mailgun-sandbox", "", ("sandbox subdomains are for test purposes only",), "relay_denied", "a sandbox domain sends to authorised recipients only: trying again does not help",
        ("Add a domain of your own, or authorise the recipient.",)),
    Row("postmark-login", "postmark", ("535",), "auth_failed", "not a server token", ("Use the Server API token as both username and password, not the account token.",)),
    Row("postmark-suppressed", "postmark", ("smtp api error",), "message_rejected", "refused after the fact, such as a suppressed recipient",
        ("Look at the activity of this server at Postmark.",)),
    Row("yandex-tls", "", ("530 5.7.7",), "auth_requires_tls", "TLS is needed first", ("Use security: tls on port 465.",)),
    Row("yandex-format", "", ("535 5.7.8", "invalid format"), "auth_failed", "the login name has the wrong form", ("Use the whole address as username.",)),
    Row("yandex-rights", "", ("5.7.8", "does not have access rights"), "auth_app_password_required", "mail programs are not switched on for this account",
        ("Switch on mail programs in the account's settings.", "Make an app password for this account and use it here.")),
    Row("yandex-spam", "", ("looks like spam",), "auth_account_blocked", "locked as spam; the password is not at fault", ("Log in once with a web browser and answer the question there.",)),
    Row("not-owned", "", ("not owned by user",), "send_as_denied", "the login may not send as this sender", ("Use the login's own address as sender, or have the sender added to the login.",)),
    Row("zoho-from", "", ("553", "relaying disallowed"), "send_as_denied", "the sender is not the login or one of its aliases", ("Use the login's own address, or add the alias.",)),
    Row("zoho-login", "zoho", ("535", "authentication failed"), "auth_failed", "wrong password, region or plan",
        ("Make an app password for this account and use it here.", "Use the host of the account's region (.com, .eu, .in).", "SMTP needs a paid plan.")),
    Row("zeptomail-login", "zeptomail", ("535",), "auth_failed", "wrong send mail token", ('The username is the word "emailapikey", the password is the send mail token.',)),
    Row("zeptomail-virus", "zeptomail", ("552 5.7.1",), "message_rejected", "taken for a virus", ("Send a plain text.",)),
    Row("ovh-login", "ovh", ("535",), "auth_failed", "wrong password, or the mailbox is blocked for spam", ("Set a new password: that also unlocks a blocked mailbox.",)),
    Row("helo-blank", "", ("501 5.5.4", "invalid domain name"), "ehlo_rejected", "the HELO name is not a name", ("Set helo to this host's full name, without blanks.",)),
    Row("brevo-login", "brevo", ("535",), "auth_failed", "not an SMTP key", ("Use an SMTP key as password, not the account's password.",)),
    Row("socketlabs-mechanism", "", ("501 5.7.0", "use cram-md5 or login"), "auth_mechanism_unsupported", "the mechanism is not taken",
        ("auth_mechanisms: [CRAM-MD5, LOGIN].",)),
    Row("postfix-relay", "", ("relay access denied",), "relay_denied", "no right to relay", ("Declare username and password, or have this host added to the relay's mynetworks.",)),
    Row("sendmail-dns", "", ("relaying denied", "ip name lookup failed"), "relay_denied", "this host's address has no name", ("Give the sending address a PTR record that leads back to it.",)),
    Row("exim-early", "", ("synchronization error",), "protocol_error", "the client talked before it was asked", ("This is a fault of the program that sends, or of a proxy in between.",)),
    Row("cisco-connections", "", ("421", "#4.4.5"), "rate_limited", "too many connections at a time", ("Open fewer connections.",)),
)


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
    for row in ROWS:
        if row.of in ("", provider) and all(fragment in said for fragment in row.fragments):
            return row
    return None
