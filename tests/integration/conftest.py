# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the real-server suite: the relay, and a folder any user may enter."""

from __future__ import annotations

import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest
from integration import programs
from integration.needs import USERS, need
from integration.relay import Relay


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
