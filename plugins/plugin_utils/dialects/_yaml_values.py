# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain values out of PyYAML's events: every tag, key and number that a file may hold, and never more values than it is worth.

The user's own parts may hold what a loader of Python refuses (``!secret x``, ``k: =``, ``? [a, b]``, an anchor twice): nothing here does.
An alias is the same object again, so that building costs no more than the events; only who wants plain values copies them, and is stopped.
"""

from __future__ import annotations

import typing as t

import yaml
import yaml.constructor

from ._yaml_tree import line_of
from .base import NotValid

EXPANDED = 100_000
DEPTH = 100
_CORE = "tag:yaml.org,2002:"
_RESOLVERS: t.Any = yaml.SafeLoader.yaml_implicit_resolvers
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_CONSTRUCT: dict[str, t.Callable[[yaml.ScalarNode], t.Any]] = {
    f"{_CORE}{kind}": getattr(_CONSTRUCTOR, f"construct_yaml_{kind}") for kind in ("null", "bool", "int", "float")
}
_NO_KEY = object()


class Composed:
    """A tree of dicts, lists and values. Merge keys (``<<``) are kept beside it; aliased: an alias or a merge key is in it."""

    def __init__(self) -> None:
        self.tree: t.Any = None
        self.merged: dict[int, list[t.Any]] = {}
        self.aliased = False

    def pick(self, path: t.Sequence[str]) -> tuple[bool, t.Any]:
        """Whether there is a value at this path, merge keys included, and which."""
        node = self.tree
        for key in path:
            found = next((place for place in self._places(node) if key in place), None)
            if found is None:
                return False, None
            node = found[key]
        return True, node

    def _places(self, node: t.Any) -> t.Iterator[dict[t.Any, t.Any]]:
        """A mapping and those that it merges, each once, in the order in which they are looked at."""
        todo, seen = [node], set()
        while todo:
            place = todo.pop(0)
            if id(place) in seen:
                continue
            seen.add(id(place))
            if isinstance(place, dict):
                yield place
                todo = self.merged.get(id(place), []) + todo
            elif isinstance(place, list) and place is not node:
                todo = place + todo

    def plain_tree(self) -> t.Any:
        """All of it, as ``plain`` gives it."""
        return self.plain(self.tree)

    def plain(self, value: t.Any) -> t.Any:
        """A value with aliases and merge keys written out. Raises NotValid where they are too many, too deep or in a circle."""
        return _Copy(self).copy(value, 0) if self.aliased else value


class _Copy:
    def __init__(self, composed: Composed) -> None:
        self._composed, self._left = composed, EXPANDED

    def copy(self, value: t.Any, depth: int) -> t.Any:
        self._left -= 1
        if self._left < 0 or depth > DEPTH:
            raise NotValid("aliases that expand to far more than the file holds")
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        both: dict[t.Any, t.Any] = {}
        for place in self._composed._places(value):
            for key, item in place.items():
                if key not in both:
                    both[key] = self.copy(item, depth + 1)
        return both


def compose(events: t.Iterable[t.Any]) -> Composed:
    """The tree of one document, or of one value in it. Raises NotValid for an alias without its anchor."""
    composed = Composed()
    anchors: dict[str, t.Any] = {}
    stack: list[list[t.Any]] = []  # container, key that waits for its value

    def put(value: t.Any, merge: bool = False) -> None:
        if not stack:
            composed.tree = value
            return
        frame = stack[-1]
        container, key = frame
        if isinstance(container, list):
            container.append(value)
        elif key is _NO_KEY:
            frame[1] = _MERGE if merge else value if isinstance(value, t.Hashable) else str(value)
        else:
            if key is _MERGE:
                composed.merged.setdefault(id(container), []).append(value)
                composed.aliased = True
            else:
                container[key] = value
            frame[1] = _NO_KEY

    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            value = scalar(event)
            if event.anchor:
                anchors[event.anchor] = value
            put(value, event.value == "<<" and event.implicit[0])
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            new: t.Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            if event.anchor:
                anchors[event.anchor] = new
            stack.append([new, _NO_KEY])
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            put(stack.pop()[0])
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise NotValid("an alias without its anchor", line_of(event))
            composed.aliased = True
            put(anchors[event.anchor])
    return composed


_MERGE = object()


def scalar(event: yaml.ScalarEvent) -> t.Any:
    """A number, a boolean, None, or the text; the text also for every tag that is not one of YAML's own."""
    tag = event.tag
    if tag is None and event.implicit[0]:
        value = event.value
        known = _RESOLVERS.get(value[:1], ())
        tag = next((tag for tag, pattern in known if pattern.match(value)), None)
    construct = None if tag is None else _CONSTRUCT.get(tag)
    if construct is None or tag is None:
        return event.value
    try:
        return construct(yaml.ScalarNode(tag, event.value))
    except (ValueError, KeyError, OverflowError, IndexError):
        return event.value  # such as a number of five thousand digits
