# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From plan to bytes, to differences and to a set of changes: what a secret may reach, and what is left alone."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared import seal
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, FilePlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment.changes import (
    NOTHING_KNOWN,
    Deployment,
    HostState,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import can_share, dialect, dialect_names
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.difference import difference

KEY = seal.new_key()
RELAY = {"host": "h", "username": "u", "password": "hunter2"}
USERS = "; mine\n[server]\nHTTP_PORT = 3000\n"


def app_plan(**request: t.Any) -> AppPlan:
    """The plan of Gitea for a relay with a login."""
    relay = {**RELAY, **request.pop("relay", {})}
    return plan.plan_host(resolve.load(relay, [{"name": "gitea", **request}]), Catalogue()).apps[0]


def file_plan(
    name: str,
    tree: t.Any,
    shared: bool = False,
    secrets: t.Iterable[tuple[str, ...]] = (("PASS",),),
    owns: t.Iterable[tuple[str, ...]] = (),
) -> FilePlan:
    """One file of a plan."""
    planned = app_plan(form="env").files[0]
    return planned._replace(
        path="/etc/x", dialect=name, shared=shared, tree=tree, owns=tuple(owns), secrets=frozenset(secrets)
    )


# -- dialects and render --------------------------------------------------------------------------


def test_only_dialects_are_dialects() -> None:
    assert {"docker_env", "goini", "php"} <= dialect_names()
    assert not {"base", "_text", "_keyed"} & dialect_names()
    for name in ("base", "_text", "os", "..render", ""):
        with pytest.raises(LookupError, match="there is no dialect"):
            dialect(name)
    assert (can_share("goini"), can_share("docker_env")) == (True, False)


def test_a_file_of_our_own_says_whose_it_is_and_reads_back_as_planned() -> None:
    rendered, refusals, problems = render.render_app(app_plan(form="env"), {})
    assert (refusals, problems) == ([], [])
    assert rendered[0].text.startswith(f"# {render.MANAGED}\n")
    assert dialect("docker_env").read(rendered[0].text)["GITEA__mailer__PASSWD"] == "hunter2"


def test_a_file_of_the_users_keeps_everything_else() -> None:
    (rendered,), _refusals, _problems = render.render_app(app_plan(form="ini"), {"/etc/gitea/app.ini": USERS})
    assert rendered.text.startswith(USERS)
    assert dialect("goini").read(rendered.text)["mailer"]["PASSWD"] == "hunter2"


def test_a_users_file_that_is_not_valid_is_named_and_left() -> None:
    rendered, refusals, problems = render.render_app(
        app_plan(form="ini"), {"/etc/gitea/app.ini": "[mailer\nPASSWD = hunter3\n"}
    )
    assert (rendered, refusals) == ([], [])
    assert str(problems[0]).startswith("smtp_relay_apps[0] (gitea): /etc/gitea/app.ini is not valid as goini: line 1: ")
    assert str(problems[0]).endswith("[file-not-valid]\n    It was left as it is. Correct it, then run again.")
    assert "hunter3" not in str(problems[0])


def test_a_value_that_the_dialect_cannot_carry_is_refused_by_its_key() -> None:
    planned = app_plan(form="env")
    file = planned.files[0]._replace(tree={"A": "fine", "B": Secret("hunter2\nX"), "C": ["also\nbad"]})
    rendered, refusals, _problems = render.render_app(planned._replace(files=(file,)), {})
    assert rendered == []
    assert [item.gap.why for item in refusals] == [
        f"{file.path} cannot hold the value of {key}: a line break or NUL ends the value here" for key in ("B", "C")
    ]
    assert {item.gap.code for item in refusals} == {"value-not-carried"}


def test_a_checklist_shows_no_secret_and_holds_none() -> None:
    file = file_plan("sheet", {"Mail": {"HostState": "h", "Password": Secret("hunter2")}})
    planned = app_plan(form="env")._replace(files=(file,))
    (rendered,), _refusals, _problems = render.render_app(planned, {})
    assert "hunter2" not in rendered.text and "h" in rendered.text
    assert not render.holds_secret(file)
    assert render.holds_secret(file_plan("docker_env", {"A": ["x", Secret("y")]}))


# -- difference -----------------------------------------------------------------------------------

HIDDEN = ("hunter2", "hunter3")
TEXTS: list[str | None] = [
    None,
    "",
    "A=1\n",
    "A=1\nPASS=hunter2\n",
    "A=2\nPASS=hunter3\n",
    "PASS=hunter2\nOTHER=hunter3\n",
    "not valid hunter2\n",
    "A=1\nOLD_PASS=hunter2\n",
]


@pytest.mark.parametrize(("before", "after"), list(itertools.product(TEXTS, TEXTS)))
@pytest.mark.parametrize("tree", [{"A": "1", "PASS": Secret("hunter2")}, {"A": "1"}])
def test_no_secret_old_or_new_shows_whatever_changed(
    before: str | None, after: str | None, tree: dict[str, t.Any]
) -> None:
    # What is written after is what was planned: other keys of a file of our own cannot be there.
    if after is None or "OTHER" not in after and "OLD" not in after:
        shown = difference(file_plan("docker_env", tree), before, after)
        assert not any(secret in text for secret in HIDDEN for text in shown.values())


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("A=1\nPASS=x\n", "A=2\nPASS=y\n", ("A = 1\nPASS = (secret)\n", "A = 2\nPASS = (secret) (changed)\n")),
        ("PASS=x\n", "PASS=x\n", ("PASS = (secret)\n", "PASS = (secret)\n")),
        (None, "A=1\nPASS=y\n", ("", "A = 1\nPASS = (secret)\n")),
        ("A=1\nPASS=x\n", None, ("A = (not shown)\nPASS = (secret)\n", "")),
        ("PASS=x\nTHEIRS=z\n", "A=1\n", ("PASS = (secret)\nTHEIRS = (not shown)\n", "A = 1\n")),
        ("what is this\n", "A=1\n", ("(not valid in its dialect) = (not shown)\n", "A = 1\n")),
    ],
)
def test_a_difference_is_our_settings_one_a_line(before: str | None, after: str | None, shown: tuple[str, str]) -> None:
    found = difference(file_plan("docker_env", {"A": "1", "PASS": Secret("y")}), before, after)
    assert (found["before"], found["after"]) == shown
    assert found["before_header"] == found["after_header"] == "/etc/x"


