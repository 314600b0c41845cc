# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every dialect is: the exact syntax of a form as the application's own parser reads it.

A dialect is one module with these functions (shapes below), and states in its docstring what it cannot carry:

``write(tree) -> str``
    A whole file. Keys keep their order. Every value goes through ``quote``.
``read(text) -> tree``
    Back to a tree of plain values, for diffs and tests. Raises NotValid.
``quote(value) -> str``
    One value as this dialect spells it. Raises CannotCarry. Nobody else ever writes a quote.
``merge(text, tree, owns) -> str``         (only dialects of shared files)
    The user's text with our keys set; every other byte stays. Merging twice changes nothing. Raises NotValid when the
    text is not valid in this dialect (it is then left untouched).
``remove(text, owns, original) -> str``    (only dialects of shared files)
    The user's text with our keys as they are in ``original`` (the text before we first merged; "" when there was none).
``values(text, paths) -> {path: value}``    (only dialects of shared files)
    What is set at these key paths; those that are there. Nothing else in the text is looked at as a value. Raises NotValid.
``alike(before, after, owns) -> bool``      (only dialects of shared files)
    Whether all that is not ours is in both texts: as it is read, and byte for byte. Raises NotValid.
``comment(text) -> str``                   (only dialects that can hold a comment)
    The text as a comment to stand before what ``write`` gives, ready to be put there as it is; ``read`` passes over it.
A name that starts with an underscore in this folder is no dialect but what several of them share: ``_text`` (words, lines),
``_keyed`` and ``_scan`` (merge and remove for KEY = value lines), ``_nested`` (merge and remove for key paths).
No dialect takes time or memory that is not linear to the text, and the user's own parts are only checked, never read as values.
``owns`` is a list of key paths (``[["mailer", "PASSWD"], ...]``): all that is ours in that file, also the keys that the
tree leaves out now. An owned key that the tree does not have is taken out by merge, so that no stale value stays in force.

A tree is ``{section: {key: value}}``, ``{key: value}`` or a list, as the dialect says; a value is str, int, bool, or what
the dialect adds. ``None`` never reaches a dialect: such a key was left out before.
"""

from __future__ import annotations

import typing as t

Value = t.Union[str, int, bool, t.List[t.Any], t.Dict[str, t.Any]]
Tree = t.Any
Owns = t.Sequence[t.Sequence[str]]


class CannotCarry(ValueError):
    """This dialect has no spelling for the value. The text says why, never the value."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotValid(ValueError):
    """The text is not valid in this dialect. ``line`` counts from 1 (0: unknown); the text holds nothing of the file."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.why = why
        self.line = line


class Dialect(t.Protocol):
    """The surface that plan and render use. ``merge``, ``remove``, ``values`` and ``alike`` exist only where a file may be shared.

    ``comment`` exists beside them where a file may hold comments.
    """

    def write(self, tree: Tree) -> str: ...
    def read(self, text: str) -> Tree: ...
    def quote(self, value: Value) -> str: ...
    def merge(self, text: str, tree: Tree, owns: Owns) -> str: ...
    def remove(self, text: str, owns: Owns, original: str) -> str: ...
    def values(self, text: str, paths: t.Sequence[t.Tuple[str, ...]]) -> t.Dict[t.Tuple[str, ...], t.Any]: ...
    def alike(self, before: str, after: str, owns: Owns) -> bool: ...


def refuse_line_breaks(value: str) -> None:
    """For dialects that end a value at the end of its line. Raises CannotCarry."""
    if any(char in value for char in "\n\r\0"):
        raise CannotCarry("a line break or NUL ends the value here")
