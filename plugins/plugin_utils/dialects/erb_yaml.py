# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Redmine's ``configuration.yml``: ERB is run over the text, then YAML reads it. Whole or shared.

Tree, merge and remove as in ``yaml``; ``<%``, which would begin Ruby code, is written with an escape of YAML.
Cannot carry: nothing known.
Not valid here: what is not in ``yaml``, and ERB tags of the user's that are no YAML before they are run.
Source: Redmine ``lib/redmine/configuration.rb`` (load_from_yaml); Ruby ``erb.rb``.
"""

from __future__ import annotations

from . import _nested
from . import yaml as _yaml
from .base import Owns, Tree, Value
from ._yaml_edit import SYNTAX
from .yaml import alike, comment, read, remove, values

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]


def write(tree: Tree) -> str:
    """Blocks, indented by two blanks."""
    return _without_tags(_yaml.write(tree))


def quote(value: Value) -> str:
    """One value on one line."""
    return _without_tags(_yaml.quote(value))


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    return _nested.merge(text, tree, owns, quote, SYNTAX)


def _without_tags(spelled: str) -> str:
    # Every string is in double quotes, so this is the same character to YAML.
    return spelled.replace("<%", "\\x3c%")
