# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting and removing keys in a user's line-oriented file, all other bytes kept: what ini and env dialects share.

A dialect says by a ``LineSyntax`` (``_scan``) how its parser sees the text; everything here works on offsets and never on a rewritten copy.
"""

from __future__ import annotations

import typing as t

from ._scan import Entry, Header, Items, LineSyntax, Path, Plain, Section, Survey, settings, survey
from ._text import BOM, line_end
from .base import Owns

__all__ = ["Entry", "Header", "Items", "Path", "Plain", "LineSyntax", "alike", "merge", "remove", "settings", "values"]


class _Edit(t.NamedTuple):
    start: int
    end: int
    text: str


def merge(text: str, wanted: t.Mapping[Path, str], owns: Owns, syntax: LineSyntax) -> str:
    """The text with each wanted key at its spelled value and no other owned key. Raises what ``scan`` raises."""
    lines = {path: syntax.line(path[-1], spelled) for path, spelled in wanted.items()}
    owned = _owned(owns) | set(wanted)
    entries = survey(text, owned, syntax).entries
    in_force = {entry.path: entry for entry in entries}
    edits = []
    for entry in entries:
        if entry.path not in wanted or in_force[entry.path] is not entry:
            edits.append(_Edit(entry.start, entry.end, ""))
        else:
            edits.append(_replacement(text, entry, lines[entry.path] if entry.alone else wanted[entry.path], syntax))
    text = _apply(text, edits)
    return _add(text, {path: line for path, line in lines.items() if path not in in_force}, owned, syntax)


def _owned(owns: Owns) -> frozenset[Path]:
    return frozenset(tuple(path) for path in owns)


def _replacement(text: str, entry: Entry, spelled: str, syntax: LineSyntax) -> _Edit:
    if spelled.startswith("=") and text[entry.value_start - 1 : entry.value_start] == "=":
        spelled = f" {spelled}"  # two of them would be another sign (Exim's ==)
    if syntax.keeps(text[entry.value_end : entry.end]):
        return _Edit(entry.value_start, entry.value_end, spelled)
    return _Edit(entry.value_start, _bare_end(text, entry, syntax), spelled)


def _bare_end(text: str, entry: Entry, syntax: LineSyntax) -> int:
    """Where the entry's lines end, without the end of the last one."""
    return entry.start + len(syntax.bare(text[entry.start : entry.end]))


def _line_end(text: str, syntax: LineSyntax) -> str:
    return "\n" if syntax.newline == "\n" else line_end(text)


def remove(text: str, owns: Owns, original: str, syntax: LineSyntax) -> str:
    """The text with our keys as they are in the original. Nothing else changed since: exactly the original."""
    owned = _owned(owns)
    if _without(text, owned, syntax) == _without(original, owned, syntax):
        return original
    before: dict[Path, list[str]] = {}
    standing = survey(original, owned, syntax)
    for entry in standing.entries:
        before.setdefault(entry.path, []).append(syntax.bare(original[entry.start : entry.end]))
    end = _line_end(text, syntax)
    edits, done = [], set()
    for entry in survey(text, owned, syntax).entries:
        old = [] if entry.path in done else before.get(entry.path, [])
        done.add(entry.path)
        edits.append(_Edit(entry.start, _bare_end(text, entry, syntax) if old else entry.end, end.join(old)))
    text = _apply(text, edits)
    text = _add(text, {path: end.join(old) for path, old in before.items() if path not in done}, owned, syntax)
    kept = {section.name for section in standing.sections}
    return _apply(
        text, _emptied(text, [section for section in survey(text, owned, syntax).sections if section.name not in kept])
    )


def values(
    text: str, paths: t.Iterable[Path], syntax: LineSyntax, plain: t.Callable[[str], t.Any] = str
) -> dict[Path, t.Any]:
    """What is set at these paths, of equal keys the last; ``plain`` makes a value of how it is spelled. Raises what ``scan`` raises."""
    entries = survey(text, frozenset(paths), syntax).entries
    in_force = {entry.path: entry for entry in entries}
    return {path: plain(entry.value) for path, entry in in_force.items() if not entry.alone}


