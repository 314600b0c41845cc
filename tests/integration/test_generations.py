# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What smtp_config keeps and gives back: generations, ownership and drift, all through the task that users write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from integration.tasks import Result, task
from leave_out import leave_out

RELAY = {
    "host": "smtp.example.com",
    "username": "apps",
    "password": "first-of-the-secrets",
    "from": "noreply@example.com",
}
NEWER = {**RELAY, "password": "second-of-the-secrets"}
GITEA_INI = "; mine\n[server]\nHTTP_PORT = 3000\n\n[mailer]\nSUBJECT_PREFIX = [git]\nPASSWD = `older`\n"


def config(
    folder: Path,
    *more: str,
    relay: t.Optional[Result] = None,
    apps: t.Sequence[t.Any] = (),
    fails: bool = False,
    **options: t.Any,
) -> Result:
    wanted = {"relay": relay or RELAY, "apps": list(apps), "state_dir": str(folder / "state"), **options}
    return task(folder, "smtp_config", wanted, *more, fails=fails)


def ini(folder: Path, **more: t.Any) -> Result:
    """Gitea with a file that it shares with its user."""
    return {"name": "gitea", "form": "ini", "path": str(folder / "app.ini"), "group": "root", **more}


def env(folder: Path, **more: t.Any) -> Result:
    """A second Gitea with a file of our own."""
    return {"name": "second", "app": "gitea", "path": str(folder / "made for us" / "mailer.env"), **more}


def told(result: Result) -> t.List[t.Tuple[str, t.List[str], str, str]]:
    return [(item["name"], item["keys"], item["what"], item["done"]) for item in result["drift"]]


def secrets_below(folder: Path, secret: str) -> t.List[str]:
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and secret.encode() in path.read_bytes()
    ]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a user's file that has an access list."""
    (tmp_path / "app.ini").write_text(GITEA_INI)
    (tmp_path / "app.ini").chmod(0o640)
    if shutil.which("setfacl") is None:
        leave_out("a program is missing: apt-get install acl")
    subprocess.run(["setfacl", "-m", "u:daemon:r", str(tmp_path / "app.ini")], check=True)
    return tmp_path


def access(path: Path) -> str:
    shown = subprocess.run(
        ["getfacl", "-c", "--absolute-names", str(path)], check=True, capture_output=True, text=True
    ).stdout
    status = path.stat()
    return f"{status.st_uid}:{status.st_gid}:{status.st_mode:o}\n{shown}"


def test_a_roll_back_restores_bytes_owner_mode_access_list_and_absence(site: Path) -> None:
    before = access(site / "app.ini")
    first = config(site, apps=[ini(site, mode="0600"), env(site)])
    assert first["changed"] and access(site / "app.ini") != before
    second = config(site, apps=[ini(site, mode="0600"), env(site)], relay=NEWER)
    assert [item["id"] for item in config(site, state="query")["generations"]] == [
        first["generation"],
        second["generation"],
    ]
    assert config(site, "--check", state="rolled_back")["changed"]
    assert config(site, state="rolled_back")["generation"] == second["generation"]
    assert RELAY["password"] in (site / "app.ini").read_text()
    assert not config(site, apps=[ini(site, mode="0600"), env(site)])["changed"], "the record went back with the files"
    config(site, state="rolled_back", generation=first["generation"])
    assert (site / "app.ini").read_text() == GITEA_INI and access(site / "app.ini") == before
    assert not (site / "made for us").exists(), "the folder that was made goes too"
    assert not config(site, state="rolled_back")["changed"]


def test_generations_outlive_a_reboot_and_the_controller(site: Path) -> None:
    config(site, apps=[ini(site)])
    paths = {str(path) for path in (site / "state").rglob("*")}
    assert any("/generations/" in path for path in paths) and any(path.endswith("/record.json") for path in paths)
    assert all(path.startswith(str(site / "state")) for path in paths), "all of it stands in the state folder"
    # Another controller: it knows the folder and nothing else.
    assert config(site, state="rolled_back")["changed"] and (site / "app.ini").read_text() == GITEA_INI


