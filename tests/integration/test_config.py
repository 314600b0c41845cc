# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What smtp_config does to a host over several runs: check mode, moves, forms, taking back, rolling back, round trips."""

from __future__ import annotations

import typing as t
from pathlib import Path

from integration.test_bad_input import RELAY, config, snapshot

GITEA_INI = "; mine\n[server]\nHTTP_PORT = 3000\n\n[mailer]\nSUBJECT_PREFIX = [git]\nPASSWD = `older`\n"
CALL = "smtp_deploy.py"


def ini(folder: Path, **more: t.Any) -> t.Dict[str, t.Any]:
    """Gitea with a file that it shares with its user."""
    return {"name": "gitea", "form": "ini", "path": str(folder / "app.ini"), "group": "root", **more}


def calls(output: str) -> int:
    """How many modules Ansible sent to the host."""
    return output.count("Using module file") if "Using module file" in output else output.count("Reusing module")


def run(folder: Path, apps: t.List[t.Any], *options: str) -> t.Tuple[str, int]:
    """One run that has to succeed; what it said, and how many module calls it took."""
    done = config(folder, RELAY, apps, "-vvv", *options)
    assert done.returncode == 0, done.stdout[-3000:]
    assert RELAY["password"] not in done.stdout + done.stderr
    return done.stdout, calls(done.stdout)


def files(folder: Path) -> t.Dict[str, t.Any]:
    """What stands in the folder beside our own notes."""
    return {name: data for name, data in snapshot(folder).items() if not name.startswith("state")}


def test_files_of_our_own_take_one_module_call_however_many(tmp_path: Path) -> None:
    apps = [
        {"name": f"gitea-{number}", "app": "gitea", "path": str(tmp_path / f"{number}.env")} for number in range(12)
    ]
    assert run(tmp_path, apps)[1] == 1
    assert len(files(tmp_path)) == 12


def test_shared_files_take_two_module_calls_however_many(tmp_path: Path) -> None:
    apps = []
    for number in range(5):
        (tmp_path / f"{number}.ini").write_text(GITEA_INI)
        apps.append(
            {
                "name": f"gitea-{number}",
                "app": "gitea",
                "form": "ini",
                "path": str(tmp_path / f"{number}.ini"),
                "group": "root",
            }
        )
    assert run(tmp_path, apps)[1] == 2


def test_check_mode_predicts_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(GITEA_INI)
    apps = [ini(tmp_path), {"name": "other", "app": "gitea", "path": str(tmp_path / "new" / "mailer.env")}]
    before = snapshot(tmp_path)
    predicted, _calls = run(tmp_path, apps, "--check", "--diff")
    assert "changed=1" in predicted and snapshot(tmp_path) == before
    assert "mailer.PASSWD = (secret) (changed)" in predicted and "older" not in predicted
    assert "changed=1" in run(tmp_path, apps)[0]
    assert "changed=0" in run(tmp_path, apps, "--check")[0]
    assert "changed=0" in run(tmp_path, apps)[0]


def test_what_is_not_ours_stays_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(GITEA_INI)
    run(tmp_path, [ini(tmp_path)])
    now = (tmp_path / "app.ini").read_text()
    assert now.startswith("; mine\n[server]\nHTTP_PORT = 3000\n\n[mailer]\nSUBJECT_PREFIX = [git]\nPASSWD = ")
    assert "older" not in now and RELAY["password"] in now


def test_a_path_that_moves_is_taken_back_at_the_old_place_in_one_call(tmp_path: Path) -> None:
    (tmp_path / "old.env").write_text("THEIRS=1\n")
    run(tmp_path, [{"name": "gitea", "path": str(tmp_path / "old.env")}])
    assert run(tmp_path, [{"name": "gitea", "path": str(tmp_path / "new.env")}])[1] == 1
    assert files(tmp_path)["old.env"] == b"THEIRS=1\n"
    assert RELAY["password"].encode() in files(tmp_path)["new.env"]


def test_a_form_that_changes_takes_our_part_out_of_the_users_file_in_two_calls(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(GITEA_INI)
    (tmp_path / "app.ini").chmod(0o644)
    run(tmp_path, [ini(tmp_path)])
    said, count = run(tmp_path, [{"name": "gitea", "form": "env", "path": str(tmp_path / "mailer.env")}])
    assert (count, "changed=1" in said) == (2, True)
    assert files(tmp_path)["app.ini"] == GITEA_INI.encode()
    assert (tmp_path / "app.ini").stat().st_mode & 0o777 == 0o644, "its permissions too are as before"
    assert "changed=0" in run(tmp_path, [{"name": "gitea", "form": "env", "path": str(tmp_path / "mailer.env")}])[0]


def test_a_users_later_changes_survive_the_taking_back(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(GITEA_INI)
    run(tmp_path, [ini(tmp_path)])
    with (tmp_path / "app.ini").open("a") as text:
        text.write("\n[log]\nLEVEL = info\n")
    run(tmp_path, [ini(tmp_path, state="absent")])
    assert files(tmp_path)["app.ini"].decode() == GITEA_INI + "\n[log]\nLEVEL = info\n"
    assert "changed=0" in run(tmp_path, [ini(tmp_path, state="absent")])[0]


def test_an_unmanaged_application_is_listed_and_never_touched(tmp_path: Path) -> None:
    said, _calls = run(tmp_path, [{"name": "gitea", "path": str(tmp_path / "mailer.env"), "state": "unmanaged"}])
    assert "changed=0" in said and files(tmp_path) == {} and "gitea: unmanaged, never touched" in said


def test_a_path_of_the_users_file_without_its_form_is_asked_about_before_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "app.ini").write_text(GITEA_INI)
    done = config(tmp_path, RELAY, [{"name": "gitea", "path": str(tmp_path / "app.ini")}])
    assert done.returncode == 2 and "[form-unsaid]" in done.stdout, done.stdout[-2000:]
    assert files(tmp_path)["app.ini"] == GITEA_INI.encode()
