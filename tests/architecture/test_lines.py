# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines are as long as ansible-test's pep8 allows; told here in a second, and not by the sanity suite after minutes."""

from __future__ import annotations

import pathlib
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LONGEST = 160


def long_lines(text: str) -> t.Iterator[int]:
    """The numbers of the lines that are too long."""
    return (number for number, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST)


def test_no_line_is_too_long() -> None:
    files = [
        path
        for folder in ("plugins", "tests", "tools", "demo", "roles", "extensions")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(files) > 300
    assert not [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number in long_lines(path.read_text(encoding="utf-8"))
    ]


def test_a_line_that_is_too_long_is_found() -> None:
    assert list(long_lines("x\n" + "y" * 161 + "\n" + "z" * 160)) == [2]
