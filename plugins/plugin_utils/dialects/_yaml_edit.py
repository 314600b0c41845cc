# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding, setting and taking out our paths in a YAML text, and comparing what is not ours: what ``yaml`` and ``erb_yaml`` share."""

from __future__ import annotations

import re
import typing as t

import yaml

from . import _nested
from . import _yaml_nodes as nodes
from ._text import BOM, line_end, line_number
from ._yaml_spell import quote, spell_key
from ._yaml_values import compose
from .base import NotValid, Owns

_BLOCK_TEXT = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?\r?$", re.MULTILINE)


def find(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, str]:
    """The spelling of each path that is there, on one line. Raises NotValid."""
    text, paths = text.removeprefix(BOM), list(paths)
    root = nodes.parse(text, paths).root
    found = {}
    for path in paths:
        member = nodes.find(root, path)
        if member:
            spelled = text[member.value.start:member.value.end]
            found[path] = spelled if "\n" not in spelled or not member.value.events else _on_one_line(text, path, member.value)
    return found


def _on_one_line(text: str, path: _nested.Path, node: nodes.Node) -> str:
    """A user's value of any kind."""
    value = _value(text, path, node)
    tag = getattr(node.events[0], "tag", None)
    if tag is None:
        return quote(value) if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, width=float("inf")).strip()
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
        roots = [one.root and one.root._replace(members=tuple(item for item in one.root.members if item.key in way.below)) for one in parsed]
    else:
        roots = [one.root for one in parsed]
    if _signature(roots[0], way) != _signature(roots[1], way):
        return False
    return _kept_lines(texts[0], roots[0], way) == _kept_lines(texts[1], roots[1], way)


def _signature(node: nodes.Node | None, way: nodes.Way) -> tuple[t.Any, ...]:
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


def _kept_lines(text: str, node: nodes.Node | None, way: nodes.Way) -> list[str]:
    """The lines of the text that hold neither one of our values nor the key of a block that we may have made; no blank ones at the end."""
    pieces, at = [], 0
    for start, end in sorted(_our_lines(text, node, way)):
        pieces.append(text[at:start])
        at = max(at, end)
    return [line.rstrip("\r") for line in "".join([*pieces, text[at:]]).rstrip("\r\n").split("\n")]


def _our_lines(text: str, node: nodes.Node | None, way: nodes.Way) -> t.Iterator[tuple[int, int]]:
    for member in node.members if node else ():
        ahead = way.below.get(member.key or "")
        if ahead is None:
            continue
        if ahead.asked:
            yield nodes.lines(text, member)
        elif member.value.kind == "empty":
            yield _head(text, member)
            if member.value.start > _head(text, member)[1]:
                yield _with_its_line(text, member.value)
        elif member.value.kind == "mapping":
            yield _head(text, member)
            yield from _our_lines(text, member.value, ahead)


def edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    """First what is there, all at once; then what is missing, one block at a time. Raises NotValid."""
    if text.startswith(BOM):
        return BOM + edit(text[1:], changes)
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


def _replacement(text: str, member: nodes.Member, spelled: str) -> tuple[int, int, str]:
    """The value in its place; one that starts on a later line than its key moves up to the key."""
    value = member.value
    if value.start == value.end or "\n" in text[member.colon:value.start]:
        return member.colon, max(value.end, member.colon), " " + spelled if spelled else ""
    return value.start, value.end, spelled


def _head(text: str, member: nodes.Member) -> tuple[int, int]:
    """Where the line with the key starts and ends."""
    return text.rfind("\n", 0, member.start) + 1, text.find("\n", member.colon) + 1 or len(text)


def _add_block(text: str, missing: dict[_nested.Path, str], paths: t.Iterable[_nested.Path]) -> tuple[str, dict[_nested.Path, str]]:
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


def _open(text: str, block: nodes.Node | None, member: nodes.Member | None, lines: list[str]) -> str:
    """The lines at the end of a block mapping, in an empty one, or at the end of a text that has none."""
    if block is not None and block.members:
        last = block.members[-1]
        return _insert(text, nodes.lines(text, last)[1], [" " * block.members[0].column + line for line in lines])
    if member is None:
        return _insert(text, len(text), lines)
    value = member.value
    if not value.anchored and value.end > value.start:
        start, stop = _with_its_line(text, value) if "\n" in text[member.colon:value.start] else (value.start, value.end)
        text = text[:start].rstrip(" ") + text[stop:]
    end = text.find("\n", member.colon) + 1 or len(text)
    return _insert(text, end, [" " * (member.column + 2) + line for line in lines])


def _with_its_line(text: str, value: nodes.Node) -> tuple[int, int]:
    """An empty value on a line of its own, as offsets: with that line, where nothing else is in it."""
    start = text.rfind("\n", 0, value.start) + 1
    stop = text.find("\n", value.end) + 1 or len(text)
    alone = not text[start:value.start].strip() and not text[value.end:stop].strip()
    return (start, stop) if alone else (value.start, value.end)


def _insert(text: str, offset: int, lines: t.Sequence[str]) -> str:
    end = line_end(text)
    before = text[:offset]
    if before and not before.endswith("\n"):
        if _BLOCK_TEXT.search(text):
            raise NotValid("the last line has no end: a block of text there would get another line", line_number(text, len(text)))
        return before + end + end.join(lines) + text[offset:]
    return before + end.join(lines) + end + text[offset:]


def _is_empty(text: str) -> bool:
    return bool(re.fullmatch(r"\s*(\{\s*\}|~|null|Null|NULL)?\s*", text))


SYNTAX = _nested.Syntax(find, edit, _is_empty, alike)