def alike(before: str, after: str, owns: Owns, syntax: LineSyntax) -> bool:
    """Whether all that is not ours is in both texts: as it is read, and byte for byte. Raises what ``scan`` raises."""
    owned = _owned(owns)
    if survey(before, owned, syntax).others != survey(after, owned, syntax).others:
        return False
    return _without(before, owned, syntax) == _without(after, owned, syntax)


def _without(text: str, owned: frozenset[Path], syntax: LineSyntax) -> str:
    """The text without our keys, without sections that held nothing else, without blank lines at the end."""
    found = survey(text, owned, syntax)
    text = _apply(text, [_Edit(entry.start, entry.end, "") for entry in found.entries])
    return syntax.bare(_apply(text, _emptied(text, _moved(found))))


def _moved(found: Survey) -> t.Iterator[Section]:
    """Where the sections are once all our entries are taken out."""
    entries, gone, at = found.entries, 0, 0

    def less(offset: int) -> int:
        nonlocal gone, at
        while at < len(entries) and entries[at].start < offset:
            gone += entries[at].end - entries[at].start
            at += 1
        return offset - gone

    for section in found.sections:
        yield section._replace(start=less(section.start), body=less(section.body), end=less(section.end))


def _emptied(text: str, sections: t.Iterable[Section]) -> list[_Edit]:
    """Of these sections those with nothing in them are taken out, each with the one blank line that ``_add`` puts above it."""
    end = line_end(text)
    edits = []
    for section in sections:
        if section.name != () and section.start < section.body and not text[section.body : section.end].strip():
            above = len(end) if text[max(0, section.start - 2 * len(end)) : section.start] == end + end else 0
            edits.append(_Edit(section.start - above, section.body, ""))
    return edits


def _add(text: str, lines: t.Mapping[Path, str], owned: frozenset[Path], syntax: LineSyntax) -> str:
    """New lines after the last setting of their section, in the given order; new sections at the end of the text."""
    if not lines:
        return text
    by_section: dict[Path, list[str]] = {}
    for path, line in lines.items():
        by_section.setdefault(path[:-1], []).append(line)
    last_piece = {section.name: section for section in survey(text, owned, syntax).sections}
    edits = [_behind(text, last_piece[name], group, syntax) for name, group in by_section.items() if name in last_piece]
    text = _apply(text, edits)
    for name, group in by_section.items():
        if name not in last_piece:
            blank = [""] if text.strip(BOM + "\r\n") else []
            text = _apply(text, [_insertion(text, len(text), [*blank, syntax.header(name), *group], syntax)])
    return text


def _behind(text: str, section: Section, lines: t.Sequence[str], syntax: LineSyntax) -> _Edit:
    """Our lines behind the last setting of a section. One that goes on with the next line is ended by a blank one."""
    margin = _margin(text, section) if syntax.indented else ""
    ended = [""] if section.last is not None and section.last.open else []
    return _insertion(
        text, section.last.end if section.last else section.body, [*ended, *(margin + line for line in lines)], syntax
    )


def _margin(text: str, section: Section) -> str:
    """How far in a line must stand to be no part of the setting above it, and the line below it none of it."""
    if section.last:
        return _indent(text, section.last.start)
    return max(_indent(text, section.start), _indent(text, section.end), key=len)


def _indent(text: str, start: int) -> str:
    end = text.find("\n", start) + 1 or len(text)
    return text[start : end - len(text[start:end].lstrip())]


def _insertion(text: str, offset: int, lines: t.Sequence[str], syntax: LineSyntax) -> _Edit:
    """Whole lines at a line's start, or after a last line that has no end (then ours has none either)."""
    end = _line_end(text, syntax)
    if offset > (1 if text.startswith(BOM) else 0) and text[offset - 1] != "\n":
        return _Edit(offset, offset, end + end.join(lines))
    return _Edit(offset, offset, end.join(lines) + end)


def _apply(text: str, edits: t.Iterable[_Edit]) -> str:
    pieces, at = [], 0
    for edit in sorted(edits):
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]]) if pieces else text
