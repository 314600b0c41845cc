# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Composition root of ``smtp_verify``: what the applications' own files hold, tried as a login from the host that will send."""

from __future__ import annotations

import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils.files.seal import new_key
from ansible_collections.smarthost.mail.plugins.plugin_utils import declaration, plan, refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Action, Result, failure, module_failed
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment import NOTHING_KNOWN, Host
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import Problem, ProblemsError, by_cause
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification import Logins, Subject, subject, told, undo, wrong

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "relay": {"type": "raw", "required": True},
    "apps": {"type": "raw", "default": []},
    "catalogue": {"type": "list", "elements": "path", "default": []},
    "credential": {"type": "str", "choices": list(plan.CREDENTIALS), "default": "in_force"},
    "values": {"type": "str", "choices": ["files", "declaration"], "default": "files"},
    "only": {"type": "str", "choices": ["all", "rotating"], "default": "all"},
    "level": {"type": "str", "choices": ["auth", "envelope"]},
    "to": {"type": "list", "elements": "str", "default": []},
    "processes": {"type": "bool", "default": True},
    "fail": {"type": "bool", "default": True},
    "state_dir": {"type": "str", "default": "/var/lib/smarthost"},
}


class ActionModule(Action):
    """One task for all applications of a host; it changes nothing."""

    arguments = ARGUMENTS
    nothing_done = "This could not be verified"

    def outcome(self, args: Result) -> Result:
        """What every application's files hold and whether it works; failed when something of it is not as it should be."""
        self._args = args
        declared, catalogue = declaration.load(args["relay"], args["apps"]), Catalogue(args["catalogue"])
        answer = self._stands(plan.plan_host(declared, catalogue, args["credential"])) if args["values"] == "files" else {}
        if answer.get("unreachable"):
            return answer
        host = Host.from_answer(answer, answer["key"]) if answer else NOTHING_KNOWN
        in_force = host.in_force
        planned = plan.plan_host(declared, catalogue, args["credential"], in_force)
        if planned.refusals:
            raise ProblemsError([refusal.problem(item) for item in planned.refusals])
        chosen = [item for item in planned.apps if args["only"] == "all" or item.relay.next is not None]
        stands = host if args["values"] == "files" else None
        subjects = [subject(item, declared.relays[item.request.relay], stands) for item in chosen]
        logins = Logins(subjects, args["level"] or "", args["to"])
        proved = self._proved(logins)
        if proved.get("unreachable"):
            return proved
        processes = self._processes(subjects) if args["processes"] and args["values"] == "files" else {}
        return self._told(subjects, logins.by_subject(proved["relays"]), processes, proved["relays"], answer)

    def _told(
        self, subjects: t.Sequence[Subject], logins: t.Mapping[str, Result], processes: t.Mapping[str, Result],
        relays: t.Sequence[Result], answer: Result,
    ) -> Result:
        problems = [problem for item in subjects for problem in wrong(item, logins.get(item.name), processes.get(item.name))]
        result: Result = {
            "changed": False, "apps": [told(item, logins.get(item.name), processes.get(item.name)) for item in subjects],
            "relays": list(relays), "activations": [item.activation for item in subjects], "undo": undo(subjects, answer.get("generations", ())),
            "flush": [item.flush for item in subjects if item.flush], "ok": not problems,
            "problems": [problem.as_dict() for problem in problems],
            "msg": "Every login works." if not problems else "\n".join(map(str, by_cause(problems))),
        }
        if not problems or not self._args["fail"]:
            return result
        return {**result, **failure("Verification failed", by_cause(problems)), "problems": result["problems"]}

    def _stands(self, first: t.Any) -> Result:
        """What stands on the host in every file of every application, sealed on the way."""
        key = new_key()
        read = [{"path": file.path, "command": file.command} for item in first.apps for file in item.files]
        answer = self.call("smtp_deploy", {"state": "query", "seal_key": key, "read": read, "state_dir": self._args["state_dir"]})
        if answer.get("problems"):
            raise ProblemsError([Problem(**problem) for problem in answer["problems"]])
        if answer.get("failed") and not answer.get("unreachable"):
            raise ProblemsError([module_failed(answer)])
        return {**answer, "key": key}

    def _proved(self, logins: Logins) -> Result:
        """One login for each distinct one, however many applications have it."""
        options = logins.options()
        if not options:
            return {"relays": []}
        answer = self.probe({"relays": options, "fail": False, "state_dir": self._args["state_dir"]})
        if "relays" not in answer and not answer.get("unreachable"):
            raise ProblemsError([module_failed(answer)])
        return answer

    def _processes(self, subjects: t.Sequence[Subject]) -> dict[str, Result]:
        """By application whether what runs may be older than its files: what activation would do now, without doing it."""
        asked = [{**item.activation, "since": item.since, "only_if_stale": True} for item in subjects]
        if all(item.get("how") == "none" for item in asked):
            return {}
        before, self._task.check_mode = self._task.check_mode, True
        try:
            answer = self.call("smtp_activate", {"activations": asked, "state_dir": self._args["state_dir"]}) if asked else {}
        finally:
            self._task.check_mode = before
        return {item["app"]: item for item in answer.get("activations", ())}
