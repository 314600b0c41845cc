# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting and taking out our keys in a JSON text, in the style of the keys around them.

The edits are made, one after the other, in a short text: one in which each run of other members is a place holder.
"""

from __future__ import annotations

import json
import re
import typing as t

from . import _json_scan as scanned
from . import _nested
from ._text import line_end, line_number
from ._yaml_tree import WantedKeys, way
from .base import NotValid, Owns

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=str)


class _Member(t.NamedTuple):
    """One key of an object, as offsets: where the key starts, where its value starts and ends."""

    key: str
    start: int
    value: int
    end: int


class _Style(t.NamedTuple):
    """How a text is laid out: on one line (with a blank behind colons or not), or one key a line, indented by the unit."""

    compact: bool
    colon: str
    unit: str
    end: str


def quote(value: t.Any) -> str:
    """One value on one line."""
    return json.dumps(value, ensure_ascii=False)


def find(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, str]:
    """The spelling of each path that is there. Raises NotValid."""
    paths = list(paths)
    top = scanned.scan(text, paths)
    members = {path: scanned.find(top, path) for path in paths}
    found = {path: text[member.value : member.end] for path, member in members.items() if member}
    return {**found, **({(): text.strip()} if top and () in paths else {})}


def alike(before: str, after: str, owns: Owns) -> bool:
    """Whether all that is not ours is in both texts, byte for byte. Raises NotValid."""
    paths = [tuple(path) for path in owns]
    ours = way(paths)
    return _others(before, scanned.scan(before, paths), ours) == _others(after, scanned.scan(after, paths), ours)


def _others(text: str, node: scanned.Object | None, ours: WantedKeys) -> tuple[t.Any, ...]:
    """The members of an object that are none of ours, to compare. One that we may have made and that holds nothing else is nothing."""
    if node is None:
        return ()
    found: list[t.Any] = [node.hashed] if node.hashed else []
    for member in node.members:
        ahead = ours.below.get(member.key or "") if member.key is not None else None
        if ahead is None or ahead.asked:
            continue
        inner = _others(text, member.below, ahead) if member.below else ()
        if inner:
            found.append((member.key, inner))
        elif member.below is None and text[member.value : member.end] != "null":
            found.append(text[member.start : member.end])
    return tuple(found)


def edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    """The text with each path at its spelling, or without it. Raises NotValid."""
    if not text.strip():
        text = "{}\n" if any(spelled is not None for spelled in changes.values()) else text
    top = scanned.scan(text, changes)
    if top is None:
        return text
    short = _Short(text)
    work = short.shortened(top)
    style = None if is_empty(text) else _style(text)
    for path, spelled in changes.items():
        work = _take_out(work, path) if spelled is None else _put(work, path, spelled, style or _style(work))
    return short.restored(work)


class _Short:
    """A text in which what is none of ours is a place holder, and the way back."""

    def __init__(self, text: str) -> None:
        self._text, self._kept = text, t.cast("list[str]", [])
        self._mark = "@"
        while self._mark in text:
            self._mark += "@"

    def shortened(self, top: scanned.Object) -> str:
        """The whole text, with place holders."""
        return self._text[: top.start] + self._object(top) + self._text[top.end :]

    def restored(self, short: str) -> str:
        """What a changed short text stands for."""
        return re.sub(rf'"{self._mark}([0-9]+):"(?::0)?', lambda found: self._kept[int(found[1])], short)

    def _object(self, node: scanned.Object) -> str:
        pieces, at = [], node.start
        for number, member in enumerate(node.members):
            if member.key is None and number + 1 < len(node.members):
                pieces += [self._text[at : member.start], self._holder(member.start, member.end) + ":0"]
            else:
                pieces.append(self._text[at : member.value])
                pieces.append(self._object(member.below) if member.below else self._value(member))
            at = member.end
        return "".join([*pieces, self._text[at : node.end]])

    def _value(self, member: scanned.JsonMember) -> str:
        if member.key is not None and member.end - member.value < 100:
            return self._text[member.value : member.end]
        return self._holder(member.value, member.end)

    def _holder(self, start: int, end: int) -> str:
        self._kept.append(self._text[start:end])
        return f'"{self._mark}{len(self._kept) - 1}:"'


def is_empty(text: str) -> bool:
    """Whether this is a container with nothing in it, or no text at all."""
    return bool(re.fullmatch(r"\s*(\{\s*\}|null)?\s*", text))


def _style(text: str) -> _Style:
    compact = "\n" not in text.strip() and not is_empty(text)
    unit = re.search(r'\{\s*?\n([ \t]+)"', text)
    return _Style(compact, ":" if compact and '": ' not in text else ": ", unit[1] if unit else "  ", line_end(text))


def _after_space(text: str, offset: int) -> int:
    return t.cast("re.Match[str]", _SPACE.match(text, offset)).end()


def _members(text: str, start: int) -> list[_Member]:
    """The members of the object that starts at this offset, in text that is known to be valid."""
    members = []
    offset = _after_space(text, start + 1)
    while text[offset] != "}":
        key, after = _DECODER.raw_decode(text, offset)
        value = _after_space(text, _after_space(text, after) + 1)
        end = _DECODER.raw_decode(text, value)[1]
        members.append(_Member(key, offset, value, end))
        offset = _after_space(text, end)
        if text[offset] == ",":
            offset = _after_space(text, offset + 1)
    return members


def _span(text: str, path: _nested.Path) -> tuple[int, int] | None:
    """Where the value at this path starts and ends."""
    start = _after_space(text, 0)
    end = _DECODER.raw_decode(text, start)[1]
    for key in path:
        named = [member for member in _members(text, start) if member.key == key] if text[start] == "{" else []
        if not named:
            return None
        _name, _start, start, end = named[-1]
    return start, end


def _put(text: str, path: _nested.Path, spelled: str, style: _Style) -> str:
    """The text with this value at the path; raises NotValid where the way there is no object."""
    start = _after_space(text, 0)
    for depth, key in enumerate(path):
        if text.startswith("null", start):
            text = text[:start] + "{}" + text[start + 4 :]
        if text[start] != "{":
            raise NotValid(f"{'.'.join(path[:depth])} is not an object", line_number(text, start))
        members = _members(text, start)
        named = [member for member in members if member.key == key]
        if not named:
            return _insert(text, start, members, path[depth:], spelled, style)
        start, end = named[-1].value, named[-1].end
    return text[:start] + spelled + text[end:]


def _insert(text: str, start: int, members: list[_Member], path: _nested.Path, spelled: str, style: _Style) -> str:
    """A new last member, with an object for each further step of the path."""
    if members:
        offset, before = members[-1].end, members[-1].start
        blank = text[len(text[:before].rstrip(" \t\r\n")) : before]
        return text[:offset] + "," + blank + _spell(path, spelled, style, _indent(text, before)) + text[offset:]
    parent = _indent(text, start)
    close = text.index("}", start)
    if style.compact:
        return text[: start + 1] + _spell(path, spelled, style, "") + text[close:]
    inner = parent + style.unit
    return (
        text[: start + 1] + style.end + inner + _spell(path, spelled, style, inner) + style.end + parent + text[close:]
    )


def _spell(path: _nested.Path, spelled: str, style: _Style, indent: str) -> str:
    """``"a": {"b": value}`` for the path a, b, in the style of the text."""
    key = quote(path[0]) + style.colon
    if len(path) == 1:
        return key + spelled
    inner = indent + style.unit
    nested = _spell(path[1:], spelled, style, inner)
    if style.compact:
        return f"{key}{{{nested}}}"
    return f"{key}{{{style.end}{inner}{nested}{style.end}{indent}}}"


def _indent(text: str, offset: int) -> str:
    """The blanks that the line of this offset starts with."""
    return t.cast("re.Match[str]", re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, offset) + 1)).group()


def _take_out(text: str, path: _nested.Path) -> str:
    """The text without this path, however often its last key is there."""
    span = _span(text, path[:-1])
    if span is None or text[span[0]] != "{":
        return text
    members = _members(text, span[0])
    for index in reversed(range(len(members))):
        if members[index].key == path[-1]:
            text = _without_member(text, span[0], members, index)
            members = _members(text, span[0])
    return text


def _without_member(text: str, start: int, members: list[_Member], index: int) -> str:
    if index + 1 < len(members):
        return text[: members[index].start] + text[members[index + 1].start :]
    if index:
        return text[: members[index - 1].end] + text[members[index].end :]
    return text[: start + 1] + text[text.index("}", members[index].end) :]


SYNTAX = _nested.NestedSyntax(find, edit, is_empty, alike)
