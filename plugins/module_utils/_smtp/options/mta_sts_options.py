# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the option ``mta_sts`` and its like to whose policy is wanted, and where it is."""

from __future__ import annotations

import ipaddress
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.problem import Problem
from ..network.tls import TlsSettings
from ..web.http import HttpRoute, Url, parse_url
from .oauth2_options import through

if t.TYPE_CHECKING:
    Options: t.TypeAlias = "t.Mapping[str, t.Any]"

WELL_KNOWN = "https://mta-sts.%s/.well-known/mta-sts.txt"


class Asked(NamedTuple):
    """Whose policy is wanted, where it is, and how to get there."""

    domain: str
    url: Url
    way: HttpRoute


def read(options: Options) -> tuple[Asked | None, list[Problem]]:
    """From ``mta_sts`` and its like, or None and the problems."""
    domain = _ascii(options.get("host") or "")
    if not domain:
        what, hint = "only a domain has a policy, and host is none.", "Give the domain as host, with resolve: mx."
        return None, [Problem("mta_sts", what, "mta-sts-domain", hint)]
    try:
        url = parse_url(options.get("mta_sts_url") or WELL_KNOWN % domain)
    except ValueError as exc:
        return None, [Problem("mta_sts_url", f"this {exc}.", "mta-sts-url")]
    settings = TlsSettings(True, options.get("mta_sts_ca_path") or "", url.host, "1.2", ())
    return Asked(domain, url, HttpRoute(settings, through(options))), []


def _ascii(host: str) -> str:
    """The name as DNS has it; empty for an address, a path, or what is no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            name = host.rstrip(".").encode("idna").decode("ascii").lower()
        except UnicodeError:
            return ""
        return "" if "/" in name else name
    return ""