def test_what_is_the_users_in_a_shared_file_is_not_shown_at_all() -> None:
    file = file_plan(
        "goini",
        {"mailer": {"HOST": "h", "PASSWD": Secret("b")}},
        True,
        [("mailer", "PASSWD")],
        [("mailer", "HOST"), ("mailer", "PASSWD")],
    )
    found = difference(
        file,
        "[db]\nPASSWD = hunter2\n[mailer]\nHOST = old\nPASSWD = a\n",
        "[db]\nPASSWD = hunter2\n[mailer]\nHOST = h\nPASSWD = b\n",
    )
    assert (found["before"], found["after"]) == (
        "mailer.HOST = old\nmailer.PASSWD = (secret)\n",
        "mailer.HOST = h\nmailer.PASSWD = (secret) (changed)\n",
    )


def test_a_secret_that_stood_elsewhere_in_a_list_is_not_shown() -> None:
    file = file_plan("json", {"a": ["first", "second", Secret("hunter3")], "b": "x"}, secrets=[("a",)])
    found = difference(file, '{"a": ["first", "hunter2"], "b": "y"}', '{"a": ["first", "second", "hunter3"], "b": "x"}')
    assert not any(secret in text for secret in HIDDEN for text in found.values())
    assert "b = y" in found["before"] and "a.0 = first" in found["after"]


# -- deployment -----------------------------------------------------------------------------------


def host(record: dict[str, t.Any], path: str = "", content: str = "", original: str | None = None) -> HostState:
    """What a host answers to a query: its record, and one file as it stands and as it stood before us."""
    answer = {"record": {"apps": {}, "files": {}, **record}, "read": {}}
    if not path:
        return HostState.from_answer(answer, KEY)
    file = {"content": seal.seal(KEY, seal.read_label(path), content.encode()), "fingerprint": "ab"}
    if original is not None:
        file["original"] = seal.seal(KEY, seal.original_label(path), original.encode())
    return HostState.from_answer({**answer, "read": {path: file}}, KEY)


def recorded(path: str, shared: bool, dialect_name: str, *owns: list[str]) -> dict[str, t.Any]:
    """A host's record of Gitea in one file."""
    return {
        "apps": {
            "gitea": {
                "app": "gitea",
                "form": "x",
                "relay": "default",
                "credential_id": "",
                "files": [{"path": path, "shared": shared, "dialect": dialect_name, "owns": list(owns)}],
            }
        }
    }


def contents(deployment: Deployment) -> dict[str, str]:
    """What the module would write."""
    arguments = deployment.arguments(KEY)
    assert "hunter2" not in repr({key: value for key, value in arguments.items() if key != "seal_key"})
    return {path: data.decode() for path, data in seal.unseal_contents(KEY, arguments["contents"]).items()}


