# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of JSON files, whole or shared (Mattermost's ``config.json``), and of API bodies.

Tree: a JSON object; in ``owns`` a path may end at a value of any kind. Shared: ``merge`` and ``remove``. New keys go to the end
of their object, in the style of the keys before them. Of equal keys in one object the last is in force.
Cannot carry: nothing known. Not valid here: a byte order mark, NaN, comments (Go's encoding/json refuses them as well).
Source: RFC 8259; Go ``encoding/json``.
"""

from __future__ import annotations

import json
import typing as t

from . import _nested
from ._json_edit import SYNTAX, alike, find, quote
from .base import NotValid, Owns, Tree

__all__ = ["alike", "merge", "quote", "read", "remove", "values", "write"]


def write(tree: Tree) -> str:
    """Indented by two blanks."""
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> Tree:
    """The object; raises NotValid."""
    try:
        tree = json.loads(text, parse_constant=_refuse_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise NotValid("not JSON", error.lineno) from None
    except RecursionError:
        raise NotValid("nested too deeply") from None
    if not isinstance(tree, dict):
        raise NotValid("not an object", 1)
    return tree


def _refuse_constant(_name: str) -> t.NoReturn:
    raise NotValid("NaN and Infinity are not JSON")


def _integer(digits: str) -> int | float:
    """A number of more digits than Python takes for a whole one is what JavaScript makes of it."""
    return int(digits) if len(digits) <= 4000 else float(digits)


def values(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, t.Any]:
    """The plain value of each path that is there. Raises NotValid."""
    found = find(text, paths)
    return {path: read(f'{{"value": {spelled}}}')["value"] for path, spelled in found.items()}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    return _nested.merge(text, tree, owns, quote, SYNTAX) if text.strip() else write(tree)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our paths as in the original; raises NotValid."""
    return _nested.remove(text, owns, original, SYNTAX)
