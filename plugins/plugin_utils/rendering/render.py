# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From plan to bytes: trees through their dialects. The one place where a secret's plain text is asked for."""

from __future__ import annotations

import typing as t

from ...module_utils._shared.internal_error import ISSUES
from ...module_utils._shared.secret import Secret
from ..catalogue.platforms import as_variables
from ..declaration.model import AppPlan, FilePlan, Gap, Refusal
from ..dialects._registry import dialect
from ..dialects.base import CannotCarry, NotValid
from ..planning.files import key_paths
from ..problems import Problem
from . import merge_guard

MANAGED = "Written by smarthost.mail (smtp_config). Changes made here are overwritten."


class Rendered(t.NamedTuple):
    """One file as it is to be: its plan and its text."""

    file: FilePlan
    text: str


def render_app(plan: AppPlan, existing: t.Mapping[str, str]) -> tuple[list[Rendered], list[Refusal], list[Problem]]:
    """Every file of one application.

    existing: path to text of the shared files as they stand on the host. Returns what could be rendered, what a dialect
    cannot carry (refusals that name the key, never the value), and shared files that are not valid in their dialect.
    """
    rendered: list[Rendered] = []
    refusals: list[Refusal] = []
    problems: list[Problem] = []
    for file in plan.files:
        refusals += [_refusal(plan, file, path, "it reads this as what it has already") for path in _masks(file)]
        try:
            rendered.append(Rendered(file, _text(file, existing.get(file.path, ""))))
        except CannotCarry as error:
            refusals += [_refusal(plan, file, path, why) for path, why in _not_carried(file) or [((), error.why)]]
        except Exception as error:  # whatever is in a file, it is the trouble of this application and of no other one
            problems.append(not_valid(f"{plan.request.where} ({plan.request.name})", file.path, file.dialect, error))
    return rendered, refusals, problems


def cannot_hold(plan: AppPlan) -> list[Refusal]:
    """The values that a file of variables has no way to hold, by key."""
    return [
        _refusal(plan, file, path, why)
        for file in plan.files
        if as_variables(file) is not None
        for path, why in _not_carried(file)
    ]


def secret_marker(file: FilePlan) -> str | None:
    """What a file of this dialect shows in place of a secret; None where it holds the secret itself."""
    return getattr(dialect(file.dialect), "SECRET", None)


def holds_secret(file: FilePlan) -> bool:
    """Whether the file will hold the plain text of a secret."""
    return secret_marker(file) is None and _any_secret(file.tree)


def _any_secret(tree: t.Any) -> bool:
    items = tree.values() if isinstance(tree, t.Mapping) else tree if isinstance(tree, list) else ()
    return isinstance(tree, Secret) or any(map(_any_secret, items))


def not_valid(where: str, path: str, name: str, error: Exception) -> Problem:
    """A file on the host that its dialect cannot read, or not change without harm: named, and left as it is."""
    if isinstance(error, merge_guard.Harm):
        return Problem(
            where, f"{path} cannot be changed safely as {name}: {error}.", "file-not-valid", merge_guard.HINT
        )
    hint = "It was left as it is. Correct it, then run again."
    if isinstance(error, (NotValid, LookupError)) and not isinstance(error, (KeyError, IndexError)):
        return Problem(where, f"{path} is not valid as {name}: {error}.", "file-not-valid", hint)
    # Of what nobody expected the text may hold anything.
    return Problem(
        where,
        f"{path} could not be read as {name} ({type(error).__name__}).",
        "file-not-valid",
        f"{hint} If it is right, report this at {ISSUES}",
    )


def reveal(tree: t.Any, marker: str | None = None) -> t.Any:
    """The tree with every Secret as plain text, or as ``marker`` where the file is for people's eyes."""
    if isinstance(tree, t.Mapping):
        return {key: reveal(item, marker) for key, item in tree.items()}
    if isinstance(tree, list):
        return [reveal(item, marker) for item in tree]
    return (marker or tree.reveal()) if isinstance(tree, Secret) else tree


def _text(file: FilePlan, existing: str) -> str:
    spoken = dialect(file.dialect)
    tree = reveal(file.tree, secret_marker(file))
    if file.shared:
        return merge_guard.merge(file.dialect, existing, tree, file.owns)
    comment = getattr(spoken, "comment", None)
    return (comment(MANAGED) if comment else "") + spoken.write(tree)


def _not_carried(file: FilePlan) -> list[tuple[tuple[str, ...], str]]:
    """Which keys hold values that the dialect has no spelling for, and why."""
    found = []
    for path, value in key_paths(file.tree):
        for item in _items(value):
            try:
                dialect(file.dialect).quote(reveal(item, secret_marker(file)))
            except CannotCarry as error:
                found.append((path, error.why))
    return found


def _masks(file: FilePlan) -> list[tuple[str, ...]]:
    """Secrets that are just what the tool shows in place of one."""
    masked = file.command and file.command["masked"]
    return [
        path
        for path, value in key_paths(file.tree)
        if masked and isinstance(value, Secret) and value.reveal() == masked
    ]


def _items(value: t.Any) -> list[t.Any]:
    return [item for inner in value for item in _items(inner)] if isinstance(value, list) else [value]


def _refusal(plan: AppPlan, file: FilePlan, path: t.Sequence[str], why: str) -> Refusal:
    key = ".".join(path)
    gap = Gap(
        "value",
        "value-not-carried",
        f"{file.path} cannot hold the value of {key}: {why}" if key else f"{file.path} cannot hold a value: {why}",
        "Choose another value (for a password: a new one), or another form",
    )
    return Refusal(plan.request.where, plan.request.name, plan.application.title, gap)
