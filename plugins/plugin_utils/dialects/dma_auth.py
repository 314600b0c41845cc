# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of DragonFly Mail Agent's ``auth.conf``: ``user|host:password``, raw; blanks at both ends survive.

Tree: ``[[user, host, password], ...]``.
Cannot carry: a line break, NUL; in a user also a bar and a leading ``#``, in a host a colon.
Source: dma 0.13 ``conf.c`` (parse_authfile).
"""

from __future__ import annotations

import re

from ._text import comment_lines as comment
from ._text import line_number, lines_of
from ._text import one_line as quote
from .base import CannotCarry, NotValid, Tree

__all__ = ["comment", "quote", "read", "write"]

_LINE = re.compile(r"(?P<user>[^|]*)\|(?P<host>[^:]*):(?P<password>.*)", re.DOTALL)


def write(tree: Tree) -> str:
    """One line for each login."""
    for user, host, _password in tree:
        if "|" in user or user.startswith("#") or ":" in host:
            raise CannotCarry("a bar ends the user, a colon the host, and # begins a comment")
    return "".join(f"{quote(user)}|{quote(host)}:{quote(password)}\n" for user, host, password in tree)


def read(text: str) -> Tree:
    """``[[user, host, password], ...]``; raises NotValid."""
    tree = []
    for offset, line in lines_of(text):
        bare = line.rstrip("\n")
        if not bare or bare.startswith("#"):
            continue
        found = _LINE.fullmatch(bare)
        if not found:
            raise NotValid("not of the form user|host:password", line_number(text, offset))
        tree.append(list(found.groups()))
    return tree
