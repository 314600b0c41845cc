# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every test here needs: strace, how many points are tried, and the count of them at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

EVERY = os.environ.get("SMARTHOST_KILL") == "all"


@pytest.fixture(scope="session", autouse=True)
def strace() -> None:
    """Leaves the suite out where no process can be traced, and fails it where CI=true."""
    works = (
        shutil.which("strace")
        and subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0
    )
    if not works:
        reason = "strace is missing or may not trace here: apt-get install strace"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def sample(record_property: t.Callable[[str, t.Any], None]) -> t.Callable[[t.Sequence[t.Any], int], t.List[t.Any]]:
    """So many of the points, spread evenly with the first and the last; all of them with SMARTHOST_KILL=all (make kill)."""

    def choose(points: t.Sequence[t.Any], most: int) -> t.List[t.Any]:
        count = len(points) if EVERY else min(most, len(points))
        chosen = [points[round(number * (len(points) - 1) / max(1, count - 1))] for number in range(count)]
        record_property("points", (len(chosen), len(points)))
        return chosen

    return choose


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Points tried and survived, by test."""
    for word in ("passed", "failed"):
        for report in terminalreporter.stats.get(word, ()):
            told = dict(report.user_properties)
            if "points" in told:
                tried, known = told["points"]
                exchanged = (
                    f" ({told['exchanged']} times there was something to exchange)" if "exchanged" in told else ""
                )
                terminalreporter.write_line(
                    f"{report.nodeid.partition('::')[2]}: {tried} of {known} points tried{exchanged}, {word}"
                )
