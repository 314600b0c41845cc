# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of a rotation over all hosts: who has to change, what stands against it, in which way it is done, what came of it."""

from __future__ import annotations

import functools
import typing as t

from ..catalogue.loader import Catalogue
from ..declaration import app_lists
from ..declaration.model import ApplicationRequest, AppPlan, Declaration, Relay
from ..declaration.resolve import load
from ..planning import refusal
from ..planning.plan import plan_host
from ..problems import HOSTS, Problem, ProblemsError, by_host, grouped, some
from ..rendering.readback import BY_HAND
from ..rendering.render import render_app, secret_marker
from ..verification.verify import Subject, subject

Result = t.Dict[str, t.Any]
Variables = t.Mapping[str, t.Any]
APPLY = "smarthost.mail.apply"


class RotatedHost(t.NamedTuple):
    """One host of the play: its declaration, and the plans of the applications whose credential changes."""

    name: str
    declared: Declaration
    plans: tuple[AppPlan, ...]
    unmanaged: tuple[ApplicationRequest, ...]
    queued: int


class Fleet(t.NamedTuple):
    """Every host that could be planned, and everything that stands against a rotation."""

    members: tuple[RotatedHost, ...]
    problems: tuple[Problem, ...]

    @property
    def relays(self) -> dict[str, Relay]:
        """The relays whose credential changes, by name and host."""
        return {
            f"{plan.relay.name} ({plan.relay.host})": member.declared.relays[plan.request.relay]
            for member in self.members
            for plan in member.plans
        }

    @property
    def gap(self) -> bool:
        """Whether the provider knows only one credential at a time."""
        return any(not relay.overlap for relay in self.relays.values())

    def subjects(self) -> list[Subject]:
        """Every application that changes, with the next credential as declared."""
        return [
            subject(plan, member.declared.relays[plan.request.relay], None)
            for member in self.members
            for plan in member.plans
        ]


def fleet(variables: t.Mapping[str, Variables]) -> Fleet:
    """Plan every host by its variables, offline: the same answer that its own turn would give, all refusals at once."""
    members: list[RotatedHost] = []
    found: dict[Problem, list[str]] = {}
    catalogues = functools.cache(
        Catalogue
    )  # reading an entry takes longer than planning with it, and all hosts have the same ones
    for name, given in variables.items():
        try:
            member, problems = _member(name, given, catalogues(tuple(given.get("smtp_relay_catalogue", []))))
            members.append(member)
        except ProblemsError as error:
            problems = list(error.problems)
        for problem in problems:
            found.setdefault(problem, []).append(name)
    told = [
        problem._replace(where=f"{some(names)}: {problem.where}" if problem.where else some(names))
        for problem, names in found.items()
    ]
    if not told and not any(member.plans for member in members):
        hint = 'Give the relay the new credential as next, with another id than the current one: {id: "...", password: "{{ vault_new }}"}'
        told.append(
            Problem(
                "smtp_relay",
                "there is nothing to rotate: no relay that an application uses has a next credential.",
                "no-next",
                hint,
            )
        )
    return Fleet(tuple(members), tuple(told))


def _member(name: str, given: Variables, catalogue: Catalogue) -> tuple[RotatedHost, list[Problem]]:
    declared = load(given.get("smtp_relay"), {name: given[name] for name in app_lists.names(given)})
    planned = plan_host(declared, catalogue, "next")
    problems = (
        [refusal.problem(item) for item in planned.refusals]
        if given.get("smtp_relay_on_unsupported", "fail") == "fail"
        else []
    )
    plans = tuple(plan for plan in planned.apps if plan.relay.next is not None and plan.relay.sends)
    for plan in plans:
        # What is shared with its user is not known yet; whether its dialect can hold the new secret does not depend on it.
        problems += [refusal.problem(item) for item in render_app(plan, {})[1]]
        if not plan.relay.overlap and not plan.relay.accept_gap and "queues" not in plan.application.entry:
            what = f"{plan.application.title} keeps no mail while its login is refused, and relay {plan.relay.name} has overlap: false."
            hint = "Let it send through a relay of type local_mta, or say accept_gap: true on that relay."
            problems.append(Problem(f"{plan.request.where} ({plan.request.name})", what, "rotation-gap", hint))
    rotating = {relay.name for relay in declared.relays.values() if relay.next is not None}
    unmanaged = tuple(request for request in planned.unmanaged if request.relay in rotating)
    queued = sum(
        plan.relay.type == "local_mta" and (plan.relay.via or declared.default) in rotating for plan in planned.apps
    )
    return RotatedHost(name, declared, plans, unmanaged, queued), problems


# -- what will be done, in lines --------------------------------------------------------------------


def plan_lines(found: Fleet) -> list[str]:
    """Every consumer with what restarts, what is left to people, and what cannot be undone."""
    lines = []
    for name, relay in found.relays.items():
        old, new = relay.credential, relay.next
        lines.append(f"relay {name}: {(old and old.id) or '(no id)'} > {new and new.id}")
        if not relay.overlap:
            lines.append(
                f"relay {name} knows one credential at a time: all hosts at once, and there is no way back once the provider has changed it"
            )
    consumers = [(_consumer(plan), member.name) for member in found.members for plan in member.plans]
    consumers += [(_left(request), member.name) for member in found.members for request in member.unmanaged]
    lines += [f"{text}: {some(names)}" for text, names in grouped(consumers).items()]
    queued = sum(member.queued for member in found.members)
    if queued:
        lines.append(
            f"{queued} {'application sends' if queued == 1 else 'applications send'} through a local MTA and need not be touched"
        )
    return lines


