# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report says of a run: outcomes in words, what to do, certificates, credentials, gaps taken by name."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor, Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import gather, summary, values
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.model import ReportedHost, Run
from report import samples

APPLY = Run("apply", False, "2026-11-21T06:00:00Z")
FLEET = samples.report(samples.fleet())


def host(facts: samples.Facts, run: str = "apply", check_mode: bool = False) -> ReportedHost:
    return gather.host("web1", facts, dataclasses.replace(APPLY, run=run, check_mode=check_mode), Redactor())


def named(name: str) -> ReportedHost:
    return next(item for item in FLEET.hosts if item.name == name)


@pytest.mark.parametrize(
    "name, outcome, sentence",
    [
        ("gone.example.com", "unreachable", "The host could not be reached."),
        ("login1.example.com", "failed", "3 applications as declared. The relay fails."),
        ("disk.example.com", "failed", "1 application not done. No relay was tried."),
        ("git.example.com", "refused", "1 application refused, 2 not done. No relay was tried."),
        ("edited.example.com", "drifted", "1 application changed by somebody else, 2 as declared. No relay was tried."),
        ("later.example.com", "not_run", "Its turn has not come."),
        ("app1.example.com", "changed", "2 applications written, 1 as declared, 1 not managed. All 2 relays work."),
        ("app2.example.com", "changed", "3 applications as declared, 1 taken back, 1 absent. The relay works."),
    ],
)
def test_each_host_has_its_outcome_in_a_word_and_in_a_sentence(name: str, outcome: str, sentence: str) -> None:
    assert (named(name).outcome, named(name).sentence) == (outcome, sentence)


def test_hosts_that_need_work_come_first() -> None:
    assert [item.outcome for item in FLEET.hosts] == [
        "unreachable",
        "failed",
        "failed",
        "failed",
        "failed",
        "refused",
        "not_run",
        "drifted",
        "changed",
        "changed",
    ]
    assert summary.counts(FLEET) == {
        "unreachable": 1,
        "failed": 4,
        "refused": 1,
        "not_run": 1,
        "drifted": 1,
        "changed": 2,
    }
    assert (summary.outcome(FLEET), summary.sentence(FLEET)) == ("failed", "6 of 10 hosts need work.")


@pytest.mark.parametrize(
    "run, check_mode, outcome, app",
    [
        ("apply", False, "changed", "written"),
        ("apply", True, "would_change", "would_be_written"),
        ("verify", False, "differs", "differs"),
    ],
)
def test_a_changed_file_is_written_predicted_or_a_difference_by_the_kind_of_run(
    run: str, check_mode: bool, outcome: str, app: str
) -> None:
    found = host({"apps": [samples.app("gitea", "Gitea", changed=True)]}, run, check_mode)
    assert (found.outcome, found.apps[0].outcome, found.failed) == (outcome, app, run == "verify")


@pytest.mark.parametrize(
    "run, check_mode, outcome, app",
    [
        ("apply", False, "changed", "taken_back"),
        ("apply", True, "would_change", "would_be_taken_back"),
        ("verify", False, "differs", "differs"),
    ],
)
def test_what_is_taken_back_in_this_run_is_told_from_what_was_gone_before(
    run: str, check_mode: bool, outcome: str, app: str
) -> None:
    found = host({"absent": ["wiki", "older"], "activations": [{"app": "wiki"}]}, run, check_mode)
    assert found.outcome == outcome
    assert [(item.name, item.outcome) for item in found.apps] == [("wiki", app), ("older", "absent")]
    assert host({"absent": ["wiki"]}, run, check_mode).outcome == "ok"


def test_what_somebody_else_changed_and_what_became_of_it_is_with_the_application() -> None:
    apps = {app.name: app for app in named("edited.example.com").apps}
    assert [
        (name, apps[name].outcome, [drift.done for drift in apps[name].drift]) for name in ("alertmanager", "grafana")
    ] == [("alertmanager", "drifted", ["left"]), ("grafana", "as_declared", ["overwritten"])]
    left = [todo for todo in summary.todos(FLEET) if todo.finding.code == "drift"]
    assert [(todo.finding.where, todo.finding.what, todo.urgent) for todo in left] == [
        (
            "alertmanager",
            "Somebody else has changed /etc/alertmanager/mail.conf (global.smtp_from, global.smtp_hello); left as it is.",
            False,
        )
    ]
    assert "drift: enforce" in left[0].finding.remedies[0]
    assert not named("edited.example.com").failed


def test_the_sentence_of_a_run_says_what_was_left_as_it_was() -> None:
    said = summary.sentence(dataclasses.replace(FLEET, hosts=(named("edited.example.com"),)))
    assert said.endswith("Not as declared: 1 application is left as somebody else has changed it.")


def test_to_verify_finds_every_change_of_somebody_else_whatever_becomes_of_it() -> None:
    report = samples.report({"web1": {"apps": samples.applications(), "drift": samples.DRIFT}}, "verify")
    assert [(app.name, app.outcome) for app in report.hosts[0].apps if app.drift] == [
        ("alertmanager", "differs"),
        ("grafana", "differs"),
    ]
    assert [todo.finding.code for todo in summary.todos(report) if todo.urgent] == ["drift", "drift"] and report.hosts[
        0
    ].failed


