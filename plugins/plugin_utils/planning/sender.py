# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who an application sends as where no ``from`` is declared: found by planning it once with a sender that stands nowhere else."""

from __future__ import annotations

import dataclasses
import typing as t

from ..declaration.model import AppPlan, Mailbox
from ..declaration.plain_values import texts_in
from .plan import plan_app

_MARK = "smarthost-sender"
_SENDER = Mailbox(f"{_MARK}@{_MARK}.invalid", _MARK)
Place = t.Tuple[str, t.Tuple[str, ...]]


def instead(plan: AppPlan) -> str:
    """What it uses instead of a sender; empty where one is declared, or where mail is off."""
    relay = plan.relay
    if not relay.sends or relay.from_ is not None:
        return ""
    marked = plan_app(
        dataclasses.replace(plan.request, form=plan.form), dataclasses.replace(relay, from_=_SENDER), plan.application
    )
    places = (
        [place for place, value in _leaves(marked).items() if _MARK in value] if isinstance(marked, AppPlan) else []
    )
    if not places:
        return "it has no setting for one, and uses its own"
    now = _leaves(plan)
    used = list(dict.fromkeys(now[place] for place in places if now.get(place)))
    if used:
        return f"it is told to use {' and '.join(used)}"
    return f"without {' and '.join(dict.fromkeys(key[-1] if key else path for path, key in places))} it uses its own"


def _leaves(plan: AppPlan) -> dict[Place, str]:
    return {(file.path, key): value for file in plan.files for key, value in texts_in(file.tree)}
