# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of Gitea's ``app.ini``: go-ini (``gopkg.in/ini.v1``) with IgnoreContinuation.

Tree: ``{section: {KEY: value}}``; section ``""`` is what stands before the first header. Shared: ``merge`` and ``remove``.
Sections with the same name are one, the last of equal keys is in force. A value that is not one harmless word goes into
backticks, or into three double quotes when it holds a backtick.
Cannot carry: a line break, NUL, ``%(NAME)s`` (replaced even inside quotes), a backtick together with three double quotes.
Source: go-ini ``parser.go`` (parse, readKeyName, readValue), ``key.go`` (transformValue); Gitea ``modules/setting/config_provider.go``.
"""

from __future__ import annotations

import re
import typing as t

from . import _keyed
from ._text import BOM, Lines, line_number, one_line
from ._text import comment_lines as comment
from .base import CannotCarry, NotValid, Owns, Tree, Value

__all__ = ["GoIni", "alike", "comment", "merge", "quote", "read", "remove", "values", "write"]

_BARE = re.compile(r"[A-Za-z0-9_.+@^,/:-]+")
# A line that is the same to go-ini with any load options.
_CHAR = r"!$-&(-:<-\[\]-_a-~"
_PLAIN = rf"([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*([{_CHAR}](?:[{_CHAR} \t]*[{_CHAR}])?)?"
_REFERENCE = re.compile(r"%\([^)]+\)s")
_DELIMITER = re.compile("[=:]")
# What Go's unicode.IsSpace says.
_BLANKS = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


def quote(value: Value) -> str:
    """A bare word, or the value in backticks or three double quotes."""
    text = one_line(value)
    if _BARE.fullmatch(text):
        return text
    if _REFERENCE.search(text):
        raise CannotCarry("%(NAME)s is replaced by another key, also inside quotes")
    if "`" not in text:
        return f"`{text}`"
    if '"""' not in text:
        return f'"""{text}"""'
    raise CannotCarry("a backtick and three double quotes in one value leave no quote to put around it")


class GoIni(t.NamedTuple):
    """The dialect with one application's load options and spelling.

    continuation: a backslash at the end of an unquoted value joins the next line.
    """

    continuation: bool
    quote: t.Callable[[Value], str]

    def write(self, tree: Tree) -> str:
        """Each section under its header, a blank line between."""
        blocks = []
        for section, settings in tree.items():
            lines = [_line(key, self.quote(value)) for key, value in settings.items()]
            blocks.append("".join(f"{line}\n" for line in ([_header((section,))] if section else []) + lines))
        return "\n".join(blocks)

    def read(self, text: str) -> Tree:
        """``{section: {KEY: text}}`` as the parser sees it; raises NotValid."""
        tree: dict[str, dict[str, str]] = {}
        for section, piece in _keyed.settings(text, self.syntax):
            tree.setdefault(section[0], {}).update(piece)
        return tree

    def merge(self, text: str, tree: Tree, owns: Owns) -> str:
        """The user's text with our keys set; raises NotValid."""
        wanted: dict[_keyed.Path, str] = {
            (section, key): self.quote(value) for section, keys in tree.items() for key, value in keys.items()
        }
        return _keyed.merge(text, wanted, owns, self.syntax)

    def remove(self, text: str, owns: Owns, original: str) -> str:
        """The user's text with our keys as in the original; raises NotValid."""
        return _keyed.remove(text, owns, original, self.syntax)

    def alike(self, before: str, after: str, owns: Owns) -> bool:
        """Whether all that is not ours is in both texts; raises NotValid."""
        return _keyed.alike(before, after, owns, self.syntax)

    def values(self, text: str, paths: t.Iterable[_keyed.Path]) -> dict[_keyed.Path, t.Any]:
        """What is set at these paths; raises NotValid."""
        return _keyed.values(text, paths, self.syntax)

    @property
    def syntax(self) -> _keyed.LineSyntax:
        """How the parser sees a text."""
        return _keyed.LineSyntax(
            _scan_joining if self.continuation else _scan_plain, _line, _PLAIN, "", _header, _keeps
        )


def _line(key: str, spelled: str) -> str:
    return f"{key} = {spelled}"


def _header(name: _keyed.Path) -> str:
    return f"[{name[0]}]"


def _keeps(rest: str) -> bool:
    return "`" not in rest and '"""' not in rest


