# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe's tests share: the password, its encodings, options as the module would hand them over."""

from __future__ import annotations

import base64
import typing as t

PASSWORD = "p@ss w\"o'r\\d $HOME #;%s`{{x}} ü"
PLAIN = base64.b64encode(("\0u\0" + PASSWORD).encode()).decode()
PASSWORD_64 = base64.b64encode(PASSWORD.encode()).decode()
CRAM = "dSAyZGJlZWU0MGMzMjNmNDViMjg0NTA2ZjI0YjZlMzVkNg=="  # for the challenge <1@h>
ENCODINGS = (PASSWORD, PLAIN, PASSWORD_64, CRAM, PASSWORD.encode().hex(), "p@ss w", PASSWORD.encode().decode("latin-1"))


def options(**given: t.Any) -> dict[str, t.Any]:
    """The module's defaults and what the test gives; ``from_`` stands for ``from``."""
    made: dict[str, t.Any] = {
        "host": "127.0.0.1",
        "validate_certs": True,
        "tls_min_version": "1.2",
        "allow_plaintext_auth": False,
        "helo": "me.example",
        "timeout": 10,
        "send": "never",
        "diagnose": True,
        "state_dir": "/nowhere",
    }
    made.update(given)
    if "from_" in made:
        made["from"] = made.pop("from_")
    return made
