# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences for what an application cannot express, and the ways out. One place, so that they sound alike."""

from __future__ import annotations

from ..declaration.model import AppPlan, Gap, Refusal
from ..problems import Problem

CANNOT = {
    "none": "cannot send without TLS",
    "opportunistic": "cannot use STARTTLS only where it is offered",
    "starttls": "cannot require STARTTLS",
    "tls": "cannot speak TLS from the first byte",
    "verify": "cannot verify the relay's certificate",
    "no_verify": "cannot leave the relay's certificate unverified",
    "ca_path": "cannot take a CA file",
    "tls_server_name": "cannot verify another name than the host's",
    "client_cert": "cannot show a client certificate",
    "secret_file": "cannot read its secret from a file",
    "login": "cannot log in",
    "anonymous": "cannot send without login",
    "oauth2": "cannot log in with OAuth 2",
    "ms_graph": "cannot send through Microsoft Graph",
    "mail_off": "has no switch that turns mail off",
}
WAYS_OUT = {
    "none": "Use security: tls or starttls for this relay or application",
    "opportunistic": "Use security: tls or starttls for this relay or application",
    "starttls": "Use security: tls (port 465) for this relay or application, or a relay of type local_mta",
    "tls": "Use security: starttls (port 587) for this relay or application, or a relay of type local_mta",
    "verify": "Use a relay of type local_mta",
    "no_verify": "Use a relay with a certificate that this host trusts",
    "ca_path": "Install the CA in the host's system store and leave ca_path out, or use a relay of type local_mta",
    "tls_server_name": "Use a host name that is in the certificate",
    "secret_file": "Say secret: inline for this application, or use a relay of type local_mta",
    "client_cert": "Use a relay of type local_mta, or one without client_cert",
    "login": "Use a relay without login, or one of type local_mta",
    "anonymous": "Give the relay a username and password",
    "oauth2": "Use a relay with a password, or one of type local_mta",
    "ms_graph": "Use a relay of type smtp",
    "mail_off": "Leave the application out, or set state: absent",
}
NEVER_ACCEPTED = ("entry-invalid", "value-not-carried")
# Without something to write instead, accepting such a gap would write nothing that works.
NEEDS_INSTEAD = ("none", "opportunistic", "starttls", "tls", "mail_off", "ms_graph", "oauth2")


def acceptable(gap: Gap) -> bool:
    """Whether the user may take this gap by its code."""
    return gap.code not in NEVER_ACCEPTED and (gap.instead is not None or gap.capability not in NEEDS_INSTEAD)


def sentence(title: str, gap: Gap) -> str:
    """``Gitea cannot require STARTTLS: it falls back ...`` for a capability, ``Grafana: ...`` for a rule."""
    head = f"{title} {CANNOT[gap.capability]}" if gap.capability in CANNOT else title
    return f"{head}: {gap.why}."


def problem(refusal: Refusal) -> Problem:
    """A refusal as a problem, with its ways out."""
    gap = refusal.gap
    return Problem(f"{refusal.where} ({refusal.name})", sentence(refusal.title, gap), gap.code, _ways_out(gap))


def _ways_out(gap: Gap) -> str:
    ways = [way.rstrip(".") for way in (gap.hint, WAYS_OUT.get(gap.capability, "")) if way]
    if acceptable(gap):
        ways.append(f"Accept it by name: accept: [{gap.code}]")
    said = ", or ".join([*ways[:1], *(way[0].lower() + way[1:] for way in ways[1:])]) + "." if ways else ""
    return f"{said} {gap.server}" if gap.server and "type local_mta" in said else said


def accepted(plan: AppPlan) -> list[dict[str, str]]:
    """The gaps that the user took knowingly, for the result and the report."""
    return [
        {"name": plan.request.name, "code": gap.code, "why": sentence(plan.application.title, gap)}
        for gap in plan.accepted
    ]
