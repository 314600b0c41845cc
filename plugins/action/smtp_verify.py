# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Composition root of ``smtp_verify``: what the applications' own files hold, tried as a login from the host that will send."""

from __future__ import annotations

import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Result, failure, module_failed
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import Declaration
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment.changes import NOTHING_KNOWN, HostState
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan, refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import Problem, ProblemsError, by_cause
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification import proof
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.proving import ProvingAction
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.verify import (
    Logins,
    Subject,
    against,
    login_of,
    not_taken_back,
    subject,
    told,
    undo,
    with_login,
    wrong,
)

STATUS = ("status", "status_why", "version", "declared_not_seen", "forwarder", "sender")
NO_APPLICATION = "No application is declared here, so there is nothing to verify."
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "relay": {"type": "raw"},
    "apps": {"type": "raw", "default": []},
    "catalogue": {"type": "list", "elements": "path", "default": []},
    "credential": {"type": "str", "choices": list(plan.CREDENTIALS), "default": "in_force"},
    "values": {"type": "str", "choices": ["files", "declaration"], "default": "files"},
    "only": {"type": "str", "choices": ["all", "rotating"], "default": "all"},
    "level": {"type": "str", "choices": list(proof.LEVELS)},
    "to": {"type": "list", "elements": "str", "default": []},
    "processes": {"type": "bool", "default": True},
    "fail": {"type": "bool", "default": True},
    "whole": {"type": "bool", "default": False},
    "send": {"type": "str", "choices": ["never", "on_change", "always"], "default": "never"},
    "on_unsupported": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "state_dir": {"type": "str", "default": "/var/lib/smarthost"},
}


class Found(t.NamedTuple):
    """What the probes said."""

    proofs: t.Mapping[str, proof.Proof]
    logins: t.Mapping[str, Result]
    results: list[Result]


