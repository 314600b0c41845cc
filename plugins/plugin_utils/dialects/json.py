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
import re
import typing as t

from . import _nested
from ._text import line_end, line_number
from .base import NotValid, Owns, Tree, Value

__all__ = ["merge", "quote", "read", "remove", "write"]

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Member(t.NamedTuple):
    """One key of an object, as offsets: where the key starts, where its value starts and ends."""

    key: str
    start: int
    value: int
    end: int


def write(tree: Tree) -> str:
    """Indented by two blanks."""
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def quote(value: Value) -> str:
    """One value on one line."""
    return json.dumps(value, ensure_ascii=False)


def read(text: str) -> Tree:
    """The object; raises NotValid."""
    try:
        tree = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotValid("not JSON", error.lineno) from None
    except RecursionError:
        raise NotValid("nested too deeply") from None
    if not isinstance(tree, dict):
        raise NotValid("not an object", 1)
    return tree


def _refuse_constant(_name: str) -> t.NoReturn:
    raise NotValid("NaN and Infinity are not JSON")


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    return _nested.merge(text, tree, owns, quote, _SYNTAX) if text.strip() else write(tree)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our paths as in the original; raises NotValid."""
    return _nested.remove(text, owns, original, _SYNTAX)


def _find(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, str]:
    if not text.strip():
        return {}
    read(text)
    found = {}
    for path in paths:
        span = _span(text, path)
        if span:
            found[path] = text[span[0]:span[1]]
    return found


def _edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    if not text.strip():
        text = "{}\n" if any(spelled is not None for spelled in changes.values()) else text
    if text.strip():
        read(text)
        for path, spelled in changes.items():
            text = _take_out(text, path) if spelled is None else _put(text, path, spelled)
    return text


def _is_empty(text: str) -> bool:
    return bool(re.fullmatch(r"\s*(\{\s*\}|null)?\s*", text))


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


def _put(text: str, path: _nested.Path, spelled: str) -> str:
    """The text with this value at the path; raises NotValid where the way there is no object."""
    start = _after_space(text, 0)
    for depth, key in enumerate(path):
        if text.startswith("null", start):
            text = text[:start] + "{}" + text[start + 4:]
        if text[start] != "{":
            raise NotValid(f"{'.'.join(path[:depth])} is not an object", line_number(text, start))
        members = _members(text, start)
        named = [member for member in members if member.key == key]
        if not named:
            return _insert(text, start, members, path[depth:], spelled)
        start, end = named[-1].value, named[-1].end
    return text[:start] + spelled + text[end:]


def _insert(text: str, start: int, members: list[_Member], path: _nested.Path, spelled: str) -> str:
    """A new last member, with an object for each further step of the path."""
    if members:
        offset, before = members[-1].end, members[-1].start
        blank = text[len(text[:before].rstrip(" \t\r\n")):before]
        return text[:offset] + "," + blank + _spell(path, spelled, text, _indent(text, before)) + text[offset:]
    parent = _indent(text, start)
    close = text.index("}", start)
    if _is_compact(text):
        return text[:start + 1] + _spell(path, spelled, text, "") + text[close:]
    end = line_end(text)
    inner = parent + _unit(text)
    return text[:start + 1] + end + inner + _spell(path, spelled, text, inner) + end + parent + text[close:]


def _spell(path: _nested.Path, spelled: str, text: str, indent: str) -> str:
    """``"a": {"b": value}`` for the path a, b, in the style of the text."""
    key = quote(path[0]) + (":" if _is_compact(text) and '": ' not in text else ": ")
    if len(path) == 1:
        return key + spelled
    inner = indent + _unit(text)
    nested = _spell(path[1:], spelled, text, inner)
    if _is_compact(text):
        return f"{key}{{{nested}}}"
    end = line_end(text)
    return f"{key}{{{end}{inner}{nested}{end}{indent}}}"


def _is_compact(text: str) -> bool:
    """Everything on one line (an empty object has no style yet)."""
    return "\n" not in text.strip() and not _is_empty(text)


def _indent(text: str, offset: int) -> str:
    """The blanks that the line of this offset starts with."""
    return t.cast("re.Match[str]", re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, offset) + 1)).group()


def _unit(text: str) -> str:
    """One step of indentation: that of the first indented key."""
    found = re.search(r'\{\s*?\n([ \t]+)"', text)
    return found[1] if found else "  "


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
        return text[:members[index].start] + text[members[index + 1].start:]
    if index:
        return text[:members[index - 1].end] + text[members[index].end:]
    return text[:start + 1] + text[text.index("}", members[index].end):]


_SYNTAX = _nested.Syntax(_find, _edit, _is_empty)
