# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a declaration asks of an application, and what of it the application cannot express."""

from __future__ import annotations

import typing as t

from ..catalogue import platforms
from ..catalogue.expressions import names_in_tree
from ..declaration.model import SECURITY, Application, ApplicationRequest, Form, Gap, Relay
from .refusal import acceptable

PREFERENCES = (
    "from",
    "from_name",
    "reply_to",
    "helo",
    "timeout",
    "tls_min_version",
    "auth_mechanisms",
    "charset",
    "plain_text",
    "max_attachment_mb",
    "signature",
)
_MAPPED_BY = {
    "client_cert": {"client_cert"},
    "no_verify": {"validate_certs"},
    "ca_path": {"ca_path"},
    "tls_server_name": {"tls_server_name"},
    "login": {"password"},
    "oauth2": {"client_secret", "refresh_token", "client_id"},
    "ms_graph": {"client_secret", "client_id"},
}
_EXPRESSED_BY = {
    "from": {"from", "from_address", "from_local"},
    "from_name": {"from", "from_name"},
    "reply_to": {"reply_to", "reply_to_address"},
}
# Few applications can, so no entry need say that it cannot.
NO_CLIENT_CERT = Gap("client_cert", "no-client-cert", "its entry has no settings for one")
NO_SECRET_FILE = Gap("secret_file", "no-secret-file", "it has no setting that names one")


def capabilities_asked(relay: Relay) -> list[str]:
    """The security capabilities that a declaration asks of an application; each is mapped or lacking."""
    if not relay.sends:
        return ["mail_off"]
    if relay.type == "ms_graph":
        return ["ms_graph"]
    asked: list[str] = [relay.security]
    if relay.security in ("starttls", "tls"):
        asked.append("verify" if relay.validate_certs else "no_verify")
        asked += [name for name in ("ca_path", "tls_server_name") if getattr(relay, name) and relay.validate_certs]
    if relay.client_cert:
        asked.append("client_cert")
    if relay.oauth2 is not None:
        asked.append("oauth2")
    else:
        asked.append("login" if relay.credential else "anonymous")
    return asked


def preferences_asked(relay: Relay) -> list[str]:
    """The preferences that the user wrote; one that an application lacks is reported and does not refuse."""
    # A login domain belongs to one mechanism, as the order of mechanisms does: without it a login may fail, and never be less safe.
    named = ("from", "reply_to", "helo", "timeout", "tls_min_version", "auth_mechanisms", "auth_domain")
    asked = [name for name in named if name in relay.declared]
    if relay.from_ is not None and relay.from_.name:
        asked.append("from_name")
    return asked + [name for name, value in relay.message._asdict().items() if value is not None]


def unexpressed(relay: Relay, named: frozenset[str]) -> tuple[str, ...]:
    """The preferences that were written and that no setting names."""
    return tuple(
        name for name in preferences_asked(relay) if relay.sends and not named & _EXPRESSED_BY.get(name, {name})
    )


def gaps_of(
    relay: Relay, application: Application, form: Form, request: ApplicationRequest, named: frozenset[str]
) -> list[Gap]:
    """All that is asked and that the application cannot express. named: what the settings of the form name."""
    gaps = []
    named |= names_in_tree([f"={rule.when}" for rule in application.rules if form.name in rule.forms])
    for capability in capabilities_asked(relay):
        gap = form.lacks.get(capability)
        if gap is None and not _mapped(capability, application, form, named):
            neither = Gap(capability, "entry-invalid", f"the entry neither maps nor explains {capability}")
            gap = NO_CLIENT_CERT if capability == "client_cert" else neither
        if gap is not None and gap.instead is not None and gap.instead not in application.security:
            gap = Gap(capability, "entry-invalid", f"the entry has no word for {gap.instead}, which it writes instead")
        gaps += [gap] if gap is not None else []
    return gaps + _no_secret_file(relay, application, form, request)


def _mapped(capability: str, application: Application, form: Form, named: frozenset[str]) -> bool:
    """Whether the entry does something about a capability that it does not lack; else it would be dropped in silence."""
    if capability in SECURITY:
        return capability in application.security
    if capability == "mail_off":
        return all(file.mail_off is not None for file in form.files)
    if capability == "no_verify" and "verify" in form.lacks:
        return True  # what verifies nothing need not be told so
    return capability not in _MAPPED_BY or bool(named & _MAPPED_BY[capability])


def _no_secret_file(relay: Relay, application: Application, form: Form, request: ApplicationRequest) -> list[Gap]:
    """Why the secret cannot stand in a file of its own, where that is asked for."""
    platform = platforms.platform_of(request, application)
    if relay.secret != "file" or not relay.sends or not (relay.credential or relay.oauth2):
        return []
    if form.secret_file and not relay.oauth2 and (platform is None or platform.files):
        return []
    others = [
        other.name
        for other in application.forms.values()
        if other.secret_file and other.name != form.name and not relay.oauth2
    ]
    gap = form.lacks.get("secret_file", NO_SECRET_FILE)
    return [gap._replace(hint=f"Use form: {others[0]}") if others and not gap.hint else gap]


def sort_gaps(gaps: t.Iterable[Gap], accept: frozenset[str]) -> tuple[list[Gap], list[Gap]]:
    """Gaps that refuse, and gaps that the user has accepted by code. A mode with nothing to write instead is never accepted."""
    refused: list[Gap] = []
    accepted: list[Gap] = []
    for gap in gaps:
        (accepted if gap.code in accept and acceptable(gap) else refused).append(gap)
    return refused, accepted
