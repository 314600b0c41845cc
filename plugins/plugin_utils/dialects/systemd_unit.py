# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of a unit file of systemd, here of drop-ins that name a file: ``[Section]`` and ``Key=path``, a percent sign doubled.

Tree: ``{section: {key: path}}``.
Cannot carry: a line break or another control character; whitespace at either end, or a backslash at the end of the line; ``* ? [`` and
a backslash (EnvironmentFile= takes a pattern).
Source: systemd.syntax(7), systemd.unit(5) SPECIFIERS, systemd.exec(5) EnvironmentFile=.
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line, refuse_edge_blanks
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_WHITESPACE = " \t\r\n"  # to systemd
_UNFIT = re.compile(r"[\x00-\x1f\x7f*?\[\\]")


def write(tree: Tree) -> str:
    """Each section with its keys."""
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key}={quote(value)}\n" for key, value in keys.items())
        for section, keys in tree.items()
    )


def quote(value: Value) -> str:
    """The path as it stands; only the percent sign means something here."""
    text = one_line(value)
    refuse_edge_blanks(text)
    if _UNFIT.search(text):
        raise CannotCarry("systemd takes it for a pattern, or for the end of the line")
    return text.replace("%", "%%")


def read(text: str) -> Tree:
    """``{section: {key: path}}`` of what ``write`` writes; raises NotValid for anything else."""
    tree: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    for offset, line in lines_of(text):
        line = line.strip(_WHITESPACE)
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            section = tree.setdefault(line[1:-1], {})
        elif section is None or "=" not in line:
            raise NotValid("neither [Section] nor Key=value below one", line_number(text, offset))
        else:
            key, _equals, value = line.partition("=")
            section[key.strip(_WHITESPACE)] = value.strip(_WHITESPACE).replace("%%", "%")
    return tree
