# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that nobody writes end in a problem with a code, ids are never taken twice, and many changes take a time linear to their number."""

from __future__ import annotations

import json
import os
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host import planned, query
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes import state, stored_json
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.ownership import GENERATION
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation, activate

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host


@pytest.mark.parametrize("name", ["²", "new\nline", "\x1b[31m", "\u202e", "a" * 255, "../root/x"])
def test_a_name_that_a_file_can_have_is_written_and_read(host: Host, name: str) -> None:
    assert host.deploy({name: "A=1\n"})["changed"] and host.told(name) == "A=1\n"
    assert not host.deploy({name: "A=1\n"})["changed"]
    assert host.deploy({}, host.change(name, "restore"))["changed"] and host.tree() == {}


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "\udcff", "x/" * 3000])
def test_a_path_that_no_file_can_have_is_a_problem_and_is_not_repeated_in_full(host: Host, name: str) -> None:
    for answer in (
        host.deploy({}, host.change(name)),
        host.query(name),
        host.deploy({}, host.change(name, "restore"), check=True),
    ):
        assert codes(answer) == ["path-not-valid"] and len(answer["msg"]) < 1000 and "\0" not in answer["msg"]
    assert not host.state_dir.exists()


def test_a_folder_behind_a_link_may_have_a_name_that_no_answer_can_hold(host: Host) -> None:
    """Ansible takes no answer with half a character in it; the host may call its folders anything."""
    odd = host.root / "caf\udce9"
    odd.mkdir()
    (host.root / "srv").symlink_to(odd)
    made = host.deploy({"srv/new/a.env": "A=1\n"})
    again = host.query("srv/new/a.env")
    assert made["changed"] and json.dumps([made, again], ensure_ascii=False).encode("utf-8")
    assert again["record"]["files"][host.path("srv/new/a.env")]["folders"] == [str(host.root / "caf\\udce9" / "new")]
    assert not host.deploy({"srv/new/a.env": "A=1\n"})["changed"]
    assert host.deploy(state="rolled_back")["changed"] and not (odd / "new").exists()
    (host.state_dir / "theirs\udcff").write_text("x")
    for check in (True, False):
        assert host.deploy(state="purged", check=check)["left"] == [str(host.state_dir / "theirs\\udcff")]


@pytest.mark.parametrize("folder", ["/tmp/\0", "/tmp/\ud800", "/" + "x" * 5000, "/etc/passwd", "/etc/passwd/below"])
def test_a_state_folder_that_cannot_be_is_a_problem(folder: str) -> None:
    for kind in ("query", "present", "rolled_back", "committed"):
        for check in (True, False):
            assert codes(run(DeployCall(kind, folder, check=check))) == ["state-dir"]


@pytest.mark.parametrize("generation", ["²", "\0", "\ud800", "\x1b[2J", "x" * 100000])
def test_a_generation_that_cannot_be_is_named_as_far_as_it_can_be_shown(host: Host, generation: str) -> None:
    host.deploy({"a.env": "1"})
    answer = host.deploy(state="rolled_back", generation=generation)
    assert (
        codes(answer) == ["no-such-generation"]
        and len(answer["msg"]) < 1000
        and answer["msg"].isascii()
        and "\x1b" not in answer["msg"]
    )


def test_an_id_is_never_taken_twice_whatever_became_of_its_generation(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        time, "gmtime", lambda: time.struct_time((2026, 11, 28, 2, 0, 0, 5, 332, 0))
    )  # all within one second
    seen = []
    for number in range(6):
        predicted = host.deploy({"a.env": str(number), f"b{number}.env": "1"}, check=True)
        made = host.deploy({"a.env": str(number), f"b{number}.env": "1"})
        assert "failed" not in made and predicted == {**made, "generation": None}
        seen.append(made["generation"])
        ended = host.deploy(state="committed" if number % 2 else "rolled_back")
        assert ended["changed"], ended
    assert len(set(seen)) == 6 and seen == sorted(seen, key=state.sort_key) and all(map(GENERATION.fullmatch, seen))


