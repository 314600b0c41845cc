# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Redmine's ``configuration.yml``: ERB is run over the text, then YAML reads it. Whole or shared.

Tree, merge and remove as in ``yaml``; ``<%``, which would begin Ruby code, is written with an escape of YAML.
Cannot carry: nothing known.
Not valid here: what is not in ``yaml``, and ERB tags of the user's that are no YAML before they are run. A byte order mark is a column to
Ruby: where a key stands right behind it, nothing after its block is read, and our settings can only be in that block.
Source: Redmine ``lib/redmine/configuration.rb`` (load_from_yaml); Ruby ``erb.rb``.
"""

from __future__ import annotations

import re
import typing as t

from . import _nested
from . import yaml as _yaml
from ._text import BOM
from ._yaml_edit import SYNTAX
from .base import NotValid, Owns, Tree, Value
from .yaml import alike, comment, remove

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]


_MARKED = re.compile(rf"{BOM}(?![ ]*(?:#|\r?\n|\Z))")


def write(tree: Tree) -> str:
    """Blocks, indented by two blanks."""
    return _without_tags(_yaml.write(tree))


def quote(value: Value) -> str:
    """One value on one line."""
    return _without_tags(_yaml.quote(value))


def read(text: str) -> Tree:
    """The tree; raises NotValid."""
    tree = _yaml.read(text)
    return dict(list(tree.items())[:1]) if _MARKED.match(text) else tree


def values(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, t.Any]:
    """The plain value of each path that is there; raises NotValid."""
    seen = list(read(text)) if _MARKED.match(text) else None
    return _yaml.values(text, [path for path in paths if seen is None or path[0] in seen])


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    merged = _nested.merge(text, tree, owns, quote, SYNTAX)
    if _MARKED.match(merged) and not set(tree) <= set(read(merged)):
        raise NotValid(
            "a byte order mark right before the first key: Ruby reads nothing behind the block of that key", 1
        )
    return merged


def _without_tags(spelled: str) -> str:
    # Every string is in double quotes, so this is the same character to YAML.
    return spelled.replace("<%", "\\x3c%")
