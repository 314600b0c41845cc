# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State folders that older versions left: read, settled, rolled back and taken back as the version that wrote them would have done it."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.manifest import Journal
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.ownership import OwnershipRecord

from .states import make

KEY = "00" * 32
STATE = str(make.PLACE / "state")
FOUND = sorted((pathlib.Path(make.__file__).parent).glob("*/*.json"))
STATES = {f"{path.parent.name}/{path.stem}": json.loads(path.read_text("utf-8")) for path in FOUND}
#: What an application has before a run of ours; those that were never touched are as they were.
BEFORE = {"root/app.ini": "theirs", "root/real.conf": "relay old\n", "root/chat.json": "old.example.com"}


@pytest.fixture(params=STATES)
def older(request: pytest.FixtureRequest) -> t.Iterator[dict[str, t.Any]]:
    with make.alone():
        make.restore(STATES[request.param]["tree"])
        yield STATES[request.param]["then"]


def same(tree: dict[str, t.Any]) -> dict[str, t.Any]:
    """What differs between two users who run this is left out."""
    return {name: shape for name, shape in tree.items() if name != "root/tool.py"}


def test_an_older_state_is_read_and_settled_as_it_was_then(older: dict[str, t.Any]) -> None:
    answer = run(DeployCall("query", STATE, seal_key=KEY))
    assert "failed" not in answer, answer
    told = json.loads(json.dumps({key: answer[key] for key in ("recovered", "record", "generations")}))
    wanted = {key: older[key] for key in told}
    for record in (told["record"], wanted["record"]):
        for file in record["files"].values():
            file["original_meta"] = file["original_meta"] and file["original_meta"]["mode"]
    assert told == wanted
    assert same(make.applications()) == same(older["tree"])
    assert not (make.PLACE / "state/journal.json").exists()


def test_an_older_generation_is_rolled_back_as_it_was_then(older: dict[str, t.Any]) -> None:
    for name, then in older["rolled_back"].items():
        make.restore(next(state["tree"] for state in STATES.values() if state["then"] is older))
        answer = run(DeployCall("rolled_back", STATE, generation=name))
        assert "failed" not in answer, answer
        assert same(make.applications()) == same(then["tree"])
        record = run(DeployCall("query", STATE, seal_key=KEY))["record"]
        assert {part: sorted(record[part]) for part in record} == {
            part: sorted(then["record"][part]) for part in then["record"]
        }


def test_all_of_an_older_state_is_taken_back_and_its_record_written_in_the_present_version(
    older: dict[str, t.Any],
) -> None:
    record = run(DeployCall("query", STATE, seal_key=KEY))["record"]
    changes = tuple(
        {"app": file["app"], "path": path, "action": "restore"}
        for path, file in record["files"].items()
        if not file.get("common")
    )
    if not changes or (make.PLACE / "root/real.conf").is_dir():
        return
    answer = run(DeployCall("present", STATE, changes=changes, seal_key=KEY, record={"remove": list(record["apps"])}))
    if os.geteuid() != 0 and {problem["code"] for problem in answer.get("problems", ())} == {"not-permitted"}:
        pytest.skip("only root can give files to others")
    assert "failed" not in answer, answer
    assert {name: older_text in make.applications()[name][2] for name, older_text in BEFORE.items()} == dict.fromkeys(
        BEFORE, True
    )
    assert not (make.PLACE / "root/made").exists() and not (make.PLACE / "root/secrets").exists()
    written = json.loads((make.PLACE / "state/record.json").read_text())
    assert (written["version"], written["files"], written["apps"]) == (OwnershipRecord.VERSION, {}, {})


def test_every_kind_of_state_is_among_them() -> None:
    journals = [
        json.loads(state["tree"]["state/journal.json"][2])
        for state in STATES.values()
        if "state/journal.json" in state["tree"]
    ]
    assert {(journal["phase"], bool(journal["drops"])) for journal in journals} >= {
        ("prepared", False),
        ("go", False),
        ("undo", False),
        ("prepared", True),
        ("go", True),
    }
    records = [
        json.loads(state["tree"]["state/record.json"][2])
        for state in STATES.values()
        if "state/record.json" in state["tree"]
    ]
    files = [file for record in records for file in record["files"].values()]
    for kind in ("shared", "secret", "common", "command", "kept", "original"):
        assert any(file.get(kind) for file in files), kind
    assert any("gone" in record for record in records)


def test_what_is_read_from_an_older_version_is_written_and_read_as_the_same() -> None:
    for name, state in STATES.items():
        for kind, read in (("record", OwnershipRecord), ("journal", Journal)):
            shape = state["tree"].get(f"state/{kind}.json")
            if shape is not None:
                found = read.from_json(json.loads(shape[2]))
                assert read.from_json(json.loads(json.dumps(found.to_json()))) == found, name
