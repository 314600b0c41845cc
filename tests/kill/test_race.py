# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user of the host exchanges names at random instants, as fast as it can, and gains nothing by it."""

from __future__ import annotations

import os
import typing as t

import pytest
from hostile import KINDS
from race import race

ROUNDS = 2000 if os.environ.get("SMARTHOST_KILL") == "all" else 6


@pytest.mark.skipif(
    os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root writes into folders of others"
)
@pytest.mark.parametrize("kind", KINDS)
def test_names_exchanged_at_random_give_nothing(kind: str, record_property: t.Callable[[str, t.Any], None]) -> None:
    raced = race(kind, ROUNDS)
    record_property("points", (raced.rounds, ROUNDS))
    assert not raced.harm, raced