def _scan_plain(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    return _scan(text, many, False)


def _scan_joining(text: str, many: t.Pattern[str] | None) -> _keyed.Items:
    return _scan(text, many, True)


def _scan(text: str, many: t.Pattern[str] | None, continuation: bool) -> _keyed.Items:
    """Entries and headers; raises NotValid with the line where go-ini would give up."""
    first = 1 if text.startswith(BOM) else 0
    section: _keyed.Path = ("",)
    yield _keyed.Header(section, first, first)
    lines = Lines(text, many)
    for start, line, plain in lines:
        if plain:
            yield _keyed.Plain(start, start + len(line))
            continue
        bare = line.strip(_BLANKS)
        if not bare or bare[0] in "#;":
            continue
        if bare[0] == "[":
            close = line.rfind("]")
            if close < 0:
                raise NotValid("a section header without ]", line_number(text, start))
            name = line[line.index("[") + 1 : close]
            section = ("" if name == "DEFAULT" else name,)
            yield _keyed.Header(section, start, start + len(line))
        else:
            yield _entry(text, start, line, section, lines, continuation)


def _entry(text: str, start: int, line: str, section: _keyed.Path, lines: Lines, continuation: bool) -> _keyed.Entry:
    key, after = _key(line)
    if not key:
        raise NotValid("neither a section, a comment nor KEY = value", line_number(text, start))
    rest = line[after:]
    value_start = start + after + len(rest) - len(rest.lstrip(" \t"))
    rest = rest.lstrip(_BLANKS)
    mark = '"""' if len(rest) > 3 and rest.startswith('"""') else "`" if rest.startswith("`") else ""
    goes_on = False
    if mark:
        value, value_end, end = _quoted(text, start, value_start, line, mark, lines)
    elif continuation and rest.rstrip(_BLANKS).endswith("\\"):
        value, value_end, end, goes_on = _continued(start + len(line), rest.rstrip(_BLANKS)[:-1], lines)
    else:
        bare = re.split("[#;]", rest, maxsplit=1)[0].rstrip(_BLANKS)
        value, value_end, end = _unwrapped(bare), value_start + len(bare), start + len(line)
    return _keyed.Entry((*section, key), start, end, value_start, value_end, value, goes_on)


def _key(line: str) -> tuple[str, int]:
    """Name and the offset after the delimiter; an empty name where there is none."""
    indent = len(line) - len(line.lstrip(_BLANKS))
    mark = next((mark for mark in ('"""', '"', "`") if line.startswith(mark, indent)), "")
    if mark:  # the first of its kind closes, as in go-ini; searched for once, however many there are
        close = line.find(mark, indent + len(mark))
        delimiter = _DELIMITER.search(line, close + len(mark)) if close >= 0 else None
        return (line[indent + len(mark) : close].strip(_BLANKS), delimiter.end()) if delimiter else ("", 0)
    delimiter = _DELIMITER.search(line, indent)
    return (line[indent : delimiter.start()].strip(_BLANKS), delimiter.end()) if delimiter else ("", 0)


def _quoted(text: str, start: int, value_start: int, line: str, mark: str, lines: Lines) -> tuple[str, int, int]:
    """Value, where its spelling ends, where its lines end. The last mark of the line closes."""
    opened, end = value_start + len(mark), start + len(line)
    close = text.rfind(mark, opened, end)
    while close < 0:
        following = lines.line()
        if not following[1]:
            raise NotValid("a quote that is never closed", line_number(text, start))
        end = following[0] + len(following[1])
        close = text.rfind(mark, following[0], end)
    return text[opened:close], close + len(mark), end


def _continued(end: int, value: str, lines: Lines) -> tuple[str, int, int, bool]:
    """Value, where its spelling ends, where its lines end, and whether one more line would be joined.

    Lines are joined as long as they end in a backslash.
    """
    value_end = end
    while True:
        start, line = lines.line()
        if not line:
            return value, value_end, end, True
        bare = line.strip(_BLANKS)
        end, value_end = start + len(line), start + len(line.rstrip(_BLANKS))
        value += bare
        if not bare or not value.endswith("\\"):
            return value, value_end, end, False
        value = value[:-1]


def _unwrapped(bare: str) -> str:
    for mark in "'\"":
        if len(bare) >= 2 and bare[0] == bare[-1] == mark and bare.count(mark) == 2:
            return bare[1:-1]
    return bare


_gitea = GoIni(continuation=False, quote=quote)
write, read, merge, remove, alike, values = (
    _gitea.write,
    _gitea.read,
    _gitea.merge,
    _gitea.remove,
    _gitea.alike,
    _gitea.values,
)
