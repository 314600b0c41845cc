# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation over several hosts and a real relay: the normal one, and every way in which it can go wrong."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_server.start import ansible_playbook
from rotation.fleet import NEW, OLD, PASSWORDS, SECONDS, Fleet, every

AT_ONCE = ("-e", '{"smtp_relay_serial": ["100%"]}')


def test_a_rotation_reaches_every_host_and_ends_with_the_old_bytes_removed(fleet: Fleet) -> None:
    said = fleet.rotate("-vvv", "--diff")
    assert "Rotation complete: 3 on the next credential, verified by a login." in said
    assert "make next the current one" in said and "smarthost.mail.revoke_check" in said
    assert fleet.users() == every(NEW) and fleet.send() == every(NEW)
    assert set(fleet.kept().values()) == {0}
    assert [secret for secret in PASSWORDS.values() if secret in said] == []
    assert (fleet.folder / "web1" / "restarts").read_text() == "restarted\nrestarted\n", (
        "by apply and by the rotation, once each"
    )
    assert fleet.report()["run"] == "rotate" and {host["outcome"] for host in fleet.report()["hosts"]} == {"changed"}
    fleet.declared.update({"username": NEW, "credential_id": "2026-11", "password": PASSWORDS[NEW]})
    done = fleet.run("apply", rotating=False)
    assert done.returncode == 0 and "changed=1" not in done.stdout, (
        "next is the current one now, and nothing is left to do"
    )


def test_what_is_ours_and_no_longer_declared_keeps_a_rotation_open_until_it_is_taken_back(fleet: Fleet) -> None:
    fleet.unlisted.add(("web1", "gitea"))
    known = fleet.run("apply", rotating=False).stdout
    assert (
        "gitea: What was written for it is still on the host, and it is not declared any more." in known
        and "[not-declared]" in known
    )
    said = fleet.rotate()
    assert "Rotation NOT complete: 3 on the next credential, verified by a login." in said
    assert "web1: gitea still with the old credential, and not declared any more." in said and OLD in fleet.text("web1")
    line = next(line for line in said.splitlines() if "gitea still with the old" in line)
    words = shlex.split(line.partition("take it back with: ")[2].rstrip('",'))
    done = subprocess.run(
        [ansible_playbook(), *words[1:]],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=fleet.environment(),
    )
    assert done.returncode == 0 and OLD not in fleet.text("web1"), done.stdout
    again = fleet.rotate()
    assert (
        "Rotation complete: 3 on the next credential, verified by a login." in again
        and "It was not seen whether" not in again
    )


def test_with_check_everything_is_proved_nothing_is_written_and_it_ends_in_a_sentence(fleet: Fleet) -> None:
    said = fleet.rotate("--check")
    assert "to change: 3, web1 first" in said and "msmtp: nothing is restarted" in said
    assert "Checked: 3 hosts would get the next credential, web1 first. Nothing was written." in said
    assert f"Rotate with: ansible-playbook smarthost.mail.rotate -i {fleet.folder}/inventory.yml" in said
    assert [word for word in ("WARNING", "no hosts matched", "NOT complete") if word in said] == []
    assert fleet.users() == every(OLD) and set(fleet.kept().values()) == {1}


def test_the_tag_probe_plans_and_proves_and_writes_nothing(fleet: Fleet) -> None:
    said = fleet.rotate("--tags", "probe")
    assert (
        "to change: 3, web1 first" in said
        and "Rotation NOT complete: 3 not begun" in said
        and "Write the next credential" not in said
    )
    assert fleet.users() == every(OLD)


def test_what_was_applied_before_there_was_an_id_is_the_current_credential_and_what_it_prints_works_as_printed(
    fleet: Fleet,
) -> None:
    """The minimum of README, then docs/rotation.md word for word: only now the credential gets an id."""
    shutil.rmtree(fleet.folder)
    first = Fleet(fleet.folder, fleet.relay)
    labelled = first.declared.pop("credential_id")
    assert first.run("apply", rotating=False).returncode == 0
    first.declared["credential_id"] = labelled
    said = first.rotate("-e", "smtp_relay_rotation_soak=0")
    assert "Rotation complete: 3" in said and first.users() == every(NEW)
    assert [word for word in ("WARNING", "no hosts matched") if word in said] == []
    again = (
        next(line for line in said.splitlines() if "confirm that it is revoked" in line)
        .partition("revoked: ")[2]
        .rstrip('",')
    )
    first.relay.revoke(OLD)
    words = shlex.split(again)
    assert words[:2] == ["ansible-playbook", "smarthost.mail.revoke_check"] and "smtp_relay_rotation_soak=0" in words
    done = subprocess.run(
        [ansible_playbook(), *words[1:]],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=first.environment(),
    )
    assert done.returncode == 0 and "Revoked: the old credential is refused as a login" in done.stdout, done.stdout


