# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a Docker Compose file, whole: YAML in which Compose expands ``$NAME`` in every value, and ``$$`` is a dollar.

Tree: nested dicts and lists; values are strings, numbers, true/false.
Cannot carry: nothing known.
Source: compose-spec ``interpolation.md``; docker-compose 1.29 ``config/interpolation.py``.
"""

from __future__ import annotations

import typing as t

from . import yaml
from .base import Tree, Value
from .yaml import comment

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """Blocks, indented by two blanks."""
    return yaml.write(_each_text(tree, _doubled))


def quote(value: Value) -> str:
    """One value on one line."""
    return yaml.quote(_each_text(value, _doubled))


def read(text: str) -> Tree:
    """The tree, as Compose has it after expanding; raises NotValid. What it would expand stays as it stands."""
    return _each_text(yaml.read(text), lambda item: item.replace("$$", "$"))


def _doubled(text: str) -> str:
    return text.replace("$", "$$")


def _each_text(tree: t.Any, change: t.Callable[[str], str]) -> t.Any:
    if isinstance(tree, dict):
        return {key: _each_text(item, change) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_each_text(item, change) for item in tree]
    return change(tree) if isinstance(tree, str) else tree
