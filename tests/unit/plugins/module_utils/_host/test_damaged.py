# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes that are damaged, newer or of another shape are named with what to do; nothing is forgotten, and nothing ends in a traceback."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes import fields, stored_json
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.manifest import Journal, Manifest
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.ownership import OwnershipRecord
from fuzz.effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Host, codes

NO_RECORD = {
    "empty": b"",
    "blank": b" \n",
    "object": b"{}",
    "list": b"[]",
    "null": b"null",
    "zero": b"0",
    "number": b"1.5",
    "text": b'"x"',
    "true": b"true",
    "cut": b'{"apps": {',
    "no JSON": b"\x00\xff\xfe",
    "two": b"{}{}",
    "nested lists": b"[" * 100000 + b"]" * 100000,
    "nested objects": b'{"apps":' * 100000 + b"0" + b"}" * 100000,
    "not a number": b'{"version": NaN, "apps": {}, "files": {}}',
    "long number": b'{"version": ' + b"9" * 6000 + b', "apps": {}, "files": {}}',
    "huge number": b'{"version": 1e999, "apps": {}, "files": {}}',
    "key twice": b'{"apps": {}, "files": {}, "apps": {}}',
    "no apps": b'{"files": {}}',
    "no files": b'{"version": 2, "apps": {}, "last": ""}',
    "more": b'{"apps": {}, "files": {}, "other": 1}',
    "lists": b'{"apps": [], "files": []}',
    "version 0": b'{"version": 0, "apps": {}, "files": {}, "last": ""}',
    "version true": b'{"version": true, "apps": {}, "files": {}, "last": ""}',
    "version text": b'{"version": "2", "apps": {}, "files": {}, "last": ""}',
    "version of none": b'{"version": 1, "apps": {}, "files": {}}',
    "large": b" " * (stored_json.RECORD_BYTES + 1),
}
STATES = ("query", "present", "rolled_back", "committed")


class Known(Host):
    """A host with two generations, a shared file that was the user's, and one that is ours."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(folder)
        self.put("app.ini", "theirs", 0o640)
        for word in ("one", "two"):
            self.deploy(
                {"app.ini": word, "made/a.env": word},
                self.change("app.ini", shared=True),
                record={"apps": {"wiki": {"relay": "main", "credential_id": word}}},
            )

    def note(self, name: str) -> pathlib.Path:
        return self.state_dir / name

    def all(self) -> dict[str, t.Any]:
        """Every byte of the host, ours and the applications'."""
        paths = [
            path
            for path in (*self.root.rglob("*"), *self.state_dir.rglob("*"))
            if path.is_file() and path.name != "lock"
        ]
        return {str(path): path.read_bytes() for path in paths}

    def ask(self, state: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        texts = {"app.ini": "three", "made/a.env": "three"} if state == "present" else {}
        changes = [self.change("app.ini", shared=True)] if texts else []
        return self.deploy(texts, *changes, state=state, check=check, **options)


@pytest.fixture
def known(tmp_path: pathlib.Path) -> Known:
    return Known(tmp_path)


def is_told(answer: dict[str, t.Any], path: pathlib.Path) -> None:
    assert codes(answer) == ["state-damaged"], answer
    problem = answer["problems"][0]
    assert problem["where"] == str(path) and problem["hint"] and len(answer["msg"]) < 1000
    assert answer["failed"] and not answer["changed"]


@pytest.mark.parametrize("damage", NO_RECORD)
def test_a_record_that_is_none_is_never_taken_for_nothing_is_ours(known: Known, damage: str) -> None:
    known.note("record.json").write_bytes(NO_RECORD[damage])
    before = known.all()
    for state in STATES:
        for check in (True, False):
            is_told(known.ask(state, check), known.note("record.json"))
    assert known.all() == before


@pytest.mark.parametrize("damage", NO_RECORD)
def test_a_damaged_manifest_ends_its_generation_and_no_other(known: Known, damage: str) -> None:
    first, second = (item["id"] for item in known.query()["generations"])
    known.note(f"generations/{second}/manifest.json").write_bytes(NO_RECORD[damage])
    assert [item.get("damaged", False) for item in known.query()["generations"]] == [False, True]
    for generation in (None, first, second):
        is_told(known.ask("rolled_back", generation=generation), known.note(f"generations/{second}/manifest.json"))
    third = known.ask("present")["generation"]
    assert third and known.ask("rolled_back", generation=third)["generation"] == third
    assert known.tree()["app.ini"][3] == b"two" and known.told("app.ini", "original") == "theirs"
    shutil.rmtree(known.note(f"generations/{second}"))  # as the hint says
    assert known.ask("rolled_back", generation=first)["changed"] and known.tree()["app.ini"][3] == b"theirs"


def test_a_damaged_manifest_can_be_committed(known: Known) -> None:
    first, second = (item["id"] for item in known.query()["generations"])
    known.note(f"generations/{first}/manifest.json").write_bytes(b"{}")
    assert known.ask("committed", generation=first)["changed"]
    assert [item["id"] for item in known.query()["generations"]] == [second]
    assert known.ask("rolled_back")["changed"] and known.tree()["app.ini"][3] == b"one"


@pytest.mark.parametrize("damage", NO_RECORD)
def test_a_damaged_journal_is_left_for_people(known: Known, damage: str) -> None:
    known.note("journal.json").write_bytes(NO_RECORD[damage])
    before = known.all()
    for state in STATES:
        for check in (True, False):
            is_told(known.ask(state, check), known.note("journal.json"))
    assert known.all() == before
    known.note("journal.json").unlink()  # as the hint says
    assert known.ask("present")["changed"]


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 33, b"x" * (stored_json.MIB + 1)])
def test_a_damaged_key_is_named_and_a_new_one_made_once_it_is_deleted(known: Known, damage: bytes) -> None:
    known.note("key").write_bytes(damage)
    before = known.all()
    for check in (True, False):
        is_told(known.ask("present", check), known.note("key"))
    assert known.all() == before and not known.query().get("failed")
    known.note("key").unlink()
    assert known.ask("present")["changed"] and known.note("key").stat().st_size == 32


