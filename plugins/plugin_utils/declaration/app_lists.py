# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that list the applications of a host: ``smtp_relay_apps``, and every ``smtp_relay_apps_<label>`` adds to it."""

from __future__ import annotations

import re
import typing as t

VARIABLE = "smtp_relay_apps"
_LABELLED = re.compile(VARIABLE + "_[A-Za-z0-9_]+")


def names(variables: t.Iterable[t.Any]) -> list[str]:
    """Those of these variables that list applications, in the order in which they count: the plain one, then by label."""
    found = {str(name) for name in variables}
    return [VARIABLE] * (VARIABLE in found) + sorted(name for name in found if _LABELLED.fullmatch(name))


def by_variable(apps: t.Any) -> dict[str, t.Any]:
    """The lists by the variable that each came from. apps: such a mapping, or one list, which is that of ``smtp_relay_apps``."""
    if isinstance(apps, dict) and len(names(apps)) == len(apps):
        return {name: apps[name] for name in names(apps)}
    return {VARIABLE: apps}