def test_a_controller_that_cannot_reach_the_relay_names_the_way_round_it_and_that_works(fleet: Fleet) -> None:
    fleet.variables["web1"] = {}
    nowhere = {**fleet.declared, "port": 1, "timeout": 3}
    hidden = Fleet(fleet.folder, fleet.relay)
    hidden.declared = nowhere
    said = hidden.rotate(fails=True)
    assert (
        "[controller-cannot-reach]" in said
        and "-e smtp_relay_rotation_from_controller=false" in said
        and "connect_refused" in said
    )
    assert (
        "seen from the controller"
        not in fleet.rotate("--check", "-e", "smtp_relay_rotation_from_controller=false").partition(
            "ok: [web1 -> localhost]"
        )[2]
    )


@pytest.mark.whole
def test_a_next_credential_that_does_not_work_is_found_before_anything_is_written(fleet: Fleet) -> None:
    fleet.next["password"] = "not the password"
    said = fleet.rotate(fails=True)
    assert "[next-fails]" in said and "535" in said and "not the password" not in said
    assert fleet.users() == every(OLD) and set(fleet.kept().values()) == {1}


@pytest.mark.whole
def test_what_somebody_has_changed_on_a_host_stops_the_rotation_before_anything_is_written(fleet: Fleet) -> None:
    changed = fleet.folder / "web2" / "etc" / "gitea.env"
    changed.write_text(changed.read_text().replace("465", "587") + "X=1\n")
    said = fleet.rotate(fails=True)
    assert "web2: gitea: Its files are not as declared." in said and "[not-as-declared]" in said
    assert fleet.users() == every(OLD)


def cannot_restart(host: Path) -> t.Callable[[], object]:
    (host / "cannot-restart").touch()
    return (host / "cannot-restart").unlink


