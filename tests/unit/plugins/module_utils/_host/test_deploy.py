# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are written, recorded, taken back, rolled back and committed as one set."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

APPS = {"apps": {"wiki": {"relay": "main"}}}


def test_a_first_run_writes_files_and_folders_and_a_second_changes_nothing(host: Host) -> None:
    first = host.deploy({"etc/wiki/mail.env": "A=1\n"}, record=APPS)
    assert first["changed"] and re.fullmatch(r"\d{8}T\d{6}Z-1", first["generation"])
    assert host.tree()["etc/wiki/mail.env"][3] == b"A=1\n"
    assert host.tree()["etc/wiki"][0] == 0o755
    before, notes = host.tree(), host.notes()
    second = host.deploy({"etc/wiki/mail.env": "A=1\n"}, record=APPS)
    assert (second["changed"], second["generation"], second["files"][0]["changed"]) == (False, None, False)
    assert (host.tree(), host.notes()) == (before, notes)


def test_check_mode_says_the_same_as_the_run_and_leaves_not_even_a_state_folder(host: Host) -> None:
    host.put("app.ini", "old", 0o600)
    before = host.tree()
    wanted = ({"app.ini": "new", "x/new.env": "n"}, host.change("app.ini", mode="0640"))
    predicted = host.deploy(*wanted, record=APPS, check=True)
    assert host.tree() == before and not host.state_dir.exists()
    actual = host.deploy(*wanted, record=APPS)
    assert predicted == {**actual, "generation": None}
    told = [(file["created"], file["before_mode"], file["mode"]) for file in actual["files"]]
    assert told == [(True, None, "0644"), (False, "0600", "0640")]


def test_our_state_is_for_us_alone_whatever_the_umask(host: Host) -> None:
    host.put("app.ini", "old")
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            host.deploy(
                {"app.ini": str(umask), f"folder{umask}/new.env": "A=1"}, record={"apps": {"wiki": {"umask": umask}}}
            )
        finally:
            os.umask(before)
        assert host.tree()[f"folder{umask}"][0] == 0o755 and host.tree()[f"folder{umask}/new.env"][0] == 0o644
    for name, mode in {**host.notes(), "": host.state_dir.stat().st_mode & 0o7777}.items():
        assert mode == (0o700 if (host.state_dir / name).is_dir() else 0o600), name


@pytest.mark.parametrize(
    ("existing", "asked", "secret", "becomes"),
    [
        (None, None, True, 0o600),
        (None, None, False, 0o644),
        (0o640, None, True, 0o640),
        (0o664, None, True, 0o660),
        (0o664, None, False, 0o664),
        (0o600, "0640", True, 0o640),
        (None, "0644", True, 0o640),
        (None, "444", False, 0o444),
    ],
)
def test_the_mode_asked_for_wins_then_that_of_the_file_and_others_never_see_a_secret(
    host: Host, existing: t.Optional[int], asked: t.Optional[str], secret: bool, becomes: int
) -> None:
    if existing is not None:
        host.put("a.ini", "old", existing)
    host.deploy({"a.ini": "new"}, host.change("a.ini", mode=asked, secret=secret))
    assert host.tree()["a.ini"][0] == becomes


def test_a_mode_that_somebody_changed_is_repaired_and_counts_as_changed(host: Host) -> None:
    wanted = ({"a.env": "A=1"}, host.change("a.env", mode="0640"))
    host.deploy(*wanted)
    os.chmod(host.path("a.env"), 0o666)
    answer = host.deploy(*wanted)
    assert answer["changed"] and answer["files"][0]["before_mode"] == "0666"
    assert host.tree()["a.env"][0] == 0o640


def test_the_target_of_a_link_is_replaced_and_the_link_kept(host: Host) -> None:
    host.put("real dir/ü.ini", "old", 0o640)
    os.symlink("real dir/ü.ini", host.path("app.ini"))
    host.deploy({"app.ini": "new"})
    assert host.tree()["app.ini"] == ("link", "real dir/ü.ini")
    assert host.tree()["real dir/ü.ini"][3] == b"new"
    host.deploy({}, host.change("app.ini", "restore"))
    assert host.tree()["app.ini"] == ("link", "real dir/ü.ini") and host.tree()["real dir/ü.ini"][3] == b"old"


