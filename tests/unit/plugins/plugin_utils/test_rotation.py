# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of a rotation: what stands against it, in which way it is done, what came of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.ownership import OwnershipRecord, RecordedApp
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation import revocation
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation.outcome import admission_lines, checked, outcome
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation.rotate import (
    Fleet,
    admit,
    fleet,
    plan_lines,
    samples,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation.same_options import options

Values = t.Dict[str, t.Any]
NEXT = {"id": "2026-11", "username": "new", "password": "dummy-new"}
RELAY = {
    "host": "smtp.example.com",
    "username": "old",
    "password": "dummy-old",
    "credential_id": "2026-08",
    "from": "a@example.com",
    "next": NEXT,
}


def host(*apps: t.Any, **relay: t.Any) -> Values:
    """The variables of one host."""
    return {"smtp_relay": {**RELAY, **relay}, "smtp_relay_apps": list(apps)}


def codes(found: Fleet) -> t.List[str]:
    return [problem.code for problem in found.problems]


def app(name: str, **more: t.Any) -> Values:
    """What smtp_verify tells of one application that is on the old credential and works."""
    login = {"ok": True, "category": "ok", "stage": "", "code": 235, "enhanced": "2.7.0", "diagnosis": ""}
    base = {
        "name": name,
        "relay": "default",
        "rotates": True,
        "next": False,
        "recorded": "2026-08",
        "credential_id": "2026-08",
        "as_declared": True,
    }
    return {**base, "login": login, **more}


def verified(*apps: Values, problems: t.Sequence[Values] = ()) -> Values:
    return {"ok": not problems, "apps": list(apps), "problems": list(problems)}


REFUSED = {"ok": False, "category": "auth_failed", "stage": "auth", "code": 535, "enhanced": "5.7.8", "diagnosis": ""}
FAILS = {"where": "gitea", "what": "The login in its files fails.", "hint": "", "code": "login-fails"}
STALE = {"where": "gitea", "what": "What runs is older.", "hint": "", "code": "process-stale"}
DRIFT = {"where": "gitea", "what": "Its files are not as declared.", "hint": "", "code": "not-as-declared"}
ON_NEXT = {"next": True, "recorded": "2026-11", "credential_id": "2026-11"}


# -- the plan ---------------------------------------------------------------------------------------


def test_without_a_next_credential_there_is_nothing_to_rotate() -> None:
    relay = {key: value for key, value in RELAY.items() if key != "next"}
    assert codes(fleet({"web": {"smtp_relay": relay, "smtp_relay_apps": ["gitea"]}})) == ["no-next"]
    assert codes(fleet({"web": host()})) == ["no-next"], "nor where no application uses the relay"


def test_every_refusal_of_every_host_is_told_at_once_and_equal_ones_once() -> None:
    bad = {**NEXT, "password": "dummy-ü"}
    found = fleet(
        {
            "web1": host("django", next=bad),
            "web2": host("django", next=bad),
            "web3": host("gitea", hots="x"),
            "web4": host("gitea"),
        }
    )
    assert sorted(codes(found)) == ["unknown-key", "value-not-carried"], (
        "only the new secret cannot be held, and it is told before it is written"
    )
    assert [problem.where for problem in found.problems if problem.code == "value-not-carried"] == [
        "web1, web2: smtp_relay_apps[0] (django)"
    ]
    assert not any("dummy" in str(problem) for problem in found.problems)


@pytest.mark.parametrize(
    "apps, relay, wanted",
    [
        (["gitea"], {"overlap": False}, ["rotation-gap"]),
        (["gitea"], {"overlap": False, "accept_gap": True}, []),
        (["postfix"], {"overlap": False}, []),
        (["postfix", "gitea"], {"overlap": False}, ["rotation-gap"]),
        (["gitea"], {"overlap": True}, []),
    ],
)
def test_a_provider_of_one_credential_is_refused_for_what_keeps_no_mail(
    apps: t.List[str], relay: Values, wanted: t.List[str]
) -> None:
    assert codes(fleet({"web": host(*apps, **relay)})) == wanted


def test_the_plan_names_what_restarts_what_is_left_to_people_and_what_cannot_be_undone() -> None:
    lines = plan_lines(
        fleet(
            {
                "web1": host(
                    "gitea",
                    "msmtp",
                    "polarity",
                    {"name": "mine", "app": "django", "state": "unmanaged"},
                    overlap=False,
                    accept_gap=True,
                    security="tls",
                    accept=["no-verify"],
                ),
                **{f"web{number}": host("gitea", overlap=False, accept_gap=True) for number in range(2, 9)},
            }
        )
    )
    assert lines == [
        "relay default (smtp.example.com): 2026-08 > 2026-11",
        "relay default (smtp.example.com) knows one credential at a time: all hosts at once, and there is no way back once the provider has changed it",
        "gitea: restart gitea: web1, web2, web3, web4, web5 and 3 more",
        "msmtp: nothing is restarted (it reads its file for each message): web1",
        "polarity: BY HAND, a person enters it: web1",
        "mine: BY HAND, it is unmanaged: web1",
    ]


# -- whether it may begin ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "baseline, new_works, mode, wanted",
    [
        (verified(app("gitea")), True, "normal", []),
        (verified(app("gitea"), problems=[DRIFT]), True, "normal", ["not-as-declared"]),
        (
            verified(app("gitea", login={**REFUSED, "category": "connect_timeout", "code": 0}), problems=[FAILS]),
            True,
            "normal",
            ["login-fails"],
        ),
        (verified(app("gitea", login=REFUSED), problems=[FAILS]), True, "forward", []),
        (verified(app("gitea", login=REFUSED), problems=[FAILS]), False, "normal", ["login-fails"]),
        (verified(app("gitea", recorded="2026-05")), True, "normal", ["rotation-open"]),
        (verified(app("gitea", **ON_NEXT), problems=[STALE]), True, "normal", []),
        (verified(app("gitea", **{**ON_NEXT, "login": REFUSED}), problems=[FAILS]), True, "normal", []),
        ({"failed": True, "msg": "no Python"}, True, "normal", ["module-failed"]),
    ],
    ids=[
        "fine",
        "drift",
        "relay down",
        "old one dead",
        "both dead",
        "another rotation",
        "not activated",
        "half done",
        "no module",
    ],
)
def test_what_stands_on_a_host_decides_whether_and_how_it_begins(
    baseline: Values, new_works: bool, mode: str, wanted: t.List[str]
) -> None:
    found = admit(fleet({"web": host("gitea")}), {"web": baseline}, new_works)
    assert (found.mode, [problem.code for problem in found.problems]) == (mode, wanted)


