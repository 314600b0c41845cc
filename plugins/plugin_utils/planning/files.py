# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of one application as they are to be on its host."""

from __future__ import annotations

import typing as t

from ..catalogue.command import command
from ..catalogue.expressions import SECRET_NAMES, evaluate, names_in_tree
from ..declaration.model import ApplicationRequest, DeclaredCredential, FileForm, FilePlan, Form, Relay

SECRETS = "/etc/smarthost/secrets"


def file_plan(
    file: FileForm, path: str, request: ApplicationRequest, relay: Relay, context: t.Mapping[str, t.Any]
) -> FilePlan:
    """One file of a form, with its settings worked out. Raises ExpressionError for a broken entry."""
    # The keys that turn mail off are ours as well: else they would stay in force when it is turned on again.
    # So are those that name a secret's file, and those that hold the secret where that is not so.
    leaves = {
        **dict(key_paths(file.mail_off or {})),
        **dict(key_paths(file.by_file or {})),
        **dict(key_paths(file.settings)),
    }
    secrets = frozenset(key for key, value in leaves.items() if names_in_tree(value) & SECRET_NAMES)
    name, asked = command(file.command, leaves, secrets, path, request) if file.command else (path, None)
    settings = file.by_file if context["secret_file"] and file.by_file is not None else file.settings
    # The user's file keeps its place in the world; only one that everybody may read gets the application's group instead.
    owner, group, mode = (None, None, None) if file.shared else (file.owner, file.group, file.mode)
    return FilePlan(
        path=name,
        dialect=file.dialect,
        shared=file.shared,
        tree=evaluate(settings if relay.sends else file.mail_off, context),
        owns=tuple(leaves) if file.shared else (),
        secrets=secrets,
        owner=request.owner or owner,
        group=request.group or group,
        mode=request.mode or mode,
        group_if_open=file.group if file.shared else None,
        command=asked,
    )


def secret_file_plan(path: str, relay: Relay, request: ApplicationRequest, form: Form) -> FilePlan:
    """The file with the relay's secret and nothing else, for whoever reads the application's own file."""
    file = form.files[0]
    group, owner = request.group or (None if request.owner else form.reader or file.group), request.owner or file.owner
    reader = f"group:{group}" if group else f"user:{owner}"
    return FilePlan(
        path=path,
        dialect="whole",
        shared=False,
        tree=t.cast(DeclaredCredential, relay.credential).password,
        owns=(),
        secrets=frozenset({()}),
        owner=None,
        group=None,
        mode=None,
        group_if_open=None,
        readers=(reader,) if (group or owner or "root") not in ("root", "0") else (),
    )


def key_paths(tree: t.Any, above: tuple[str, ...] = ()) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    """The path and value of every key of a tree of settings."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from key_paths(value, (*above, str(key)))
    else:
        yield above, tree
