# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the real-server suite: the relay, a folder any user may enter, and a clear word when something is missing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import programs  # noqa: E402
from relay import Relay  # noqa: E402

HOSTILE = "p@ss w\"o'r\\d $HOME #;%s`{{x}} ü"
HOSTILE_ASCII = HOSTILE[:-2]
USERS = {"apps@site.test": HOSTILE, "web": HOSTILE_ASCII}


def leave_out(reason: str) -> t.NoReturn:
    """Skips the test, or fails it where CI=true: there a suite left out is a miss."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need(*packages: str) -> None:
    """Leaves the test out, saying what to do, unless it runs as root with `packages` (names in programs.NEEDS) installed."""
    missing = programs.missing(*packages)
    if missing:
        leave_out(f"a program is missing: {missing}")
    if os.geteuid() != 0:
        leave_out("a mail server of its own needs root; run this suite as root or with sudo")


@pytest.fixture(scope="session")
def relay() -> t.Iterator[Relay]:
    """One relay for the whole session, with the users of USERS; a test that changes users or stops it starts its own."""
    need(*programs.RELAY_NEEDS)
    with Relay(USERS) as running:
        yield running


@pytest.fixture
def site() -> t.Iterator[Path]:
    """An empty folder that any user may enter, as Postfix's processes must (pytest's tmp_path lets only its owner in)."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-site-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