def test_the_files_of_the_current_credential_are_current_under_any_label() -> None:
    for recorded in ("", "2025-11"):
        given = {"web": verified(app("gitea", recorded=recorded, holds="2026-08"))}
        assert admit(fleet({"web": host("gitea")}), given, True).problems == ()
        other = {"web": verified(app("gitea", recorded=recorded, holds="neither"))}
        assert [problem.code for problem in admit(fleet({"web": host("gitea")}), other, True).problems] == [
            "rotation-open"
        ]


def test_each_cause_is_told_once_with_its_hosts_and_applications() -> None:
    names, apps = ("web1", "web2", "web3"), ("gitea", "msmtp")
    hosts = fleet({name: host(*apps) for name in names})
    baselines = {name: verified(*(app(each, recorded="2026-05") for each in apps)) for name in names}
    baselines["web3"] = verified(app("gitea"), app("msmtp", recorded="2026-05"), problems=[DRIFT])
    told = [str(problem) for problem in admit(hosts, baselines, True).problems]
    assert (
        told[0].startswith('web1, web2: gitea, msmtp; web3: msmtp: its record has credential "2026-05"')
        and "--limit web1,web2,web3" in told[0]
    )
    assert told[1].startswith("web3: gitea: Its files are not as declared.") and len(told) == 2


