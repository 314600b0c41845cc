# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that apply and verify really write: hosts that work, fail, refuse and cannot be reached, over a relay of our own."""

from __future__ import annotations

import subprocess
import typing as t
import xml.etree.ElementTree as ET

import pytest
from report.conftest import Look
from report.fleet import SECRETS, EmbeddedRelay, Site


@pytest.fixture(scope="module")
def applied(
    relay: EmbeddedRelay, tmp_path_factory: pytest.TempPathFactory
) -> t.Tuple[Site, "subprocess.CompletedProcess[str]"]:
    """apply over one host of every kind, as talkative as can be."""
    site = Site(tmp_path_factory.mktemp("site"), relay)
    return site, site.run("apply", site.hosts(), "-vvv", "--diff")


Applied = t.Tuple[Site, "subprocess.CompletedProcess[str]"]


def test_every_host_is_in_the_report_whatever_became_of_it_and_the_run_has_failed(applied: Applied) -> None:
    site, done = applied
    assert site.outcomes() == {
        "works": "changed",
        "login": "failed",
        "refuses": "refused",
        "typo": "failed",
        "gone": "unreachable",
    }
    assert done.returncode != 0, "the exit status stays honest"
    recap = {line.split()[0]: line for line in done.stdout.splitlines() if "failed=" in line}
    assert [name for name, line in sorted(recap.items()) if "failed=0" in line] == ["works"]


def test_it_says_what_failed_and_what_to_do(applied: Applied) -> None:
    findings = {(host, item["code"]): item for item in applied[0].report()["findings"] for host in item["hosts"]}
    assert (
        "Correct the username or the password; the connection itself is fine."
        in findings["login", "auth_failed"]["remedies"]
    )
    assert "accept: [starttls-strippable]" in findings["refuses", "starttls-strippable"]["remedies"][0]
    assert findings["typo", "unknown-key"]["where"] == "smtp_relay.hots"
    assert sorted(findings) == [
        ("gone", "unreachable"),
        ("login", "auth_failed"),
        ("login", "left"),
        ("login", "unknown"),
        ("refuses", "no-ca-path"),
        ("refuses", "starttls-strippable"),
        ("typo", "unknown-key"),
        ("works", "unknown"),
    ]
    assert {key for key, item in findings.items() if not item["urgent"]} == {("login", "unknown"), ("works", "unknown")}


def test_it_says_what_was_proven_with_certificate_and_credential(applied: Applied) -> None:
    works = next(host for host in applied[0].report()["hosts"] if host["name"] == "works")
    assert [(app["name"], app["outcome"], app["credential_id"], app["security"]) for app in works["apps"]] == [
        ("msmtp", "written", "2026-08", "tls")
    ]
    (relay,) = works["relays"]
    assert relay["ok"] and relay["certificate"]["days_left"] in (29, 30) and relay["mechanism"]
    assert works["sentence"] == "1 application written. The relay works. Not seen: that it reads its file (msmtp)."
    assert [(app["proof"], app["proof_wanted"], app["green"]) for app in works["apps"]] == [
        ("envelope", "envelope", False)
    ]
    lost = next(host for host in applied[0].report()["hosts"] if host["name"] == "gone")
    assert [(app["name"], app["outcome"]) for app in lost["apps"]] == [("msmtp", "not_done")]


def test_no_secret_is_in_any_file_nor_in_what_ansible_printed(applied: Applied) -> None:
    site, done = applied
    texts = [path.read_text("utf-8") for path in (site.folder / "reports").iterdir()] + [done.stdout, done.stderr]
    assert len(texts) == 5
    assert [secret for text in texts for secret in SECRETS if secret in text] == []


def test_the_files_are_their_owners_alone_and_writing_them_is_no_change(applied: Applied) -> None:
    site, done = applied
    folder = site.folder / "reports"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.xml"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        0o600
    } and folder.stat().st_mode & 0o777 == 0o700
    assert "changed=1" in next(line for line in done.stdout.splitlines() if line.startswith("works "))
    ET.parse(folder / "report.xml")


def test_the_page_of_a_real_run_fits_a_phone(applied: Applied, look: Look) -> None:
    driver = look.at(applied[0].folder / "reports" / "report.html", 360)
    driver.execute_script("document.querySelectorAll('details').forEach(function (e) { e.open = true; })")
    assert driver.execute_script("return document.documentElement.scrollWidth") == 360
    assert t.cast(t.Any, driver).get_log("browser") == []
    assert driver.find_element("css selector", "h1").text == "✗ Failed: 4 of 5 hosts need work."


def test_where_no_host_can_be_reached_there_is_a_report_all_the_same(site: Site) -> None:
    for playbook in ("apply", "verify"):
        done = site.run(playbook, {"gone": site.hosts()["gone"]})
        assert done.returncode != 0 and site.outcomes() == {"gone": "unreachable"}
        assert site.report()["run"] == playbook


