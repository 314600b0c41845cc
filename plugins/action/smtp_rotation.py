# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a rotation that look at all hosts at once: plan, new credential, admission, summary. For the playbook ``rotate``."""

from __future__ import annotations

import secrets
import typing as t

from ansible import context
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Action, Result, module_failed
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import app_lists
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import Problem, ProblemsError, by_cause
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation import outcome, revocation, rotate, same_options
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.verify import Logins

PLANNED = ("smtp_relay", "smtp_relay_catalogue", "smtp_relay_on_unsupported")
# With these the same login may well work in a moment: a new credential is not known everywhere at once.
SPREADING = ("auth_failed", "auth_temporary")
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "step": {"type": "str", "choices": ["plan", "new", "admit", "summary", "guard", "revoked"], "required": True},
    "canary": {"type": "str"},
    "to": {"type": "list", "elements": "str", "default": []},
    "fail": {"type": "bool", "default": True},
    "revoked": {
        "type": "dict",
        "options": {
            "relay": {"type": "str"},
            "id": {"type": "str"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
        },
    },
}


class ActionModule(Action):
    """One task for the whole fleet. Only the step ``new`` connects anywhere: to the relay, from the host of the task."""

    arguments = ARGUMENTS
    nothing_done = "Nothing was written anywhere"

    def outcome(self, args: Result) -> Result:
        """What this step found; failed with everything that stands against going on."""
        self._args = args
        steps: dict[str, t.Callable[[], Result]] = {
            "plan": self._plan,
            "new": self._new,
            "admit": self._admit,
            "summary": self._summary,
            "guard": self._guard,
            "revoked": self._revoked,
        }
        return {"changed": False, **steps[args["step"]]()}

    def _hosts(self) -> dict[str, t.Any]:
        """The variables of every host of the play, those that were lost on the way included."""
        return {name: self._task_vars["hostvars"][name] for name in self._task_vars["ansible_play_hosts_all"]}

    def _fleet(self) -> rotate.Fleet:
        hosts = self._hosts().items()
        return rotate.fleet(
            {
                name: {key: given[key] for key in [*PLANNED, *app_lists.names(given)] if key in given}
                for name, given in hosts
            }
        )

    def _plan(self) -> Result:
        fleet = self._fleet()
        problems = list(fleet.problems)
        consumers = [member.name for member in fleet.members if member.plans]
        canary = self._args["canary"]
        if canary and canary not in consumers:
            what = f'"{canary}" is not a host of this play with an application whose credential changes.'
            way_out = f"Leave it out, or name one of them, such as {consumers[0]}." if consumers else ""
            problems.append(Problem("smtp_relay_canary", what, "canary-unknown", way_out))
        if problems:
            raise ProblemsError(problems)
        return {
            "lines": rotate.plan_lines(fleet),
            "hosts": consumers,
            "gap": fleet.gap,
            "msg": f"{len(consumers)} hosts change.",
        }

    def _new(self) -> Result:
        """One login with each next credential, with every sender, from where this task runs."""
        logins = Logins(self._fleet().subjects(), "envelope", self._args["to"])
        options = [{**each, "name": each["name"].partition(" (")[0]} for each in logins.options()]
        answer = self.probe({"relays": options, "fail": False})
        if "relays" not in answer:
            raise ProblemsError([module_failed(answer)])
        results = list(
            {
                name.partition(" (")[0] + str(login): login
                for name, login in logins.by_subject(answer["relays"]).items()
            }.values()
        )
        bad = [login for login in results if not login["ok"]]
        problems = by_cause(_refused(login) for login in bad)
        result = {
            "ok": not bad,
            "spreading": bool(bad) and all(login["category"] in SPREADING for login in bad),
            "problems": [problem.as_dict() for problem in problems],
            "msg": "The next credential works." if not bad else "\n".join(map(str, problems)),
        }
        return {**result, "failed": bool(bad) and self._args["fail"]}

    def _admit(self) -> Result:
        hosts = self._hosts()
        new = next(iter(hosts.values())).get("smtp_relay_new") or {}
        baselines = {name: given.get("smtp_relay_baseline") or {} for name, given in hosts.items()}
        apply = outcome.command_again(rotate.APPLY, self._inventory(), same_options.options(context.CLIARGS))
        admission = rotate.admit(self._fleet(), baselines, bool(new.get("ok")), apply)
        if admission.problems:
            raise ProblemsError(admission.problems)
        chosen = self._args["canary"] if self._args["canary"] in admission.todo else next(iter(admission.todo), "")
        canary = chosen if admission.mode == "normal" else ""
        return {
            "todo": list(admission.todo),
            "done": list(admission.done),
            "lost": list(admission.unreachable),
            "mode": admission.mode,
            "canary": canary,
            "samples": rotate.samples(admission.todo, self._task_vars["groups"]) if admission.mode == "normal" else [],
            "lines": outcome.admission_lines(admission, canary),
        }

    def _inventory(self) -> tuple[str, ...]:
        return tuple(self._task_vars.get("ansible_inventory_sources") or ())

    def _summary(self) -> Result:
        hosts = self._hosts()
        inventory = self._inventory()
        if self._task.check_mode:
            lines = outcome.checked(
                self._task_vars["smtp_relay_rotation"], inventory, same_options.options(context.CLIARGS)
            )
            return {"complete": False, "lines": list(lines), "hosts": {}, "msg": lines[0]}
        found = outcome.outcome(
            hosts, inventory, bool(self._task_vars.get("ansible_limit")), same_options.options(context.CLIARGS)
        )
        return {
            "complete": found.complete,
            "lines": list(found.lines),
            "hosts": dict(found.hosts),
            "msg": found.lines[0],
        }

    def _guard(self) -> Result:
        """No host has the old credential in force, by its own record."""
        hosts = self._hosts()
        old = revocation.old(hosts, self._args["revoked"])
        problems = revocation.guard(hosts, old)
        if problems:
            raise ProblemsError(problems)
        return {"msg": f"No host of this play has it in force ({len(hosts)} hosts)."}

    def _revoked(self) -> Result:
        """One login with the old credential; where that works, one with a password that nobody has."""
        old = revocation.old(self._hosts(), self._args["revoked"])
        login = self._login(revocation.options(old))
        nonsense = self._login(revocation.options(old, secrets.token_urlsafe(24))) if login["ok"] else None
        verdict = revocation.verdict(old, login, nonsense)
        return {
            "verdict": verdict.word,
            "login": revocation.answer_of(login) | {"category": login["category"]},
            "failed": verdict.word != "revoked",
            "msg": verdict.sentence,
        }

    def _login(self, options: Result) -> Result:
        answer = self.probe({**options, "level": "auth", "fail": False})
        if "category" not in answer:
            raise ProblemsError([module_failed(answer)])
        return answer


def _refused(login: t.Mapping[str, t.Any]) -> Problem:
    said = f" ({login['code']} {login['enhanced']})".replace(" )", ")") if login["code"] else ""
    if login["stage"] not in revocation.FROM_LOGIN_ON:
        what = f"this controller did not get as far as a login at the relay: {login['category']}. {login['diagnosis']}".strip()
        hint = "Where only the hosts reach the relay, leave out the try from here: -e smtp_relay_rotation_from_controller=false"
        return Problem("smtp_relay", what, "controller-cannot-reach", hint)
    what = f"the next credential does not work: {login['category']}{said}. {login['diagnosis']}".strip()
    return Problem(
        "smtp_relay",
        what,
        "next-fails",
        "Correct it in the declaration, or at the provider; then run the same command again.",
    )
