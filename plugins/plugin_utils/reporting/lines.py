# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read of one host in lines: its plan, and what somebody else has changed."""

from __future__ import annotations

import typing as t

from ..declaration.model import ApplicationRequest, AppPlan, HostPlan, Refusal, Relay
from ..planning import refusal, sender
from ..planning.status import ACTIVE, Status


def plan_lines(
    plans: t.Iterable[AppPlan],
    planned: HostPlan,
    refusals: t.Iterable[Refusal],
    statuses: t.Mapping[str, Status] | None = None,
) -> list[str]:
    """Who gets what, one line an application, then each gap that was accepted, once, then what is refused with the ways out.

    statuses: by application, where they are known.
    """
    plans = list(plans)
    lines = [_planned(plan) + _status((statuses or {}).get(plan.request.name)) for plan in plans]
    lines += [f"{request.name}: taken back; {_origin(request)}" for request in planned.absent]
    lines += [f"{request.name}: unmanaged, never touched; {_origin(request)}" for request in planned.unmanaged]
    lines += [f"ACCEPTED by name [{code}]: {', '.join(names)}" for code, names in _accepted(plans).items()]
    return lines + [line for item in refusals for line in f"REFUSED {refusal.problem(item)}".splitlines()]


#: What became of somebody else's change, and what else there is to do.
DONE = {
    "left": ("left as it is", "drift: enforce writes it again, drift: adopt takes it as ours"),
    "overwritten": ("written again", ""),
    "adopted": ("taken as ours", ""),
    "taken_back": ("taken back all the same", "a roll-back finds it"),
    "kept": ("no longer rendered, and left in the folder", "remove it when it is of no use"),
}


def drift_lines(drift: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """What somebody else has changed of what we wrote, by its keys, and what became of it."""
    lines = []
    for item in drift:
        what = f"{item['path']}: {', '.join(item['keys'])}" if item["keys"] else item["path"]
        done, more = DONE[item["done"]]
        lines.append(
            f"DRIFT {item['name']}: {what} was {item['what']} by somebody else; {done}{f' ({more})' if more else ''}"
        )
    return lines


def _status(status: Status | None) -> str:
    if status is None:
        return ""
    version = f" {status.version}" if status.version else ""
    word = status.status.replace("_", " ") + version
    return f"; {word}" if status.status == ACTIVE else f"; {word}: {status.why}"


def _planned(plan: AppPlan) -> str:
    name = plan.request.name if plan.request.name == plan.request.app else f"{plan.request.name} ({plan.request.app})"
    parts = [
        f"{name}: {', '.join(file.path for file in plan.files)} [{plan.form}]",
        _connection(plan.relay, plan.security),
    ]
    if plan.unexpressed:
        parts.append("no setting for " + ", ".join(plan.unexpressed))
    used = sender.instead(plan)
    if used:
        parts.append(f"no sender declared (from), {used}")
    return "; ".join([*parts, _origin(plan.request)])


def _accepted(plans: t.Iterable[AppPlan]) -> dict[str, list[str]]:
    """The applications that have each accepted gap, by its code."""
    found: dict[str, list[str]] = {}
    for plan in plans:
        for code in dict.fromkeys(gap.code for gap in plan.accepted):
            found.setdefault(code, []).append(plan.request.name)
    return found


def _origin(request: ApplicationRequest) -> str:
    return "listed in " + " and ".join([request.where, *request.also])


def _connection(relay: Relay, security: str) -> str:
    if not relay.sends:
        return f"mail is off (relay {relay.name})"
    if relay.type == "ms_graph":
        return f"through relay {relay.name} (Microsoft Graph)"
    login = f"as {relay.credential.username}" if relay.credential else "by OAuth 2" if relay.oauth2 else "without login"
    return f"through relay {relay.name} ({relay.host}:{relay.port}, {security}) {login}"
