# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of systemd's ``EnvironmentFile=``: double quotes with a backslash before ``" \\ $`` and the backtick.

Tree: ``{KEY: value}``. A POSIX shell that sources such a file reads the same values.
Cannot carry: a line break (systemd could, other readers of such files cannot), NUL, any other control character
(systemd drops the whole assignment).
Source: systemd ``src/basic/env-file.c`` (parse_env_file_internal), ``src/basic/env-util.c`` (env_value_is_valid).
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line, with_backslashes
from .base import CannotCarry, NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]

_BARE = re.compile(r"[A-Za-z0-9_.+@%^,/:-]+")
_LINE = re.compile(r'\s*(?P<key>[A-Za-z_][A-Za-z0-9_]*)=(?:(?P<bare>[^\s"\'\\]*)|"(?P<quoted>(?:[^"\\]|\\.)*)")\s*')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key}={quote(value)}\n" for key, value in tree.items())


def quote(value: Value) -> str:
    """Bare where every reader of env files agrees, else in double quotes."""
    text = one_line(value)
    if _CONTROL.search(text):
        raise CannotCarry("systemd ignores a variable that holds a control character")
    return text if _BARE.fullmatch(text) else '"' + with_backslashes(text, '"\\$`') + '"'


def read(text: str) -> Tree:
    """``{KEY: text}`` of what ``write`` writes; raises NotValid for anything else."""
    tree = {}
    for offset, line in lines_of(text):
        if not line.strip() or line.lstrip()[0] in "#;":
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise NotValid('not of the form KEY=value or KEY="value"', line_number(text, offset))
        quoted = found["quoted"]
        tree[found["key"]] = found["bare"] if quoted is None else re.sub(r'\\(["\\$`])', r"\1", quoted)
    return tree
