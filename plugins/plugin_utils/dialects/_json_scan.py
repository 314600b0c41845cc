# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where our keys are in a JSON text, as offsets, with one look at everything else: checked, hashed, and never built.

The user's own parts may hold what Python's reader refuses: a number of five thousand digits, a thousand brackets within each other.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t

from ._text import line_number
from ._yaml_tree import WantedKeys, way
from .base import NotValid

Path = t.Tuple[str, ...]
_REMEMBERED_FROM = 10_000
_SPACE = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'[ \t\r\n]*("(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")[ \t\r\n]*:[ \t\r\n]*')
_NEXT = re.compile(r"[ \t\r\n]*([,}])")
# One token at a time, for what is nested too deeply for Python's own reader.
_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<open>[{\[])|(?P<close>[}\]])|(?P<mark>[,:])|(?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")'
    r"|(?P<word>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))"
)


def _refuse_constant(_name: str) -> t.NoReturn:
    raise NotValid("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=str, parse_float=str)


class JsonMember(t.NamedTuple):
    """One key of an object, or (key None) a run of keys that are none of ours: as offsets, and what was looked into below it."""

    key: str | None
    start: int
    value: int
    end: int
    below: Object | None = None


class Object(t.NamedTuple):
    """An object on the way to our keys, as offsets. hashed: of its members that are none of ours, in their order."""

    start: int
    end: int
    members: tuple[JsonMember, ...]
    hashed: int


def scan(text: str, paths: t.Iterable[Path]) -> Object | None:
    """The object at the top, None for a text without anything. Raises NotValid for what is no JSON object."""
    wanted = frozenset(paths)
    return (_remembered if len(text) >= _REMEMBERED_FROM else _scan)(text, wanted)


def _scan(text: str, paths: frozenset[Path]) -> Object | None:
    start = _after_space(text, 0)
    if start == len(text):
        return None
    if text[start] != "{":
        raise NotValid("not an object" if text[start] in '["' else "not JSON", 1)
    found = _object(text, start, way(paths))
    if _after_space(text, found.end) != len(text):
        raise NotValid("not JSON", line_number(text, found.end))
    return found


_remembered = functools.lru_cache(maxsize=3)(_scan)


def _object(text: str, start: int, wanted: WantedKeys) -> Object:
    members: list[JsonMember] = []
    hashed, at = 0, _after_space(text, start + 1)
    if text[at : at + 1] == "}":
        return Object(start, at + 1, (), 0)
    while True:
        found = _KEY.match(text, at)
        if not found:
            raise NotValid("not JSON", line_number(text, at))
        key_start, value = found.start(1), found.end()
        key = t.cast(str, json.loads(found[1])) if "\\" in found[1] else found[1][1:-1]
        ahead = wanted.below.get(key)
        below = _object(text, value, ahead) if ahead and ahead.below and text[value : value + 1] == "{" else None
        end = below.end if below else _value_end(text, value)
        if ahead:
            members.append(JsonMember(key, key_start, value, end, below))
        else:
            hashed = hash((hashed, text[key_start:end]))
            members.append(JsonMember(None, key_start, value, end))
        if len(members) > 2 and members[-2].key is None and members[-3].key is None:
            # A run of others: only its last member matters, for the style of a new one.
            members[-3:-1] = [JsonMember(None, members[-3].start, members[-3].start, members[-2].end)]
        mark = _NEXT.match(text, end)
        if not mark:
            raise NotValid("not JSON", line_number(text, end))
        if mark[1] == "}":
            return Object(start, mark.end(), tuple(members), hashed)
        at = mark.end()


def _after_space(text: str, offset: int) -> int:
    return t.cast("re.Match[str]", _SPACE.match(text, offset)).end()


def _value_end(text: str, start: int) -> int:
    """Where a value ends. Raises NotValid."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError:
        return _nested_end(text, start)
    except json.JSONDecodeError as error:
        raise NotValid("not JSON", line_number(text, error.pos)) from None


def _nested_end(text: str, start: int) -> int:
    """The same without a call for each bracket."""
    open_brackets: list[str] = []
    at, expected = start, "value"
    while True:
        token = _TOKEN.match(text, at)
        if not token:
            raise NotValid("not JSON", line_number(text, at))
        at = token.end()
        expected = _after_token(token, expected, open_brackets)
        if not expected:
            raise NotValid("not JSON", line_number(text, at))
        if not open_brackets:
            return at


def _after_token(token: t.Match[str], expected: str, open_brackets: list[str]) -> str:
    """What may come next; nothing where this token may not stand here."""
    inside = open_brackets[-1] if open_brackets else ""
    if token["open"]:
        open_brackets.append(token["open"])
        fine = expected in ("value", "value or end")
        return ("key or end" if token["open"] == "{" else "value or end") if fine else ""
    if token["close"]:
        fine = expected in ("mark", "key or end", "value or end") and inside + token["close"] in ("{}", "[]")
        open_brackets.pop()
        return "mark" if fine else ""
    if token["mark"] == ":":
        return "value" if expected == "colon" else ""
    if token["mark"]:
        return ("key" if inside == "{" else "value") if expected == "mark" else ""
    if expected in ("key", "key or end"):
        return "colon" if token["text"] else ""
    return "mark" if expected in ("value", "value or end") else ""


def find(top: Object | None, path: Path) -> JsonMember | None:
    """The member in force at this path: of equal keys the last."""
    node, member = top, None
    for key in path:
        member = next((member for member in reversed(node.members) if member.key == key), None) if node else None
        if member is None:
            return None
        node = member.below
    return member
