# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What works today and is announced to end: said while it still works."""

from __future__ import annotations

# Microsoft's announcement as updated on 2026-01-27: off by default for existing tenants from the end of December 2026, an
# administrator may switch it on again; the date of the final end is to be announced in the second half of 2027.
M365_PASSWORDS = (
    "Microsoft 365 switches password logins by SMTP off by default at the end of December 2026. This relay logs in with a password. "
    "Declare oauth2 instead of password, or type: ms_graph; until then an administrator may switch password logins on again"
)
M365_HOSTS = (".office365.com", ".outlook.com")


def notices(host: str, password_login: bool) -> list[str]:
    """For a relay at ``host``; empty where nothing is known to end."""
    return [M365_PASSWORDS] if password_login and ("." + host.lower().rstrip(".")).endswith(M365_HOSTS) else []
