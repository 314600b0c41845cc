# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing of the user's is ever lost: every change of a user's file is read back before it is written, whatever its dialect.

A dialect may have a mistake; the file of a user may be one that nobody thought of. So the result of each merge and each remove is held
against what was there before, and a result that fails is not written.
"""

from __future__ import annotations

import typing as t

from ..dialects._registry import dialect
from ..dialects.base import Owns, Tree

Values = t.Dict[t.Tuple[str, ...], t.Any]
HINT = (
    "It was left as it is. Write the part of it that holds our settings, and what is next to them, in its plainest form "
    "(each setting on a line of its own, the same indentation, no continued lines); or use another form of the application. Then run again."
)


class Harm(Exception):
    """A change would do more, or less, to the user's file than it should. The text says what, and holds nothing of the file."""


def merge(name: str, text: str, tree: Tree, owns: Owns) -> str:
    """The user's text with our keys set, proved. Raises Harm, and what the dialect raises."""
    spoken = dialect(name)
    merged = spoken.merge(text, tree, owns)
    if not spoken.alike(text, merged, owns):
        raise Harm("with our settings in it, something else in it would be lost or read differently")
    if values(name, merged, owns) != values(name, spoken.merge("", tree, owns), owns):
        raise Harm("our settings would not be read from it as they are declared")
    if spoken.merge(merged, tree, owns) != merged:
        raise Harm("our settings in it would change again with every run")
    if spoken.remove(merged, owns, text) != text:
        raise Harm("our settings could not be taken out of it again without a trace")
    return merged


def remove(name: str, text: str, owns: Owns, original: str) -> str:
    """The user's text with our keys as in the original, proved. Raises Harm, and what the dialect raises."""
    spoken = dialect(name)
    rest = spoken.remove(text, owns, original)
    if not spoken.alike(text, rest, owns):
        raise Harm("with our settings taken out of it, something else in it would be lost or read differently")
    if values(name, rest, owns) != values(name, original, owns):
        raise Harm("its settings of before could not be put back")
    return rest


def values(name: str, text: str, paths: Owns) -> Values:
    """What is set at these paths, as the application reads it; those that are there. Raises what the dialect raises."""
    return dialect(name).values(text, [tuple(path) for path in paths])
