# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at a YAML text: what is set at our paths, and whether two texts are the same beside it."""

from __future__ import annotations

import typing as t

import yaml

from . import _nested
from . import _yaml_nodes as nodes
from ._text import BOM
from ._yaml_spell import quote
from ._yaml_values import compose
from .base import NotValid, Owns


def find(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, str]:
    """The spelling of each path that is there, on one line. Raises NotValid."""
    text, paths = text.removeprefix(BOM), list(paths)
    root = nodes.parse(text, paths).root
    found = {}
    for path in paths:
        member = nodes.find(root, path)
        if member:
            spelled = text[member.value.start : member.value.end]
            found[path] = (
                spelled if "\n" not in spelled or not member.value.events else _on_one_line(text, path, member.value)
            )
    return found


def _on_one_line(text: str, path: _nested.Path, node: nodes.Node) -> str:
    """A user's value of any kind."""
    value = _value(text, path, node)
    tag = getattr(node.events[0], "tag", None)
    if tag is None:
        return (
            quote(value)
            if isinstance(value, str)
            else yaml.safe_dump(value, default_flow_style=True, width=float("inf")).strip()
        )
    if isinstance(value, str) and tag.startswith("!"):
        return f"{tag} {quote(value)}"
    raise NotValid(f"{'.'.join(path)} has a tag and several lines: write it on one line")


def values(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, t.Any]:
    """The plain value of each path that is there, also by a merge key. Raises NotValid, for too many aliases as well."""
    text, paths = text.removeprefix(BOM), list(paths)
    root = nodes.parse(text, paths).root
    if any(_merges(root, path) for path in paths):
        whole = compose(nodes.events_of(text))
        picked = {path: whole.pick(path) for path in paths}
        return {path: whole.plain(value) for path, (there, value) in picked.items() if there}
    members = {path: nodes.find(root, path) for path in paths}
    return {path: _value(text, path, member.value) for path, member in members.items() if member}


def _merges(root: nodes.Node | None, path: _nested.Path) -> bool:
    """Whether what is at this path may come from somewhere else."""
    node = root
    for depth, key in enumerate(path):
        if node is None:
            return False
        if node.kind == "alias" or any(member.key == "<<" for member in node.members):
            return True
        member = next((member for member in node.members if member.key == key), None)
        node = member.value if member and (depth < len(path) - 1 or member.value.kind == "alias") else None
    return node is not None and node.kind == "alias"


def _value(text: str, path: _nested.Path, node: nodes.Node) -> t.Any:
    """The plain value of a node whose events were asked for."""
    if node.events and not any(isinstance(event, yaml.AliasEvent) for event in node.events):
        return compose(node.events).plain_tree()
    whole = compose(nodes.events_of(text))
    return whole.plain(whole.pick(path)[1])


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts: as it is read, and line by line. Raises NotValid."""
    if before.startswith(BOM) is not after.startswith(BOM):
        return False
    texts = [before.removeprefix(BOM), after.removeprefix(BOM)]
    paths = frozenset(tuple(path) for path in owns)
    parsed = [nodes.parse(text, paths) for text in texts]
    if parsed[0].passed != parsed[1].passed:
        # One of them could be cut into blocks, and the other not: nothing to compare.
        parsed = [nodes.parse(text, paths, quick=False) for text in texts]
    way = nodes.way(paths)
    if any(one.passed for one in parsed):
        roots = [
            one.root and one.root._replace(members=tuple(item for item in one.root.members if item.key in way.below))
            for one in parsed
        ]
    else:
        roots = [one.root for one in parsed]
    if _signature(roots[0], way) != _signature(roots[1], way):
        return False
    return _kept_lines(texts[0], roots[0], way) == _kept_lines(texts[1], roots[1], way)


def _signature(node: nodes.Node | None, way: nodes.WantedKeys) -> tuple[t.Any, ...]:
    """What is in a block beside our values, to compare. A block of ours that holds nothing else is nothing."""
    found: list[t.Any] = []
    for member in node.members if node else ():
        ahead = way.below.get(member.key or "")
        if ahead is None or (not ahead.asked and member.value.kind not in ("mapping", "empty")):
            found.append(member.hashed)
        elif not ahead.asked:
            inner = _signature(member.value, ahead)
            found += [(member.hashed if member.value.kind == "mapping" else 0, inner)] if inner else []
    return tuple(found)


def _kept_lines(text: str, node: nodes.Node | None, way: nodes.WantedKeys) -> list[str]:
    """The lines of the text that hold neither one of our values nor the key of a block that we may have made; no blank ones at the end."""
    pieces, at = [], 0
    for start, end in sorted(_our_lines(text, node, way)):
        pieces.append(text[at:start])
        at = max(at, end)
    return [line.rstrip("\r") for line in "".join([*pieces, text[at:]]).rstrip("\r\n").split("\n")]


def _our_lines(text: str, node: nodes.Node | None, way: nodes.WantedKeys) -> t.Iterator[tuple[int, int]]:
    for member in node.members if node else ():
        ahead = way.below.get(member.key or "")
        if ahead is None:
            continue
        if ahead.asked:
            yield nodes.lines(text, member)
        elif member.value.kind == "empty":
            yield nodes.head_line(text, member)
            if member.value.start > nodes.head_line(text, member)[1]:
                yield nodes.with_its_line(text, member.value)
        elif member.value.kind == "mapping":
            yield nodes.head_line(text, member)
            yield from _our_lines(text, member.value, ahead)
