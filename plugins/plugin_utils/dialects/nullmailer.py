# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialect of nullmailer's ``remotes``: one remote a line, words as in a shell, single quotes.

Tree: ``[[word, word, ...], ...]``, such as ``[["smtp.example.com", "smtp", "--port=465", "--tls", "--pass=..."]]``.
A single quote inside is written ``'"'"'``; nullmailer's backslash swallows two characters and is never used.
Cannot carry: a line break (nullmailer cuts the value there without a word), NUL.
Source: nullmailer 2.2 ``src/send.cc`` (load_remotes), ``lib/argparse.c`` (parse_args).
"""

from __future__ import annotations

import shlex

from ._text import comment_lines as comment
from ._text import line_number, lines_of, one_line
from .base import NotValid, Tree, Value

__all__ = ["comment", "quote", "read", "write"]


def write(tree: Tree) -> str:
    """One line for each remote."""
    return "".join(" ".join(map(quote, words)) + "\n" for words in tree)


def quote(value: Value) -> str:
    """One word."""
    return shlex.quote(one_line(value))


def read(text: str) -> Tree:
    """The words of each line; raises NotValid for a quote that is not closed."""
    tree = []
    for offset, line in lines_of(text):
        line = line.rstrip("\r\n")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            tree.append(shlex.split(line))
        except ValueError:
            raise NotValid("a quote is not closed", line_number(text, offset)) from None
    return tree
