# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not on a host is not written there, and no folder is made for it; what is there says so in the result. With an entry of our own."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from integration.tasks import Result, task
from integration.test_bad_input import RELAY, snapshot

ENTRY = """\
title: Wiki
homepage: https://wiki.example.com
docs: https://wiki.example.com/mail
sources: [by hand]
evidence: documented
forms:
  dropin: {dialect: phpdotenv, path: ROOT/wiki/config/mail.env, mode: "0600"}
security: {none: plain, opportunistic: may, starttls: must, tls: wrap}
lacks: {ca_path: none, tls_server_name: none, oauth2: none, ms_graph: none}
settings: {HOST: =host, USER: =username, PASSWORD: =password, SECURITY: =security, VERIFY: =validate_certs}
mail_off: {HOST: ""}
detect: {folders: ["{dir}/../version"], version: {file: "{dir}/../version", find: "^([0-9.]+)$"}}
wiring: {beside: ["{dir}/../version"]}
activate: {how: none, reason: read for each message}
test: none
"""


def run(folder: Path, *apps: t.Any, fails: bool = False, more: t.Sequence[str] = (), **options: t.Any) -> Result:
    """The result of one task with the catalogue."""
    entry = folder / "apps" / "wiki" / "app.yml"
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(ENTRY.replace("ROOT", str(folder)))
    wanted = {
        "relay": RELAY,
        "apps": list(apps),
        "catalogue": [str(folder / "apps")],
        "state_dir": str(folder / "state"),
        **options,
    }
    return task(folder, "smtp_config", wanted, *more, fails=fails)


def files(folder: Path) -> t.Set[str]:
    """Our files, and the folders made for them."""
    return {name for name in snapshot(folder) if name.startswith(("wiki", "other"))}


def status(result: Result) -> t.Dict[str, t.Tuple[str, t.Any, t.Any]]:
    return {app["name"]: (app["status"], app["version"], app["declared_not_seen"]) for app in result["apps"]}


def test_what_is_not_there_is_refused_and_no_folder_is_made(tmp_path: Path) -> None:
    other = {"name": "other", "app": "gitea", "path": str(tmp_path / "other.env")}
    for more in ((), ("--check",), ("--diff",)):
        result = run(tmp_path, other, "wiki", fails=True, more=more)
        (problem,) = result["problems"]
        assert problem["code"] == "not-installed" and f"looked for {tmp_path}/wiki/version" in problem["what"]
        assert "accept: [not-installed]" in problem["hint"] and files(tmp_path) == set()
    result = run(tmp_path, other, "wiki", on_unsupported="skip")
    assert files(tmp_path) == {"other.env"} and [item["code"] for item in result["refusals"]] == ["not-installed"]
    assert status(result)["other"][0] == "unknown" and list(status(result)) == ["other"]
    assert not run(tmp_path, other, "wiki", on_unsupported="skip")["changed"]


def test_what_is_there_is_written_and_active_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "wiki").mkdir()
    (tmp_path / "wiki" / "version").write_text("4.2.1\n")
    predicted = run(tmp_path, "wiki", more=("--check",))
    result = run(tmp_path, "wiki")
    assert status(predicted) == status(result) == {"wiki": ("active", "4.2.1", [])} and files(tmp_path) >= {
        "wiki/config/mail.env"
    }
    assert any("wiki" in line and line.endswith("active 4.2.1") for line in result["lines"])
    (tmp_path / "wiki" / "version").unlink()
    written = (tmp_path / "wiki" / "config" / "mail.env").read_text()
    (problem,) = run(tmp_path, "wiki", fails=True)["problems"]
    assert problem["code"] == "not-installed"
    assert (tmp_path / "wiki" / "config" / "mail.env").read_text() == written, "what was written stays as it is"
    assert run(tmp_path, {"name": "wiki", "state": "absent"})["changed"] and files(tmp_path) == {"wiki"}


