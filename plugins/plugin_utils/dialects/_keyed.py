# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Setting and taking back keys in a user's line-oriented file, all other bytes kept: what ini and env dialects share.

A dialect says by a ``Syntax`` how its parser sees the text; everything here works on offsets and never on a rewritten copy.
"""

from __future__ import annotations

import typing as t

from ._text import BOM, line_end
from .base import Owns

Path = t.Tuple[str, ...]


class Entry(t.NamedTuple):
    """One setting in the text, as offsets: whole lines from start to end, in them the value without spacing and comment."""

    path: Path
    start: int
    end: int
    value_start: int
    value_end: int
    value: str


class Section(t.NamedTuple):
    """One header and what follows it, as offsets. A flat file is one section whose header is empty."""

    name: Path
    start: int
    body: int
    end: int


class Document(t.NamedTuple):
    """What a scan found, in the order of the text."""

    entries: tuple[Entry, ...]
    sections: tuple[Section, ...]


def _keeps_any_comment(comment: str) -> bool:
    return True


class Syntax(t.NamedTuple):
    """How one parser reads.

    scan: text to Document; raises NotValid.
    line: key and spelled value to a line without its end.
    header: a section's name to its header line without its end.
    keeps: may this comment stay behind one of our values? (A go-ini quote ends at the last quote of the line.) One that may
        not goes with the value that it stands behind, and comes back with it.
    """

    scan: t.Callable[[str], Document]
    line: t.Callable[[str, str], str]
    header: t.Callable[[Path], str] = "".join
    keeps: t.Callable[[str], bool] = _keeps_any_comment


class _Edit(t.NamedTuple):
    start: int
    end: int
    text: str


def merge(text: str, wanted: t.Mapping[Path, str], owns: Owns, syntax: Syntax) -> str:
    """The text with each wanted key at its spelled value and no other owned key. Raises what ``scan`` raises."""
    lines = {path: syntax.line(path[-1], spelled) for path, spelled in wanted.items()}
    owned = {tuple(path) for path in owns} | set(wanted)
    entries = syntax.scan(text).entries
    in_force = {entry.path: entry for entry in entries}
    edits = []
    for entry in entries:
        if entry.path in owned and (entry.path not in wanted or in_force[entry.path] is not entry):
            edits.append(_Edit(entry.start, entry.end, ""))
        elif entry.path in wanted:
            edits.append(_replacement(text, entry, wanted[entry.path], syntax))
    text = _apply(text, edits)
    return _add(text, {path: line for path, line in lines.items() if path not in in_force}, syntax)


def _replacement(text: str, entry: Entry, spelled: str, syntax: Syntax) -> _Edit:
    if syntax.keeps(text[entry.value_end:entry.end]):
        return _Edit(entry.value_start, entry.value_end, spelled)
    return _Edit(entry.value_start, len(text[:entry.end].rstrip("\r\n")), spelled)


def remove(text: str, owns: Owns, original: str, syntax: Syntax) -> str:
    """The text with our keys as they are in the original. Nothing else changed since: exactly the original."""
    owned = {tuple(path) for path in owns}
    if _without(text, owned, syntax) == _without(original, owned, syntax):
        return original
    before: dict[Path, list[str]] = {}
    for entry in syntax.scan(original).entries:
        if entry.path in owned:
            before.setdefault(entry.path, []).append(original[entry.start:entry.end].rstrip("\r\n"))
    entries = [entry for entry in syntax.scan(text).entries if entry.path in owned]
    end = line_end(text)
    edits, done = [], set()
    for entry in entries:
        old = [] if entry.path in done else before.get(entry.path, [])
        done.add(entry.path)
        stop = entry.start + len(text[entry.start:entry.end].rstrip("\r\n")) if old else entry.end
        edits.append(_Edit(entry.start, stop, end.join(old)))
    text = _apply(text, edits)
    text = _add(text, {path: end.join(old) for path, old in before.items() if path not in done}, syntax)
    return _without_new_sections(text, owned, original, syntax)


def _without(text: str, owned: set[Path], syntax: Syntax) -> str:
    """The text without our keys, without sections that held nothing else, without blank lines at the end."""
    entries = syntax.scan(text).entries
    text = _apply(text, [_Edit(entry.start, entry.end, "") for entry in entries if entry.path in owned])
    return _without_new_sections(text, owned, "", syntax).rstrip("\r\n")


def _without_new_sections(text: str, owned: set[Path], original: str, syntax: Syntax) -> str:
    """Our sections that are empty now are taken out, unless the original has them."""
    names = {path[:-1] for path in owned} - {section.name for section in syntax.scan(original).sections} - {()}
    edits = []
    for section in syntax.scan(text).sections:
        if section.name in names and section.start < section.body and not text[section.body:section.end].strip():
            edits.append(_Edit(_before_blank_line(text, section.start), section.body, ""))
    return _apply(text, edits)


def _before_blank_line(text: str, offset: int) -> int:
    """The offset, less the one blank line that ``_add`` puts above a new section."""
    end = line_end(text)
    return offset - len(end) if text[:offset].endswith(end + end) else offset


def _add(text: str, lines: t.Mapping[Path, str], syntax: Syntax) -> str:
    """New lines after the last setting of their section, in the given order; new sections at the end of the text."""
    by_section: dict[Path, list[str]] = {}
    for path, line in lines.items():
        by_section.setdefault(path[:-1], []).append(line)
    for name, group in by_section.items():
        offset = _end_of_section(syntax.scan(text), name)
        if offset is None:
            blank = [""] if text.strip(BOM + "\r\n") else []
            text = _insert(text, len(text), [*blank, syntax.header(name), *group])
        else:
            text = _insert(text, offset, group)
    return text


def _end_of_section(document: Document, name: Path) -> int | None:
    pieces = [section for section in document.sections if section.name == name]
    if not pieces:
        return None
    last = pieces[-1]
    ends = [entry.end for entry in document.entries if last.body <= entry.start < last.end]
    return max(ends, default=last.body)


def _insert(text: str, offset: int, lines: t.Sequence[str]) -> str:
    """Whole lines at a line's start, or after a last line that has no end (then ours has none either)."""
    end = line_end(text)
    before = text[:offset]
    if before.strip(BOM) and not before.endswith("\n"):
        return before + end + end.join(lines) + text[offset:]
    return before + end.join(lines) + end + text[offset:]


def _apply(text: str, edits: t.Iterable[_Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[:edit.start] + edit.text + text[edit.end:]
    return text
