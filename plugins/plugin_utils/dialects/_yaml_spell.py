# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How values and keys are spelled in YAML: strings in double quotes with JSON's escapes, on one line."""

from __future__ import annotations

import re

from .base import Value

_PLAIN_KEY = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][A-Za-z0-9_.-]*", re.IGNORECASE)
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]')


def quote(value: Value) -> str:
    """One value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{spell_key(key)}: {quote(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(quote, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or f"\\u{ord(char):04x}"


def spell_key(key: str) -> str:
    """A key, quoted where it is no plain word."""
    return key if _PLAIN_KEY.fullmatch(key) else quote(key)
