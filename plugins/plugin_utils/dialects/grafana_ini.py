# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ``grafana.ini``: go-ini with its default load options, and Grafana's own expansion on top.

Tree, merge and remove as in ``goini``; here a backslash at the end of an unquoted value joins the next line.
Cannot carry: what ``goini`` cannot, and ``${X}`` or ``$__provider{X}`` (expanded in every value, there is no escape),
but for a reference to one of our own secret files.
Source: Grafana ``pkg/setting/setting.go`` (loadConfiguration), ``pkg/setting/expanders.go`` (regex ``\\$(|__\\w+){([^}]+)}``).
"""

from __future__ import annotations

import re

from . import goini
from .base import CannotCarry, Value
from .goini import comment

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]

# The one reference that we write ourselves; entries see to it that no declared value is one.
_OURS = re.compile(r"\$__file\{/etc/smarthost/secrets/[A-Za-z0-9_-]+\}")
_EXPANDED = re.compile(r"\$(?:__\w+)?\{[^}]+\}")


def quote(value: Value) -> str:
    """As in ``goini``, less what Grafana expands."""
    if isinstance(value, str) and _EXPANDED.search(value) and not _OURS.fullmatch(value):
        raise CannotCarry("${X} and $__x{X} are expanded by Grafana in every value")
    return goini.quote(value)


_grafana = goini.GoIni(continuation=True, quote=quote)
write, read, merge, remove, alike, values = (
    _grafana.write,
    _grafana.read,
    _grafana.merge,
    _grafana.remove,
    _grafana.alike,
    _grafana.values,
)
