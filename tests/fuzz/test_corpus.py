# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick part of fuzzing: every kept input, and some hundred near each of them, always the same. `make fuzz` searches for new ones."""

from __future__ import annotations

import pathlib
import random

import pytest
from fuzz.mutate import mutants
from fuzz.run import CORPUS, seeds
from fuzz.targets import TARGETS

MUTANTS = 250
MOST_BYTES = 200_000


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_input_keeps_the_promise(name: str) -> None:
    for path, data in seeds(name).items():
        try:
            TARGETS[name](data)
        except Exception as exc:
            raise AssertionError(f"{path}: {exc!r}") from exc


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_near_them_does_so_too(name: str) -> None:
    for data in mutants(list(seeds(name).values()), MUTANTS, random.Random(2026)):
        try:
            TARGETS[name](data)
        except Exception as exc:
            raise AssertionError(f"{data!r}: {exc!r}") from exc


def test_the_corpus_is_small_and_each_target_has_one() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS) and all(len(seeds(name)) >= 3 for name in TARGETS)
    assert isinstance(CORPUS, pathlib.Path)