def test_a_rotation_that_is_complete_says_that_nothing_is_to_be_done() -> None:
    hosts = fleet({name: host("gitea") for name in ("web1", "web2")})
    on_next = verified(app("gitea", **ON_NEXT))
    done = admission_lines(admit(hosts, {"web1": on_next, "web2": on_next}, True), "")
    assert done[-1].startswith("Nothing is to be done: the next credential is in force") and "to change" not in str(
        done
    )
    for other in (verified(app("gitea")), {"unreachable": True}):
        assert "Nothing is to be done" not in str(
            admission_lines(admit(hosts, {"web1": on_next, "web2": other}, True), "")
        )


def test_a_checked_rotation_says_what_would_be_done_and_with_which_command() -> None:
    assert checked({"todo": ["a", "b"], "done": [], "canary": "a"}, ["my hosts.ini"], ["-b"]) == (
        "Checked: 2 hosts would get the next credential, a first. Nothing was written.",
        "Rotate with: ansible-playbook smarthost.mail.rotate -i 'my hosts.ini' -b",
    )
    assert checked({"todo": [], "done": ["a"], "canary": ""}, []) == (
        "Checked: no host has to change, 1 on the next credential already. Nothing was written.",
    )


def test_what_is_printed_to_be_run_has_the_options_of_this_run_and_no_value_that_may_be_secret() -> None:
    given = {
        "become": True,
        "ask_vault_pass": True,
        "vault_ids": ("prod@pass.sh",),
        "extra_vars": (
            "@vars.yml",
            "smtp_relay_hosts=web smtp_relay_canary=web1",
            "vault_new=hunter2",
            '{"smtp_relay_revoked": {"password": "hunter2"}}',
        ),
    }
    assert options(given) == [
        "-b",
        "-J",
        "--vault-id",
        "prod@pass.sh",
        "-e",
        "@vars.yml",
        "-e",
        "smtp_relay_hosts=web smtp_relay_canary=web1",
    ]


def test_hosts_that_are_done_or_cannot_be_reached_are_left_alone() -> None:
    found = admit(
        fleet({name: host("gitea") for name in ("done", "gone", "todo", "stale")}),
        {
            "done": verified(app("gitea", **ON_NEXT)),
            "gone": {"unreachable": True},
            "todo": verified(app("gitea")),
            "stale": verified(app("gitea", **ON_NEXT), problems=[STALE]),
        },
        True,
    )
    assert (found.done, found.unreachable, found.todo, found.problems) == (("done",), ("gone",), ("todo", "stale"), ())


def test_one_host_of_every_group_tries_the_new_credential() -> None:
    groups = {"all": ["a", "b", "c", "d"], "x": ["a", "b"], "y": ["gone", "c"], "z": ["gone"]}
    assert samples(["a", "b", "c"], groups) == ["a", "c"]
    assert samples([], groups) == []


# -- what came of it --------------------------------------------------------------------------------


def test_it_is_complete_only_when_every_host_is_verified_and_none_was_left_out() -> None:
    done = {"smtp_relay_verified": verified(app("gitea", **ON_NEXT))}
    assert outcome({"web1": done, "web2": {"smtp_relay_baseline": {"skipped": True}}}, [], False).complete
    assert not outcome({"web1": done}, [], True).complete
    failed = {"smtp_relay_rotation_failure": {"task": "x"}}
    for other in (
        {"smtp_relay_baseline": {"unreachable": True}},
        {"smtp_relay_baseline": verified(app("gitea"))},
        failed,
    ):
        assert not outcome({"web1": done, "web2": other}, [], False).complete


@pytest.mark.parametrize(
    ("relay", "has", "complete"),
    [("default", "2026-08", False), ("default", "2026-11", True), ("other", "2026-08", True)],
)
def test_it_is_not_complete_while_something_undeclared_has_the_old_credential(
    relay: str, has: str, complete: bool
) -> None:
    baseline = {**verified(app("gitea")), "undeclared": [{"name": "wiki", "relay": relay, "credential_id": has}]}
    found = outcome(
        {"web1": {"smtp_relay_baseline": baseline, "smtp_relay_verified": verified(app("gitea", **ON_NEXT))}},
        ["hosts.ini"],
        False,
    )
    assert found.complete is complete
    said = [
        line
        for line in found.lines
        if line.startswith("web1: wiki still with the old credential, and not declared any more.")
    ]
    command = "ansible-playbook smarthost.mail.apply -i hosts.ini --limit web1 -e smtp_relay_prune=true"
    assert said == [] if complete else said[0].endswith(command)


