# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task smtp_config returns about its applications: what one run does, told when it is done. No secret is in it."""

from __future__ import annotations

import typing as t

from ...module_utils._host.notes.fields import DamagedError
from ..declaration.model import AppPlan, HostPlan, Refusal
from ..deployment.changes import Deployment
from ..planning import refusal, sender, status
from ..problems import Problem
from ..verification import proof
from .lines import drift_lines, plan_lines

Result = t.Dict[str, t.Any]


class ConfigWork(t.NamedTuple):
    """What one run does: the plans that are rendered, what is refused, and the changes. listed: the names of all that is declared."""

    plans: t.Sequence[AppPlan]
    planned: HostPlan
    refusals: t.Sequence[Refusal]
    deployment: Deployment
    listed: t.Collection[str] = ()

    def described(self, outcome: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What the task returns about its applications; no secret is in it."""
        changed = {file["path"] for file in outcome.get("files", ()) if file["changed"]}
        touched = {change.app for change in self.deployment.changes if change.path in changed}
        paths = {item.request.name: {file.path for file in item.files} for item in self.plans}
        detected = self.detected(outcome)
        plans = [status.with_absence(item, detected.get(item.request.name)) for item in self.plans]
        statuses = {item.request.name: status.status_of(item, detected.get(item.request.name)) for item in plans}
        apps = [
            app_result(
                item,
                [file.path for file in item.files],
                item.request.name in touched or bool(changed & paths[item.request.name]),
                statuses,
            )
            for item in plans
        ]
        activations = activations_of(
            outcome.get("applications", ()), [request.name for request in self.planned.unmanaged]
        )
        described = described_apps(
            apps,
            plans,
            self.planned,
            self.refusals,
            outcome.get("drift", ()),
            self.deployment.problems,
            statuses if detected else {},
        )
        # With those that prune has found.
        absent = list(dict.fromkeys([*described["absent"], *self.deployment.removed]))
        ours = [{"name": app["name"], **app["noted"]} for app in outcome.get("applications", ()) if app.get("noted")]
        return {
            **described,
            "absent": absent,
            "activations": activations,
            "undeclared": [app for app in ours if app["name"] not in self.listed],
        }

    def detected(self, outcome: t.Mapping[str, t.Any]) -> t.Mapping[str, status.Facts]:
        """What was seen of each application, by the query or by the call that wrote; after that, an answer that is none is as nothing seen."""
        try:
            return self.deployment.host.detected or status.facts_of(outcome)
        except DamagedError:
            return {}


def described_apps(
    apps: list[dict[str, t.Any]],
    plans: t.Sequence[AppPlan],
    planned: HostPlan,
    refusals: t.Sequence[Refusal],
    drift: t.Sequence[t.Mapping[str, t.Any]],
    problems: t.Sequence[Problem],
    statuses: t.Mapping[str, status.Status],
) -> dict[str, t.Any]:
    """What the task returns about its applications, wherever they are written."""
    return {
        "apps": apps,
        "absent": [request.name for request in planned.absent],
        "unmanaged": [request.name for request in planned.unmanaged],
        "refusals": [item.as_dict() for item in (*map(refusal.problem, refusals), *problems)],
        "accepted": [gap for item in plans for gap in refusal.accepted(item)],
        "lines": [
            *plan_lines(plans, planned, refusals, statuses),
            *(line for item in problems for line in f"LEFT OUT {item}".splitlines()),
            *drift_lines(drift),
        ],
    }


def app_result(
    item: AppPlan, paths: t.Sequence[str], changed: bool, statuses: t.Mapping[str, status.Status]
) -> dict[str, t.Any]:
    credential = item.relay.credential
    return {
        "name": item.request.name,
        "app": item.request.app,
        "title": item.application.title,
        "form": item.form,
        "path": item.path,
        "paths": list(paths),
        "relay": item.relay.name,
        "security": item.security,
        "credential_id": credential.id if credential else "",
        "changed": changed,
        "unexpressed": list(item.unexpressed),
        "activate": dict(item.activate),
        "environment": dict(item.environment),
        "test": item.application.test,
        "sender": sender.instead(item),
        **proof.untested(item).as_dict(),
        **statuses[item.request.name].as_dict(),
        **({"status": "unknown", "status_why": item.forwards} if item.forwards else {}),
        "forwarder": item.forwarder,
    }


def activations_of(
    applications: t.Iterable[t.Mapping[str, t.Any]], leave: t.Container[str] = ()
) -> list[dict[str, t.Any]]:
    """Options of smtp_activate: for what changed now, and for what may run since before its settings changed."""
    found = []
    for app in applications:
        if app["touched"]:
            found.append({"app": app["name"], **app["activate"]})
        elif app["since"] is not None and app["activate"].get("how") != "none" and app["name"] not in leave:
            found.append({"app": app["name"], **app["activate"], "since": app["since"], "only_if_stale": True})
    return found


def by_application(problems: t.Sequence[Problem], planned: HostPlan) -> list[tuple[str, Problem]]:
    """What the host says of files, by the application whose they are; nothing where some of it is no application's."""
    users = {file.path: item.request for item in planned.apps for file in item.files}
    if not all(problem.where in users for problem in problems):
        return []
    named = [(users[problem.where], problem) for problem in problems]
    return [
        (
            request.name,
            problem._replace(where=f"{request.where} ({request.name})", what=f"{problem.where}: {problem.what}"),
        )
        for request, problem in named
    ]


def without_ours(outcome: Result) -> Result:
    """The result without what only this task needs, the sealed bytes of files among it."""
    return {key: value for key, value in outcome.items() if key not in ("applications", "read", "record", "detected")}
