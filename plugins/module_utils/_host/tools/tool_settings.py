# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands: settings that only an application's own tool reads and writes, handled as if our keys of them were a file of ours.

Such a "file" always exists; its bytes are the JSON of our keys as the tool prints them. So what is replaced is kept, compared,
rolled back and taken back like any other bytes. Values reach the tool on its standard input and never as an argument, which
every user of a host may read (proc(5), cmdline).

A tool that shows stars in place of a secret (``masked``) cannot tell whether the secret is still ours. What we last wrote is kept
for it (0600, see deploy), and taken for what stands there; a secret that was there before us is known to nobody.
"""

from __future__ import annotations

import json
import typing as t

from ..._shared.problem import Problem, ProblemsError
from ..disk.snapshot import FILE, Meta, Seen
from .tool_command import Path, ToolCommand, Tree, parsed

TIMEOUT_SECONDS = 120
MOST_OUTPUT = 8 << 20
#: Nobody owns what has no file.
META = Meta(0, 0, 0, {})


def present_settings(command: ToolCommand, known: t.Optional[Tree] = None) -> Tree:
    """Our keys as the application has them now, those that are there. ``known``: what may not show in an error. Raises ProblemsError."""
    if command.token:
        from . import json_rpc

        return _only(json_rpc.read(command, TIMEOUT_SECONDS), command.keys)
    text = _run(command, command.read, None, known or {})
    tree = parsed(text)
    if not isinstance(tree, dict):
        what = f"What {' '.join(command.read)} prints is not a JSON object."
        raise ProblemsError(
            [Problem(command.place, what, "tool-output", "Run it by hand, and see whether the application is well.")]
        )
    return _only(tree, command.keys)


def look_at(path: str, command: ToolCommand, kept: t.Optional[bytes]) -> Seen:
    """What the application has now, as ``look`` tells of a file. ``kept``: what we last wrote there, for a tool that shows stars."""
    last = json.loads(kept) if kept else {}
    tree = present_settings(command, last)
    for key in hidden(command, tree):
        if _value(last, key) is not None:
            _put(tree, key, _value(last, key))
    return Seen(path, path, FILE, META, _encode(tree))


def canonical(command: ToolCommand, data: bytes) -> bytes:
    """Our keys out of these settings, spelled as ``look_at`` spells them."""
    return _encode(_only(json.loads(data), command.keys))


def make_so(command: ToolCommand, data: bytes) -> None:
    """Write these settings and see that the application took them. Raises ProblemsError; then it may have taken some."""
    tree = json.loads(data)
    body = _only(tree, command.keys)
    for key in hidden(command, body):
        # What only the application knew is gone. Its stars would mean "keep what you have": our secret, with somebody else's relay.
        _put(body, key, "")
    for key in command.keys:
        if _value(body, key) is None:
            _put(body, key, None)
    if command.token:
        from . import json_rpc

        json_rpc.write(command, body, TIMEOUT_SECONDS)
    else:
        _run(command, command.write, json.dumps(body).encode("ascii"), body)
    differ = _differ(command, body, present_settings(command, body))
    if differ:
        what = f"The application did not take {', '.join(differ)}, though its tool said nothing."
        hint = "See whether its environment or another of its files sets the same, which then wins."
        raise ProblemsError([Problem(command.place, what, "settings-not-taken", hint)])


def put_back(command: ToolCommand, data: bytes, done: bool) -> None:
    """Back to these settings. ``done``: whether others were written meanwhile; if not, stars are believed to be what they were."""
    if done or _differ(command, json.loads(data), present_settings(command, json.loads(data))):
        make_so(command, data)


def hidden(command: ToolCommand, tree: Tree) -> list[Path]:
    """The secrets that the tool shows as stars here."""
    return [key for key in command.secrets if command.masked is not None and _value(tree, key) == command.masked]


def without_stars(command: ToolCommand, data: bytes) -> bytes:
    """These settings but for the secrets that are not known: nobody shall take stars for a password and try them."""
    tree = json.loads(data)
    for key in hidden(command, tree):
        del _value(tree, key[:-1])[key[-1]]
    return _encode(tree)


def facts(data: bytes) -> dict[str, bytes]:
    """By key its value in one spelling, for fingerprints."""
    return {
        ".".join(path): json.dumps(value, sort_keys=True).encode("ascii")
        for path, value in _leaves(json.loads(data), ())
    }


def _run(command: ToolCommand, words: t.Sequence[str], body: t.Optional[bytes], known: Tree) -> bytes:
    from . import tool_run  # few hosts have such applications, and no other run waits for it

    secrets = [str(_value(known, key) or "") for key in command.secrets]
    return tool_run.run(tool_run.Call(command.place, command.tool, words, secrets), body, TIMEOUT_SECONDS, MOST_OUTPUT)


def _differ(command: ToolCommand, wanted: Tree, present: Tree) -> list[str]:
    """Our keys that are otherwise than wanted; what the tool does not show is not among them."""
    unseen = [".".join(key) for key in hidden(command, present)]
    old, new = dict(_leaves(wanted, ())), dict(_leaves(present, ()))
    return sorted({".".join(path) for path in {*old, *new} if old.get(path) != new.get(path)} - set(unseen))


def _only(tree: Tree, keys: t.Iterable[Path]) -> Tree:
    found: Tree = {}
    for key in keys:
        value = _value(tree, key)
        if value is not None:
            _put(found, key, value)
    return found


def _value(tree: t.Any, key: Path) -> t.Any:
    for part in key:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _put(tree: Tree, key: Path, value: t.Any) -> None:
    for part in key[:-1]:
        tree = tree.setdefault(part, {})
    tree[key[-1]] = value


def _leaves(tree: t.Any, above: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    if isinstance(tree, dict) and (tree or not above):
        for key, item in tree.items():
            yield from _leaves(item, (*above, key))
    elif tree is not None:
        yield above, tree


def _encode(tree: Tree) -> bytes:
    return json.dumps(tree, sort_keys=True).encode("ascii")
