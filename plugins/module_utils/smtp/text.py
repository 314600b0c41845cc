# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters that belong into no name, address or secret that goes on the wire."""

from __future__ import annotations

# With the line ends that only Unicode has.
CONTROL = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))


def unfit(text: str) -> bool:
    """Whether a control character is in it, or half a character, which JSON can hold and no encoding takes."""
    return not CONTROL.isdisjoint(text) or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text))
