# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes in a file, setting by setting, for ``--diff``. Secrets are never in it: they show as ``(secret)``.

The file on the host may be anyone's work: what is shown of it is bounded, and can be seen as it is.
"""

from __future__ import annotations

import typing as t

from ...module_utils._shared.secret import SHOWN_SECRET, Secret
from ...module_utils._shared.visible import visible
from ..declaration.model import FilePlan
from ..dialects._registry import dialect
from . import merge_guard

FOREIGN = "(not shown)"
LONGEST, MOST, DEEPEST = 500, 1000, 100  # characters of one line, settings of one file, keys of one path

Key = t.Tuple[str, ...]
Settings = t.Dict[Key, t.Any]


def difference(file: FilePlan, before: str | None, after: str | None) -> dict[str, str]:
    """One entry for Ansible's diff: our settings before and after, one a line.

    before, after: the file's whole text, None where there is none. What is not a setting of this plan may be somebody
    else's secret: it is shown by its key alone, or not at all in the user's file.
    """
    old, new, planned = _settings(file, before), _settings(file, after), dict(_leaves(file.tree))
    lines_before, lines_after = [], []
    for key in dict.fromkeys([*old, *new]):
        secret = key in file.secrets or isinstance(planned.get(key), Secret) or _below_secret(file, key, old, new)
        if key in old:
            lines_before.append(
                _line(key, SHOWN_SECRET if secret else old[key] if _known(file, key, old, new) else FOREIGN)
            )
        if key in new:
            changed = " (changed)" if secret and old.get(key, new[key]) != new[key] else ""
            lines_after.append(_line(key, SHOWN_SECRET + changed if secret else new[key]))
    return {
        "before_header": file.path,
        "after_header": file.path,
        "before": _joined(lines_before),
        "after": _joined(lines_after),
    }


def _below_secret(file: FilePlan, key: Key, old: Settings, new: Settings) -> bool:
    # A list with a secret somewhere: what stood at this position may have been the secret.
    return old.get(key) != new.get(key) and any(key[:length] in file.secrets for length in range(len(key)))


def _known(file: FilePlan, key: Key, old: Settings, new: Settings) -> bool:
    # In a list the same position may have held anything before, a password too.
    if isinstance(file.tree, t.Mapping):
        return key in new or key in file.owns
    return bool(old[key] == new.get(key))


def _settings(file: FilePlan, text: str | None) -> Settings:
    """What a file sets: in the user's file only what is ours."""
    if text is None:
        return {}
    try:
        if file.shared:
            found = merge_guard.values(file.dialect, text, file.owns)
            return {key: found[key] for key in file.owns if key in found and not isinstance(found[key], (dict, list))}
        return dict(_leaves(dialect(file.dialect).read(text)))
    except Exception:  # whatever is in the file, it is shown as one that says nothing
        return {("(not valid in its dialect)",): ""}


def _leaves(tree: t.Any) -> t.Iterator[tuple[Key, t.Any]]:
    """Path and value of all that is neither a mapping nor a list, in its order. What is deeper than any setting is one value."""
    todo: list[tuple[Key, t.Any]] = [((), tree)]
    while todo:
        above, item = todo.pop()
        if len(above) >= DEEPEST and isinstance(item, (dict, list)):
            yield above, FOREIGN
        elif isinstance(item, t.Mapping):
            todo += [((*above, str(key)), value) for key, value in reversed(list(item.items()))]
        elif isinstance(item, list):
            todo += [((*above, str(number)), item[number]) for number in range(len(item) - 1, -1, -1)]
        else:
            yield above, item


def _line(key: Key, shown: t.Any) -> str:
    line = visible(f"{'.'.join(key)} = {shown}" if key else str(shown))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}... ({len(line) - LONGEST} more characters)"


def _joined(lines: list[str]) -> str:
    more = [f"({len(lines) - MOST} more settings)"] if len(lines) > MOST else []
    return "".join(line + "\n" for line in [*lines[:MOST], *more])