def test_a_host_that_was_lost_after_it_was_written_is_not_called_verified() -> None:
    lost = {"smtp_relay_baseline": verified(app("gitea")), "smtp_relay_verified": {"unreachable": True}}
    assert outcome({"web": lost}, [], False).hosts == {"web": "unreachable"}


def test_the_summary_names_hosts_smtp_codes_and_the_command_to_go_on_with() -> None:
    failure = {
        "task": "Log in with what stands in the files",
        "msg": "Not as it should be (1 problem).",
        "problems": [FAILS],
    }
    failed = {
        "smtp_relay_rotation_failure": failure,
        "smtp_relay_verified": verified(app("gitea", login=REFUSED), problems=[FAILS]),
    }
    back = {**failed, "smtp_relay_rotation_back": verified(app("gitea"))}
    lines = outcome({"web1": back, "web2": failed}, ["hosts.ini"], False).lines
    assert lines[1] == (
        "web1: rolled back, on the current credential, verified by a login (at: Log in with what stands in the files; gitea: auth_failed 535 5.7.8)"
    )
    assert lines[2] == "web2: FAILED (at: Log in with what stands in the files; gitea: auth_failed 535 5.7.8)"
    assert lines[3].endswith("Go on with: ansible-playbook smarthost.mail.rotate -i hosts.ini")


@pytest.mark.parametrize("seen", ["smtp_relay_baseline", "smtp_relay_rotation_back"])
def test_an_old_credential_that_is_dead_already_is_not_asked_to_be_kept(seen: str) -> None:
    dead = {
        "smtp_relay_baseline": verified(app("gitea")),
        seen: verified(app("gitea", login=REFUSED), problems=[FAILS]),
    }
    last = outcome({"web1": dead, "web2": {"smtp_relay_baseline": {"unreachable": True}}}, ["hosts.ini"], False).lines[
        -1
    ]
    assert last == (
        "The relay refuses the old credential already: a host that is still on it cannot send."
        " Go on with: ansible-playbook smarthost.mail.rotate -i hosts.ini"
    )


def test_what_was_put_back_while_the_relay_is_down_is_said_to_be_back_and_not_verified() -> None:
    gone = {**REFUSED, "category": "connect_refused", "code": 0, "enhanced": ""}
    down = verified(app("gitea", login=gone), problems=[FAILS])
    failure = {
        "task": "Log in with what stands in the files",
        "msg": "Not as it should be (1 problem).",
        "problems": [FAILS],
    }
    given = {"smtp_relay_rotation_failure": failure, "smtp_relay_verified": down, "smtp_relay_rotation_back": down}
    assert outcome({"web1": given}, ["hosts.ini"], False).lines[:2] == (
        "Rotation NOT complete: 1 rolled back, on the current credential, NOT VERIFIED.",
        "web1: rolled back, on the current credential, NOT VERIFIED (at: Log in with what stands in the files; gitea: connect_refused;"
        " after that: gitea: connect_refused)",
    )


@pytest.mark.parametrize(
    "apps, relay, advice",
    [
        (["gitea"], {}, "Finish the rotation first"),
        ([], {}, "smtp_relay_prune=true"),
        (["gitea"], {"next": None, "credential_id": "2026-11"}, "Put the current one in force"),
    ],
)
def test_what_still_has_the_old_credential_is_told_what_puts_it_out_of_force(
    apps: t.List[str], relay: Values, advice: str
) -> None:
    given = host(*apps, **relay)
    if relay:
        del given["smtp_relay"]["next"]
    old = revocation.old({"web1": given}, {"password": "dummy-old", "id": "2026-08"})
    recorded = OwnershipRecord(apps={"gitea": RecordedApp("gitea", "ini", old.relay.name, "2026-08")}).answer()
    (problem,) = revocation.guard({"web1": {**given, "smtp_relay_state": {"record": recorded}}}, old)
    assert problem.code == "still-in-force" and advice in problem.hint