def test_a_file_of_our_own_is_one_change_and_one_record_without_a_query() -> None:
    deployment = Deployment(NOTHING_KNOWN)
    assert deployment.add(app_plan(form="env", mode="0600", relay={"credential_id": "1"}))
    (change,) = deployment.changes
    assert {key: getattr(change, key) for key in ("app", "path", "action", "shared", "secret", "based_on", "mode")} == {
        "app": "gitea",
        "path": "/etc/gitea/mailer.env",
        "action": "write",
        "shared": False,
        "secret": True,
        "based_on": None,
        "mode": "0600",
    }
    assert "GITEA__mailer__PASSWD=hunter2\n" in contents(deployment)["/etc/gitea/mailer.env"]
    record = deployment.arguments(KEY)["record"]
    assert (
        record["apps"]["gitea"]["credential_id"],
        record["apps"]["gitea"]["files"][0]["path"],
        record["remove"],
    ) == ("1", "/etc/gitea/mailer.env", [])


def test_a_file_of_the_users_is_changed_from_what_was_read() -> None:
    deployment = Deployment(host({}, "/etc/gitea/app.ini", USERS))
    assert deployment.add(app_plan(form="ini"))
    assert (deployment.changes[0].shared, deployment.changes[0].based_on) == (True, "ab")
    assert contents(deployment)["/etc/gitea/app.ini"].startswith(USERS)
    assert ["mailer", "PASSWD"] in deployment.arguments(KEY)["record"]["apps"]["gitea"]["files"][0]["owns"]


def test_a_problem_or_refusal_queues_nothing_of_its_application() -> None:
    deployment = Deployment(host({}, "/etc/gitea/app.ini", "[bad\n"))
    assert not deployment.add(app_plan(form="ini"))
    assert (deployment.changes, deployment.apps, [problem.code for problem in deployment.problems]) == (
        [],
        {},
        ["file-not-valid"],
    )


def test_a_file_whose_path_moved_is_taken_back_at_the_old_place() -> None:
    deployment = Deployment(host(recorded("/old.env", False, "docker_env")))
    assert deployment.add(app_plan(form="env", path="/new.env"))
    assert [(change.path, change.action) for change in deployment.changes] == [
        ("/new.env", "write"),
        ("/old.env", "restore"),
    ]


def test_a_users_file_that_nobody_else_touched_is_put_back_as_it_was() -> None:
    now = USERS + "\n[mailer]\nPASSWD = hunter2\n"
    deployment = Deployment(host(recorded("/a.ini", True, "goini", ["mailer", "PASSWD"]), "/a.ini", now, USERS))
    deployment.take_back("gitea")
    assert (deployment.removed, [(change.path, change.action) for change in deployment.changes]) == (
        ["gitea"],
        [("/a.ini", "restore")],
    )


def test_our_keys_are_taken_out_of_the_users_file_and_the_rest_stays() -> None:
    now = USERS + "USER_ADDED = 1\n\n[mailer]\nPASSWD = hunter2\n"
    deployment = Deployment(host(recorded("/a.ini", True, "goini", ["mailer", "PASSWD"]), "/a.ini", now, USERS))
    deployment.take_back("gitea")
    assert (deployment.removed, contents(deployment), deployment.changes[0].based_on) == (
        ["gitea"],
        {"/a.ini": USERS + "USER_ADDED = 1\n"},
        "ab",
    )


def test_what_cannot_be_read_is_not_taken_out_and_stays_on_record() -> None:
    deployment = Deployment(host(recorded("/a.ini", True, "goini", ["mailer", "PASSWD"]), "/a.ini", "[bad\n"))
    deployment.take_back("gitea")
    assert (deployment.removed, deployment.changes, [problem.code for problem in deployment.problems]) == (
        [],
        [],
        ["file-not-valid"],
    )


def test_what_is_gone_or_was_never_ours_needs_no_taking_out() -> None:
    deployment = Deployment(host(recorded("/a.ini", True, "goini", ["mailer", "PASSWD"])))
    deployment.take_back("gitea")
    deployment.take_back("never")
    assert (deployment.removed, deployment.changes) == (["gitea"], [])


def test_what_one_application_leaves_to_another_is_written_and_not_taken_back() -> None:
    record = recorded("/etc/gitea/mailer.env", False, "docker_env")
    record["apps"]["gone"] = record["apps"].pop("gitea")
    for first_back in (True, False):
        deployment = Deployment(host(record))
        steps = [lambda d=deployment: d.take_back("gone"), lambda d=deployment: d.add(app_plan(form="env"))]
        for step in steps if first_back else reversed(steps):
            step()
        assert [
            (change.app, change.action) for change in deployment.changes if change.path == "/etc/gitea/mailer.env"
        ] == [("gitea", "write")]
        assert deployment.removed == ["gone"]