def test_what_stood_there_first_comes_back_however_often_we_wrote(host: Host) -> None:
    host.put("app.ini", "theirs", 0o604)
    before = host.tree()
    for text in ("one", "two", "three"):
        host.deploy(
            {"app.ini": text, "made/for/us.env": text}, host.change("app.ini", mode="0600"), record=APPS, keep=1
        )
    assert host.told("app.ini", "original") == "theirs" and host.told("made/for/us.env", "original") is None
    answer = host.deploy(
        {}, host.change("app.ini", "restore"), host.change("made/for/us.env", "restore"), record={"remove": ["wiki"]}
    )
    assert [(file["changed"], file["removed"]) for file in answer["files"]] == [(True, False), (True, True)]
    assert host.tree() == before
    assert host.query()["record"] == {"apps": {}, "files": {}}


def test_a_shared_file_that_an_application_gives_back_is_no_longer_recorded(host: Host) -> None:
    host.put("app.ini", "theirs")
    host.deploy({"app.ini": "theirs+ours"}, host.change("app.ini", shared=True), record=APPS)
    assert host.query(read_apps=("wiki",))["read"].keys() == {host.path("app.ini")}
    assert host.query(read_apps=("*",))["read"].keys() == {host.path("app.ini")}
    assert host.query(read_apps=("other",))["read"] == {}
    host.deploy({"app.ini": "theirs+later"}, host.change("app.ini", shared=True), record={"remove": ["wiki"]})
    assert host.query()["record"] == {"apps": {}, "files": {}}
    assert host.tree()["app.ini"][3] == b"theirs+later"


def test_a_file_that_already_holds_what_we_want_is_ours_from_then_on(host: Host) -> None:
    host.put("app.ini", "same")
    answer = host.deploy({"app.ini": "same"}, record=APPS)
    assert (answer["changed"], answer["files"][0]["changed"]) == (True, False)
    host.deploy({"app.ini": "other"}, record=APPS)
    assert host.told("app.ini", "original") == "same"


def test_delete_removes_what_is_ours_and_is_content_with_nothing(host: Host) -> None:
    host.deploy({"d/a.env": "A=1"})
    assert host.deploy({}, host.change("d/a.env", "delete"))["changed"]
    assert host.tree() == {}
    assert not host.deploy({}, host.change("d/a.env", "delete"))["changed"]


@pytest.mark.parametrize("order", [("x.env", "y.env"), ("y.env", "x.env")])
def test_the_last_file_to_go_takes_the_folders_along_that_were_made_for_the_first(
    host: Host, order: t.Tuple[str, str]
) -> None:
    for name in ("x.env", "y.env"):
        host.deploy({f"made/for/{name}": "A=1"})
    for name in order:
        host.deploy({}, host.change(f"made/for/{name}", "restore"))
    assert host.tree() == {}


@pytest.mark.parametrize(
    "steps",
    [
        ([("x.env", "write")], [("y.env", "write")], [("x.env", "restore")]),
        ([("x.env", "write")], [("in/y.env", "write"), ("x.env", "restore")]),
        (
            [("x.env", "write")],
            [("in/y.env", "write")],
            [("x.env", "restore"), ("in/y.env", "restore")],
            [("in/z.env", "write")],
        ),
    ],
    ids=["one after the other", "a move further in", "gone in between"],
)
def test_rolling_back_a_chain_leaves_none_of_the_folders_that_it_made(
    host: Host, steps: t.Sequence[t.Sequence[t.Tuple[str, str]]]
) -> None:
    host.put("theirs.env", "A=1")
    before, first = host.tree(), ""
    for step in steps:
        texts = {f"made/for/{name}": "A=1" for name, action in step if action == "write"}
        answer = host.deploy(
            texts, *(host.change(f"made/for/{name}", "restore") for name, action in step if action == "restore")
        )
        first = first or answer["generation"]
    assert run(host.request(state="rolled_back", generation=first))["changed"]
    assert host.tree() == before and host.query()["record"] == {"apps": {}, "files": {}}


def test_rolling_back_restores_bytes_modes_absence_and_record_generation_by_generation(host: Host) -> None:
    host.put("app.ini", "zero", 0o604)
    seen = []
    for text in ("one", "two", "three"):
        seen.append((host.tree(), host.query()["record"]["apps"]))
        host.deploy({"app.ini": text, f"made/{text}.env": text}, record={"apps": {"notes": {"round": text}}})
    ids = [generation["id"] for generation in host.query()["generations"]]
    assert len(ids) == 3 and ids == sorted(ids, key=lambda name: (name.split("-")[0], int(name.split("-")[1])))
    last = host.deploy(state="rolled_back")
    assert (last["changed"], last["generation"]) == (True, ids[2])
    assert (host.tree(), host.query()["record"]["apps"]) == seen[2]
    predicted = host.deploy(state="rolled_back", generation=ids[0], check=True)
    assert (host.tree(), host.query()["record"]["apps"]) == seen[2]
    assert host.deploy(state="rolled_back", generation=ids[0]) == predicted
    assert (host.tree(), host.query()["record"]) == (seen[0][0], {"apps": {}, "files": {}})
    assert not host.deploy(state="rolled_back")["changed"]
    assert {name for name in host.notes() if "/" in name} == set()