def put(known: Known, name: str, kind: str) -> None:
    """Something that is no file in the place of one."""
    known.note(name).rename(known.note("elsewhere"))
    if kind == "folder":
        known.note(name).mkdir()
    elif kind == "link":
        known.note(name).symlink_to(known.note("elsewhere"))
    else:
        os.mkfifo(known.note(name))


KINDS = ("folder", "link", "pipe")


@pytest.mark.parametrize("name", ["record.json", "key", "lock"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_not_read(known: Known, name: str, kind: str) -> None:
    put(known, name, kind)
    is_told(known.ask("present", lock_timeout=1), known.note(name))


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_that_is_none_can_be_deleted(known: Known, kind: str) -> None:
    put(known, "lock", kind)
    for state in STATES:
        for check in (True, False):
            is_told(known.ask(state, check), known.note("lock"))
    (shutil.rmtree if kind == "folder" else os.unlink)(known.note("lock"))  # as the hint says
    assert known.ask("present")["changed"]


@pytest.mark.parametrize("kind", KINDS)
def test_kept_bytes_that_are_no_file_are_not_read(known: Known, kind: str) -> None:
    (original,), latest = os.listdir(known.note("originals")), known.query()["generations"][-1]["id"]
    put(known, f"originals/{original}", kind)
    is_told(known.deploy({}, known.change("app.ini", "restore")), known.note(f"originals/{original}"))
    known.note("elsewhere").unlink()
    put(known, f"generations/{latest}/0", kind)
    is_told(known.ask("rolled_back"), known.note(f"generations/{latest}/0"))
    assert known.tree()["app.ini"][3] == b"two"


@pytest.mark.parametrize(
    "name, kind",
    [
        *((name, kind) for name in ("originals", "generations") for kind in ("file", "link", "pipe")),
        ("generations/20270101T000000Z-1", "link"),
        *(
            (name, "folder")
            for name in ("record.json.next", "record.json.new", "journal.json.new", "key.new", "activated.json.new")
        ),
        ("generations/20270101T000000Z-1/more", "folder"),
        ("originals/20270101T000000Z-1-0", "folder"),
    ],
)
def test_what_lies_in_the_place_of_a_file_or_folder_of_ours_is_named_until_it_is_moved_away(
    known: Known, tmp_path: pathlib.Path, name: str, kind: str
) -> None:
    there, aside, other = known.note(name), tmp_path / "aside", tmp_path / "other"
    if there.exists():
        there.rename(other)
    other.mkdir(exist_ok=True)
    (other / "theirs").write_bytes(b"theirs")
    there.parent.mkdir(exist_ok=True)
    make: dict[str, t.Callable[[pathlib.Path], t.Any]] = {
        "file": pathlib.Path.touch,
        "folder": pathlib.Path.mkdir,
        "pipe": os.mkfifo,
        "link": lambda path: path.symlink_to(other),
    }
    make[kind](there)
    before = known.tree()
    for state in ("present", "rolled_back", "committed"):
        is_told(known.ask(state), there)
    assert known.tree() == before and (other / "theirs").read_bytes() == b"theirs"
    there.rename(aside)  # as the hint says
    if name in ("originals", "generations"):
        other.rename(there)
        (there / "theirs").unlink()
    assert known.ask("present")["changed"]


def test_a_record_that_an_older_run_was_about_to_put_in_place_is_replaced(known: Known) -> None:
    known.note("record.json.next").write_bytes(b"left")
    assert known.ask("present")["changed"] and not known.note("record.json.next").exists()


def test_an_original_that_is_gone_is_named(known: Known) -> None:
    (blob,) = os.listdir(known.note("originals"))
    known.note(f"originals/{blob}").unlink()
    is_told(known.deploy({}, known.change("app.ini", "restore")), known.note(f"originals/{blob}"))
    assert known.tree()["app.ini"][3] == b"two"


def test_what_a_later_release_wrote_is_left_to_it(known: Known) -> None:
    written = json.loads(known.note("record.json").read_text())
    known.note("record.json").write_text(
        json.dumps({**written, "version": OwnershipRecord.VERSION + 1, "better": True})
    )
    answer = known.ask("present")
    is_told(answer, known.note("record.json"))
    assert "later release" in answer["msg"] and answer["problems"][0]["hint"] == "Use that release, or a later one."


def paths_in(value: t.Any, above: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The place of everything in a JSON value."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_in(item, (*above, key))


def changed_at(value: t.Any, place: tuple[t.Any, ...], new: t.Any) -> t.Any:
    if not place:
        return new
    value = copy.deepcopy(value)
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    if new is KeyError:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return value


def renamed_at(value: t.Any, place: tuple[t.Any, ...], new: str) -> t.Any:
    """With another name there, where it has one."""
    if not place or not isinstance(place[-1], str):
        return value
    value = copy.deepcopy(value)
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    inner[new] = inner.pop(place[-1])
    return value


@pytest.mark.parametrize(
    "new",
    [
        None,
        0,
        -1,
        1.5,
        True,
        "",
        "\0",
        "../x",
        "/etc/passwd\0",
        "\ud800",
        "\udcff",
        [],
        {},
        [[]],
        {"": 0},
        2**70,
        "x" * 5000,
        KeyError,
    ],
)
def test_whatever_one_value_becomes_the_record_is_used_or_damaged(known: Known, new: t.Any) -> None:
    written = json.loads(known.note("record.json").read_text())
    for place in paths_in(written):
        known.note("record.json").write_text(
            json.dumps(changed_at(written, place, new if new is not KeyError or place else None))
        )
        before, answer = known.all(), known.ask("present", check=True)
        assert set(codes(answer)) == {"state-damaged"} if answer.get("failed") else answer["files"], place
        assert "internal-error" not in answer.get("msg", "") and known.all() == before
        assert json.dumps(known.query(), ensure_ascii=False).encode("utf-8"), "Ansible takes no such answer"


def test_half_a_character_is_damage_wherever_it_stands(known: Known) -> None:
    """In a value or a name, also of what only the controller understands; a folder of the host may have any name."""
    record = json.loads(known.note("record.json").read_text())
    record["apps"]["wiki"].update(activate={"how": "restart", "x": [{"y": "z"}]}, more={"a": ["b"]})
    for place in paths_in(record):
        for half in ("\ud800", "\udcff"):
            for damaged in (changed_at(record, place, half), renamed_at(record, place, half)):
                known.note("record.json").write_text(json.dumps(damaged))
                if damaged != record and "folders" not in place:
                    is_told(known.query(), known.note("record.json"))
                assert json.dumps(known.query(), ensure_ascii=False).encode("utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "apps",
                    "files",
                    "version",
                    "last",
                    "gone",
                    "entries",
                    "phase",
                    "id",
                    "record",
                    "record_before",
                    "drops",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=examples(300), deadline=None)
def test_any_json_is_a_record_a_journal_or_damaged(value: t.Any) -> None:
    readers: tuple[t.Callable[[t.Any], t.Any], ...] = (
        OwnershipRecord.from_json,
        Journal.from_json,
        lambda found: Manifest.from_json(found, "20260101T000000Z-1"),
    )
    for read in readers:
        try:
            found = read(value)
        except fields.DamagedError as error:
            assert len(str(error)) < 1000
        else:
            assert type(found).from_json(json.loads(json.dumps(found.to_json()))) == found


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_for_any_of_our_notes_are_damaged_or_used_and_ownership_is_never_forgotten(
    known: Known, data: bytes
) -> None:
    kept = known.all()
    for name in (
        "record.json",
        "journal.json",
        "key",
        f"generations/{os.listdir(known.note('generations'))[0]}/manifest.json",
        "activated.json",
    ):
        known.note(name).write_bytes(data)
        for state in STATES:
            answer = known.ask(state, check=True)
            assert set(codes(answer)) <= {"state-damaged"} if answer.get("failed") else True, answer
            if name == "record.json" and not answer.get("failed") and state == "query":
                assert json.loads(data)["files"] is not None
        known.note(name).unlink()
        if str(known.note(name)) in kept:
            known.note(name).write_bytes(kept[str(known.note(name))])
