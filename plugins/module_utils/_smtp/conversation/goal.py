# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a conversation is to go, and with what."""

from __future__ import annotations

import os
import typing as t

from ..._shared.light import NamedTuple
from ..sasl.credential import Credential, Random

LEVELS = ("connect", "tls", "auth", "envelope")


class Goal(NamedTuple):
    """How far to go, and with what. ``helo`` empty: the address we connect from (RFC 5321 4.1.4).

    ``own_recipient``: the recipient is of our own choice, so that only what its refusal says of the sender or the login counts.
    """

    helo: str
    security: str
    level: str
    credential: t.Optional[Credential] = None
    mechanisms: t.Tuple[str, ...] = ()
    allow_plaintext_auth: bool = False
    sender: str = ""
    recipients: t.Tuple[str, ...] = ()
    also_from: t.Tuple[str, ...] = ()
    own_recipient: bool = False
    message: t.Optional[bytes] = None
    lmtp: bool = False
    proxied: bool = False
    greeting_patience: t.Optional[float] = None
    host: str = ""
    port: int = 0
    random: Random = os.urandom
    rest: t.Callable[[], float] = lambda: float("inf")

    def reaches(self, level: str) -> bool:
        """Whether this level is to be reached."""
        return LEVELS.index(self.level) >= LEVELS.index(level)