def test_one_finding_on_many_hosts_is_told_once_with_all_its_hosts() -> None:
    login = next(todo for todo in summary.todos(FLEET) if todo.finding.code == "auth_failed")
    assert login.hosts == ("login1.example.com", "login2.example.com") and login.urgent
    assert login.finding.remedies == ("Correct the username or the password; the connection itself is fine.",)


def test_what_was_refused_is_told_once_with_why_and_the_ways_out() -> None:
    refused = [todo.finding for todo in summary.todos(FLEET) if todo.finding.code == "starttls-strippable"]
    assert [(item.where, item.what) for item in refused] == [("gitea", samples.STARTTLS["what"])]
    assert "accept: [starttls-strippable]" in refused[0].remedies[0]


def test_a_certificate_that_ends_soon_wants_attention_while_everything_works() -> None:
    report = samples.report({"web1": {"apps": samples.applications(), "relays": [samples.relay(1)]}})
    assert [todo.finding.what for todo in summary.todos(report)] == [
        "The certificate of smtp.example.com:587 ends in 1 day."
    ]
    assert (summary.outcome(report), summary.sentence(report)) == (
        "attention",
        "It went well, and something wants attention (1 host).",
    )
    assert (
        summary.outcome(samples.report({"web1": {"apps": samples.applications(), "relays": [samples.relay(61)]}}))
        == "ok"
    )


def test_a_relay_is_shown_once_with_the_worst_of_what_hosts_saw_and_the_credentials_in_force() -> None:
    main, alerts = summary.endpoints(FLEET)
    assert (main.name, main.address, main.works, main.tried, main.categories, main.credential_ids) == (
        "main",
        "smtp.example.com:587",
        3,
        5,
        ("auth_failed",),
        ("2026-08",),
    )
    assert main.certificate is not None and main.certificate.days_left == 9
    assert (alerts.address, alerts.works, alerts.tried) == ("mail.example.net:465", 1, 1)


def test_a_gap_taken_by_name_is_shown_with_every_user() -> None:
    (gap,) = summary.taken(FLEET)
    assert (gap.gap.code, gap.users) == (
        "no-ca-path",
        ("app1.example.com: alertmanager", "app2.example.com: alertmanager"),
    )


def test_what_was_activated_and_what_was_not_is_with_the_application() -> None:
    apps = {app.name: app.activation for app in named("app1.example.com").apps}
    assert apps["postfix"] is not None and apps["postfix"].activated and apps["postfix"].how == "reload"
    assert apps["grafana"] is not None and apps["grafana"].reason == "the unit is not running"
    assert apps["alertmanager"] is None


def test_a_host_that_was_lost_is_told_from_one_whose_turn_has_not_come() -> None:
    assert (gather.silent("web1", still_to_come=False).outcome, gather.silent("web1", still_to_come=False).failed) == (
        "unreachable",
        True,
    )
    assert (gather.silent("web1", still_to_come=True).outcome, gather.silent("web1", still_to_come=True).failed) == (
        "not_run",
        False,
    )


def test_a_known_secret_in_the_words_of_a_failed_task_is_stars() -> None:
    redactor = Redactor()
    redactor.learn("apps@example.com", Secret("hunter2 and more"))
    failure = {
        "task": "Someone's task",
        "msg": "cannot use hunter2 and more",
        "problems": [{"what": "hunter2 and more is bad", "code": "x"}],
    }
    found = gather.host("web1", {"failure": failure}, APPLY, redactor).failure
    assert found is not None
    assert (found.message, found.findings[0].what) == ("cannot use ********", "******** is bad")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\x00\x1b[31m", "a⟨U+0000⟩⟨U+001B⟩[31m"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\ud800", "⟨U+D800⟩"),
        ("שלום ü €", "שלום ü €"),
        (None, ""),
        (587, "587"),
    ],
)
def test_every_character_can_be_seen(text: t.Any, shown: str) -> None:
    assert values.shown(text) == shown


def test_a_text_without_end_is_cut() -> None:
    assert len(values.shown("x" * 100_000)) == values.LONGEST + 2


@pytest.mark.parametrize(
    "junk", [None, 5, "text", ["text"], [[1]], {"apps": 3}, [{"name": {"a": 1}, "changed": "x", "paths": 5}]]
)
def test_facts_of_any_shape_make_a_host_and_never_an_error(junk: t.Any) -> None:
    facts = {
        key: junk
        for key in (
            "apps",
            "absent",
            "unmanaged",
            "refusals",
            "accepted",
            "relays",
            "activated",
            "declared",
            "failure",
            "generation",
            "drift",
        )
    }
    assert host(facts).name == "web1"
    relay = host({"relays": [{key: junk for key in samples.relay()}]})
    assert len(relay.relays) == 1
