# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The top-level blocks of a large YAML text that matter to us, found without an event for each of the others.

A file of some megabytes makes half a million events, of which a handful are ours. libyaml checks the whole text at its own speed
(``raw_parse``), which also counts its events; where each line that begins at the margin is a plain key, a block can be cut out. A cut is
right when the text in front of it is valid by itself (no quote or bracket is open there), and when the events of the block are just as
many as those that it adds to the whole.
"""

from __future__ import annotations

import re
import typing as t

import yaml

_KEY = r"[A-Za-z_][A-Za-z0-9_.-]*:(?=[ \r\n]|\Z)"
_ODD_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029\ufeff]")
_ODD_LINE = re.compile(rf"^(?![ #\r\n]|\Z|-(?=[ \r\n])|{_KEY})", re.MULTILINE)
_BLANK = r"(?:[ ]*(?:#[^\n]*)?\r?\n)*"
# Blank lines again only behind the mark: two such groups side by side would share them out in every way there is.
_START = re.compile(rf"{_BLANK}(?:---[ ]*(?:#[^\n]*)?\r?\n{_BLANK})?(?={_KEY})")
_ANY_KEY = re.compile(f"^{_KEY}", re.MULTILINE)
_DOCUMENT = 6  # events around the members of the only mapping


class Block(t.NamedTuple):
    """One top-level key with all that is below it, as offsets of whole lines."""

    start: int
    end: int


class Cut(t.NamedTuple):
    """The blocks with a key that was asked for (the last one of the text too, when one is missing); events of all others."""

    blocks: tuple[Block, ...]
    passed: int


def cut(text: str, names: t.Collection[str], loader: t.Any) -> Cut | None:
    """The blocks of these keys; None where the text is not of the kind that can be cut, or not valid."""
    if not hasattr(loader, "raw_parse") or _ODD_BREAK.search(text):
        return None
    start = _START.match(text)
    if not start or _ODD_LINE.search(text, start.end()) or not names:
        return None
    found = list(
        re.compile(rf"^(?:{'|'.join(map(re.escape, names))}):(?=[ \r\n]|\Z)", re.MULTILINE).finditer(text, start.end())
    )
    starts = [match.start() for match in found]
    if len({match.group() for match in found}) < len(names):
        starts = sorted({*starts, _last_key(text, start.end())})
    try:
        whole = _events(text, loader)
        cuts = [_block(text, at, start.end(), loader) for at in starts]
    except (yaml.YAMLError, ValueError):
        return None
    if not cuts or any(block is None for block in cuts):
        return None
    sure = [block for block in cuts if block is not None]
    asked = [count for block, count in sure if _name(text, block) in names]
    passed = whole - _DOCUMENT - sum(asked)
    return Cut(tuple(block for block, _count in sure), passed) if passed > 0 else None


def _name(text: str, block: Block) -> str:
    return text[block.start : text.index(":", block.start)]


def _last_key(text: str, first: int) -> int:
    """The last key at the margin."""
    at = len(text)
    while at > first:
        at = text.rfind("\n", first, at)
        if at < 0:
            break
        if _ANY_KEY.match(text, at + 1):
            return at + 1
    return first


def _block(text: str, start: int, first: int, loader: t.Any) -> tuple[Block, int] | None:
    following = _ANY_KEY.search(text, text.index(":", start))
    end = following.start() if following else len(text)
    inner = _events(text[start:end], loader) - _DOCUMENT
    before = _events(text[:start], loader) - _DOCUMENT if start > first else 0
    return (Block(start, end), inner) if _events(text[:end], loader) - _DOCUMENT - before == inner else None


def _events(text: str, loader: t.Any) -> int:
    """How many events a text has. Raises what PyYAML raises."""
    parser = loader(text)
    try:
        return t.cast(int, parser.raw_parse())
    finally:
        parser.dispose()