def test_a_check_predicts_and_verify_tells_a_file_that_is_not_as_declared(site: Site) -> None:
    hosts = {"works": site.hosts()["works"]}
    config = site.folder / "works" / "msmtprc"
    assert site.run("apply", hosts, "--check").returncode == 0
    assert (site.outcomes(), site.report()["check_mode"], config.exists()) == ({"works": "would_change"}, True, False)
    done = site.run("verify", hosts)
    assert done.returncode != 0 and "msmtp: Its files are not as declared." in done.stdout
    assert (site.outcomes(), site.report()["check_mode"], config.exists()) == ({"works": "differs"}, False, False)
    assert site.run("apply", hosts).returncode == 0
    done = site.run("verify", hosts)
    assert done.returncode == 0 and "changed=0" in done.stdout
    assert (site.outcomes(), site.report()["outcome"]) == ({"works": "ok"}, "attention"), (
        "nothing shows that msmtp reads this file"
    )


def test_with_limit_the_report_is_of_the_hosts_that_were_run(site: Site) -> None:
    hosts = {name: host for name, host in site.hosts().items() if name in ("works", "login")}
    assert site.run("apply", hosts, "--limit", "works").returncode == 0
    assert site.outcomes() == {"works": "changed"}


def test_without_a_folder_there_is_no_report_and_a_host_fails_all_the_same(site: Site) -> None:
    done = site.run("apply", {"typo": site.hosts()["typo"]}, "-e", "smtp_relay_report_dest=")
    assert done.returncode != 0 and "[unknown-key]" in done.stdout
    assert not (site.folder / "reports").exists()


def test_a_folder_that_cannot_be_made_is_named(site: Site) -> None:
    (site.folder / "file").write_text("", encoding="utf-8")
    done = site.run("apply", {"works": site.hosts()["works"]}, "-e", f"smtp_relay_report_dest={site.folder}/file")
    assert done.returncode != 0
    assert (
        f"{site.folder}/file: the report could not be written (File exists). Set smtp_relay_report_dest to a folder that can be."
        in done.stdout
    )


def test_a_part_of_the_run_alone_says_only_what_it_saw(site: Site) -> None:
    hosts = {"works": site.hosts()["works"]}
    config = site.folder / "works" / "msmtprc"
    done = site.run("apply", hosts, "--tags", "report")
    assert (site.outcomes(), site.report()["sentence"]) == ({"works": "not_run"}, "Nothing was looked at (1 host).")
    assert (
        "This run has looked at none of its applications." in done.stdout
        and "No application is declared" not in done.stdout
    )
    site.run("apply", hosts, "--tags", "probe")
    assert (site.outcomes(), config.exists()) == ({"works": "would_change"}, False), "probed is not written"
    done = site.run("apply", hosts, "--tags", "verify")
    assert (site.outcomes(), config.exists(), done.returncode != 0) == ({"works": "differs"}, False, True)
    site.run("apply", hosts, "--tags", "configure")
    (host,) = site.report()["hosts"]
    assert [(app["outcome"], app["green"], [item["code"] for item in app["unseen"]]) for app in host["apps"]] == [
        ("written", False, ["unknown", "not-tested"])
    ]


def test_a_misspelt_word_is_told_by_the_name_of_its_variable_before_anything_is_written(site: Site) -> None:
    hosts = {"works": site.hosts()["works"]}
    done = site.run(
        "apply",
        hosts,
        "-e",
        "smtp_relay_fail_on=wrogn",
        "-e",
        "smtp_relay_probe=afetr",
        "-e",
        "smtp_relay_probe_level=tsl",
    )
    assert done.returncode != 0 and not (site.folder / "works" / "msmtprc").exists()
    for line in (
        'smtp_relay_fail_on: \\"wrogn\\" is not known. Did you mean \\"wrong\\"?',
        "One of: first, after, never.",
        "One of: connect, tls, auth, envelope.",
    ):
        assert line in done.stdout


def test_a_roll_back_names_what_it_restored_and_did_not_verify(site: Site) -> None:
    other = str(site.folder / "works" / "other")
    listed = [
        {"name": "msmtp", "path": str(site.folder / "works" / "msmtprc")},
        {"name": "other", "app": "msmtp", "path": other},
    ]
    hosts = {"works": {**site.hosts()["works"], "smtp_relay_apps": listed}}
    assert site.run("apply", hosts).returncode == 0
    hosts["works"]["smtp_relay"] = site.declared(**{"from": "other@example.com"})
    assert site.run("apply", hosts).returncode == 0
    hosts["works"]["smtp_relay_apps"] = listed[:1]
    done = site.run("rollback", hosts)
    assert done.returncode == 0 and "Verified by a login with what is in the files: msmtp." in done.stdout, done.stdout
    assert f"Not verified by a login: {other}." in done.stdout


def test_one_wrong_password_is_told_once_however_many_applications_have_it(site: Site) -> None:
    listed = [
        {"name": name, "app": "msmtp", "path": str(site.folder / "login" / name)} for name in ("one", "two", "three")
    ]
    site.run("apply", {"login": {**site.hosts()["login"], "smtp_relay_apps": listed}})
    findings = [item for item in site.report()["findings"] if item["urgent"]]
    assert sorted((item["code"], item["where"]) for item in findings) == [
        ("auth_failed", ""),
        ("left", "one, two, three"),
    ]
    assert findings[0]["what"] not in findings[1]["what"] and findings[1]["what"] not in findings[0]["what"]
