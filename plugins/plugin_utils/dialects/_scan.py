# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One scan of a user's line-oriented file: where our settings are, and what there is beside them.

Most lines of a large file are one plain setting each and none of ours. They are found a thousand at a time, by one regular expression,
and never become objects: what is not ours is only hashed. So a file of many lines costs neither much time nor much memory.
"""

from __future__ import annotations

import functools
import re
import typing as t

Path = t.Tuple[str, ...]
# Smaller texts are scanned again each time, so that they never push a large one out of the few that are remembered.
_REMEMBERED_FROM = 10_000
_AT_ONCE = 1000


class Entry(t.NamedTuple):
    """One setting in the text, as offsets: whole lines from start to end, in them the value without spacing and comment.

    open: a line right behind it would be a part of it. alone: it is a key without a value, whose line is one of ours as a whole.
    """

    path: Path
    start: int
    end: int
    value_start: int
    value_end: int
    value: str
    open: bool = False
    alone: bool = False


class Header(t.NamedTuple):
    """Where a section begins, as offsets: its header from start to body. A flat file is one section whose header is empty."""

    name: Path
    start: int
    body: int


class Plain(t.NamedTuple):
    """Lines that are one plain setting each, as offsets."""

    start: int
    end: int


class Section(t.NamedTuple):
    """A section in which something of ours may stand, up to its end, with the last of its entries."""

    name: Path
    start: int
    body: int
    end: int
    last: t.Optional[Entry]


class Survey(t.NamedTuple):
    """What one scan found of ours, in the order of the text, and a hash of what there is beside."""

    entries: t.Tuple[Entry, ...]
    sections: t.Tuple[Section, ...]
    others: int


Items = t.Iterator[t.Union[Header, Entry, Plain]]


def _keeps_any_comment(comment: str) -> bool:
    return True


class LineSyntax(t.NamedTuple):
    """How one parser reads.

    scan: text to headers and entries in their order; raises NotValid. Where lines match the given expression it may pass over them (Plain).
    line: key and spelled value to a line without its end.
    plain: expression of a line, without its end, that is one setting wherever a line may begin: a group for the key, the others for the
        value. ahead: what must follow such a line, where the next one could be a part of it.
    header: a section's name to its header line without its end.
    keeps: may this comment stay behind one of our values? (A go-ini quote ends at the last quote of the line.) One that may
        not goes with the value that it stands behind, and comes back with it.
    indented: a line that stands further in than the setting before it is a part of that setting.
    key: a key as it is spelled to the key as it is read.
    newline: what ends a line, as an expression. Where it is LF alone, a CR before it is a part of the value, and ours have none.
    """

    scan: t.Callable[[str, t.Optional[t.Pattern[str]]], Items]
    line: t.Callable[[str, str], str]
    plain: str
    ahead: str = ""
    header: t.Callable[[Path], str] = "".join
    keeps: t.Callable[[str], bool] = _keeps_any_comment
    indented: bool = False
    key: t.Callable[[str], str] = str
    newline: str = "\r?\n"

    def bare(self, lines: str) -> str:
        """Lines without the end of the last one."""
        return lines.rstrip("\n" if self.newline == "\n" else "\r\n")


def settings(text: str, syntax: LineSyntax) -> t.Iterator[tuple[Path, dict[str, str]]]:
    """All settings as ``{key: value}``, piece by piece, each with the name of its section; a section's header is an empty piece."""
    one = re.compile(f"{syntax.plain}[ \\t]*{syntax.newline}")
    section: Path = ()
    for item in syntax.scan(text, _many(syntax, ())):
        if isinstance(item, Entry):
            if not item.alone:
                yield section, {item.path[-1]: item.value}
        elif isinstance(item, Header):
            section = item.name
            if item.start < item.body:
                yield section, {}
        else:
            yield (
                section,
                {syntax.key(found[0]): "".join(found[1:]) for found in one.findall(text, item.start, item.end)},
            )


def survey(text: str, owned: frozenset[Path], syntax: LineSyntax) -> Survey:
    """One scan, or the result of the last one of this text."""
    return (_remembered if len(text) >= _REMEMBERED_FROM else _survey)(text, owned, syntax)


@functools.lru_cache(maxsize=64)
def _many(syntax: LineSyntax, names: t.Tuple[str, ...]) -> t.Pattern[str]:
    """Plain lines at once, of none of these names."""
    ours = f"(?!(?:{'|'.join(map(re.escape, names))})[ \\t=:\r\n])" if names else ""
    return re.compile(
        f"(?:{ours}{syntax.plain}[ \\t]*{syntax.newline}{syntax.ahead}){{1,{_AT_ONCE}}}",
        re.IGNORECASE if syntax.key is str.lower else 0,
    )


def _survey(text: str, owned: frozenset[Path], syntax: LineSyntax) -> Survey:
    # A plain line may come by itself (at the end of the text) or among many: it is hashed as it stands, blanks behind it included, either way.
    names = {path[:-1] for path in owned}
    one = re.compile(syntax.plain + "[ \\t]*")
    entries: list[Entry] = []
    sections: list[Section] = []
    header: Header | None = None
    last: Entry | Plain | None = None
    plain: list[str] = []
    hashed = 0

    def close(end: int) -> None:
        if header is not None and header.name in names:
            sections.append(Section(*header, end, _last_line(text, last)))

    for item in syntax.scan(text, _many(syntax, tuple(sorted({path[-1] for path in owned})))):
        if isinstance(item, Plain):
            last = item
            plain.append(text[item.start : item.end].replace("\r\n", "\n"))
        elif isinstance(item, Entry):
            last = item
            if item.path in owned:
                entries.append(item)
                continue
            whole = syntax.bare(text[item.start : item.end])
            if one.fullmatch(whole):
                plain.append(whole + "\n")
            else:
                hashed, plain = hash((hashed, "".join(plain), item.path, item.value)), []
        else:
            close(item.start)
            header, last = item, None
            if item.name not in names:
                hashed, plain = hash((hashed, "".join(plain), item.name)), []
    close(len(text))
    return Survey(tuple(entries), tuple(sections), hash((hashed, "".join(plain))))


_remembered = functools.lru_cache(maxsize=3)(_survey)


def _last_line(text: str, last: Entry | Plain | None) -> Entry | None:
    if not isinstance(last, Plain):
        return last
    start = max(last.start, text.rfind("\n", last.start, last.end - 1) + 1)
    return Entry((), start, last.end, last.end, last.end, "")