def test_committing_leaves_no_replaced_byte_but_the_original(host: Host) -> None:
    host.put("app.ini", "theirs")
    for text in ("old secret one", "old secret two", "the secret in force"):
        host.deploy({"app.ini": text})
    ids = [generation["id"] for generation in host.query()["generations"]]
    assert host.deploy(state="committed", generation=ids[0], check=True)["changed"]
    assert len(host.query()["generations"]) == 3
    assert host.deploy(state="committed", generation=ids[0])["changed"]
    assert [generation["id"] for generation in host.query()["generations"]] == ids[1:]
    assert host.deploy(state="committed")["changed"]
    kept = b"".join(path.read_bytes() for path in host.state_dir.rglob("*") if path.is_file())
    assert b"old secret" not in kept and b"in force" not in kept and b"theirs" in kept
    assert not host.deploy(state="committed")["changed"]


def test_no_more_generations_are_kept_than_asked_for(host: Host) -> None:
    ids = [host.deploy({"a.env": str(number)}, keep=2)["generation"] for number in range(4)]
    assert [generation["id"] for generation in host.query()["generations"]] == ids[2:]


def test_ids_go_on_rising_when_the_clock_was_set_back(host: Host) -> None:
    host.deploy({"a.env": "1"})
    generations = host.state_dir / "generations"
    (only,) = os.listdir(generations)
    (generations / only).rename(generations / "29990101T000000Z-9")
    assert host.deploy({"a.env": "2"})["generation"] == "29990101T000000Z-10"


def test_a_generation_that_does_not_exist_is_named_with_those_that_do(host: Host) -> None:
    made = host.deploy({"a.env": "1"})["generation"]
    for state in ("rolled_back", "committed"):
        answer = host.deploy(state=state, generation="20000101T000000Z-1")
        assert codes(answer) == ["no-such-generation"]
        assert answer["problems"][0]["hint"] == f"There are: {made}."


def test_the_record_and_the_answers_hold_no_secret(host: Host) -> None:
    host.put("app.ini", "PASSWD = hunter1")
    told = [host.deploy({"app.ini": "PASSWD = hunter2"}, host.change("app.ini", secret=True)), host.query("app.ini")]
    manifests = [path.read_text() for path in host.state_dir.glob("generations/*/manifest.json")]
    notes = [(host.state_dir / "record.json").read_text(), *manifests]
    for text in (json.dumps(told), repr(host.request({"app.ini": "hunter2"})), *notes):
        assert "hunter" not in text and "aHVudGVy" not in text and host.key not in text


def test_a_second_run_waits_for_the_first_and_gives_up_in_time(host: Host) -> None:
    host.deploy({"a.env": "1"})
    lock = host.state_dir / "lock"
    code = f"import fcntl,sys,time; f=open({str(lock)!r}); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read(1); time.sleep(1.0)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        holder.stdout.readline()
        assert codes(host.deploy({"a.env": "2"}, lock_timeout=0.1)) == ["locked"]
        assert codes(host.deploy({"a.env": "2"}, lock_timeout=0.1, check=True)) == ["locked"]
        started = time.monotonic()
        holder.stdin.write(b"x")
        holder.stdin.flush()
        assert host.deploy({"a.env": "2"}, lock_timeout=30)["changed"]
        assert time.monotonic() - started > 0.2


def test_damaged_notes_are_named_and_nothing_is_written(host: Host) -> None:
    host.deploy({"a.env": "1"})
    (host.state_dir / "record.json").write_text("{")
    answer = host.deploy({"a.env": "2"})
    assert codes(answer) == ["state-damaged"] and "record.json" in answer["msg"]
    assert host.tree()["a.env"][3] == b"1"


def test_contents_under_another_key_are_refused(host: Host) -> None:
    answer = run(dataclasses.replace(host.request({"a.env": "1"}), seal_key=new_key()))
    assert codes(answer) == ["bad-seal"] and not host.state_dir.exists()