def test_what_the_user_says_of_it_is_written_and_never_called_seen(tmp_path: Path) -> None:
    accepted = run(tmp_path, {"name": "wiki", "accept": ["not-installed"]})
    assert status(accepted)["wiki"][0] == "not_installed" and [gap["code"] for gap in accepted["accepted"]] == [
        "not-installed"
    ]
    assert files(tmp_path) == {"wiki", "wiki/config", "wiki/config/mail.env"}
    stated = run(tmp_path, {"name": "wiki", "installed": True, "wired": True, "version": "5.0"})
    assert status(stated) == {"wiki": ("unknown", "5.0", ["installed", "wired"])} and not stated["changed"]
    moved = run(tmp_path, {"name": "wiki", "path": str(tmp_path / "other" / "mail.env")})
    assert status(moved)["wiki"][0] == "unknown" and "other/mail.env" in files(tmp_path), (
        "with a path of its own it may be anywhere"
    )


def refused_for_three_reasons(folder: Path) -> t.List[t.Any]:
    """Applications that are refused by the plan, by what is seen on the host, and by how the host is."""
    named = {"name": "named", "app": "gitea", "path": str(folder / "named.env"), "owner": "nobody-of-this-name"}
    return [{"name": "git", "app": "gitea", "path": str(folder / "git.env"), "security": "starttls"}, "wiki", named]


@pytest.mark.parametrize("more", [(), ("--check",), ("--diff",)])
def test_what_the_plan_refuses_and_what_the_host_refuses_come_at_once(tmp_path: Path, more: t.Sequence[str]) -> None:
    result = run(tmp_path, *refused_for_three_reasons(tmp_path), fails=True, more=more)
    assert [item["code"] for item in result["problems"]] == ["starttls-strippable", "not-installed", "no-such-owner"]
    assert [item["code"] for item in result["refusals"]] == ["starttls-strippable", "not-installed"] and files(
        tmp_path
    ) == set()


def test_a_form_that_there_is_none_of_does_not_hide_what_is_refused(tmp_path: Path) -> None:
    result = run(
        tmp_path, {"name": "git", "app": "gitea", "security": "starttls"}, {"name": "wiki", "form": "ini"}, fails=True
    )
    assert sorted(item["code"] for item in result["problems"]) == ["starttls-strippable", "unknown-form"]


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_refused_does_not_keep_the_others_from_being_verified(tmp_path: Path, whole: bool) -> None:
    other = {"name": "other", "app": "gitea", "path": str(tmp_path / "other.env")}
    relay = {**RELAY, "host": "127.0.0.1", "port": 9, "security": "tls"}  # nobody listens there
    run(tmp_path, other, relay=relay)
    wanted = {
        "relay": relay,
        "apps": [*refused_for_three_reasons(tmp_path), other],
        "catalogue": [str(tmp_path / "apps")],
        "fail": False,
    }
    result = task(tmp_path, "smtp_verify", {**wanted, "state_dir": str(tmp_path / "state"), "whole": whole}, fails=True)
    seen = {app["name"]: app["as_declared"] for app in result["apps"]}
    codes = [item["code"] for item in result["problems"]]
    assert seen["other"] is True and "git" not in seen and codes[0] == "starttls-strippable" and not result["ok"]
    if whole:
        assert list(seen) == ["other"] and codes[1:3] == ["not-installed", "no-such-owner"]
        assert [item["where"] for item in result["refusals"]] == [
            f"smtp_relay_apps[{at}] ({name})" for at, name in enumerate(("git", "wiki", "named"))
        ]
        kept = task(
            tmp_path,
            "smtp_verify",
            {**wanted, "state_dir": str(tmp_path / "state"), "whole": True, "on_unsupported": "skip"},
        )
        assert [app["name"] for app in kept["apps"]] == ["other"] and "starttls-strippable" not in [
            item["code"] for item in kept["problems"]
        ]


def test_rendering_and_planning_ask_no_host(tmp_path: Path) -> None:
    assert status(run(tmp_path, "wiki", state="planned")) == {"wiki": ("unknown", None, [])}
    assert status(run(tmp_path, "wiki", dest=str(tmp_path / "out"))) == {"wiki": ("unknown", None, [])}
    assert files(tmp_path) == set()
