# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a text: characters that belong into nothing that goes on the wire, and the status code at the beginning of a reply."""

from __future__ import annotations

# With the line ends that only Unicode has.
CONTROL = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))


def unfit(text: str) -> bool:
    """Whether a control character is in it, or half a character, which JSON can hold and no encoding takes."""
    return not CONTROL.isdisjoint(text) or (
        not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
    )


def enhanced_code(line: str) -> str:
    """The RFC 3463 code that the line begins with, ended by a blank, a colon or the line; empty where it has none."""
    word = line.partition(" ")[0].partition(":")[0]
    parts = word.split(".")
    if len(parts) != 3 or parts[0] not in ("2", "4", "5"):
        return ""
    return word if all(len(part) < 4 and part.isdecimal() and part.isascii() for part in parts) else ""
