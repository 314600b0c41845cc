# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the keys and values of a YAML text are: a small tree of offsets from PyYAML's events."""

from __future__ import annotations

import re
import typing as t

import yaml

from ._text import line_number
from .base import NotValid

# libyaml where PyYAML was built with it: ten times faster, the same offsets (a test compares them).
LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")


class Node(t.NamedTuple):
    """A value, as offsets. ``members`` is empty but for block mappings.

    kind: mapping, empty (nothing, null or ``{}``), flow, alias, sequence or scalar.
    """

    kind: str
    start: int
    end: int
    anchored: bool = False
    members: tuple[Member, ...] = ()


class Member(t.NamedTuple):
    """One key: its line (from 1), where it starts, in which column, where its colon ends, and its value."""

    key: str | None
    line: int
    start: int
    column: int
    colon: int
    value: Node


def not_valid(error: Exception) -> NotValid:
    """What PyYAML says, without the text that it quotes."""
    mark = getattr(error, "problem_mark", None)
    return NotValid("not YAML", mark.line + 1 if mark else 0)


def parse(text: str) -> Node | None:
    """The top-level value, None where there is none; the text has no byte order mark.

    Raises NotValid, also for several documents and for anything but a block mapping.
    """
    try:
        events = list(yaml.parse(text, Loader=LOADER))
    except (yaml.YAMLError, ValueError) as error:
        raise not_valid(error) from None
    starts = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
    if len(starts) > 1:
        raise NotValid("more than one document", starts[1].start_mark.line + 1)
    if not starts:
        return None
    _check_aliases(events)
    root = _node(text, iter(events[2:]))
    if root.kind == "empty" and root.start == root.end:
        return None
    if root.kind != "mapping":
        raise NotValid("the top level is not a block of keys", line_number(text, root.start))
    return root


def _check_aliases(events: t.Iterable[yaml.Event]) -> None:
    anchors = set()
    for event in events:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent) and anchor not in anchors:
            raise NotValid("an alias without its anchor", event.start_mark.line + 1)
        anchors.add(anchor)


def _node(text: str, events: t.Iterator[yaml.Event], event: yaml.Event | None = None) -> Node:
    event = event or next(events)
    start = event.start_mark.index
    if isinstance(event, yaml.AliasEvent):
        return Node("alias", start, event.end_mark.index)
    anchored = event.anchor is not None or bool(getattr(event, "tag", None))
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(text, events, event, anchored)
    if isinstance(event, yaml.SequenceStartEvent):
        end = start
        for item in events:
            if isinstance(item, yaml.SequenceEndEvent):
                return Node("sequence", start, item.end_mark.index if event.flow_style else end, anchored)
            end = _node(text, events, item).end
    return _scalar(text, t.cast(yaml.ScalarEvent, event), anchored)


def _scalar(text: str, event: yaml.ScalarEvent, anchored: bool) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    if event.style in ("|", ">") and not re.search(r"[|>][0-9]*\+", text[start:end].split("\n", 1)[0]):
        end = start + len(text[start:end].rstrip())
    empty = not event.style and bool(_NULL.fullmatch(event.value))
    return Node("empty" if empty else "scalar", start, end, anchored)


def _mapping(text: str, events: t.Iterator[yaml.Event], event: yaml.MappingStartEvent, anchored: bool) -> Node:
    members: list[Member] = []
    start = event.start_mark.index
    for key in events:
        if isinstance(key, yaml.MappingEndEvent):
            if event.flow_style:
                return Node("flow" if members else "empty", start, key.end_mark.index, anchored)
            return Node("mapping", start, members[-1].value.end, anchored, tuple(members))
        mark = key.start_mark
        end = _node(text, events, key).end
        value = _node(text, events)
        colon = text.find(":", end) + 1
        value = value if value.end > value.start else value._replace(start=colon, end=colon)
        name = key.value if isinstance(key, yaml.ScalarEvent) else None
        members.append(Member(name, mark.line + 1, mark.index, mark.column, colon, value))
    raise AssertionError("PyYAML closes every mapping")


def _named(node: Node | None, key: str) -> Member | None:
    named = [member for member in node.members if member.key == key] if node else []
    if len(named) > 1:
        raise NotValid(f"{key} is there twice", named[1].line)
    return named[0] if named else None


def find(root: Node | None, path: t.Sequence[str]) -> Member | None:
    """The member at this path, or None. Raises NotValid for a key twice."""
    node, member = root, None
    for key in path:
        member = _named(node, key)
        if member is None:
            return None
        node = member.value
    return member


def deepest(root: Node | None, path: tuple[str, ...]) -> tuple[tuple[str, ...], Member | None]:
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


def lines(text: str, member: Member) -> tuple[int, int]:
    """Where the member's lines start and end."""
    start = text.rfind("\n", 0, member.start) + 1
    last = max(member.value.end, member.colon)
    if text[last - 1:last] == "\n":
        return start, last
    return start, text.find("\n", last) + 1 or len(text)


def value_of(text: str, path: t.Sequence[str]) -> t.Any:
    """The plain value at a path that is there."""
    value = yaml.load(text, Loader=LOADER)
    for key in path:
        value = value[key]
    return value
