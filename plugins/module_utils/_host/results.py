# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers: what a step or a file looks like in a module result. Never a byte of any file in clear."""

from __future__ import annotations

import grp
import pwd
import typing as t

from .._shared.problem import Problem
from .disk.snapshot import Meta, Seen
from .step import PathStep

Answer = t.Dict[str, t.Any]


def nothing() -> Answer:
    """There was nothing to do."""
    return {"changed": False, "files": [], "generation": None}


def failure(problems: t.Sequence[Problem]) -> Answer:
    """Everything that stands in the way, for people and for programs."""
    msg = "\n".join(map(str, problems))
    return {**nothing(), "failed": True, "msg": msg, "problems": [problem.as_dict() for problem in problems]}


def file(step: PathStep) -> Answer:
    """What became, or would become, of one path."""
    return {
        "path": step.path,
        "changed": step.changed,
        "created": step.changed and step.data is not None and step.seen.meta is None,
        "removed": step.changed and step.data is None,
        "before_mode": _mode(step.seen.meta),
        **_owned(step.meta),
    }


def settings(step: PathStep) -> Answer:
    """The same for what an application's tool reads and writes; nobody owns that."""
    return {**file(step), "before_mode": None, **_owned(None)}


def seen(found: Seen) -> Answer:
    """One path as state query tells it; what depends on the content is added by who holds the key."""
    return {"kind": found.kind, **_owned(found.meta)}


def _owned(meta: t.Optional[Meta]) -> Answer:
    if meta is None:
        return {"mode": None, "owner": None, "group": None}
    return {
        "mode": _mode(meta),
        "owner": _name(meta.uid, lambda uid: pwd.getpwuid(uid).pw_name),
        "group": _name(meta.gid, lambda gid: grp.getgrgid(gid).gr_name),
    }


def _mode(meta: t.Optional[Meta]) -> t.Optional[str]:
    return None if meta is None else f"{meta.mode:04o}"


def _name(number: int, find: t.Callable[[int], str]) -> str:
    try:
        return find(number)
    except KeyError:
        return str(number)
