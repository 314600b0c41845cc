# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an entry's expression may do: enough to make a value of other values, and nothing that takes time or memory beyond its own length.

Entries may come from anywhere. Jinja2's sandbox keeps them from what is not theirs; this keeps them from ``'a' * 10**9``. What can be
seen without a value is refused when the entry is loaded (``expressions``), the rest where it happens.
"""

from __future__ import annotations

import functools
import json
import math
import re
import shlex
import typing as t
import urllib.parse

LONGEST = 1_000_000  # characters of anything that is made on the way
EXPRESSION, DEEPEST = 4_000, 40  # characters of an expression, operators and brackets within each other
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {
            "capitalize",
            "casefold",
            "count",
            "endswith",
            "find",
            "format",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "islower",
            "isnumeric",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
        }
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
ANY_METHOD = frozenset().union(*_METHODS.values())
WIDE = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\*|[0-9]{3,}|[0-9]*\.(?:\*|[0-9]{3,}))")
_FIELD = re.compile(r"\{\{|\}\}|\{\w*\}|[^{}]+")
_YAML_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


PLAIN_FORMAT = "a field of a format may only be a name or a number"


class TooMuch(Exception):
    """The expression asks for more than any setting needs. The text says what, and shows no value."""


def call(target: t.Any, name: str, given: t.Sequence[t.Any], named: t.Mapping[str, t.Any]) -> t.Any:
    """What a method gives. Raises TooMuch, and what the method raises."""
    known = next((methods for kind, methods in _METHODS.items() if isinstance(target, kind)), frozenset())
    if name not in known:
        raise TooMuch(f"there is no method {name} here")
    if name == "format" and not is_plain_format(target):
        raise TooMuch(PLAIN_FORMAT)
    if name == "replace":
        return replaced(target, *given, **named)
    if name == "join":
        return _joined([str(item) for item in given[0]], target)
    return fitting(getattr(target, name)(*given, **named))


def is_plain_format(text: str) -> bool:
    """Whether every field of a format is a name or a number, without a width."""
    return "".join(_FIELD.findall(text)) == text


def replaced(text: t.Any, old: str, new: str, count: int | None = None) -> str:
    """The filter and the method ``replace``. Raises TooMuch."""
    before: str = str(text)
    old, new = str(old), str(new)
    times = before.count(old) if count is None or count < 0 else min(before.count(old), count)
    _check(len(before) + times * max(0, len(new) - len(old)))
    return before.replace(old, new, -1 if count is None else count)


def _joined(items: t.Sequence[str], mark: str) -> str:
    _check(sum(map(len, items)) + len(mark) * len(items))
    return mark.join(items)


def fitting(value: t.Any) -> t.Any:
    """One step's value. Raises TooMuch."""
    if isinstance(value, (str, list, tuple, dict)):
        _check(len(value))
    return value


def fits(value: t.Any) -> t.Any:
    """The value of a whole expression, which is a setting: no method, no iterator, nothing of Jinja2's own. Raises TooMuch."""
    length, todo = 0, [value]
    while todo:
        item = todo.pop()
        length += len(item) if isinstance(item, (str, list, tuple, dict)) else 1
        _check(length)
        if not (
            item is None
            or isinstance(item, (str, int, list, tuple, dict))
            or isinstance(item, float)
            and math.isfinite(item)
        ):
            raise TooMuch("it makes something that no setting holds")
        todo += (
            [*item.keys(), *item.values()]
            if isinstance(item, dict)
            else item
            if isinstance(item, (list, tuple))
            else ()
        )
    return value


def _check(length: int) -> None:
    if length > LONGEST:
        raise TooMuch("it makes more text than any setting holds")


def percent(value: str) -> str:
    """Percent-encode for a URL's user part: only the unreserved characters of RFC 3986 section 2.3 stay."""
    return urllib.parse.quote(value, safe="")


def json_text(value: str) -> str:
    """A text as a JSON string that YAML reads the same: what YAML takes for a line break is escaped, what is beyond U+FFFF is not."""
    return _YAML_BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))


def joined(value: t.Iterable[t.Any], d: str = "", attribute: t.Any = None) -> str:
    """The filter ``join``. Raises TooMuch."""
    if attribute is not None:
        raise TooMuch("join takes no attribute here")
    return _joined([str(item) for item in value], str(d))


def multiplied(left: t.Any, right: t.Any) -> None:
    """Whether these two may be. Raises TooMuch."""
    if not all(isinstance(side, (int, float)) and abs(side) < 10**18 for side in (left, right)):
        raise TooMuch("only numbers of a sensible size can be multiplied")


def bounded(work: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """A filter whose value is looked at. What Jinja2 takes for HTML is text here: it would escape all that is put into it later."""

    @functools.wraps(work)
    def checked(*given: t.Any, **named: t.Any) -> t.Any:
        made = work(*given, **named)
        return fitting(str(made) if hasattr(made, "__html__") else made)

    return checked


#: Our own filters, and those of Jinja2 whose value could be many times as long as what goes in.
OWN_FILTERS: dict[str, t.Callable[..., t.Any]] = {
    "json": bounded(json_text),
    "percent": bounded(percent),
    "shell": bounded(shlex.quote),
    "replace": replaced,
    "join": joined,
}
