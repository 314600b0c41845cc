# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes in a file, setting by setting, for ``--diff``. Secrets are never in it: they show as ``(secret)``."""

from __future__ import annotations

import typing as t

from .dialect import dialect
from .dialects.base import NotValid
from .model import SHOWN_SECRET, FilePlan, Secret

FOREIGN = "(not shown)"


def difference(file: FilePlan, before: str | None, after: str | None) -> dict[str, str]:
    """One entry for Ansible's diff: our settings before and after, one a line.

    before, after: the file's whole text, None where there is none. What is not a setting of this plan may be somebody
    else's secret: it is shown by its key alone, or not at all in the user's file.
    """
    old, new = _settings(file, before), _settings(file, after)
    lines_before, lines_after = [], []
    for key in dict.fromkeys([*old, *new]):
        if file.shared and key not in file.owns:
            continue
        secret = key in file.secrets or isinstance(_planned(file.tree, key), Secret) or _below_secret(file, key, old, new)
        if key in old:
            lines_before.append(_line(key, SHOWN_SECRET if secret else old[key] if _known(file, key, old, new) else FOREIGN))
        if key in new:
            changed = " (changed)" if secret and old.get(key, new[key]) != new[key] else ""
            lines_after.append(_line(key, SHOWN_SECRET + changed if secret else new[key]))
    return {
        "before_header": file.path, "after_header": file.path,
        "before": "".join(line + "\n" for line in lines_before), "after": "".join(line + "\n" for line in lines_after),
    }


def _below_secret(file: FilePlan, key: tuple[str, ...], old: t.Mapping[t.Any, t.Any], new: t.Mapping[t.Any, t.Any]) -> bool:
    # A list with a secret somewhere: what stood at this position may have been the secret.
    return old.get(key) != new.get(key) and any(key[:length] in file.secrets for length in range(len(key)))


def _known(file: FilePlan, key: tuple[str, ...], old: t.Mapping[t.Any, t.Any], new: t.Mapping[t.Any, t.Any]) -> bool:
    # In a list the same position may have held anything before, a password too.
    if isinstance(file.tree, t.Mapping):
        return key in new or key in file.owns
    return old[key] == new.get(key)


def _settings(file: FilePlan, text: str | None) -> dict[tuple[str, ...], t.Any]:
    if text is None:
        return {}
    try:
        tree = dialect(file.dialect).read(text)
    except NotValid:
        return {("(not valid in its dialect)",): ""}
    return dict(_leaves(tree, ()))


def _leaves(tree: t.Any, above: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    if isinstance(tree, t.Mapping):
        for key, item in tree.items():
            yield from _leaves(item, (*above, str(key)))
    elif isinstance(tree, list):
        for number, item in enumerate(tree):
            yield from _leaves(item, (*above, str(number)))
    else:
        yield above, tree


def _planned(tree: t.Any, key: tuple[str, ...]) -> t.Any:
    return next((value for path, value in _leaves(tree, ()) if path == key), None)


def _line(key: tuple[str, ...], shown: t.Any) -> str:
    return f"{'.'.join(key)} = {shown}" if key else str(shown)
