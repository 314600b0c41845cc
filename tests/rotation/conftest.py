# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the rotation suite: a real relay, and a fleet on which the current credential is in force."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from integration import programs
from integration.relay import Relay
from rotation.fleet import PASSWORDS, Fleet


def pytest_collection_modifyitems(config: pytest.Config, items: t.List[pytest.Item]) -> None:
    """Leave the tests marked `whole` to `make faults` (SMARTHOST_FAULTS=all)."""
    if os.environ.get("SMARTHOST_FAULTS") != "all":
        left = [item for item in items if item.get_closest_marker("whole")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def leave_out(reason: str) -> t.NoReturn:
    """Skips the test, or fails it where CI=true: there a suite left out is a miss."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def relay() -> t.Iterator[Relay]:
    """One relay for the whole session, which knows the old and the new credential."""
    missing = programs.missing(*programs.RELAY_NEEDS, "msmtp")
    if missing:
        leave_out(f"a program is missing: {missing}")
    if os.geteuid() != 0:
        leave_out("a mail server of its own needs root; run this suite as root or with sudo")
    with Relay(PASSWORDS) as running:
        yield running


@pytest.fixture(scope="session")
def applied(relay: Relay) -> t.Iterator[Fleet]:
    """A fleet with the old credential in force on every host, and a copy of all its files beside it."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-fleet-"))
    folder.chmod(0o755)
    made = Fleet(folder / "site", relay)
    done = made.run("apply", rotating=False)
    assert done.returncode == 0, done.stdout[-3000:]
    subprocess.run(["cp", "-a", str(made.folder), str(folder / "copy")], check=True)
    yield made
    shutil.rmtree(folder)


@pytest.fixture
def fleet(applied: Fleet) -> Fleet:
    """That fleet again, at the same paths, which stand in its files; the relay knows both credentials again."""
    for user, password in PASSWORDS.items():
        applied.relay.set_password(user, password)
    shutil.rmtree(applied.folder)
    subprocess.run(["cp", "-a", str(applied.folder.with_name("copy")), str(applied.folder)], check=True)
    return Fleet(applied.folder, applied.relay)
