# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab for tests: `from lab.fixture import lab` in a conftest.py, then a test that asks for `lab` gets one that is whole."""

from __future__ import annotations

import contextlib
import os
import typing as t

import pytest

from lab import laboratory, needs
from lab.faults import heal
from lab.laboratory import Lab
from lab.processes import Process

HOSTS = 3


@contextlib.contextmanager
def started(mtas: int = 1, hosts: int = HOSTS, name: str = "tests") -> t.Iterator[Lab]:
    """A lab for as long as the block runs; the next `up` or `down` of any lab removes it when this process is killed."""
    try:
        needs.check()
    except needs.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    made = laboratory.up(hosts, "%s-%d" % (name, os.getpid()), mtas, owner=Process.of(os.getpid()))
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def whole_lab() -> t.Iterator[Lab]:
    """One lab for all tests of this process."""
    with started() as made:
        yield made


@pytest.fixture
def lab(whole_lab: Lab) -> t.Iterator[Lab]:
    """The lab, with no fault standing when the test begins and none left when it has ended."""
    yield whole_lab
    heal(whole_lab)
