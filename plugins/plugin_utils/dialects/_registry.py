# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialects by name: which there are, and the module of one."""

from __future__ import annotations

import functools
import importlib
import pathlib
import typing as t

from .base import Dialect

FOLDER = pathlib.Path(__file__).resolve().parent
PACKAGE = __name__.rpartition(".")[0]


@functools.lru_cache(maxsize=None)
def dialect_names() -> frozenset[str]:
    """Every dialect there is."""
    return frozenset(path.stem for path in FOLDER.glob("[a-z]*.py")) - {"base"}


@functools.lru_cache(maxsize=None)
def dialect(name: str) -> Dialect:
    """The dialect of that name. Raises LookupError for a name that is none."""
    if name not in dialect_names():
        raise LookupError(f"there is no dialect {name}")
    return t.cast(Dialect, importlib.import_module(f"{PACKAGE}.{name}"))


def can_share(name: str) -> bool:
    """Whether files of this dialect may be the user's, with only some keys ours."""
    return hasattr(dialect(name), "merge")
