# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of ``docker run --env-file`` and ``podman --env-file``: ``KEY=value``, raw to the end of the line.

Tree: ``{KEY: value}``. Nothing is quoted: a quote would become part of the value. Blanks at both ends survive.
Cannot carry: a line break, NUL.
Source: docker/cli ``opts/file.go`` (parseKeyValueFile).
"""

from __future__ import annotations

from ._text import comment_lines as comment
from ._text import line_number, lines_of
from ._text import one_line as quote
from .base import NotValid, Tree

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One line for each key."""
    return "".join(f"{key}={quote(value)}\n" for key, value in tree.items())


def read(text: str) -> Tree:
    """``{KEY: text}``; raises NotValid for a line without ``=`` (it would be taken from the caller's environment)."""
    tree = {}
    for offset, line in lines_of(text):
        line = line.rstrip("\r\n").lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key or key != key.strip():
            raise NotValid("not of the form KEY=value", line_number(text, offset))
        tree[key] = value
    return tree
