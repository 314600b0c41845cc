# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe first: what a relay refuses for good is not written, costs one refused login for all hosts, and what it puts off blocks nothing."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
from report.fleet import PASSWORD, WRONG, Site
from report.picky import PickyRelay

Variables = t.Dict[str, t.Any]
HOSTS = ("web1", "web2", "web3")
SENDER = "noreply@example.com"


@pytest.fixture
def picky(tmp_path: pathlib.Path) -> t.Iterator[PickyRelay]:
    with PickyRelay(tmp_path / "pki") as running:
        yield running


@pytest.fixture
def place(picky: PickyRelay, tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path, picky)


def fleet(
    place: Site, names: t.Sequence[str] = HOSTS, password: str = PASSWORD, **more: t.Any
) -> t.Dict[str, Variables]:
    return {name: {"smtp_relay": place.declared(password, **more)} for name in names}


def standing(place: Site) -> t.Dict[str, str]:
    return {path.parent.name: path.read_text("utf-8") for path in sorted(place.folder.glob("*/msmtprc"))}


def apps(place: Site) -> t.Dict[str, Variables]:
    """By host its only application in the report."""
    return {host["name"]: host["apps"][0] for host in place.report()["hosts"]}


def test_a_wrong_password_leaves_the_files_of_every_host_and_costs_one_refused_login(
    place: Site, picky: PickyRelay
) -> None:
    done = place.run("apply", fleet(place))
    assert done.returncode == 0, done.stdout
    assert picky.logins == [True] * len(HOSTS), "one login a host, in a run that changes as well"
    before = standing(place)
    assert sorted(before) == sorted(HOSTS) and all(PASSWORD in text for text in before.values())
    picky.forget()
    done = place.run("apply", fleet(place, password=WRONG))
    assert done.returncode != 0
    assert standing(place) == before, "the password that works is still in the files"
    assert picky.logins == [False], "one host tried, for all of them"
    assert {name: app["outcome"] for name, app in apps(place).items()} == dict.fromkeys(HOSTS, "left")
    told = [app["proof_why"] for app in apps(place).values() if "was not tried again" in app["proof_why"]]
    assert len(told) == 2 and all(re.search(r"web\d was refused it \(535 5\.7\.8", text) for text in told)
    assert WRONG not in done.stdout + json.dumps(place.report())


def test_an_unchanged_run_logs_in_once_for_each_host_and_changes_nothing(place: Site, picky: PickyRelay) -> None:
    place.run("apply", fleet(place))
    picky.forget()
    done = place.run("apply", fleet(place))
    assert done.returncode == 0 and picky.logins == [True] * len(HOSTS)
    assert done.stdout.count("changed=0") == len(HOSTS)
    picky.forget()
    done = place.run("verify", fleet(place))
    assert done.returncode == 0 and picky.logins == [True] * len(HOSTS)
    assert done.stdout.count("changed=0") == len(HOSTS)


def test_other_relays_applications_go_on(place: Site) -> None:
    relays = {"default": "good", "relays": {"good": place.declared(), "bad": place.declared(WRONG)}}
    folder = f"{place.folder}/web1"
    listed = [
        {"name": "msmtp", "path": f"{folder}/msmtprc"},
        {"name": "other", "app": "msmtp", "relay": "bad", "path": f"{folder}/other"},
    ]
    done = place.run("apply", {"web1": {"smtp_relay": relays, "smtp_relay_apps": listed}})
    assert done.returncode != 0
    assert (place.folder / "web1/msmtprc").exists() and not (place.folder / "web1/other").exists()
    (host,) = place.report()["hosts"]
    assert {app["name"]: (app["outcome"], app["proof"]) for app in host["apps"]} == {
        "msmtp": ("written", "envelope"),
        "other": ("left", "tls"),
    }


def test_a_sender_that_is_refused_for_good_is_not_written_and_one_put_off_is(place: Site, picky: PickyRelay) -> None:
    picky.mail = {SENDER: "553 5.7.1 Sender address rejected: not owned by user apps"}
    done = place.run("apply", fleet(place, ["web1"]))
    assert done.returncode != 0 and standing(place) == {}
    assert "[send_as_denied]" in done.stdout
    picky.mail = {SENDER: "451 4.3.0 try later"}
    picky.forget()
    done = place.run("apply", fleet(place, ["web1"]))
    assert done.returncode != 0, "it was not shown to work"
    assert sorted(standing(place)) == ["web1"], "what is refused for now blocks nothing"
    assert picky.senders == [SENDER] * 2, "it is tried twice"
    assert (apps(place)["web1"]["outcome"], apps(place)["web1"]["green"], apps(place)["web1"]["proof"]) == (
        "written",
        False,
        "auth",
    )


@pytest.mark.parametrize(
    "answer", ["450 4.2.0 greylisted, come back", "550 5.1.1 no such user", "554 5.7.1 relay access denied"]
)
def test_what_the_relay_says_to_the_senders_own_address_as_a_recipient_does_not_count(
    answer: str, place: Site, picky: PickyRelay
) -> None:
    picky.rcpt = {SENDER: answer}
    done = place.run("apply", fleet(place, ["web1"]))
    assert done.returncode == 0, done.stdout
    assert apps(place)["web1"]["proof"] == "envelope"
    assert answer.partition(" ")[2][6:] in "".join(place.report()["hosts"][0]["relays"][0]["blind_spots"])


