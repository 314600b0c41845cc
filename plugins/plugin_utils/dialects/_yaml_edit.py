# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting and taking out our paths in a YAML text: what ``yaml`` and ``erb_yaml`` share."""

from __future__ import annotations

import re
import typing as t

from . import _nested
from . import _yaml_nodes as nodes
from ._text import BOM, line_end, line_number
from ._yaml_look import alike, find
from ._yaml_spell import spell_key
from .base import NotValid

_BLOCK_TEXT = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?\r?$", re.MULTILINE)


def edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    """First what is there, all at once; then what is missing, one block at a time. Raises NotValid."""
    body = text.removeprefix(BOM)
    return text[: len(text) - len(body)] + _edit(body, changes)


def _edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    root = nodes.parse(text, changes).root
    edits: list[tuple[int, int, str]] = []
    missing: dict[_nested.Path, str] = {}
    for path, spelled in changes.items():
        member = nodes.find(root, path)
        if member is None and spelled is not None:
            missing[path] = spelled
        elif member is not None and spelled is None:
            edits.append((*nodes.lines(text, member), ""))
        elif member is not None:
            edits.append(_replacement(text, member, t.cast(str, spelled)))
    changed = bool(edits or missing)
    text = _apply(text, edits)
    while missing:
        text, missing = _add_block(text, missing, changes)
    if changed:
        nodes.parse(text, changes)
    return text


def _apply(text: str, edits: t.Iterable[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(edits):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _replacement(text: str, member: nodes.YamlMember, spelled: str) -> tuple[int, int, str]:
    """The value in its place; one that starts on a later line than its key moves up to the key."""
    value = member.value
    if value.start == value.end or "\n" in text[member.colon : value.start]:
        return member.colon, max(value.end, member.colon), " " + spelled if spelled else ""
    return value.start, value.end, spelled


def _add_block(
    text: str, missing: dict[_nested.Path, str], paths: t.Iterable[_nested.Path]
) -> tuple[str, dict[_nested.Path, str]]:
    """The text with all missing keys of the first one's block, and those still missing."""
    root = nodes.parse(text, paths).root
    home, member = nodes.deepest(root, next(iter(missing)))
    depth = len(home)
    here = {path: spelled for path, spelled in missing.items() if nodes.deepest(root, path)[0] == home}
    tree: dict[str, t.Any] = {}
    for path, spelled in here.items():
        block = tree
        for key in path[depth:-1]:
            block = block.setdefault(key, {})
        block[path[-1]] = spelled
    text = _open(text, root if member is None else member.value, member, list(_spelled_lines(tree)))
    return text, {path: spelled for path, spelled in missing.items() if path not in here}


def _spelled_lines(tree: dict[str, t.Any]) -> t.Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield spell_key(key) + ":"
            yield from (f"  {line}" for line in _spelled_lines(value))
        else:
            yield f"{spell_key(key)}: {value}".rstrip()


def _open(text: str, block: nodes.Node | None, member: nodes.YamlMember | None, lines: list[str]) -> str:
    """The lines at the end of a block mapping, in an empty one, or at the end of a text that has none."""
    if block is not None and block.members:
        last = block.members[-1]
        return _insert(
            text, nodes.lines(text, last)[1], [" " * _column(text, block.members[0]) + line for line in lines]
        )
    if member is None:
        return _insert(text, len(text), lines)
    value = member.value
    if not value.anchored and value.end > value.start:
        start, stop = (
            nodes.with_its_line(text, value) if "\n" in text[member.colon : value.start] else (value.start, value.end)
        )
        text = text[:start].rstrip(" ") + text[stop:]
    end = text.find("\n", member.colon) + 1 or len(text)
    return _insert(text, end, [" " * (member.column + 2) + line for line in lines])


def _column(text: str, member: nodes.YamlMember) -> int:
    """In which column a key of a block begins; that of the question mark where one stands in front of it."""
    ahead = text[text.rfind("\n", 0, member.start) + 1 : member.start]
    return len(ahead) - len(ahead.lstrip(" ")) if ahead.lstrip(" ").startswith("?") else member.column


def _insert(text: str, offset: int, lines: t.Sequence[str]) -> str:
    end = line_end(text)
    before = text[:offset]
    if before and not before.endswith("\n"):
        if _BLOCK_TEXT.search(text):
            raise NotValid(
                "the last line has no end: a block of text there would get another line", line_number(text, len(text))
            )
        return before + end + end.join(lines) + text[offset:]
    return before + end.join(lines) + end + text[offset:]


def _is_empty(text: str) -> bool:
    return bool(re.fullmatch(r"\s*(\{\s*\}|~|null|Null|NULL)?\s*", text))


SYNTAX = _nested.NestedSyntax(find, edit, _is_empty, alike)
