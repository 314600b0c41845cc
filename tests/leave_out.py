# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For a test that this user or this machine cannot run: it is left out with a word that `make test` counts, and fails where CI=true."""

from __future__ import annotations

import os
import shutil
import typing as t

import pytest


def leave_out(reason: str) -> t.NoReturn:
    """Skip the test, or fail it where CI=true: there a test left out is a miss."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_root(what: str) -> None:
    """Leave the test out unless root runs it."""
    if os.geteuid() != 0:
        leave_out("needs root: " + what)


def need_program(program: str, package: str) -> None:
    """Leave the test out unless a program is there."""
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        leave_out("needs the Debian package " + package)
