# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of YAML files, whole or shared (Alertmanager's ``alertmanager.yml``): block mappings, double-quoted strings.

Tree: nested dicts; values are strings, numbers, true/false, lists. Shared: ``merge`` and ``remove``. New keys go to the end of
their block, a list or a dict that is set as a whole is written on one line.
Strings have JSON's escapes, with characters beyond U+FFFF as they are: their JSON escapes (surrogates) are wrong in YAML.
Cannot carry: nothing known.
Not valid here, where our keys would have to go: ``{ }`` style with something in it, an alias, a key
twice, several documents, a block of text whose last line has no end.
Source: YAML 1.2 section 7.3.1; positions by PyYAML's parser.
"""

from __future__ import annotations

import re
import typing as t

import yaml

from . import _nested
from . import _yaml_nodes as nodes
from ._text import BOM, line_end, line_number
from ._text import comment_lines as comment
from .base import NotValid, Owns, Tree, Value

__all__ = ["comment", "merge", "quote", "read", "remove", "write"]

_PLAIN_KEY = re.compile(r"(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][A-Za-z0-9_.-]*", re.IGNORECASE)
_BLOCK_TEXT = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_ESCAPED = re.compile("[\"\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def write(tree: Tree) -> str:
    """Blocks, indented by two blanks."""
    return "".join(f"{line}\n" for line in _lines(tree))


def _lines(tree: Tree) -> t.Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield _key(key) + ":"
            yield from (f"  {line}" for line in _lines(value))
        else:
            yield f"{_key(key)}: {quote(value)}"


def quote(value: Value) -> str:
    """One value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {quote(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(quote, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or f"\\u{ord(char):04x}"


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else quote(key)


def read(text: str) -> Tree:
    """The tree; raises NotValid."""
    try:
        tree = yaml.load(text.removeprefix(BOM), Loader=nodes.LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise nodes.not_valid(error) from None
    if not isinstance(tree, dict) and tree is not None:
        raise NotValid("the top level is not a mapping", 1)
    return tree or {}


def merge(text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our paths set; raises NotValid."""
    return _nested.merge(text, tree, owns, quote, SYNTAX)


def remove(text: str, owns: Owns, original: str) -> str:
    """The user's text with our paths as in the original; raises NotValid."""
    return _nested.remove(text, owns, original, SYNTAX)


def _find(text: str, paths: t.Iterable[_nested.Path]) -> dict[_nested.Path, str]:
    text = text.removeprefix(BOM)
    root = nodes.parse(text)
    found = {}
    for path in paths:
        member = nodes.find(root, path)
        if member:
            spelled = text[member.value.start:member.value.end]
            found[path] = spelled if "\n" not in spelled else _on_one_line(nodes.value_of(text, path))
    return found


def _on_one_line(value: t.Any) -> str:
    """A user's value of any kind."""
    return quote(value) if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, width=float("inf")).strip()


def _edit(text: str, changes: t.Mapping[_nested.Path, str | None]) -> str:
    """First what is there, all at once; then what is missing, one block at a time. Raises NotValid."""
    if text.startswith(BOM):
        return BOM + _edit(text[1:], changes)
    root = nodes.parse(text)
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
        text, missing = _add_block(text, missing)
    if changed:
        nodes.parse(text)
    return text


def _apply(text: str, edits: t.Iterable[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _replacement(text: str, member: nodes.Member, spelled: str) -> tuple[int, int, str]:
    """The value in its place; one that starts on a later line than its key moves up to the key."""
    value = member.value
    if value.start == value.end or "\n" in text[member.colon:value.start]:
        return member.colon, max(value.end, member.colon), " " + spelled if spelled else ""
    return value.start, value.end, spelled


def _add_block(text: str, missing: dict[_nested.Path, str]) -> tuple[str, dict[_nested.Path, str]]:
    """The text with all missing keys of the first one's block, and those still missing."""
    root = nodes.parse(text)
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
            yield _key(key) + ":"
            yield from (f"  {line}" for line in _spelled_lines(value))
        else:
            yield f"{_key(key)}: {value}".rstrip()


def _open(text: str, block: nodes.Node | None, member: nodes.Member | None, lines: list[str]) -> str:
    """The lines at the end of a block mapping, in an empty one, or at the end of a text that has none."""
    if block is not None and block.members:
        last = block.members[-1]
        return _insert(text, nodes.lines(text, last)[1], [" " * block.members[0].column + line for line in lines])
    if member is None:
        return _insert(text, len(text), lines)
    value = member.value
    if not value.anchored and value.end > value.start:
        text = text[:value.start].rstrip(" ") + text[value.end:]
    end = text.find("\n", member.colon) + 1 or len(text)
    return _insert(text, end, [" " * (member.column + 2) + line for line in lines])


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


SYNTAX = _nested.Syntax(_find, _edit, _is_empty)
