# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab for tests: `from lab.fixture import lab` in a conftest.py, then a test that asks for `lab` gets one that is whole."""

from __future__ import annotations

import os
import typing as t

import pytest

from lab import laboratory, needs
from lab.faults import heal
from lab.laboratory import Lab
from lab.processes import Process

HOSTS = 3


@pytest.fixture(scope="session")
def whole_lab() -> t.Iterator[Lab]:
    """One lab for all tests of this process; the next `up` or `down` of any lab removes it when the process is killed."""
    try:
        needs.check()
    except needs.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    started = laboratory.up(HOSTS, "tests-%d" % os.getpid(), owner=Process.of(os.getpid()))
    yield started
    started.down()


@pytest.fixture
def lab(whole_lab: Lab) -> t.Iterator[Lab]:
    """The lab, with no fault standing when the test begins and none left when it has ended."""
    yield whole_lab
    heal(whole_lab)
