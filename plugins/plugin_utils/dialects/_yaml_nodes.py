# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where our keys are in a YAML text: a small tree of offsets from PyYAML's events, and what there is beside them.

Only the mappings on the way to our keys become objects. Of the rest there is one hash a member: of its events, so that two texts with the
same hashes are the same to a reader.
"""

from __future__ import annotations

import functools
import re
import typing as t

import yaml

from . import _yaml_blocks as blocks
from ._text import line_number
from ._yaml_tree import Node, Path, WantedKeys, YamlMember, deepest, find, head_line, line_of, lines, way, with_its_line
from .base import NotValid

# libyaml where PyYAML was built with it: ten times faster, the same offsets (a test compares them).
Event = t.Any  # PyYAML's, of which each kind has attributes of its own
DocumentStart = yaml.DocumentStartEvent
LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_KEEPS_END = re.compile(r"[|>][0-9]*\+")
_REMEMBERED_FROM = 10_000

__all__ = [
    "LOADER",
    "DocumentStart",
    "Event",
    "YamlMember",
    "Node",
    "Parsed",
    "WantedKeys",
    "deepest",
    "events_of",
    "find",
    "head_line",
    "lines",
    "parse",
    "way",
    "with_its_line",
]


def not_valid(error: Exception) -> NotValid:
    """What PyYAML says, without the text that it quotes."""
    mark = getattr(error, "problem_mark", None)
    return NotValid("not YAML", mark.line + 1 if mark else 0)


def events_of(text: str) -> t.Iterator[Event]:
    """PyYAML's events. Raises NotValid."""
    try:
        yield from yaml.parse(text, Loader=LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise not_valid(error) from None


class Parsed(t.NamedTuple):
    """The top-level value (None where there is none), and how many events belong to members that were passed over as they are."""

    root: Node | None
    passed: int = 0


def parse(text: str, paths: t.Iterable[Path] | None = None, quick: bool = True) -> Parsed:
    """The top-level value; the text has no byte order mark. Without paths everything is looked into.

    Raises NotValid, also for several documents and for anything but a block mapping.
    """
    if paths is None:
        return Parsed(_whole(text, None))
    wanted = frozenset(paths)
    return (_remembered if len(text) >= _REMEMBERED_FROM else _parse)(text, wanted, quick)


def _parse(text: str, paths: frozenset[Path], quick: bool) -> Parsed:
    wanted = way(paths)
    cut = blocks.cut(text, set(wanted.below), LOADER) if quick and len(text) >= _REMEMBERED_FROM else None
    if cut is not None:
        members: list[YamlMember] = []
        for block in cut.blocks:
            reader = _Reader(text[block.start : block.end], wanted)
            root = reader.root()
            if root is None or reader.anchors or root.kind != "mapping":
                break
            members += [_moved(member, block.start, text.count("\n", 0, block.start)) for member in root.members]
        else:
            return Parsed(Node("mapping", members[0].start, members[-1].value.end, False, tuple(members)), cut.passed)
    return Parsed(_whole(text, wanted))


_remembered = functools.lru_cache(maxsize=3)(_parse)


def _whole(text: str, wanted: WantedKeys | None) -> Node | None:
    root = _Reader(text, wanted).root()
    if root is None or (root.kind == "empty" and root.start == root.end):
        return None
    if root.kind != "mapping":
        raise NotValid("the top level is not a block of keys", line_number(text, root.start))
    return root


def _moved(member: YamlMember, offset: int, lines_before: int) -> YamlMember:
    value = member.value
    return member._replace(
        line=member.line + lines_before,
        start=member.start + offset,
        colon=member.colon + offset,
        value=value._replace(
            start=value.start + offset,
            end=value.end + offset,
            members=tuple(_moved(inner, offset, lines_before) for inner in value.members),
        ),
    )


class _Reader:
    """Makes nodes of the events of one text."""

    def __init__(self, text: str, wanted: WantedKeys | None) -> None:
        self._text, self._wanted, self._events = text, wanted, events_of(text)
        #: What each anchor stands for at this place of the text, as something to compare.
        self.anchors: dict[str, t.Any] = {}
        self._defined = 0

    def root(self) -> Node | None:
        """The value of the only document. Raises NotValid."""
        root, started = None, False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if started:
                    raise NotValid("more than one document", line_of(event))
                started = True
                root, _hashed = self._node(next(self._events), self._wanted)
        return root

    def _node(self, event: Event, wanted: WantedKeys | None) -> tuple[Node, int]:
        if wanted is None:
            looked_into = isinstance(event, yaml.MappingStartEvent)
        else:
            looked_into = isinstance(event, yaml.MappingStartEvent) and not event.flow_style and bool(wanted.below)
        if looked_into:
            return self._mapping(event, wanted), hash((event.anchor, event.tag))
        return self._passed(event, wanted is not None and wanted.asked)

    def _mapping(self, event: t.Any, wanted: WantedKeys | None) -> Node:
        members: list[YamlMember] = []
        start = event.start_mark.index
        self._define(event)
        for key in self._events:
            if isinstance(key, yaml.MappingEndEvent):
                anchored = event.anchor is not None or event.tag is not None
                if event.flow_style:
                    return Node("flow" if members else "empty", start, self._end(key), anchored)
                return Node("mapping", start, members[-1].value.end, anchored, tuple(members))
            mark = key.start_mark
            spelled, hashed = self._passed(key, False)
            name = key.value if isinstance(key, yaml.ScalarEvent) else None
            value, inner = self._node(
                next(self._events), None if wanted is None else wanted.below.get(name or "", _ELSEWHERE)
            )
            colon = self._text.find(":", spelled.end) + 1
            value = value if value.end > value.start else value._replace(start=colon, end=colon)
            members.append(
                YamlMember(name, mark.line + 1, mark.index, mark.column, colon, value, hash((hashed, inner)))
            )
        raise AssertionError("PyYAML closes every mapping")

    def _passed(self, event: t.Any, asked: bool) -> tuple[Node, int]:
        """A value of any depth, without looking into it; the events of one that is asked for."""
        first, last, depth, hashed, size = event, event, 0, 0, 0
        kept: list[Event] = []
        while True:
            size += 1
            if asked:
                kept.append(event)
            if isinstance(event, yaml.ScalarEvent):
                hashed = hash((hashed, event.value, event.tag, event.implicit, event.anchor))
                last = event
                self._define(event, asked)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self.anchors:
                    raise NotValid("an alias without its anchor", line_of(event))
                hashed = hash((hashed, "*", self.anchors[event.anchor]))
                last = event
            elif isinstance(event, yaml.CollectionStartEvent):
                hashed = hash((hashed, type(event).__name__, event.tag, event.anchor))
                depth += 1
                self._define(event, asked)
            else:
                depth -= 1
                hashed = hash((hashed, "."))
                if event.end_mark.index > event.start_mark.index:
                    last = event
            if not depth:
                break
            event = next(self._events)
        anchored = getattr(first, "anchor", None) is not None or getattr(first, "tag", None) is not None
        return Node(_kind(first, size), first.start_mark.index, self._end(last), anchored, (), tuple(kept)), hashed

    def _end(self, last: t.Any) -> int:
        start, end = last.start_mark.index, last.end_mark.index
        if isinstance(last, yaml.ScalarEvent) and last.style in ("|", ">"):
            if not _KEEPS_END.search(self._text[start:end].split("\n", 1)[0]):
                return t.cast(int, start + len(self._text[start:end].rstrip()))
        return t.cast(int, end)

    def _define(self, event: t.Any, ours: bool = False) -> None:
        if event.anchor is not None:
            self._defined += 0 if ours else 1
            self.anchors[event.anchor] = ("ours", event.anchor) if ours else self._defined


_ELSEWHERE = WantedKeys(False, {})


def _kind(first: Event, size: int) -> str:
    if isinstance(first, yaml.AliasEvent):
        return "alias"
    if isinstance(first, yaml.MappingStartEvent):
        return ("empty" if size == 2 else "flow") if first.flow_style else "mapping"
    if isinstance(first, yaml.SequenceStartEvent):
        return "sequence"
    return "empty" if not first.style and _NULL.fullmatch(first.value) else "scalar"
