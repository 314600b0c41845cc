# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a run by tag, the role in a larger play, hosts without applications, and variables that are misspelt."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from report.fleet import PASSWORD, WRONG, Site
from report.picky import PickyRelay

LARGER = """
- hosts: all
  gather_facts: false
  roles:
    - smarthost.mail.smtp_relay
  post_tasks:
    - ansible.builtin.copy:
        dest: "{{ marker }}"
        content: "{{ smtp_relay_report.green }}"
        mode: "0600"
"""


@pytest.fixture
def picky(tmp_path: pathlib.Path) -> t.Iterator[PickyRelay]:
    with PickyRelay(tmp_path / "pki") as running:
        yield running


@pytest.fixture
def place(picky: PickyRelay, tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path, picky)


def one(place: Site, password: str = PASSWORD, **more: t.Any) -> t.Dict[str, t.Any]:
    return {"web1": {"smtp_relay": place.declared(password), **more}}


def test_each_part_runs_alone_by_its_tag(place: Site, picky: PickyRelay) -> None:
    config, seen = place.folder / "web1/msmtprc", []
    for tag in ("report", "probe", "configure", "activate", "verify", "report"):
        picky.forget()
        done = place.run("apply", one(place), "--tags", tag)
        assert done.returncode == 0, (tag, done.stdout[-4000:])
        seen.append((tag, list(picky.logins), config.exists()))
    assert seen == [
        ("report", [], False),
        ("probe", [True], False),
        ("configure", [], True),
        ("activate", [], True),
        ("verify", [True], True),
        ("report", [], True),
    ]


def test_without_the_tag_probe_nothing_is_proven_before_it_is_written(place: Site, picky: PickyRelay) -> None:
    assert place.run("apply", one(place, WRONG), "--skip-tags", "probe,verify").returncode == 0
    assert picky.logins == [] and (place.folder / "web1/msmtprc").exists()
    assert place.report()["outcome"] == "attention"


def test_the_role_warns_and_what_follows_it_in_a_larger_play_goes_on(place: Site) -> None:
    play, marker = place.folder / "play.yml", place.folder / "marker"
    play.write_text(LARGER, encoding="utf-8")
    two = [{"name": name, "app": "msmtp", "path": str(place.folder / "web1" / name)} for name in ("msmtp", "other")]
    done = place.run(str(play), one(place, WRONG, marker=str(marker), smtp_relay_apps=two))
    assert done.returncode == 0 and marker.read_text("utf-8") == "False"
    said = done.stderr + done.stdout
    assert "msmtp, other: Their files were left as they are" in said
    assert said.count("Correct the username or the password") == 1 and said.count("[left]") == 1, "one reason once"
    marker.unlink()
    done = place.run(str(play), one(place, WRONG, marker=str(marker), smtp_relay_fail_on="wrong"))
    assert done.returncode != 0 and not marker.exists()


def test_a_host_without_applications_is_not_probed_and_neither_fails_nor_is_good(
    place: Site, picky: PickyRelay
) -> None:
    hosts = {"web1": {"smtp_relay": place.declared(WRONG), "smtp_relay_apps": []}, "web2": {"smtp_relay_apps": []}}
    for playbook in ("apply", "verify"):
        done = place.run(playbook, hosts)
        assert done.returncode == 0, done.stdout[-4000:]
        assert picky.logins == [] and place.outcomes() == {"web1": "nothing", "web2": "nothing"}
        report = place.report()
        assert (report["outcome"], report["sentence"]) == (
            "attention",
            "No application is declared on any of these hosts (2 hosts).",
        )
        assert (
            "✓"
            not in (place.folder / "reports/report.html").read_text("utf-8").partition("<main")[0].partition("<body")[2]
        )


def test_a_misspelt_variable_is_warned_of(place: Site) -> None:
    done = place.run("apply", one(place, smtp_relay_app=["gitea"]))
    assert (
        'The variable smtp_relay_app has no effect here. Did you mean "smtp_relay_apps"?' in done.stdout + done.stderr
    )


