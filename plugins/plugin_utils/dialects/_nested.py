# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting and taking back key paths in a user's nested document, all other bytes kept: what json and yaml share.

A dialect says by a ``NestedSyntax`` how to find and change paths in its text; here is which paths, and what to put back.
"""

from __future__ import annotations

import typing as t

from .base import Owns, Tree, Value

Path = t.Tuple[str, ...]


class NestedSyntax(t.NamedTuple):
    """How one dialect finds and changes paths.

    find: text and paths to the spelling of each path that is there, on one line; raises NotValid.
    edit: text and ``{path: spelling, or None to take the path out}`` to the new text; raises NotValid.
    empty: is this the spelling of a container with nothing in it, or of a document with nothing in it?
    alike: is all that is not ours in both texts, byte for byte and as it is read?
    """

    find: t.Callable[[str, t.Iterable[Path]], t.Dict[Path, str]]
    edit: t.Callable[[str, t.Mapping[Path, t.Optional[str]]], str]
    empty: t.Callable[[str], bool]
    alike: t.Callable[[str, str, Owns], bool]


def merge(text: str, tree: Tree, owns: Owns, quote: t.Callable[[Value], str], syntax: NestedSyntax) -> str:
    """The text with each of the tree's values at its path and no other owned path."""
    owned = {tuple(path) for path in owns}
    changes: dict[Path, str | None] = {path: quote(value) for path, value in _leaves(tree, owned)}
    return syntax.edit(text, {**dict.fromkeys(owned - set(changes)), **changes})


def _leaves(tree: Tree, owned: t.Collection[Path], path: Path = ()) -> t.Iterator[tuple[Path, Value]]:
    """Path and value of all that is no dict, and of dicts that are owned as a whole."""
    for key, value in tree.items():
        here = (*path, key)
        if isinstance(value, dict) and value and here not in owned:
            yield from _leaves(value, owned, here)
        else:
            yield here, value


def remove(text: str, owns: Owns, original: str, syntax: NestedSyntax) -> str:
    """The text with our paths as they are in the original. Nothing else changed since: exactly the original."""
    owned = [tuple(path) for path in owns]
    if syntax.alike(text, original, owned):
        return original
    before = syntax.find(original, [path[:length] for path in owned for length in range(len(path) + 1)])
    text = syntax.edit(text, {path: before.get(path) for path in owned})
    return _without_empty(text, owned, before, syntax)


def _without_empty(text: str, owned: t.Sequence[Path], keep: t.Collection[Path], syntax: NestedSyntax) -> str:
    """Our containers that are empty now are taken out, but for those to keep."""
    containers = {path[:length] for path in owned for length in range(1, len(path))} - set(keep)
    for path in sorted(containers, key=len, reverse=True):
        found = syntax.find(text, [path])
        if path in found and syntax.empty(found[path]):
            text = syntax.edit(text, {path: None})
    return text