def test_committing_removes_the_replaced_secrets(site: Path) -> None:
    config(site, apps=[env(site)])
    config(site, apps=[env(site)], relay=NEWER)
    held = secrets_below(site / "state", RELAY["password"])
    assert held and all((site / "state" / name).stat().st_mode & 0o777 == 0o600 for name in held)
    assert all(
        path.stat().st_mode & 0o777 == 0o700 for path in [site / "state", *(site / "state").rglob("*")] if path.is_dir()
    )
    assert config(site, state="committed")["changed"]
    assert secrets_below(site / "state", RELAY["password"]) == []
    assert config(site, state="query")["generations"] == [] and not config(site, state="committed")["changed"]


def test_no_more_than_five_generations_are_kept(site: Path) -> None:
    for number in range(7):
        config(site, apps=[env(site)], relay={**RELAY, "password": f"secret-number-{number}"})
    assert len(config(site, state="query")["generations"]) == 5
    assert secrets_below(site / "state", "secret-number-0") == [], "what fell out is gone"


def test_two_runs_at_once_on_one_host_never_interleave(site: Path) -> None:
    for name in ("one", "two"):
        (site / name).mkdir()
    config(site, apps=[ini(site)])
    pids = []
    for name, relay in (("one", RELAY), ("two", NEWER)):
        pid = os.fork()
        if pid == 0:
            try:
                apps = [env(site), {"name": "third", "app": "gitea", "path": str(site / "third.env")}]
                task(site / name, "smtp_config", {"relay": relay, "apps": apps, "state_dir": str(site / "state")})
                os._exit(0)
            except BaseException:  # pylint: disable=broad-exception-caught
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    both = {(site / "third.env").read_text(), (site / "made for us" / "mailer.env").read_text()}
    assert len([text for text in both if RELAY["password"] in text]) in (0, len(both)), "both files are of the same run"


def test_prune_takes_back_what_is_no_longer_listed_and_only_that(site: Path) -> None:
    config(site, apps=[ini(site), env(site)])
    assert not config(site, apps=[ini(site)])["changed"], "without prune it stays"
    assert config(site, apps=[ini(site)], prune=True)["changed"]
    assert not (site / "made for us").exists() and RELAY["password"] in (site / "app.ini").read_text()
    config(site, apps=[], prune=True)
    assert (site / "app.ini").read_text() == GITEA_INI


# -- drift ------------------------------------------------------------------------------------------


def test_somebody_elses_change_in_a_shared_file_is_reported_and_left(site: Path) -> None:
    config(site, apps=[ini(site)])
    theirs = (
        (site / "app.ini")
        .read_text()
        .replace(RELAY["password"], "a-secret-of-theirs")
        .replace("[server]", "[server]\nMORE = 1")
    )
    (site / "app.ini").write_text(theirs)
    result = config(site, "--diff", apps=[ini(site)])
    assert told(result) == [("gitea", ["mailer.PASSWD"], "changed", "left")] and not result["changed"]
    assert (site / "app.ini").read_text() == theirs
    assert "a-secret-of-theirs" not in str(result) and "mailer.PASSWD was changed by somebody else" in str(
        result["lines"]
    )
    assert told(config(site, "--check", apps=[ini(site)])) == told(result), "check mode says the same"


def test_drift_enforced_is_written_again(site: Path) -> None:
    config(site, apps=[ini(site), env(site)])
    ours = (site / "app.ini").read_text(), (site / "made for us" / "mailer.env").read_text()
    (site / "app.ini").write_text(ours[0].replace(RELAY["password"], "theirs"))
    (site / "made for us" / "mailer.env").write_text("THEIRS=1\n")
    result = config(site, apps=[ini(site, drift="enforce"), env(site, drift="enforce")])
    assert told(result) == [
        ("gitea", ["mailer.PASSWD"], "changed", "overwritten"),
        ("second", [], "changed", "overwritten"),
    ]
    assert ((site / "app.ini").read_text(), (site / "made for us" / "mailer.env").read_text()) == ours
    assert told(config(site, apps=[ini(site), env(site)])) == []