def test_a_relay_that_does_not_answer_blocks_nothing_but_green(place: Site) -> None:
    done = place.run("apply", fleet(place, ["web1"], port=1))
    assert done.returncode != 0 and sorted(standing(place)) == ["web1"]
    app = apps(place)["web1"]
    assert (app["outcome"], app["proof"], app["green"]) == ("written", "not_tested", False)
    assert "[connect_refused]" in done.stdout


@pytest.mark.parametrize(
    "said, logins, written", [("after", [False], True), ("never", [], True), (False, [], True), (True, [False], False)]
)
def test_one_variable_says_when(
    said: t.Any, logins: t.List[bool], written: bool, place: Site, picky: PickyRelay
) -> None:
    hosts = fleet(place, ["web1"], password=WRONG)
    hosts["web1"]["smtp_relay_probe"] = said
    done = place.run("apply", hosts)
    assert (picky.logins, bool(standing(place))) == (logins, written), done.stdout
    assert (done.returncode == 0) == (not logins)
    assert apps(place)["web1"]["proof"] != "envelope" and not apps(place)["web1"]["green"]


def test_a_word_that_is_none_of_them_is_named_with_those_there_are(place: Site) -> None:
    hosts = fleet(place, ["web1"])
    hosts["web1"]["smtp_relay_probe"] = "frist"
    done = place.run("apply", hosts)
    assert (
        done.returncode != 0
        and 'smtp_relay_probe: "frist" is not known. Did you mean "first"?' in done.stdout
        and standing(place) == {}
    )


def test_verify_logs_in_with_what_stands_in_the_files_and_its_advice_ends_it(place: Site, picky: PickyRelay) -> None:
    place.run("apply", fleet(place, ["web1"]))
    config = place.folder / "web1/msmtprc"
    config.write_text(config.read_text("utf-8").replace(PASSWORD, "edited by hand"), encoding="utf-8")
    picky.forget()
    done = place.run("verify", fleet(place, ["web1"]))
    assert done.returncode != 0 and picky.logins == [False], "with the file's password, not the declared one"
    assert "Somebody else has changed" in done.stdout and "drift: enforce" in done.stdout
    assert place.run("apply", fleet(place, ["web1"])).returncode == 0
    shown = " ".join(item["show"] for item in place.report()["hosts"][0]["apps"][0]["unseen"])
    assert "Say drift: enforce for it" in shown, "a file that is left would be left again"
    hosts = fleet(place, ["web1"])
    hosts["web1"]["smtp_relay_apps"] = [{"name": "msmtp", "path": str(config), "drift": "enforce"}]
    assert place.run("apply", hosts).returncode == 0
    assert place.run("verify", hosts).returncode == 0


def test_what_is_proven_after_it_was_written_is_written_again_once_it_is_mended(place: Site, picky: PickyRelay) -> None:
    done = place.run("apply", fleet(place, ["web1"], WRONG), "-e", "smtp_relay_probe=after")
    unseen = {item["code"]: item for item in place.report()["hosts"][0]["apps"][0]["unseen"]}
    assert done.returncode != 0 and unseen["not-proven"]["show"] == "Once that is mended: run smarthost.mail.apply."
    assert place.run("apply", fleet(place, ["web1"]), "-e", "smtp_relay_probe=after").returncode == 0
    assert place.report()["hosts"][0]["apps"][0]["proof"] == "envelope"


def test_in_check_mode_it_probes_and_writes_nothing(place: Site, picky: PickyRelay) -> None:
    done = place.run("apply", fleet(place, ["web1"]), "--check")
    assert done.returncode == 0 and picky.logins == [True] and standing(place) == {}
    assert apps(place)["web1"]["outcome"] == "would_be_written"
    done = place.run("apply", fleet(place, ["web1"], password=WRONG), "--check")
    assert done.returncode != 0 and apps(place)["web1"]["outcome"] == "left"


def test_one_login_proves_all_senders_of_a_host(place: Site, picky: PickyRelay) -> None:
    folder = f"{place.folder}/web1"
    listed = [
        {"name": "msmtp", "path": f"{folder}/msmtprc"},
        {"name": "other", "app": "msmtp", "from": "other@example.com", "path": f"{folder}/other"},
    ]
    hosts = {"web1": {"smtp_relay": place.declared(), "smtp_relay_apps": listed}}
    assert place.run("apply", hosts).returncode == 0
    assert (picky.logins, picky.senders) == ([True], [SENDER, "other@example.com"])
    picky.mail = {"other@example.com": "553 5.7.1 Sender address rejected: not owned by user apps"}
    listed[1]["from"], listed[0]["helo"], listed[1]["helo"] = "other@example.com", "a.example.com", "a.example.com"
    assert place.run("apply", hosts).returncode != 0
    (host,) = place.report()["hosts"]
    assert {app["name"]: app["outcome"] for app in host["apps"]} == {"msmtp": "written", "other": "left"}
