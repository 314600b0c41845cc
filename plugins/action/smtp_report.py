# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report of a run on the controller: gathers what the role recorded on each host, and contacts none."""

from __future__ import annotations

import datetime
import os
import pathlib
import tempfile
import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor, Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Action, Result, failure, shown
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import app_lists
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import exports, gather, summary
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.model import (
    HOST_OUTCOMES,
    RUNS,
    Report,
    ReportedHost,
    Run,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.page import page
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.recorded import recorded
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.misspelt_variables import wrong_words

FACT = "smtp_relay_report"
SECRETS = ("password", "client_secret", "refresh_token")
MOST_LINES, MOST_HOSTS = 20, 5
FAIL_ON = ("nothing", "wrong", "unseen")
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "dest": {"type": "path"},
    "run": {"type": "str", "choices": list(RUNS), "default": "apply"},
    "scope": {"type": "str", "choices": ["run", "host"], "default": "run"},
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "nothing"},
    "warn": {"type": "bool", "default": True},
    "declared": {"type": "list", "elements": "raw", "default": []},
    "failure": {"type": "dict", "default": {}},
}


class ActionModule(Action):
    """One task for the whole run; it never counts as a change."""

    _requires_connection = False
    arguments = ARGUMENTS
    nothing_done = "Nothing can be said of this host"

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Run the task, unless a variable of the role has a value that is none of its words; what failed is recorded all the same."""
        args = self._task.args
        judges = args.get("scope") == "host" and not args.get("failure")
        wrong = wrong_words(task_vars or {}, self._templar.template) if judges else []
        return shown(failure(self.nothing_done, wrong)) if wrong else super().run(tmp, task_vars)

    def outcome(self, args: Result) -> Result:
        """Where the report is and what it says, or why it could not be written; or what was seen on this one host."""
        if args["scope"] == "host":
            return self._host(args)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        report = gathered(self._task_vars, Run(args["run"], bool(self._task.check_mode), now))
        lines = recap(report)
        said: Result = {
            "changed": False,
            "outcome": summary.outcome(report),
            "counts": summary.counts(report),
            "lines": lines,
            "msg": lines[0],
        }
        if not args["dest"]:
            return said
        folder = pathlib.Path(
            os.path.abspath(os.path.expanduser(args["dest"]))
        )  # below the folder in which Ansible was started
        try:
            written = _write(
                folder, {"html": page(report), "json": exports.as_json(report), "xml": exports.as_junit(report)}
            )
        except OSError as error:
            remedy = "Set smtp_relay_report_dest to a folder that can be."
            return {"failed": True, "msg": f"{folder}: the report could not be written ({error.strerror}). {remedy}"}
        return {
            **said,
            **written,
            "lines": [*lines, f"Report: {written['html']}"],
            "msg": f"{lines[0]} Report: {written['html']}",
        }

    def _host(self, args: Result) -> Result:
        """What was done and seen on the host of this task, as facts for the report; failed or with warnings where it is not green."""
        failed = {
            key: args["failure"][key] for key in ("task", "msg", "problems", "unreachable") if key in args["failure"]
        }
        facts = recorded(self._task_vars, args["run"], args["declared"], failed)
        redactor = Redactor()
        if facts["failure"]:
            _learn(redactor, self._task_vars)
        name = str(self._task_vars["inventory_hostname"])
        host = gather.host(name, facts, Run(args["run"], bool(self._task.check_mode), ""), redactor)
        lines = summary.host_lines(host)
        result: Result = {**facts, "changed": False, "green": host.green, "msg": host.sentence, "lines": lines}
        result.update(
            wrong=host.failed, unseen=host.outcome != "nothing" and not host.green, failed_for=failed_for(host)
        )
        if args["fail_on"] != "nothing" and (result["wrong"] or (args["fail_on"] == "unseen" and result["unseen"])):
            return {**result, "failed": True, "msg": "\n".join([host.sentence, *lines])}
        return (
            {**result, "warnings": [f"{name}: {line}" for line in lines]}
            if lines and args["warn"] and not facts["failure"]
            else result
        )


def failed_for(host: ReportedHost) -> list[str]:
    """The task that ended the host's run, and why in a line."""
    if host.failure is None:
        return []
    head = host.failure.message.splitlines()[0] if host.failure.message else ""
    return [f"{host.failure.task or 'The host could not be reached'}: {head}"]


def recap(report: Report) -> list[str]:
    """The sentence over all, then each thing to do with its hosts."""
    lines = [summary.sentence(report)]
    for todo in summary.todos(report)[:MOST_LINES]:
        names = ", ".join(todo.hosts[:MOST_HOSTS]) + (
            f" and {len(todo.hosts) - MOST_HOSTS} more" if len(todo.hosts) > MOST_HOSTS else ""
        )
        lines.append(todo.finding.line(names))
    return [*lines, *summary.sender_lines(report)]


def gathered(task_vars: t.Mapping[str, t.Any], run: Run) -> Report:
    """The report over every host of the play, those that were lost on the way included."""
    waiting = frozenset(task_vars["ansible_play_hosts"])
    hosts = [
        _host(name, task_vars["hostvars"][name], name in waiting, run) for name in task_vars["ansible_play_hosts_all"]
    ]
    return Report(run, tuple(sorted(hosts, key=lambda host: HOST_OUTCOMES.index(host.outcome))))


def _host(name: str, variables: t.Mapping[str, t.Any], waiting: bool, run: Run) -> ReportedHost:
    facts = variables.get(FACT)
    if not isinstance(facts, t.Mapping) or facts.get("skipped"):
        return gather.silent(name, waiting)
    redactor = Redactor()
    if facts.get("failure"):
        _learn(redactor, variables)
    return gather.host(name, facts, run, redactor)


def _learn(redactor: Redactor, variables: t.Mapping[str, t.Any]) -> None:
    """Know the secrets of a host whose failure may have been told by a task of anyone's."""
    for name in ("smtp_relay", *app_lists.names(variables)):
        try:
            _learn_tree(redactor, variables.get(name))
        except Exception:  # a declaration that cannot be templated has no value that a message could hold
            continue


def _learn_tree(redactor: Redactor, value: t.Any, username: str = "") -> None:
    if isinstance(value, t.Mapping):
        username = str(value.get("username") or username)
        for key, item in value.items():
            if key in SECRETS and isinstance(item, str):
                redactor.learn(username, Secret(str(item)))
            else:
                _learn_tree(redactor, item, username)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _learn_tree(redactor, item, username)


def _write(folder: pathlib.Path, texts: t.Mapping[str, str]) -> dict[str, str]:
    """Replace ``report.<suffix>`` for each text, whole or not at all, for the owner's eyes only. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = {}
    for suffix, text in texts.items():
        path = folder / f"report.{suffix}"
        handle, name = tempfile.mkstemp(dir=folder, prefix=".report-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
        written[suffix] = str(path)
    return written
