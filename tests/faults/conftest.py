# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the fault runs: a lab of three hosts that all run Postfix, and a fleet on it with the old credential in force.

`make faults` (SMARTHOST_FAULTS=all) runs the whole matrix; `make test ONLY=faults` the sample, which is test_sample.py.
"""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from faults.fleet import Fleet
from lab.fixture import HOSTS, lab, started
from lab.laboratory import Lab

__all__ = ["lab"]
collect_ignore_glob = [] if os.environ.get("SMARTHOST_FAULTS") == "all" else ["test_matrix*.py"]


@pytest.fixture(scope="session")
def whole_lab() -> t.Iterator[Lab]:
    """One lab of which every host runs Postfix."""
    with started(mtas=HOSTS, name="faults") as made:
        yield made


@pytest.fixture(scope="session")
def applied(whole_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A fleet after its first apply: what its hosts have is kept under the names blank (before) and old (after)."""
    made = Fleet(whole_lab, tmp_path_factory.mktemp("fleet"))
    made.save("blank")
    made.run("apply")
    made.save("old")
    return made


@pytest.fixture
def fleet(applied: Fleet, lab: Lab, tmp_path: pathlib.Path) -> Fleet:
    """That fleet again, with the old credential in force and no fault."""
    applied.load("old")
    return Fleet(lab, tmp_path)
