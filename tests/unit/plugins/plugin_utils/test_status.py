# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of an application by what was seen on its host: the word, the sentence, and what of it is only declared."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.fields import DamagedError
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.units import full_name
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan, refusal, status
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError

RELAY = {"host": "smtp.example.com", "port": 465, "username": "u", "password": "hunter2", "from": "a@example.com"}
NOTHING = status.Facts()


def planned(app: str, **more: t.Any) -> AppPlan:
    [found] = plan.plan_host(resolve.load(RELAY, [{"name": app, **more}]), Catalogue()).apps
    return found


def judged(app: AppPlan, **facts: t.Any) -> status.Status:
    return status.status_of(app, NOTHING._replace(**facts))


def wiring(**ways: bool | None) -> dict[str, status.WiringVerdict]:
    return {way: status.WiringVerdict(seen, f"by {way}") for way, seen in ways.items()}


def test_what_is_seen_and_reads_its_file_is_active() -> None:
    found = judged(planned("grafana", form="ini"), seen=["unit grafana-server.service"], version="10.4.2")
    assert found == status.Status(
        "active", "Seen: unit grafana-server.service, the unit of its packages starts it with this file.", "10.4.2"
    )
    found = judged(planned("grafana", form="service"), seen=["unit grafana-server.service"], wiring=wiring(unit=True))
    assert (found.status, found.declared_not_seen) == ("active", ())
    assert (
        judged(
            planned("nextcloud", path="/srv/nc/config/zz.config.php"),
            seen=["/srv/nc/version.php"],
            wiring=wiring(beside=True),
        ).status
        == "active"
    )


def test_a_native_form_of_what_is_not_there_is_not_installed_and_refused_unless_accepted() -> None:
    app = planned("nextcloud")
    found = judged(app)
    assert (
        found.status == "not_installed"
        and found.why == "Nothing of it is on this host: looked for /var/www/nextcloud/version.php."
    )
    refused = status.refusal_of(app, NOTHING)
    assert refused and refused.gap.code == "not-installed"
    said = str(refusal.problem(refused))
    assert said.startswith(
        "smtp_relay_apps[0] (nextcloud): Nextcloud: it is not on this host (looked for /var/www/nextcloud/version.php).   [not-installed]"
    )
    assert "or accept it by name: accept: [not-installed]." in said
    accepted = planned("nextcloud", accept=["not-installed"])
    assert status.refusal_of(accepted, NOTHING) is None and judged(accepted).status == "not_installed"
    assert [gap.code for gap in status.with_absence(accepted, NOTHING).accepted] == ["not-installed"]
    assert [item["required"] for item in status.asked([app, accepted])] == [True, False]


@pytest.mark.parametrize(
    "more",
    [
        {"path": "/srv/nc/config/zz.config.php"},
        {"installed": True},
        {"unit": "php-fpm"},
        {"activate": {"systemd": "php-fpm"}},
        {"compose": {"folder": "/srv/nc"}},
        {"form": "occ", "tool": ["docker", "exec", "nc", "occ"]},
    ],
)
def test_what_may_be_somewhere_else_is_unknown_and_written(more: dict[str, t.Any]) -> None:
    app = planned("nextcloud", **more)
    assert status.refusal_of(app, NOTHING) is None and judged(app).status != "not_installed"
    assert status.asked([app])[0]["required"] is False


def test_a_path_that_is_the_entrys_own_is_no_other_place() -> None:
    assert (
        judged(planned("nextcloud", path="/var/www/nextcloud/config/zz-smarthost.config.php")).status == "not_installed"
    )


def test_a_database_that_could_not_be_read_makes_nothing_missing() -> None:
    found = judged(
        planned("grafana", form="ini"),
        unseen=["the package database could not be read: rpm did not end within 5 seconds"],
    )
    assert found.status == "unknown" and "could not be read" in found.why and "installed: true" in found.why


def test_an_entry_without_detect_is_unknown_and_says_what_can_be_declared() -> None:
    found = judged(planned("mutt"))
    assert found.status == "unknown"
    assert found.why.startswith(
        "Its entry does not say how it can be seen; nothing shows that it reads /etc/Muttrc.d/smarthost.rc."
    )
    assert "Say unit, compose or installed: true and wired: true where it is so." in found.why


