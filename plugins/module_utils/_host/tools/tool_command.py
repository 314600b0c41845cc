# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an application's own tool is asked for its settings, and what may come of that."""

from __future__ import annotations

import json
import typing as t

_DEEPEST = 100

Tree = t.Dict[str, t.Any]
Path = t.Sequence[str]


class ToolCommand(t.NamedTuple):
    """How one application's tool is asked.

    tool, read, write: words; ``tool`` stands before both. ``read`` prints one JSON object, ``write`` takes one on its standard input.
    keys: paths of what is ours in it, each set as a whole; one that is not there is written as null. secrets: paths of what holds
    a secret. masked: what the tool prints in place of a secret, None where it prints the secret itself. token: file with the token of
    a JSON-RPC API; ``tool`` is its address then, and ``read`` and ``write`` as json_rpc has them.
    """

    tool: t.Sequence[str]
    read: t.Sequence[str]
    write: t.Sequence[str]
    keys: t.Sequence[Path]
    secrets: t.Sequence[Path] = ()
    masked: t.Optional[str] = None
    token: t.Optional[str] = None

    @property
    def place(self) -> str:
        """What problems call it."""
        return " ".join(self.tool)


def parsed(text: bytes) -> t.Any:
    """JSON from outside; None for what is none, or is nested deeper than any settings."""
    try:
        tree = json.loads(text)
        return tree if _is_shallow(tree, _DEEPEST) else None
    except (ValueError, RecursionError):
        return None


def _is_shallow(tree: t.Any, left: int) -> bool:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return left > 0 and all(_is_shallow(item, left - 1) for item in inner)