def _consumer(plan: AppPlan) -> str:
    name = plan.request.name if plan.request.name == plan.request.app else f"{plan.request.name} ({plan.request.app})"
    if any(secret_marker(file) for file in plan.files):
        return f"{name}: BY HAND, {BY_HAND}"
    activate = plan.activate
    how = activate.get("how", "restart")
    if activate.get("systemd") and how != "none":
        return f"{name}: {how} {activate['systemd']}"
    if activate.get("command") and how != "none":
        return f"{name}: {' '.join(activate['command'])}"
    if activate.get("signal") and how != "none":
        return f"{name}: signal {activate['signal']['signal']}"
    if activate.get("compose") and how != "none":
        return f"{name}: new containers of {', '.join(activate['compose']['services'])}"
    return f"{name}: nothing is restarted ({activate.get('reason', 'nothing says how it is activated')})"


def _left(request: ApplicationRequest) -> str:
    return f"{request.name}: BY HAND, it is unmanaged"


# -- whether it may begin ---------------------------------------------------------------------------


class Admission(t.NamedTuple):
    """In which way the rotation is done. mode: ``normal``, ``forward`` (the old credential is dead: no way back), ``gap`` (one at a time)."""

    mode: str
    todo: tuple[str, ...]
    done: tuple[str, ...]
    unreachable: tuple[str, ...]
    problems: tuple[Problem, ...]


def admit(
    found: Fleet, baselines: t.Mapping[str, Result], new_works: bool, apply: str = f"ansible-playbook {APPLY}"
) -> Admission:
    """By what was found on each host before anything is written. apply: the command that applies, for a hint."""
    hosts = [member.name for member in found.members if member.plans]
    unreachable = tuple(name for name in hosts if baselines.get(name, {}).get("unreachable"))
    reached = [name for name in hosts if name not in unreachable]
    dead = any(old_is_refused(app) for name in reached for app in baselines.get(name, {}).get("apps", ()))
    mode = "gap" if found.gap else "forward" if dead and new_works else "normal"
    current = {
        member.name: {plan.request.name: _ids(member, plan) for plan in member.plans} for member in found.members
    }
    problems = by_host({name: _against(baselines.get(name, {}), current[name], mode, apply) for name in reached})
    done = tuple(name for name in reached if is_done(baselines.get(name, {})))
    return Admission(mode, tuple(name for name in reached if name not in done), done, unreachable, tuple(problems))


def is_done(verified: Result) -> bool:
    """Whether every application of a host is on the next credential, logs in with it, and what runs knows of it."""
    rotating = [app for app in verified.get("apps", ()) if app["rotates"]]
    return bool(verified.get("ok")) and all(app["next"] for app in rotating)


def _ids(member: RotatedHost, plan: AppPlan) -> tuple[str, str]:
    relay = member.declared.relays[plan.request.relay]
    return relay.credential.id if relay.credential else "", relay.next.id if relay.next else ""


def old_is_refused(app: Result) -> bool:
    """Whether an application is on the current credential, and the relay refuses it as a login. app: as ``smtp_verify`` tells it."""
    login = app.get("login") or {}
    return (
        app["rotates"]
        and not app["next"]
        and login.get("category") == "auth_failed"
        and str(login.get("code", 0)).startswith("5")
    )


def _against(baseline: Result, ids: t.Mapping[str, tuple[str, str]], mode: str, apply: str) -> list[Problem]:
    """What of one host stands against beginning, by application."""
    apps = {app["name"]: app for app in baseline.get("apps", ())}
    found = []
    for app, (old, new) in ids.items():
        recorded = apps.get(app, {}).get("recorded")
        if recorded is not None and recorded not in (old, new) and not _is_current(apps[app], old):
            what = f'its record has credential "{recorded}", which is neither the current one ("{old}") nor the next one ("{new}").'
            hint = (
                "An earlier rotation was not finished here. Finish it with the declaration that it was begun with, or put the current"
                f" credential in force here: {apply} --limit {HOSTS}"
            )
            found.append(Problem(app, what, "rotation-open", hint))
    opened = {problem.where for problem in found}
    for given in baseline.get("problems", ()):
        problem = Problem(**given)
        app_now = apps.get(given["where"], {})
        mended = problem.code == "process-stale" or (
            problem.code == "login-fails" and (app_now.get("next") or _tolerated(app_now, mode))
        )
        if not mended and problem.where not in opened:
            found.append(problem)
    if baseline and not baseline.get("apps") and not found:
        found.append(Problem("", str(baseline.get("msg") or "The host returned no message."), "module-failed"))
    return found


def _is_current(app: Result, old: str) -> bool:
    """Whether the files hold the user and the secret of the current credential, whatever label the record has: that was given later."""
    return bool(app.get("as_declared")) and app.get("holds") == old and not app["next"]


def _tolerated(app: Result, mode: str) -> bool:
    """An old credential that is dead anyway is no reason not to bring the new one."""
    return mode == "gap" or (mode == "forward" and old_is_refused(app))


def samples(hosts: t.Sequence[str], groups: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """One of these hosts for each group that has any of them, as few hosts as come of taking the first of each."""
    wanted = set(hosts)
    firsts = [next((name for name in members if name in wanted), None) for members in groups.values()]
    return list(dict.fromkeys([*hosts[:1], *(name for name in firsts if name is not None)]))