def test_an_id_is_not_taken_while_an_original_or_a_record_has_its_name(host: Host) -> None:
    host.put("app.ini", "theirs")
    first = host.deploy({"app.ini": "1"})["generation"]
    host.deploy(state="committed")
    (host.state_dir / "originals/29990101T000000Z-7-0").write_bytes(b"")
    assert (
        state.State(str(host.state_dir)).next_id(state.State(str(host.state_dir)).load_record()) == "29990101T000000Z-8"
    )
    (host.state_dir / "originals/29990101T000000Z-7-0").unlink()
    written = json.loads((host.state_dir / "record.json").read_text())
    assert written["last"] == first
    (host.state_dir / "record.json").write_text(json.dumps({**written, "last": "29990101T000000Z-20"}))
    assert host.deploy({"app.ini": "2"})["generation"] == "29990101T000000Z-21"


def test_a_record_that_could_not_be_read_again_is_not_written(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_json, "RECORD_BYTES", 4000)
    assert host.deploy({"a.env": "1"})["changed"]
    before = host.tree()
    many = {f"{number}.env": "1" for number in range(20)}
    for check in (True, False):
        answer = host.deploy(many, check=check)
        assert codes(answer) == ["record-too-large"] and host.tree() == before
    assert host.query()["record"]["files"].keys() == {host.path("a.env")}


def test_damaged_notes_of_activations_are_a_problem_of_the_activation_too(host: Host) -> None:
    host.deploy({"a.env": "1"})
    (host.state_dir / "activated.json").write_text("[]")
    answer = activate([Activation("wiki", command=("true",))], False, 10, str(host.state_dir))
    assert [problem["code"] for problem in answer["problems"]] == ["state-damaged"] and answer["activations"] == []
    (host.state_dir / "activated.json").unlink()  # as the hint says
    assert activate([Activation("wiki", command=("true",))], False, 10, str(host.state_dir))["changed"]


def test_the_folders_above_a_path_are_those_that_were_made_outermost_first() -> None:
    assert planned.above("/a/b/c/d.env", {"/a/b", "/a/b/c", "/a/b/c/d.env", "/other", "/a/bc"}) == ("/a/b", "/a/b/c")
    assert planned.above("tool", {"/a"}) == ()


def test_eight_times_as_many_changes_take_about_eight_times_as_long(host: Host) -> None:
    took = []
    for number in (150, 1200):
        names = [f"many/{number % 20}/{number}.env" for number in range(number)]
        changes = [{**host.change(name), "app": name} for name in names]
        apps = {name: {"files": [{"path": host.path(name)}]} for name in names}
        request = host.request(dict.fromkeys(names, "A=1\n"), *changes, record={"apps": apps}, check=True)
        began = time.process_time()
        assert run(request)["changed"]
        took.append(time.process_time() - began)
    assert took[1] < 24 * took[0], took


def test_only_so_many_generations_are_listed(host: Host) -> None:
    host.deploy({"a.env": "1"})
    (name,) = os.listdir(host.state_dir / "generations")
    for number in range(150):
        copied = host.state_dir / f"generations/20260101T000000Z-{number}"
        copied.mkdir()
        (copied / "manifest.json").write_text("{}")
    listed = host.query()["generations"]
    assert len(listed) == 100 and listed[-1]["id"] == name


def test_an_answer_carries_no_more_than_both_sides_can_hold(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MOST_CONTENT", 100)
    host.put("a.ini", "x" * 60)
    host.deploy({"a.ini": "y" * 60})
    read = ({"path": host.path("a.ini")},)
    assert not run(DeployCall("query", str(host.state_dir), read=read, seal_key=host.key)).get("failed")
    answer = run(DeployCall("query", str(host.state_dir), read=({**read[0], "original": True},), seal_key=host.key))
    assert codes(answer) == ["answer-too-large"] and "120 bytes" in answer["msg"]
