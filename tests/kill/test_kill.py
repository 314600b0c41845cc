# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Struck at any system call that changes the file system, a set is all old or all new after the next run, which says what it did."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from stage import Point, Set, killed

Sample = t.Callable[[t.Sequence[t.Any], int], t.List[t.Any]]
SETS = [(1, "present"), (3, "present"), (20, "present"), (3, "rolled_back")]
ERRORS = ("ENOSPC", "EROFS", "EIO")
#: Calls that a full or read-only file system or a broken disk refuses; a chmod or an unlink needs no room.
REFUSED = {
    "ENOSPC": ("openat", "write", "fsync", "mkdir", "mkdirat", "rename", "renameat"),
    "EROFS": (
        "openat",
        "mkdir",
        "mkdirat",
        "rename",
        "renameat",
        "unlink",
        "unlinkat",
        "rmdir",
        "fchmod",
        "chmod",
        "fchown",
    ),
    "EIO": (
        "openat",
        "write",
        "fsync",
        "mkdir",
        "mkdirat",
        "rename",
        "renameat",
        "unlink",
        "unlinkat",
        "rmdir",
        "fchmod",
    ),
}


def settled(made: Set) -> t.Optional[str]:
    """The next run: it settles what was left and says so; the set is whole then, and the run after it gets there."""
    left = (made.state_dir / "journal.json").exists()
    answer = made.query()
    assert "failed" not in answer and bool(answer["recovered"]) == left
    facts = made.facts()
    assert facts in (made.old, made.new), "a mix of old and new"
    if answer["recovered"]:
        assert facts == {"finished": made.new, "undone": made.old}[answer["recovered"]]
    if facts == made.old:
        assert made.again()["changed"] and made.facts() == made.new
    found: t.Optional[str] = answer["recovered"]
    return found


@pytest.mark.parametrize("size, state", SETS)
def test_killed_at_a_system_call_a_set_is_all_old_or_all_new(
    size: int, state: str, tmp_path: Path, sample: Sample
) -> None:
    made = Set(tmp_path, size, state)
    outcomes = set()
    for point in sample(made.points(), 40):
        assert killed(made.strike(point, "signal=KILL")), f"{point} was not reached"
        outcomes.add(settled(made))
        made.reset()
    assert outcomes == {None, "undone", "finished"}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("size, state", SETS)
def test_a_refused_system_call_leaves_a_whole_set_and_the_truth_about_it(
    size: int, state: str, error: str, tmp_path: Path, sample: Sample
) -> None:
    made = Set(tmp_path, size, state)
    for point in sample([point for point in made.points() if point.call in REFUSED[error]], 10):
        done = made.strike(point, f"error={error}")
        assert done.returncode == 0, f"{point}: {done.stderr[-1500:]}"
        answer = json.loads(done.stdout)
        if answer.get("failed"):
            _truthful(made, answer, point)
        settled(made)
        made.reset()


def _truthful(made: Set, answer: t.Dict[str, t.Any], point: Point) -> None:
    assert answer["problems"] and not answer["changed"], point
    if "Nothing was changed." in answer["msg"]:
        assert made.facts() == made.old and not (made.state_dir / "journal.json").exists(), point
    else:
        assert "The run was given up." in answer["msg"] or "the next run goes on with it" in answer["msg"], (
            point,
            answer["msg"],
        )
