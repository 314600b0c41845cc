# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes of security and their usual ports."""

from __future__ import annotations

# Where only the mode is declared. Implicit TLS is on 465 (RFC 8314 3.3), submission on 587 (RFC 6409 3.1).
PORT_OF = {"none": 25, "opportunistic": 25, "starttls": 587, "tls": 465}
# Where only the port is declared. 2465, 2525 and 2587 are what providers offer beside the registered ones.
SECURITY_OF = {25: "starttls", 587: "starttls", 2525: "starttls", 2587: "starttls", 465: "tls", 2465: "tls"}
