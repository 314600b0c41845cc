# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this suite need: hostile passwords, the users of the relay, and a clear word when something is missing."""

from __future__ import annotations

import os

from integration import programs
from leave_out import leave_out

HOSTILE = "p@ss w\"o'r\\d $HOME #;%s`{{x}} ü"
HOSTILE_ASCII = HOSTILE[:-2]
USERS = {"apps@site.test": HOSTILE, "web": HOSTILE_ASCII}


def need(*packages: str) -> None:
    """Leaves the test out, saying what to do, unless it runs as root with `packages` (names in programs.NEEDS) installed."""
    missing = programs.missing(*packages)
    if missing:
        leave_out(f"a program is missing: {missing}")
    if os.geteuid() != 0:
        leave_out("a mail server of its own needs root; run this suite as root or with sudo")