def cannot_write(host: Path) -> t.Callable[[], object]:
    etc = str(host / "etc")
    subprocess.run(["mount", "--bind", etc, etc], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", etc], check=True)
    return lambda: subprocess.run(["umount", etc], check=True)


def cannot_log_in(host: Path) -> t.Callable[[], object]:
    """A hook of somebody's spoils the secret in the file while the application restarts."""
    restart = host / "restart"
    before = restart.read_text()
    restart.write_text(before + "grep -q 2026-11 etc/msmtprc && sed -i 's/the new/The new/' etc/msmtprc\n:\n")
    return lambda: restart.write_text(before)


@pytest.mark.parametrize(
    "fault, said",
    [
        pytest.param(cannot_write, "Write the next credential", marks=pytest.mark.whole),
        (cannot_log_in, "auth_failed 535"),
    ],
)
def test_a_host_that_fails_takes_its_batch_back_and_every_host_can_send(
    fleet: Fleet, fault: t.Callable[[Path], t.Callable[[], object]], said: str
) -> None:
    mend = fault(fleet.folder / "web3")
    try:
        told = fleet.rotate(*AT_ONCE, fails=True)
    finally:
        mend()
    assert said in told and "Rotation NOT complete" in told and "must not be revoked" in told
    assert fleet.users() == {"web1": NEW, "web2": OLD, "web3": OLD} == fleet.send(), "web1 went first and is verified"
    assert [secret for secret in PASSWORDS.values() if secret in told] == []


def test_a_rotation_half_done_is_kept_by_apply_refuses_another_and_is_finished_by_the_same_command(
    fleet: Fleet,
) -> None:
    mend = cannot_restart(fleet.folder / "web2")
    told = fleet.rotate(fails=True)
    mend()
    assert "STILL NOT ACTIVATED: Could not be activated" in told
    half = {"web1": NEW, "web2": OLD, "web3": OLD}
    assert (
        "web2: rolled back, on the current credential, verified by a login (at: Activate;" in told
        and fleet.users() == half
    )
    assert [host["outcome"] for host in fleet.report()["hosts"] if host["name"] == "web2"] == ["failed"]
    done = fleet.run("apply")
    assert done.returncode == 0 and fleet.users() == half, "credential in_force: a routine run undoes nothing"
    another = Fleet(fleet.folder, fleet.relay)
    another.next = {**fleet.next, "id": "2026-12"}
    told = another.rotate(fails=True)
    assert (
        'web1: msmtp, gitea: its record has credential "2026-11"' in told
        and "[rotation-open]" in told
        and fleet.users() == half
    )
    hint = re.search(
        r"credential in force here: (ansible-playbook smarthost\.mail\.apply -i \S+ .*?--limit [\w,]+)", told
    )
    assert hint, told
    words = shlex.split(hint.group(1))
    followed = subprocess.run(
        [ansible_playbook(), *words[1:]],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=fleet.environment(),
    )
    assert followed.returncode == 0 and fleet.users() == every(OLD), followed.stdout[-4000:]
    assert "Rotation complete: 3" in fleet.rotate()
    assert fleet.users() == every(NEW) == fleet.send() and set(fleet.kept().values()) == {0}


@pytest.mark.whole
def test_a_controller_killed_at_any_step_is_followed_by_the_same_command(fleet: Fleet) -> None:
    fleet.killed("Activate")
    assert fleet.users() == {"web1": NEW, "web2": OLD, "web3": OLD}, "written on the first host, and not activated"
    fleet.killed("Log in with what stands in the files", 2)
    assert fleet.users() == {"web1": NEW, "web2": NEW, "web3": OLD}
    assert (fleet.folder / "web1" / "restarts").read_text().count("restarted") == 2, (
        "the first run's file was activated by the second run"
    )
    fleet.killed("Remove the replaced bytes")
    assert fleet.users() == every(NEW) and set(fleet.kept().values()) == {2}
    assert "Rotation complete: 3" in fleet.rotate()
    assert fleet.send() == every(NEW) and set(fleet.kept().values()) == {0}


@pytest.mark.whole
def test_an_old_credential_that_was_revoked_too_early_is_no_reason_to_stay_on_it_and_limit_completes_nothing(
    fleet: Fleet,
) -> None:
    fleet.relay.revoke(OLD)
    told = fleet.rotate("--limit", "web1,web2")
    assert "THE CURRENT CREDENTIAL IS REFUSED" in told and fleet.users() == {"web1": NEW, "web2": NEW, "web3": OLD}
    assert "Rotation NOT complete: 2 on the next credential" in told and "without --limit" in told
    assert fleet.kept() == {"web1": 2, "web2": 2, "web3": 1}


@pytest.mark.whole
def test_an_old_credential_that_dies_in_the_middle_is_not_gone_back_to(fleet: Fleet) -> None:
    restart, table = fleet.folder / "web3" / "restart", fleet.relay.root / "postfix" / "sasl" / "sasldb2"
    restart.write_text(f"#!/bin/sh\nsaslpasswd2 -d -f {table} -u relay.test {OLD}\nexit 1\n")
    told = fleet.rotate(*AT_ONCE, fails=True)
    assert (
        "Forward again where the old credential is dead" in told
        and "web3: FAILED (at: Activate; gitea: Could not be activated" in told
    )
    assert "2 on the next credential, verified by a login, 1 FAILED" in told
    assert fleet.send() == every(NEW), "what could not be restarted has the credential that works, too"


@pytest.mark.whole
def test_a_host_that_cannot_be_reached_keeps_the_rotation_open_until_it_is_back(fleet: Fleet) -> None:
    fleet.variables["web3"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    told = fleet.rotate(fails=True)
    assert "Rotation NOT complete: 2 on the next credential, verified by a login, 1 not reached." in told
    assert fleet.users() == {"web1": NEW, "web2": NEW, "web3": OLD} == fleet.send()
    assert fleet.kept() == {"web1": 2, "web2": 2, "web3": 1}, "nothing is completed"
    fleet.variables["web3"] = {}
    assert "Rotation complete: 3" in fleet.rotate()
    assert fleet.send() == every(NEW) and set(fleet.kept().values()) == {0}
