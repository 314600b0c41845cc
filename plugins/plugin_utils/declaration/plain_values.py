# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user wrote as plain Python values, and the secrets and texts in such a tree."""

from __future__ import annotations

import typing as t

from ..problems import Problem, ProblemsError

DEEPEST, MOST = 50, 1_000_000  # levels and values of a declaration
_BITS = 10_000  # of a whole number; beyond some more Python refuses to write it
SECRETS = frozenset({"password", "client_secret", "refresh_token", "jwt_key"})


def plain(value: t.Any, where: str = "smtp_relay") -> t.Any:
    """Ansible's tagged, lazy or vaulted values as plain Python ones (their subclasses surprise parsers and writers).

    Raises ProblemsError for what is deeper, or more, than any declaration: an alias of YAML within itself is both.
    """
    return _Plain(where).copy(value, 0)


class _Plain:
    def __init__(self, where: str) -> None:
        self._where, self._count = where, 0

    def copy(self, value: t.Any, depth: int) -> t.Any:
        self._count += 1
        if depth > DEEPEST or self._count > MOST:
            what = (
                f"this is nested more than {DEEPEST} levels deep."
                if depth > DEEPEST
                else f"this holds more than {MOST} values."
            )
            raise ProblemsError(
                [
                    Problem(
                        self._where, what, "out-of-range", "Does an alias of YAML (*name) stand within what it names?"
                    )
                ]
            )
        if isinstance(value, t.Mapping):
            return {_text(key): self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.copy(item, depth + 1) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and value.bit_length() <= _BITS:
            return int(value)
        return float(value) if isinstance(value, float) else _text(value)


def _text(value: t.Any) -> str:
    try:
        return str(value)
    except ValueError:  # a number of more digits than Python writes
        return "(a number of thousands of digits)"


def secrets_in(value: t.Any) -> frozenset[str]:
    """Every secret that a declaration holds: no message may repeat one, wherever else it stands."""
    found: set[str] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo += item
        elif isinstance(item, dict):
            todo += item.values()
            found.update(
                str(secret)
                for key, secret in item.items()
                if key in SECRETS and isinstance(secret, (str, int)) and secret
            )
    return frozenset(found)


def texts_in(tree: t.Any, above: tuple[str, ...] = ()) -> t.Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a tree of settings, with its path; an item of a list counts by its number."""
    if isinstance(tree, t.Mapping):
        for key, item in tree.items():
            yield from texts_in(item, (*above, str(key)))
    elif isinstance(tree, (list, tuple)):
        for number, item in enumerate(tree):
            yield from texts_in(item, (*above, str(number)))
    elif isinstance(tree, str):
        yield above, tree
