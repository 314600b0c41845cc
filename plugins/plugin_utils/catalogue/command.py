# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A form that an application's own tool applies: the words that call it here, and which keys are ours. Never a secret."""

from __future__ import annotations

import typing as t

from ..declaration.model import Application, ApplicationRequest, Form
from ..problems import Problem, one_of

KeyPath = t.Tuple[str, ...]
PLACES = ("{path}", "{object}")


def command(
    given: t.Mapping[str, t.Any],
    leaves: t.Iterable[KeyPath],
    secrets: t.Iterable[KeyPath],
    path: str,
    request: ApplicationRequest,
) -> tuple[str, dict[str, t.Any]]:
    """Name of what is set, and how the host asks the tool (module_utils files.commands.Command), from the ``command`` of an entry's form.

    The name stands in the place of a file's path: two that are equal are the same settings of the same application.
    leaves: the paths of all keys of the form; they are cut to those that the tool sets as a whole. secrets: of those with a secret.
    """
    what = request.object or given.get("object", "")
    words = {
        name: [word.replace(PLACES[0], path).replace(PLACES[1], what) for word in given[name]]
        for name in ("tool", "read", "write")
    }
    tool = list(request.tool) or words["tool"]
    keys = dict.fromkeys(leaf[: given["depth"]] for leaf in leaves)
    return " ".join([*tool, *([what] if what else [])]), {
        **words,
        "tool": tool,
        "masked": given.get("masked"),
        "token": given["token"].replace(PLACES[0], path) if "token" in given else None,
        "keys": [list(key) for key in keys],
        "secrets": [list(key) for key in sorted(secrets)],
    }


def tool_problems(request: ApplicationRequest, form: Form, application: Application) -> list[Problem]:
    """``tool`` and ``object`` are only for forms that a tool applies; it would be wrong to pass over them."""
    said = [key for key in ("tool", "object") if getattr(request, key)]
    if not said or any(file.command for file in form.files):
        return []
    others = [other.name for other in application.forms.values() if any(file.command for file in other.files)]
    what = f"form {form.name} of {application.title} is a file, so there is nothing to call."
    return [
        Problem(f"{request.where}.{key}", what, "no-tool", one_of(others) if others else f"Leave {key} out.")
        for key in said
    ]