class ActionModule(ProvingAction):
    """One task for all applications of a host; it changes nothing."""

    arguments = ARGUMENTS
    nothing_done = "This could not be verified"

    def outcome(self, args: Result) -> Result:
        """What every application's files hold and whether it works; failed when something of it is not as it should be."""
        self._args = args
        if args["whole"]:
            return self._whole()
        declared, catalogue = resolve.load_host(args["relay"], args["apps"]), Catalogue(args["catalogue"])
        answer = (
            self._stands(plan.plan_host(declared, catalogue, args["credential"])) if args["values"] == "files" else {}
        )
        if answer.get("unreachable"):
            return answer
        host = HostState.from_answer(answer, answer["key"]) if answer else NOTHING_KNOWN
        in_force = host.in_force
        planned = plan.plan_host(declared, catalogue, args["credential"], in_force)
        chosen = [item for item in planned.apps if args["only"] == "all" or item.relay.next is not None]
        stands = host if args["values"] == "files" else None
        subjects = [subject(item, declared.relays[item.request.relay], stands) for item in chosen]
        logins = Logins(subjects, args["level"] or "", args["to"])
        proved = self._proved(logins)
        if proved.get("unreachable"):
            return proved
        processes = self._processes(subjects) if args["processes"] and args["values"] == "files" else {}
        refused = [refusal.problem(item) for item in planned.refusals]
        result = self._told(subjects, logins.by_subject(proved["relays"]), processes, proved["relays"], answer, refused)
        return (
            {**result, "undeclared": host.undeclared({request.name for request in declared.requests})}
            if answer
            else result
        )

    def _whole(self) -> Result:
        """What smtp_config would do here, and the relays as the applications' own files say."""
        declared = resolve.load_host(self._args["relay"], self._args["apps"])
        catalogue = Catalogue(self._args["catalogue"])
        config = self._shared_loader_obj.action_loader.get(
            "smarthost.mail.smtp_config",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        work, outcome, host = config.foreseen(self._args, self._task_vars, declared, catalogue)
        subjects = [subject(item, declared.relays[item.request.relay], host) for item in work.plans]
        found = self._shown(subjects, declared)
        described = work.described(outcome)
        refused = [Problem(**item) for item in described["refusals"]] if self._args["on_unsupported"] == "fail" else []
        return self._compared(subjects, described, outcome, found, refused)

    def _compared(
        self,
        subjects: t.Sequence[Subject],
        described: Result,
        outcome: Result,
        found: Found,
        refused: t.Sequence[Problem],
    ) -> Result:
        """The result of the task. refused: what ends in failure whatever the options say, as nothing is written while it stands."""
        by_name = {app["name"]: app for app in described["apps"]}
        processes = {app["name"]: app for app in outcome["applications"]} if self._args["processes"] else {}
        apps, problems = [], list(refused)
        for item in subjects:
            process, drift = processes.get(item.name), [each for each in outcome["drift"] if each["name"] == item.name]
            changed, shown = by_name[item.name]["changed"], found.proofs[item.name]
            told_ = told(item, found.logins.get(item.name), process)
            seen = {key: by_name[item.name][key] for key in STATUS}
            apps.append(
                {**told_, **seen, "changed": False, "as_declared": not changed and not drift, **shown.as_dict()}
            )
            problems += against(item, changed, drift, shown, process)
        still_there = [app["name"] for app in outcome["applications"] if app["touched"] and app["name"] not in by_name]
        problems += [not_taken_back(name) for name in still_there]
        fine = "Every file is as declared, and every relay in use was proven." if apps else NO_APPLICATION
        result: Result = {
            "changed": False,
            **{key: described[key] for key in ("absent", "unmanaged", "undeclared", "refusals", "accepted")},
            "still_there": still_there,
            "apps": apps,
            "relays": found.results,
            "drift": outcome["drift"],
            "activations": [item.activation for item in subjects],
            "undo": "",
            "flush": [item.flush for item in subjects if item.flush],
            "ok": not problems,
            "problems": [problem.as_dict() for problem in problems],
            "msg": "\n".join(map(str, problems)) if problems else fine,
        }
        return (
            {**result, **failure("Not as it should be", problems)}
            if refused or problems and self._args["fail"]
            else result
        )

    def _shown(self, subjects: t.Sequence[Subject], declared: Declaration) -> Found:
        """The relays, with the login that each application's own files hold."""
        level, plans = self._args["level"] or "", [with_login(item) for item in subjects]
        tried = [item for item, each in zip(plans, subjects) if each.login is not None or each.wanted is None]
        probes = proof.Probes.of(tried, declared, level, self._args["to"])
        direct, local = self.prove(
            probes.direct, probes.local, send=self._args["send"], state_dir=self._args["state_dir"]
        )
        shown = proof.proofs(plans, probes, direct, local, level)
        why = {item.name: item.why for item in subjects if item.login is None and item.wanted is not None}
        shown.update(
            {name: shown[name]._replace(why=f"no login could be read: {reason}") for name, reason in why.items()}
        )
        by_user = {**probes.local.by_user(local), **probes.direct.by_user(direct)}
        return Found(shown, {name: login_of(result) for name, result in by_user.items()}, [*direct, *local])

    def _told(
        self,
        subjects: t.Sequence[Subject],
        logins: t.Mapping[str, Result],
        processes: t.Mapping[str, Result],
        relays: t.Sequence[Result],
        answer: Result,
        refused: t.Sequence[Problem],
    ) -> Result:
        problems = [
            *refused,
            *(problem for item in subjects for problem in wrong(item, logins.get(item.name), processes.get(item.name))),
        ]
        result: Result = {
            "changed": False,
            "apps": [told(item, logins.get(item.name), processes.get(item.name)) for item in subjects],
            "relays": list(relays),
            "activations": [item.activation for item in subjects],
            "undo": undo(subjects, answer.get("generations", ())),
            "flush": [item.flush for item in subjects if item.flush],
            "ok": not problems,
            "problems": [problem.as_dict() for problem in problems],
            "msg": self._fine() if not problems else "\n".join(map(str, by_cause(problems))),
        }
        if not refused and not (problems and self._args["fail"]):
            return result
        return {**result, **failure("Verification failed", by_cause(problems)), "problems": result["problems"]}

    def _fine(self) -> str:
        level = self._args["level"]
        return (
            f"Every relay was reached up to {level}; no login was tried."
            if level in ("connect", "tls")
            else "Every login works."
        )

    def _stands(self, first: t.Any) -> Result:
        """What stands on the host in every file of every application, sealed on the way."""
        key = new_key()
        read = [{"path": file.path, "command": file.command} for item in first.apps for file in item.files]
        answer = self.call(
            "smtp_deploy", {"state": "query", "seal_key": key, "read": read, "state_dir": self._args["state_dir"]}
        )
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
            answer = (
                self.call("smtp_activate", {"activations": asked, "state_dir": self._args["state_dir"]})
                if asked
                else {}
            )
        finally:
            self._task.check_mode = before
        return {item["app"]: item for item in answer.get("activations", ())}