def test_a_file_for_a_container_is_written_and_unknown_until_one_is_seen() -> None:
    app = planned("gitea")
    assert status.refusal_of(app, NOTHING) is None
    found = judged(app, wiring=wiring(container=None, unit=None))
    assert found.status == "unknown" and "a container of gitea/gitea" in found.why
    found = judged(app, seen=["a container of gitea/gitea"], wiring=wiring(container=None, unit=None))
    assert found.status == "not_wired" and "env_file: [/etc/gitea/mailer.env]" in found.why
    assert judged(app, wiring=wiring(container=True, unit=None)).status == "active", (
        "a container that has the variables is there"
    )


def test_a_unit_that_does_not_read_it_is_told_the_line_to_add() -> None:
    found = judged(planned("grafana"), seen=["unit grafana-server.service"], wiring=wiring(container=None, unit=False))
    assert found.status == "not_wired"
    assert "EnvironmentFile=-/etc/grafana/mail.env under [Service] in a drop-in of grafana-server.service" in found.why
    assert "say form: service, which writes the drop-in for its unit" in found.why


def test_a_unit_that_reads_it_when_it_next_starts_is_to_be_restarted_and_no_line_is_to_be_added() -> None:
    told = status.WiringVerdict(
        False, "grafana-server.service reads it, but what runs is older", "Restart grafana-server.service."
    )
    found = judged(planned("grafana"), seen=["unit grafana-server.service"], wiring={"unit": told})
    assert (found.status, found.why) == (
        "not_wired",
        "grafana-server.service reads it, but what runs is older. Restart grafana-server.service.",
    )


def test_what_the_user_states_is_declared_and_not_seen() -> None:
    app = planned("mutt", installed=True, wired=True)
    found = judged(app)
    assert (found.status, found.declared_not_seen) == ("unknown", ("installed", "wired"))
    assert found.why.endswith("declared, not seen: installed, wired.") and "Say" not in found.why
    seen = judged(planned("grafana", form="ini", installed=True, wired=True), seen=["package grafana"])
    assert (seen.status, seen.declared_not_seen) == ("active", ()), "what is seen need not be believed"
    against = judged(
        planned("gitea", form="ini", wired=True), seen=["unit gitea.service"], wiring=wiring(argument=False)
    )
    assert (against.status, against.declared_not_seen) == ("not_wired", ()), (
        "what is seen to be otherwise is not believed"
    )


def test_the_users_version_wins() -> None:
    assert (
        judged(planned("grafana", form="ini", version="11.0.0"), seen=["package grafana"], version="10.4.2").version
        == "11.0.0"
    )


def test_a_form_that_its_own_tool_takes_is_wired_by_it() -> None:
    assert judged(planned("nextcloud", form="occ"), seen=["/var/www/nextcloud/version.php"]).status == "active"
    assert status.refusal_of(planned("nextcloud", form="occ"), NOTHING) is not None


def test_a_form_for_people_or_another_tool_is_never_missing() -> None:
    for app, form in (("alloy_navigator", "sheet"), ("uptime_kuma", "api"), ("gitea", "k8s_secret")):
        assert (
            status.refusal_of(planned(app, form=form), NOTHING) is None
            and judged(planned(app, form=form)).status == "unknown"
        )
    found = judged(planned("gitea", form="compose"), wiring=wiring(compose_file=True))
    assert found.status == "active"


def test_without_a_host_nothing_is_known() -> None:
    found = status.status_of(planned("grafana", wired=True), None)
    assert (found.status, found.declared_not_seen) == ("unknown", ("wired",)) and "no host was asked" in found.why


# -- the drop-in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "unit"),
    [
        ({}, "grafana-server.service"),
        ({"unit": "grafana-internal"}, "grafana-internal.service"),
        ({"activate": {"systemd": "g.service"}}, "g.service"),
        ({"activate": False}, "grafana-server.service"),
        ({"unit": "php8.2-fpm"}, "php8.2-fpm.service"),
    ],
)
def test_a_service_form_writes_the_drop_in_of_its_unit(more: dict[str, t.Any], unit: str) -> None:
    app = planned("grafana", form="service", **more)
    assert [file.path for file in app.files] == [
        "/etc/grafana/mail.env",
        f"/etc/systemd/system/{unit}.d/smarthost-mail.conf",
    ]
    assert (
        app.files[1].tree == {"Service": {"EnvironmentFile": "/etc/grafana/mail.env"}} and app.files[1].mode == "0644"
    )
    assert [full_name(name) for name in app.presence.detect.units] == [unit]


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        ([], "it is not on this host (looked for unit grafana-srever.service, package grafana"),
        (["package grafana"], "there is no unit grafana-srever.service on this host (seen: package grafana)"),
    ],
)
def test_the_drop_in_of_a_unit_that_is_not_there_is_not_written(seen: list[str], what: str) -> None:
    """Nobody would read it; and a unit's name is soon misspelt."""
    app = planned("grafana", form="service", unit="grafana-srever")
    refusal = status.refusal_of(app, status.Facts(tuple(seen)))
    assert (
        refusal is not None
        and refusal.gap.code == "not-installed"
        and refusal.gap.why.startswith(what)
        and "unit" in refusal.gap.hint
    )
    assert judged(app, seen=seen).status == "not_installed"
    assert [item["required_unit"] for item in status.asked([app])] == ["grafana-srever.service"]


