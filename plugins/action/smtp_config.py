# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Composition root of ``smtp_config``: validate > plan > render on the controller, then one or two module calls on the host."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Result, failure, module_failed
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import (
    AppPlan,
    Declaration,
    HostPlan,
    Refusal,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment.changes import (
    NOTHING_KNOWN,
    Deployment,
    HostState,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import forwarding, plan, refusal, status
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import Problem, ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.difference import difference
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.folder import destination
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.folder.folder import RenderFolder
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.config_result import (
    ConfigWork,
    activations_of,
    app_result,
    by_application,
    described_apps,
    without_ours,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification import proof, verify
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.proving import ProvingAction

KEPT_ON_THE_HOST = ("query", "rolled_back", "committed", "removed", "purged")
# What is reverted with state removed is what the record holds: nothing is declared then.
NOTHING_DECLARED: dict[str, t.Any] = {"relay": {"type": "none"}, "apps": [], "prune": True, "state": "present"}
STATES = ("present", "planned", "probed", *KEPT_ON_THE_HOST)
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "relay": {"type": "raw"},
    "apps": {"type": "raw", "default": []},
    "catalogue": {"type": "list", "elements": "path", "default": []},
    "credential": {"type": "str", "choices": list(plan.CREDENTIALS), "default": "in_force"},
    "on_unsupported": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "prune": {"type": "bool", "default": False},
    "dest": {"type": "path"},
    "state": {"type": "str", "choices": list(STATES), "default": "present"},
    "state_dir": {"type": "str", "default": "/var/lib/smarthost"},  # a path of the host, whose home ~ is
    "generation": {"type": "str"},
    "probe": {"type": "str", "choices": ["first", "never"], "default": "never"},
    "probe_level": {"type": "str", "choices": list(proof.LEVELS)},
    "probe_to": {"type": "list", "elements": "str", "default": []},
    "probe_send": {"type": "str", "choices": ["never", "on_change", "always"], "default": "never"},
}


class Refused(Exception):
    """This host's applications cannot express what was declared; nothing is written."""

    def __init__(self, refusals: t.Sequence[Refusal], problems: t.Sequence[Problem] = ()) -> None:
        super().__init__()
        self.refused = [refusal.problem(item) for item in refusals]
        self.problems = [*self.refused, *problems]


class ActionModule(ProvingAction):
    """One task for all applications of a host."""

    arguments = ARGUMENTS
    refused = Refused

    def foreseen(
        self, args: Result, task_vars: Result, declared: Declaration, catalogue: Catalogue
    ) -> tuple[ConfigWork, Result, HostState]:
        """For smtp_verify: what would be done here, what would become of it, and what stands there. Raises ProblemsError."""
        usual = {name: about.get("default") for name, about in ARGUMENTS.items()}
        self._args = {**usual, **{name: value for name, value in args.items() if name in usual}, "probe": "first"}
        self._task_vars, self._seal_key = task_vars, new_key()
        # A refusal does not stop the check of the other applications; both are reported.
        self._args["on_unsupported"] = "skip"
        first = plan.plan_host(declared, catalogue, self._args["credential"])
        try:
            work, outcome = self._looked(declared, catalogue, first, predict=True)
        except ProblemsError as error:
            theirs = by_application(error.problems, first)
            if not theirs:
                raise
            work, outcome = self._looked(
                declared, catalogue, first, predict=True, left={name for name, _problem in theirs}
            )
            work.deployment.problems += [problem for _name, problem in theirs]
        return work, outcome, HostState.from_answer(outcome, self._seal_key)

    def outcome(self, args: Result) -> Result:
        """The files of every application, or what becomes of a generation."""
        self._args, self._seal_key = args, new_key()
        try:
            if args["dest"] is not None and args["state"] in KEPT_ON_THE_HOST:
                raise ProblemsError([destination.no_state(args["state"])])
            if args["state"] == "removed":
                return self._removed()
            return self._generation() if args["state"] in KEPT_ON_THE_HOST else self._configure()
        except Refused as error:
            return {
                **failure("Nothing was written on this host", error.problems),
                "refusals": [item.as_dict() for item in error.refused],
            }
        except ProblemsError as error:
            return {**failure(self.nothing_done, error.problems), "refusals": []}

    def _removed(self) -> dict[str, t.Any]:
        self._args = {**self._args, **NOTHING_DECLARED}
        return self._configure()

    def _configure(self) -> dict[str, t.Any]:
        declared = resolve.load_host(self._args["relay"], self._args["apps"])
        catalogue = Catalogue(self._args["catalogue"])
        first = plan.plan_host(declared, catalogue, self._args["credential"])
        if self._args["dest"] is not None and self._args["state"] == "present":
            return self._render(forwarding.checked(first, declared, catalogue))
        if self._args["state"] == "planned":
            work = self._assemble(declared, catalogue, first, NOTHING_KNOWN)
            self._stop_if_asked(work.refusals, work.deployment.problems)
            return work.described({"changed": False})
        probing = self._args["probe"] == "first" or self._args["state"] == "probed"
        work, outcome = self._looked(declared, catalogue, first, predict=probing)
        if probing:
            return self._after_probing(
                declared,
                work,
                outcome,
                lambda left: self._assemble(declared, catalogue, first, work.deployment.host, left),
            )
        return without_ours({**outcome, **work.described(outcome)})

    def _looked(
        self, declared: Declaration, catalogue: Catalogue, first: HostPlan, predict: bool, left: t.Collection[str] = ()
    ) -> tuple[ConfigWork, Result]:
        """What is to be done, and what became, or with ``predict`` would become, of it.

        Raises Refused or ProblemsError with all that stands in the way, here and on the host: where anything does, the host only looks.
        """
        work = None
        try:
            work = self._assemble(
                declared,
                catalogue,
                first,
                self._query(declared, first) if self._must_query(declared, first) else NOTHING_KNOWN,
                left,
            )
            outcome = self._deploy(work, predict or self._stops(work))
            if outcome.get("look_again"):
                # Our part of a user's file is no longer asked for, or an application is not there: only now it is known, and read.
                work = self._assemble(declared, catalogue, first, HostState.from_answer(outcome, self._seal_key), left)
                outcome = self._deploy(work, predict or self._stops(work))
        except (ProblemsError, AnsibleConnectionFailure) as error:
            work = work or self._assemble(declared, catalogue, first, NOTHING_KNOWN)
            self._stop_if_asked(work.refusals, [*work.deployment.problems, *getattr(error, "problems", ())])
            raise
        self._stop_if_asked(work.refusals, work.deployment.problems)
        return work, outcome

    def _stops(self, work: ConfigWork) -> bool:
        """Whether nothing is written on this host, as what one application cannot have ends the run for all of them."""
        return self._args["on_unsupported"] == "fail" and bool(work.refusals or work.deployment.problems)

    def _after_probing(
        self,
        declared: Declaration,
        work: ConfigWork,
        predicted: Result,
        again: t.Callable[[t.Collection[str]], ConfigWork],
    ) -> Result:
        """Probe with what will be in force, then write what is not refused. again: the work without some applications."""
        args, settled = self._args, not (predicted["changed"] or predicted.get("recovered"))
        probes = proof.Probes.of(work.plans, declared, args["probe_level"] or "", args["probe_to"])
        # A local MTA is proven after activation, which is now where nothing changes.
        now = [probes.direct, *([probes.local] if settled else [])]
        results = self.prove(*now, send=args["probe_send"] if settled else "never", state_dir=args["state_dir"])
        shown = proof.proofs(work.plans, probes, results[0], results[1] if settled else None, args["probe_level"] or "")
        left = {name for name, found in shown.items() if found.refused}
        before = work.described(predicted)
        if left:
            work = again(left)
        if args["state"] == "probed":
            outcome: Result = {"changed": False}
        else:
            outcome = self._deploy(work) if left or not settled else predicted
        # What was only probed stands as it was before: its files are told as what would become of them.
        described = {
            **work.described(predicted if args["state"] == "probed" else outcome),
            "relays": [result for part in results for result in part],
        }
        running = outcome.get("applications", ())
        described["to_activate"] = any(app["touched"] or app.get("stale") for app in running)
        described["prove_later"] = not settled and bool(probes.local.options() or args["probe_send"] != "never")
        described["apps"] = self._proven(work, outcome, described["apps"], shown) + [
            {**app, "changed": False, "left": True, **shown[app["name"]].as_dict()}
            for app in before["apps"]
            if app["name"] in left
        ]
        return without_ours({**outcome, **described})

    def _proven(
        self, work: ConfigWork, outcome: Result, apps: t.Sequence[Result], shown: t.Mapping[str, proof.Proof]
    ) -> list[Result]:
        """The applications with their proof, which is worth nothing where their own files hold something else."""
        plans, running = (
            {item.request.name: item for item in work.plans},
            {app["name"]: app for app in outcome.get("applications", ())},
        )
        found = []
        for app in apps:
            proven, foreseen = shown[app["name"]], self._task.check_mode and app["changed"]
            why = (
                ""
                if foreseen or self._args["state"] == "probed"
                else self._not_the_one(work, plans[app["name"]], outcome)
            )
            if why and proven.reached and proven.wanted:
                proven = proven._replace(level=proof.NOT_TESTED, why=why)
            found.append(
                {**app, **proven.as_dict(), "process": verify.process_of(running.get(app["name"])), "left": False}
            )
        return found

    def _not_the_one(self, work: ConfigWork, item: AppPlan, outcome: Result) -> str:
        """Why what was proven is not what stands in the files of an application; empty where it is. It was written: nothing fails here."""
        try:
            stands = HostState.from_answer(outcome, self._seal_key)
            texts = {file.path: stands.text(file.path) for file in item.files}
            return proof.holds_what_was_proven(item, texts, work.deployment.texts)
        except Exception:  # noqa: B902
            return "its files could not be read back"

    def _assemble(
        self,
        declared: Declaration,
        catalogue: Catalogue,
        first: HostPlan,
        host: HostState,
        left: t.Collection[str] = (),
    ) -> ConfigWork:
        """Everything to be done, rendered, and all that stands in its way; ``left``: applications whose files are left."""
        in_force = host.in_force
        # What is on the host decides which credential is taken, and nothing else of the plan.
        planned = (
            plan.plan_host(declared, catalogue, self._args["credential"], in_force)
            if in_force and self._rotating(declared)
            else first
        )
        planned = forwarding.checked(planned, declared, catalogue)
        deployment = Deployment(host)
        missing = [
            found
            for item in planned.apps
            for found in [status.refusal_of(item, host.detected.get(item.request.name))]
            if found
        ]
        absent = {item.name for item in missing}
        plans = [
            item
            for item in planned.apps
            if item.request.name not in absent and item.request.name not in left and deployment.add(item)
        ]
        listed = {request.name for request in declared.requests}
        gone = [request.name for request in planned.absent]
        gone += [app["name"] for app in host.undeclared(listed)] if self._args["prune"] else []
        for name in gone:
            deployment.take_back(name)
        # Nothing is written for an application that is not there; its other refusals are reported with that one.
        aside = Deployment(host)
        for item in planned.apps:
            if item.request.name in absent:
                aside.add(item)
        return ConfigWork(
            plans, planned, [*planned.refusals, *missing, *aside.refusals, *deployment.refusals], deployment, listed
        )

    def _stop_if_asked(self, refusals: t.Sequence[Refusal], problems: t.Sequence[Problem]) -> None:
        """What one application cannot have ends the run for all of them, unless only it is to be left out."""
        if self._args["on_unsupported"] == "fail" and refusals:
            raise Refused(refusals, problems)
        if self._args["on_unsupported"] == "fail" and problems:
            raise ProblemsError(problems)

    def _render(self, first: HostPlan) -> dict[str, t.Any]:
        """Everything into a folder on the controller; no host is contacted."""
        with RenderFolder(destination.absolute(self._args["dest"])) as folder:
            rendering = destination.Destination(folder, str(self._task_vars["inventory_hostname"]))
            plans = [item for item in first.apps if rendering.add(item)]
            refusals = [*first.refusals, *rendering.refusals]
            self._stop_if_asked(refusals, rendering.problems)
            left_out = rendering.leave_out()
            done = {item.request.name for item in plans}
            rest = [item.request.name for item in first.apps if item.request.name not in done]
            rendering.keep([item.name for item in refusals] + [item.name for item in first.unmanaged] + rest)
            outcome = rendering.write(check=bool(self._task.check_mode), diff=bool(self._task.diff))
        statuses = {item.request.name: status.status_of(item, None) for item in plans}
        apps = [app_result(item, rendering.paths(item), rendering.touches(item, outcome), statuses) for item in plans]
        return {**outcome, **described_apps(apps, plans, first, refusals, outcome["drift"], left_out, {})}

    # -- module calls -------------------------------------------------------------------------

    def _must_query(self, declared: Declaration, first: HostPlan) -> bool:
        """Whether what stands on the host decides what is written, or has to be shown."""
        if self._args["state"] == "planned":
            return False
        shared = any(file.shared for item in first.apps for file in item.files)
        return bool(shared or self._rotating(declared) or first.absent or self._args["prune"] or self._task.diff)

    def _rotating(self, declared: Declaration) -> bool:
        """Whether each application keeps the one of two credentials that the host's record names."""
        return self._args["credential"] == "in_force" and any(
            relay.next is not None for relay in declared.relays.values()
        )

    def _query(self, declared: Declaration, first: HostPlan) -> HostState:
        files = [file for item in first.apps for file in item.files if file.shared or self._task.diff]
        wanted = [{"path": file.path, **({"command": file.command} if file.command else {})} for file in files]
        answer = self._call(
            state="query",
            seal_key=self._seal_key,
            read=wanted,
            read_apps=["*"] if self._args["prune"] else [request.name for request in declared.requests],
            detect=status.asked(first.apps),
        )
        return HostState.from_answer(answer, self._seal_key)

    def _deploy(self, work: ConfigWork, predict: bool = False) -> dict[str, t.Any]:
        """Write, or ``predict`` what would be written."""
        # What can fail is done before anything is written: a run that wrote ends with what it wrote.
        deployment = work.deployment
        diffs = {
            path: difference(file, deployment.host.text(path), deployment.texts[path])
            for path, file in deployment.planned.items()
            if self._task.diff
        }
        asked = [] if deployment.host.detected else status.asked(work.planned.apps if self._stops(work) else work.plans)
        proving: Result = {}
        if self._args["probe"] == "first":
            proving = {
                "processes": True,
                "read_after": [{"path": path, "command": file.command} for path, file in deployment.planned.items()],
            }
        before, self._task.check_mode = self._task.check_mode, self._task.check_mode or predict
        try:
            outcome = self._call(state="present", detect=asked, **proving, **deployment.arguments(self._seal_key))
        finally:
            self._task.check_mode = before
        if self._task.diff and not outcome.get("look_again"):
            changed = {file["path"] for file in outcome["files"] if file["changed"]}
            outcome["diff"] = [found for path, found in diffs.items() if path in changed]
        return outcome

    def _generation(self) -> dict[str, t.Any]:
        generation = {"generation": self._args["generation"]} if self._args["generation"] else {}
        outcome = self._call(state=self._args["state"], **generation)
        for ours in ("read", "detected"):
            outcome.pop(ours, None)
        applications = outcome.pop("applications", None)
        if applications is None:
            noted = outcome.get("record", {}).get("apps", {})
            applications = [
                {"name": name, "activate": app["activate"], "since": app.get("since"), "touched": False}
                for name, app in noted.items()
            ]
        return (
            {**outcome, "activations": activations_of(applications)}
            if self._args["state"] in ("rolled_back", "query")
            else outcome
        )

    def _call(self, **arguments: t.Any) -> dict[str, t.Any]:
        """One module call. Raises ProblemsError with what the host reports; other failures pass as they are."""
        answer = self.call("smtp_deploy", {**arguments, "state_dir": self._args["state_dir"]})
        if answer.get("problems"):
            raise ProblemsError([Problem(**problem) for problem in answer["problems"]])
        if answer.get("failed") or answer.get("unreachable"):
            raise ProblemsError([module_failed(answer)])
        answer.pop("invocation", None)
        return answer
