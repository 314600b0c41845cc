# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A YAML text as a tree of offsets: its nodes, the way to our keys, and how they are found."""

from __future__ import annotations

import typing as t

from .base import NotValid

Path = t.Tuple[str, ...]


def line_of(event: t.Any) -> int:
    """The line where one of PyYAML's events begins, from 1."""
    return int(event.start_mark.line) + 1


class Node(t.NamedTuple):
    """A value, as offsets. ``members`` is empty but for block mappings, ``events`` but for values that were asked for.

    kind: mapping, empty (nothing, null or ``{}``), flow, alias, sequence or scalar. tag: its own, not that of something in it.
    """

    kind: str
    start: int
    end: int
    anchored: bool = False
    members: tuple[YamlMember, ...] = ()
    events: tuple[t.Any, ...] = ()


class YamlMember(t.NamedTuple):
    """One key: its line (from 1), where it starts, in which column, where its colon ends, its value, and a hash of all of it."""

    key: str | None
    line: int
    start: int
    column: int
    colon: int
    value: Node
    hashed: int = 0


class WantedKeys(t.NamedTuple):
    """Which members to look into: ``below`` has those by key. asked: the value itself is wanted."""

    asked: bool
    below: dict[str, WantedKeys]


def way(paths: t.Iterable[Path]) -> WantedKeys:
    """The way to all of these paths."""
    top = WantedKeys(False, {})
    for path in paths:
        node = top
        for depth, key in enumerate(path, 1):
            known = node.below.get(key, WantedKeys(False, {}))
            node.below[key] = known._replace(asked=known.asked or depth == len(path))
            node = node.below[key]
    return top


def _named(node: Node | None, key: str) -> YamlMember | None:
    named = [member for member in node.members if member.key == key] if node else []
    if len(named) > 1:
        raise NotValid(f"{key} is there twice", named[1].line)
    return named[0] if named else None


def find(root: Node | None, path: t.Sequence[str]) -> YamlMember | None:
    """The member at this path, or None. Raises NotValid for a key twice."""
    node, member = root, None
    for key in path:
        member = _named(node, key)
        if member is None:
            return None
        node = member.value
    return member


def deepest(root: Node | None, path: tuple[str, ...]) -> tuple[tuple[str, ...], YamlMember | None]:
    """The longest existing part of a path whose last key is missing, and its member (None: the top level).

    Raises NotValid where nothing can be added below it.
    """
    for length in range(len(path) - 1, 0, -1):
        member = find(root, path[:length])
        if member is None:
            continue
        name = ".".join(path[:length])
        if member.value.kind == "flow":
            raise NotValid(f"{name} is written in {{ }} style: put each of its keys on a line of its own", member.line)
        if member.value.kind == "alias":
            raise NotValid(f"{name} is an alias: write out its keys there", member.line)
        if member.value.kind not in ("mapping", "empty"):
            raise NotValid(f"{name} is not a mapping", member.line)
        return path[:length], member
    return (), None


def lines(text: str, member: YamlMember) -> tuple[int, int]:
    """Where the member's lines start and end."""
    start = text.rfind("\n", 0, member.start) + 1
    last = max(member.value.end, member.colon)
    if text[last - 1 : last] == "\n":
        return start, last
    return start, text.find("\n", last) + 1 or len(text)


def head_line(text: str, member: YamlMember) -> tuple[int, int]:
    """Where the line with the key starts and ends."""
    return text.rfind("\n", 0, member.start) + 1, text.find("\n", member.colon) + 1 or len(text)


def with_its_line(text: str, value: Node) -> tuple[int, int]:
    """An empty value on a line of its own, as offsets: with that line, where nothing else is in it."""
    start = text.rfind("\n", 0, value.start) + 1
    stop = text.find("\n", value.end) + 1 or len(text)
    alone = not text[start : value.start].strip() and not text[value.end : stop].strip()
    return (start, stop) if alone else (value.start, value.end)