def test_plan_shows_what_is_refused_and_fails_at_its_end(place: Site) -> None:
    hosts = {name: host for name, host in place.hosts().items() if name in ("works", "refuses")}
    done = place.run("plan", hosts)
    assert done.returncode != 0 and "REFUSED" in done.stdout and "[starttls-strippable]" in done.stdout
    assert place.run("plan", hosts, "-e", "smtp_relay_fail_on=nothing").returncode == 0
    assert place.run("plan", {"works": hosts["works"]}).returncode == 0


def test_verify_looks_at_what_is_not_refused_and_reports_what_is(place: Site, picky: PickyRelay) -> None:
    assert place.run("apply", one(place)).returncode == 0
    msmtp = {"name": "msmtp", "path": str(place.folder / "web1/msmtprc")}
    refused = {"name": "git", "app": "gitea", "path": str(place.folder / "web1/git.env"), "security": "starttls"}
    picky.forget()
    done = place.run("verify", one(place, smtp_relay_apps=[refused, msmtp]))
    (host,) = place.report()["hosts"]
    assert done.returncode != 0 and picky.logins == [True] and host["outcome"] == "refused"
    assert {app["name"]: (app["outcome"], app["proof"]) for app in host["apps"]} == {
        "git": ("refused", ""),
        "msmtp": ("as_declared", "envelope"),
    }
    told = [(item["where"], item["code"]) for item in place.report()["findings"] if item["urgent"]]
    assert set(told) == {("git", "starttls-strippable"), ("git", "no-ca-path")}, told
    assert (
        place.run("verify", one(place, smtp_relay_apps=[refused, msmtp], smtp_relay_on_unsupported="skip")).returncode
        == 0
    )


@pytest.mark.parametrize("level", ["connect", "tls"])
def test_every_level_of_the_role_is_one_of_verify(place: Site, level: str, picky: PickyRelay) -> None:
    done = place.run("apply", one(place, smtp_relay_probe_level=level, smtp_relay_probe="after"))
    assert done.returncode == 0 and picky.logins == [], done.stdout[-3000:]
    assert [app["proof"] for app in place.report()["hosts"][0]["apps"]] == [level]
    assert place.run("verify", one(place, smtp_relay_probe_level=level)).returncode == 0 and picky.logins == []


def test_the_report_alone_tells_a_misspelt_word_too(place: Site) -> None:
    for playbook, tag in (("apply", "report"), ("verify", "report"), ("apply", "activate")):
        done = place.run(playbook, one(place, smtp_relay_fail_on="wrogn"), "--tags", tag)
        assert done.returncode != 0 and "is not known. Did you mean" in done.stdout, (
            playbook,
            tag,
            done.stdout[-3000:],
        )


def test_where_no_sender_is_declared_apply_and_verify_say_once_what_is_used(place: Site) -> None:
    declared = {key: value for key, value in place.declared().items() if key != "from"}
    hosts = {name: {"smtp_relay": declared} for name in ("web1", "web2")}
    for playbook in ("apply", "verify"):
        done = place.run(playbook, hosts)
        assert (
            done.returncode == 0
            and done.stdout.count("No sender (from) is declared. msmtp: without from it uses its own.") == 1
        ), done.stdout
        assert [app["sender"] for host in place.report()["hosts"] for app in host["apps"]] == [
            "without from it uses its own"
        ] * 2
        assert "no sender declared (from), without from it uses its own" in (
            place.folder / "reports/report.html"
        ).read_text("utf-8")
    place.run("apply", one(place))
    assert "No sender" not in place.run("verify", one(place)).stdout


@pytest.mark.parametrize("playbook", ["plan", "render", "apply", "verify", "rotate"])
def test_without_a_declaration_every_playbook_says_what_to_declare(place: Site, playbook: str) -> None:
    done = place.run(playbook, {"web1": {}}, "-e", f"smtp_relay_dest={place.folder / 'out'}")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "[no-relay]" in said and "The least: smtp_relay: {host: smtp.example.com" in said, (
        said
    )
    assert "is undefined" not in said and "missing required" not in said
