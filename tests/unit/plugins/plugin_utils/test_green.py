# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps an application from being green."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import gather, green
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.model import App, Drift, ReportedActivation, Run

GOOD = App("gitea", "as_declared", status="active", proof="envelope", proof_wanted="envelope", activates=True)


def run(word: t.Any = "verify") -> Run:
    return Run(word, False, "")


def test_all_of_it_was_seen() -> None:
    assert green.unseen(GOOD, run(), False) == () and green.is_green(GOOD)


@pytest.mark.parametrize(
    ("changes", "code", "wrong"),
    [
        ({"status": "unknown"}, "unknown", False),
        ({"status": "not_wired"}, "not-wired", True),
        ({"down": True}, "not-running", False),
        ({"down": True, "stale": True}, "not-running", False),
        ({"stale": True}, "process-stale", True),
        ({"proof": "tls"}, "not-tested", False),
        ({"outcome": "written", "activation": None}, "not-activated", False),
        (
            {"outcome": "written", "activation": ReportedActivation(False, "none", "as declared")},
            "not-activated",
            False,
        ),
        (
            {
                "outcome": "written",
                "activation": ReportedActivation(False, "restart", "there is no unit wkii.service on this host", True),
            },
            "not-activated",
            False,
        ),
    ],
)
def test_what_was_not_seen_or_is_wrong_has_its_code(changes: dict[str, t.Any], code: str, wrong: bool) -> None:
    app = dataclasses.replace(GOOD, **changes)
    (found,) = green.unseen(app, run(), False)
    assert (found.code, found.wrong) == (code, wrong) and found.what.endswith(".") and found.show.endswith(".")
    assert not green.is_green(dataclasses.replace(app, unseen=(found,)))


@pytest.mark.parametrize(("outcome", "wrong"), [("written", True), ("as_declared", True), ("would_be_written", False)])
def test_apply_fails_where_an_application_does_not_read_what_was_written(outcome: t.Any, wrong: bool) -> None:
    """Not where nothing was written: until then there may be nothing to read."""
    app = dataclasses.replace(
        GOOD, outcome=outcome, status="not_wired", activation=ReportedActivation(True, "systemd", "")
    )
    assert [found.wrong for found in green.unseen(app, run("apply"), False) if found.code == "not-wired"] == [wrong]


@pytest.mark.parametrize(
    ("word", "outcome", "failed", "done", "says"),
    [
        ("apply", "written", True, None, "Once that is mended: run smarthost.mail.apply."),
        ("apply", "as_declared", False, None, "Run smarthost.mail.verify."),
        (
            "verify",
            "as_declared",
            True,
            None,
            "Once that is mended: run smarthost.mail.apply, then smarthost.mail.verify.",
        ),
        ("verify", "differs", False, "overwritten", "Run smarthost.mail.apply."),
        (
            "verify",
            "differs",
            False,
            "left",
            "Say drift: enforce for it, or declare what its files hold, then run smarthost.mail.apply.",
        ),
        (
            "apply",
            "drifted",
            False,
            "left",
            "Say drift: enforce for it, or declare what its files hold, then run smarthost.mail.apply.",
        ),
    ],
)
def test_what_has_it_proven_is_what_writes_it_too(
    word: t.Any, outcome: t.Any, failed: bool, done: t.Any, says: str
) -> None:
    drift = (Drift("/etc/x", ("a",), "changed", done),) if done else ()
    app = dataclasses.replace(
        GOOD, outcome=outcome, drift=drift, proof="not_tested", activation=ReportedActivation(True, "restart", "")
    )
    (found,) = green.unseen(app, run(word), failed)
    assert found.show == says


SEEN = {
    "status": "active",
    "proof": "envelope",
    "proof_wanted": "envelope",
    "activate": {"systemd": "x"},
    "relay": "main",
}


@pytest.mark.parametrize(
    ("down", "found"),
    [(False, {"postfix": (), "msmtp": ()}), (True, {"postfix": ("not-running",), "msmtp": ("not-forwarded",)})],
)
def test_what_goes_through_a_mail_server_that_does_not_run_is_not_green(down: bool, found: dict[str, t.Any]) -> None:
    """Whatever else answers on its port."""
    apps = [
        {"name": "msmtp", "forwarder": "postfix", **SEEN},
        {"name": "postfix", "process": {"stale": False, "down": down}, **SEEN},
    ]
    host = gather.host("web1", {"apps": apps, "declared": ["msmtp", "postfix"]}, run(), Redactor())
    assert {app.name: tuple(item.code for item in app.unseen) for app in host.apps} == found
    assert host.green is not down and [app.green for app in host.apps] == [not down] * 2
