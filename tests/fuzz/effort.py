# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hard tests by hypothesis try: the same few examples each time in `make test`, many new ones in `make fuzz`.

@settings(max_examples=examples(300))
"""

from __future__ import annotations

import os

# How many times as many: set by `make fuzz`.
FACTOR = int(os.environ.get("SMARTHOST_FUZZ") or 1)


def examples(quick: int) -> int:
    """So many in a quick run, and as many times more as were asked for."""
    return quick * FACTOR


def load_profile() -> None:
    """What tests that say nothing else go by; nothing where hypothesis is not installed, as for the oldest Python."""
    try:
        from hypothesis import settings
    except ImportError:
        return
    settings.register_profile("quick", deadline=None, derandomize=True, database=None)
    settings.register_profile("long", deadline=None, print_blob=True)
    settings.load_profile("quick" if FACTOR == 1 else "long")