def test_drift_adopted_is_ours_from_then_on(site: Path) -> None:
    config(site, apps=[env(site)])
    path = site / "made for us" / "mailer.env"
    path.write_text("THEIRS=1\n")
    assert told(config(site, apps=[env(site, drift="adopt")])) == [("second", [], "changed", "adopted")]
    again = config(site, apps=[env(site)])
    assert (told(again), again["changed"], path.read_text()) == ([], False, "THEIRS=1\n")
    path.write_text("THEIRS=2\n")
    assert told(config(site, apps=[env(site)])) == [("second", [], "changed", "left")]
    assert config(site, apps=[env(site, drift="enforce")])["changed"] and RELAY["password"] in path.read_text()


def test_a_declaration_that_changed_is_written_over_drift_and_says_so(site: Path) -> None:
    config(site, apps=[ini(site)])
    (site / "app.ini").write_text((site / "app.ini").read_text().replace(RELAY["password"], "theirs"))
    assert told(config(site, apps=[ini(site)], relay=NEWER)) == [("gitea", ["mailer.PASSWD"], "changed", "overwritten")]
    assert NEWER["password"] in (site / "app.ini").read_text()


def test_what_was_merely_removed_is_written_again(site: Path) -> None:
    config(site, apps=[ini(site), env(site)])
    ours = (site / "app.ini").read_text()
    (site / "app.ini").write_text("".join(line for line in ours.splitlines(True) if "PASSWD" not in line))
    (site / "made for us" / "mailer.env").unlink()
    result = config(site, apps=[ini(site), env(site)])
    assert told(result) == [
        ("gitea", ["mailer.PASSWD"], "removed", "overwritten"),
        ("second", [], "removed", "overwritten"),
    ]
    assert RELAY["password"] in (site / "app.ini").read_text() and (site / "made for us" / "mailer.env").exists()


def test_taking_back_reports_what_somebody_else_had_changed(site: Path) -> None:
    config(site, apps=[ini(site), env(site)])
    (site / "app.ini").write_text((site / "app.ini").read_text().replace(RELAY["password"], "theirs"))
    (site / "made for us" / "mailer.env").write_text("THEIRS=1\n")
    result = config(site, apps=[ini(site, state="absent"), env(site, state="absent")])
    assert told(result) == [
        ("gitea", ["mailer.PASSWD"], "changed", "taken_back"),
        ("second", [], "changed", "taken_back"),
    ]
    assert (site / "app.ini").read_text() == GITEA_INI and not (site / "made for us").exists()
    config(site, state="rolled_back")
    assert (site / "made for us" / "mailer.env").read_text() == "THEIRS=1\n", "nothing was lost"


def test_the_record_holds_nothing_that_a_password_can_be_guessed_from(site: Path) -> None:
    config(site, apps=[ini(site), env(site)])
    config(site, apps=[ini(site), env(site)], relay=NEWER)
    record = (site / "state" / "record.json").read_text()
    assert RELAY["password"] not in record and NEWER["password"] not in record
    assert (site / "state" / "key").stat().st_mode & 0o777 == 0o600
    other = site / "other"
    other.mkdir()
    (other / "app.ini").write_text(GITEA_INI)
    config(other, apps=[ini(site), env(site)], relay=NEWER, state_dir=str(other / "state"))
    there = (other / "state" / "record.json").read_text()
    prints = [set(re.findall(r'"([0-9a-f]{64})"', text)) for text in (record, there)]
    assert prints[0] and prints[1] and not prints[0] & prints[1], "the same settings look different on another host"
