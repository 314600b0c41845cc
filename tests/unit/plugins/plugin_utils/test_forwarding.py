# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local MTA that is declared to forward is known to, or refused, or said not to be known; and who sends where no sender is declared."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import HostPlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.resolve import load
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import refusal, sender
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.forwarding import CODE, checked
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.plan import plan_host

RELAYS = {
    "default": "main",
    "relays": {
        "main": {"host": "smtp.example.com", "port": 587, "username": "u", "password": "p w"},
        "other": {"like": "main", "password": "p w"},
        "queue": {"type": "local_mta", "via": "main"},
        "plain": {"type": "local_mta"},
    },
}
QUEUED = {"name": "gitea", "relay": "queue"}
Listed = t.List[t.Any]


def planned(*listed: t.Any, relays: t.Any = RELAYS) -> HostPlan:
    declared, catalogue = load(relays, list(listed)), Catalogue([])
    return checked(plan_host(declared, catalogue), declared, catalogue)


@pytest.mark.parametrize(
    "listed",
    [
        ["postfix", QUEUED],
        [{"name": "mta", "app": "exim", "form": "split"}, QUEUED],
        [{"name": "gitea", "relay": "plain"}],
        ["grafana"],
    ],
)
def test_what_is_forwarded_as_declared_or_not_declared_to_be_is_planned(listed: Listed) -> None:
    found = planned(*listed)
    assert found.refusals == () and [plan.forwards for plan in found.apps] == [""] * len(listed)


@pytest.mark.parametrize(
    "listed, says",
    [
        ([QUEUED], "List postfix, exim or opensmtpd on this host with relay: main"),
        ([{"name": "postfix", "relay": "other"}, QUEUED], "Say relay: main for postfix"),
        ([{"name": "postfix", "state": "absent"}, QUEUED], "List postfix"),
        (["msmtp", QUEUED], "List postfix"),
    ],
)
def test_what_nobody_forwards_is_refused_and_the_hint_ends_it(listed: Listed, says: str) -> None:
    (found,) = planned(*listed).refusals
    problem = refusal.problem(found)
    assert problem.code == CODE and "none on this host is declared to forward to relay main" in problem.what
    assert says in problem.hint and f"accept: [{CODE}]" in problem.hint


def test_it_is_accepted_by_its_code_and_then_it_is_not_known() -> None:
    (plan,) = planned({**QUEUED, "accept": [CODE]}).apps
    assert [gap.code for gap in plan.accepted] == [CODE] and "relay main" in plan.forwards


def test_an_unmanaged_mail_server_makes_it_unknown() -> None:
    (plan,) = planned({"name": "postfix", "state": "unmanaged"}, QUEUED).apps
    why = "postfix is unmanaged here, so it is not known whether it forwards to relay main."
    assert plan.forwards.startswith(
        f"{why} Say relay: main for postfix, without state: unmanaged, or leave via out of relay queue"
    )


@pytest.mark.parametrize(
    "listed", [[{"name": "postfix", "state": "unmanaged"}, QUEUED], [{**QUEUED, "accept": [CODE]}]]
)
def test_either_advice_ends_that_it_is_not_known(listed: Listed) -> None:
    assert planned(*listed).apps[0].forwards
    managed = planned({"name": "postfix", "relay": "main"}, listed[-1]).apps
    assert [plan.forwards for plan in managed] == ["", ""] and managed[1].forwarder == "postfix"
    without = {"default": "main", "relays": {**RELAYS["relays"], "queue": {"type": "local_mta"}}}  # type: ignore[dict-item]
    assert [plan.forwards for plan in planned(*listed, relays=without).apps] == [""]


def test_a_mail_server_that_is_refused_itself_makes_it_unknown_and_is_the_one_refusal() -> None:
    found = planned({"name": "exim", "app": "exim"}, QUEUED)
    assert [refusal.name for refusal in found.refusals] == ["exim"] and found.apps[
        0
    ].forwards == "exim, which is to forward to relay main, is refused"


def test_a_hint_that_names_a_local_mta_names_the_one_that_is_missing() -> None:
    relays = {"host": "smtp.example.com", "port": 587, "username": "u", "password": "p w"}
    (alone,) = planned("gitea", relays=relays).refusals
    assert (
        "or a relay of type local_mta" in refusal.problem(alone).hint
        and "list postfix as well" in refusal.problem(alone).hint
    )
    (beside,) = planned("gitea", "postfix", relays=relays).refusals
    assert "list postfix" not in refusal.problem(beside).hint


@pytest.mark.parametrize(
    "app, says",
    [
        ("gitea", "without GITEA__mailer__FROM it uses its own"),
        ("listmonk", "it has no setting for one, and uses its own"),
        ("nullmailer", "without /etc/nullmailer/allmailfrom it uses its own"),
    ],
)
def test_where_no_sender_is_declared_it_says_what_each_application_uses(app: str, says: str) -> None:
    relay = {"host": "smtp.example.com", "username": "u", "password": "p w"}
    assert [sender.instead(plan) for plan in planned(app, relays=relay).apps] == [says]
    assert [sender.instead(plan) for plan in planned(app, relays={**relay, "from": "a@example.com"}).apps] == [""]
