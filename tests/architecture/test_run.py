# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test` cannot be green by accident: what fails, hangs, is skipped or left out is said, and counts."""

from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import packages  # noqa: E402
import place  # noqa: E402
import run  # noqa: E402
from suites import SUITES, Suite  # noqa: E402


def outcome_of(code: str, seconds: int = 60) -> run.Outcome:
    """Run a suite whose one command is this Python program."""
    return run.run_suite(Suite("sample", "checkout", (("python", "-c", code),), seconds=seconds))


@pytest.fixture(autouse=True)
def own_logs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LOGS", tmp_path)


def test_a_suite_that_passes_shows_what_pytest_counted() -> None:
    assert outcome_of("print('== %d passed in 0.10s ==' % 3)")[1:] == (
        "ok",
        pytest.approx(0, abs=30),
        ("3 passed in 0.10s",),
    )


def test_a_command_that_fails_fails_its_suite() -> None:
    outcome = outcome_of("import sys; sys.exit(3)")
    assert outcome.word == "FAILED" and outcome.notes[-1].endswith("ended with 3")


def test_a_suite_that_hangs_is_ended() -> None:
    outcome = outcome_of("import time; time.sleep(60)", seconds=1)
    assert outcome.word == "FAILED" and "longer than 1 s" in outcome.notes[-1]
    assert outcome.seconds < 30


def test_ansible_test_that_skips_everything_has_failed_although_it_ends_with_0() -> None:
    assert outcome_of("print('WARNING: All targets %s.' % 'skipped')").word == "FAILED"


@pytest.mark.parametrize("in_ci, word", [(True, "FAILED"), (False, "ok")])
def test_a_skipped_test_fails_where_nothing_may_be_left_out(
    in_ci: bool, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "IN_CI", in_ci)
    assert outcome_of("print('2 passed, %d skipped in 0.10s' % 1)").word == word


@pytest.mark.parametrize("in_ci, counts", [(True, False), (False, True)])
def test_a_suite_left_out_fails_where_nothing_may_be_left_out(
    in_ci: bool, counts: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "IN_CI", in_ci)
    assert run.show(run.Outcome(SUITES[0], "left out", 0.1, ("needs Debian packages",))) is counts
    assert "left out" in capsys.readouterr().out


def test_what_a_suite_runs_with_pytest_is_there() -> None:
    folders = [
        command[-1]
        for suite in SUITES
        for command in suite.commands
        if command[-1].startswith("tests/") and "pytest" in command
    ]
    assert folders and all((place.ROOT / folder).exists() for folder in folders)


def test_every_folder_of_tests_belongs_to_a_suite() -> None:
    folders = {
        path.relative_to(place.ROOT).parts[1]
        for path in (place.ROOT / "tests").rglob("test_*.py")
        if "output" not in path.parts
    }
    assert folders <= {suite.name for suite in SUITES}


def test_every_list_of_packages_belongs_to_a_suite_or_the_bench() -> None:
    lists = {path.parent.name for path in (place.ROOT / "tests").glob("*/packages.txt")}
    assert lists <= {suite.name for suite in SUITES} | {"bench"}


def test_a_list_of_packages_may_hold_comments(tmp_path: pathlib.Path) -> None:
    (tmp_path / "packages.txt").write_text("# servers\npostfix  # the relay\n\nmsmtp\n", encoding="utf-8")
    assert packages.listed(tmp_path / "packages.txt") == ["postfix", "msmtp"]


def test_an_unknown_suite_is_answered_with_the_list() -> None:
    with pytest.raises(SystemExit, match="There is no suite unti. The suites: architecture, types, integration"):
        run.chosen(["unti"])