@pytest.mark.parametrize(
    "follows",
    [{"unit": "grafana-server"}, {"unit": "grafana-srever", "installed": True}, {"accept": ["not-installed"]}],
)
def test_what_the_refusal_of_a_unit_advises_ends_it(follows: dict[str, t.Any]) -> None:
    app = planned("grafana", **{"form": "service", "unit": "grafana-srever", **follows})
    assert status.refusal_of(app, status.Facts(("unit grafana-server.service",))) is None


def test_two_instances_of_one_unit_are_told_to_say_another() -> None:
    two = [
        {"name": "one", "app": "grafana", "form": "service"},
        {"name": "two", "app": "grafana", "form": "service", "path": "/etc/two.env"},
    ]
    with pytest.raises(ProblemsError) as caught:
        plan.plan_host(resolve.load(RELAY, two), Catalogue())
    assert [(problem.code, problem.hint) for problem in caught.value.problems] == [
        ("same-file", "Say the unit of one of them: unit.")
    ]
    two[1]["unit"] = "grafana-two"
    assert len(plan.plan_host(resolve.load(RELAY, two), Catalogue()).apps) == 2


def test_only_a_form_for_a_unit_that_is_known_has_one() -> None:
    for app, form in (("grafana", "env"), ("grafana", "ini"), ("grafana", "compose"), ("mastodon", "service")):
        assert planned(app, form=form).presence.dropin is None, (app, form)
    assert planned("mastodon", form="service", unit="mastodon-web").presence.dropin is not None


def test_where_it_runs_says_how_it_is_activated() -> None:
    project = {"folder": "/srv/gitea", "services": ["server"]}
    assert planned("gitea", compose=project).activate == {"compose": project}
    assert planned("gitea", compose={"folder": "/srv/gitea"}).activate == {
        "compose": {"folder": "/srv/gitea", "services": ["gitea"]}
    }
    assert planned("gitea", form="ini", unit="git2").activate == {"systemd": "git2", "how": "restart"}
    assert planned("mastodon", form="service", unit="mastodon-web").activate == {
        "systemd": "mastodon-web",
        "how": "restart",
    }
    assert planned("nextcloud", unit="php-fpm").activate["how"] == "none", "read for each request, wherever"
    assert planned("gitea", unit="git2", activate={"how": "none"}).activate == {"how": "none"}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"a": []},
        {"a": {}},
        {"a": {"seen": 3, "unseen": [], "wiring": {}}},
        {"a": {"seen": [], "unseen": [], "version": 3, "wiring": {}}},
        {"a": {"seen": [], "unseen": [], "wiring": {"unit": True}}},
        {"a": {"seen": [], "unseen": [], "wiring": {"unit": {"seen": "yes", "why": ""}}}},
    ],
)
def test_an_answer_that_is_none_is_damaged(answer: t.Any) -> None:
    if answer == []:
        assert status.facts_of({"detected": answer}) == {} == status.facts_of({})
        return
    with pytest.raises(DamagedError):
        status.facts_of({"detected": answer})


def test_what_a_host_says_is_cut_and_can_be_seen() -> None:
    facts = status.facts_of(
        {
            "detected": {
                "a": {
                    "seen": ["\x1b[31m" + "x" * 9999],
                    "unseen": [],
                    "wiring": {"unit": {"seen": None, "why": "\u202e"}},
                }
            }
        }
    )
    assert (
        facts["a"].seen[0].startswith("?[31mx")
        and len(facts["a"].seen[0]) == 400
        and facts["a"].wiring["unit"].why == "?"
    )
