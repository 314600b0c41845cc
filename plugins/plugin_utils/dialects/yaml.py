# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of YAML files, whole or shared (Alertmanager's ``alertmanager.yml``): block mappings, double-quoted strings.

Tree: nested dicts; values are strings, numbers, true/false, lists. Shared: ``merge`` and ``remove``. New keys go to the end of
their block, a list or a dict that is set as a whole is written on one line.
Strings have JSON's escapes, with characters beyond U+FFFF as they are: their JSON escapes (surrogates) are wrong in YAML.
Cannot carry: nothing known.
Not valid here, where our keys would have to go: ``{ }`` style with something in it, an alias, a key
twice, several documents, a block of text whose last line has no end.
Source: YAML 1.2 section 7.3.1; positions by PyYAML's parser.
"""

from __future__ import annotations

import typing as t

from . import _nested
from . import _yaml_nodes as nodes
from ._text import BOM
from ._text import comment_lines as comment
from ._yaml_edit import SYNTAX
from ._yaml_look import alike, values
from ._yaml_spell import quote, spell_key
from ._yaml_tree import line_of
from ._yaml_values import compose
from .base import NotValid, Owns, Tree

__all__ = ["alike", "comment", "merge", "quote", "read", "remove", "values", "write"]


def write(tree: Tree) -> str:
    """Blocks, indented by two blanks."""
    return "".join(f"{line}\n" for line in _lines(tree))


def _lines(tree: Tree) -> t.Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield spell_key(key) + ":"
            yield from (f"  {line}" for line in _lines(value))
        else:
            yield f"{spell_key(key)}: {quote(value)}"


def read(text: str) -> Tree:
    """The tree; raises NotValid, also for aliases that expand to far more than the file holds."""
    composed = compose(_one_document(text.removeprefix(BOM)))
    if not isinstance(composed.tree, dict) and composed.tree is not None:
        raise NotValid("the top level is not a mapping", 1)
    return composed.plain(composed.tree) or {}


def _one_document(text: str) -> t.Iterator[nodes.Event]:
    """The events of a text. Raises NotValid, for a second document too."""
    started = False
    for event in nodes.events_of(text):
        if isinstance(event, nodes.DocumentStart):
            if started:
                raise NotValid("more than one document", line_of(event))
            started = True
        yield event


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    return _nested.merge(text, tree, owns, quote, SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our paths as in the original; raises NotValid."""
    return _nested.remove(text, owns, original, SYNTAX)
