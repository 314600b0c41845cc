# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/security.md names a test for each thing that it says is stopped, and each of those tests is there."""

from __future__ import annotations

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there_and_tests_something() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", PAGE))
    assert len(named) > 25
    for name in named:
        assert re.search(r"^ *def test_", (ROOT / name).read_text(encoding="utf-8"), re.M), name


def test_every_row_of_what_is_stopped_names_one() -> None:
    body = PAGE[PAGE.index("## Who may read what") : PAGE.index("## What is not guarded")]
    rows = [
        line
        for line in body.splitlines()
        if line.startswith("|") and not re.match(r"\| *[-|]|\| *\||\| shown by", line)
    ]
    assert len(rows) > 30
    assert not [row for row in rows if "`tests/" not in row]


def test_every_command_that_the_page_names_is_one() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= set(targets)


def test_the_page_is_found_from_the_readme_and_says_where_to_report() -> None:
    assert "(docs/security.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(../SECURITY.md)" in PAGE and "(docs/security.md)" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
