# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, made so that a terminal, a log and a reader see all of it: the one place that escapes. Both sides use it.

A terminal obeys control characters; format characters (U+202E, U+200B, U+FEFF, the tags from U+E0000 on) are not seen and change how the
text around them reads; lone surrogates cannot be written out at all. All of them become what a Python programmer would write for them.
"""

from __future__ import annotations

import typing as t

# Blanks of other widths (category Zs) are not "printable" to Python, and harm nobody.
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Tags and the selectors behind them: the latter are no format characters by category, and as invisible.
_TAGS, _AFTER_TAGS = "\U000e0000", "\U000e1000"


def escaped(char: str) -> str:
    """As Python writes it."""
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def visible(text: str, keep: str = "", escape: t.Callable[[str], str] = escaped) -> str:
    """``text`` with every character that cannot be seen escaped, as ``\\x1b``, ``\\u202e`` or ``\\U000e0041``, but for those in ``keep``."""
    if text.isprintable() and (text.isascii() or max(text) < _TAGS):
        return text
    return "".join([char if can_be_seen(char) or char in keep else escape(char) for char in text])


def visible_all(value: t.Any, keep: str = "") -> t.Any:
    """The same for every text in lists and mappings, keys included."""
    if isinstance(value, str):
        return visible(value, keep)
    if isinstance(value, (list, tuple)):
        return [visible_all(item, keep) for item in value]
    if isinstance(value, dict):
        return {
            visible(key, keep) if isinstance(key, str) else key: visible_all(item, keep) for key, item in value.items()
        }
    return value


def can_be_seen(char: str) -> bool:
    """Whether it shows, and as itself."""
    return (char.isprintable() and not _TAGS <= char < _AFTER_TAGS) or char in _BLANKS
