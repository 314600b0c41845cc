# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the rotation suite: a real relay, and a fleet on which the current credential is in force."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest

from rotation.fleet import PASSWORDS, Fleet, Relay, programs


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
def applied(relay: Relay) -> t.Iterator[Path]:
    """A fleet after its first apply, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-fleet-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def fleet(relay: Relay) -> t.Iterator[Fleet]:
    """A fleet with the old credential in force on every host; the relay knows both again."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-fleet-"))
    folder.chmod(0o755)
    for user, password in PASSWORDS.items():
        relay.set_password(user, password)
    made = Fleet(folder, relay)
    done = made.run("apply", rotating=False)
    assert done.returncode == 0, done.stdout[-3000:]
    yield made
    shutil.rmtree(folder)
