# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every application of the catalogue with every row of matrix.yml, and what came of it: files, or a refusal."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import yaml
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import SHIPPED, Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, Refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.plan import plan_host
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.render import Rendered, render_app

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden"
MATRIX = yaml.safe_load((HERE / "matrix.yml").read_text("utf-8"))
CATALOGUE = Catalogue()
APPS = sorted(path.parent.name for path in SHIPPED.glob("*/app.yml"))
REFUSED, NOTES = "REFUSED", "NOTES"


class Case(t.NamedTuple):
    """One application in one form for one row, and what came of it: either ``refusals``, or ``plan`` and ``files``."""

    name: str
    form: str
    row: str
    refusals: tuple[Refusal, ...]
    plan: AppPlan | None
    files: tuple[Rendered, ...]

    @property
    def golden(self) -> dict[str, str]:
        """What its part of the golden file holds: the files by the path where they would be, or the refusal's exact words."""
        if self.refusals:
            return {REFUSED: "".join(f"{refusal.problem(each)}\n" for each in self.refusals)}
        notes = {NOTES: _notes(self.plan)} if self.plan and _notes(self.plan) else {}
        return {**{file.file.path: file.text for file in self.files}, **notes}


def _notes(plan: AppPlan) -> str:
    """What the result of a run says beside the files."""
    said = {
        "accepted": [gap.code for gap in plan.accepted],
        "unexpressed": list(plan.unexpressed),
        "environment": [f"{name}={value}" for name, value in plan.environment.items()],
    }
    return "".join(f"{what}: {', '.join(items)}\n" for what, items in said.items() if items)


def rows(app: str) -> dict[str, t.Any]:
    """The declarations that one application is planned for: everybody's, and those that only its own traps need."""
    return {**MATRIX["rows"], **MATRIX["rows_of"].get(app, {})}


@functools.lru_cache(maxsize=None)
def cases(app: str) -> tuple[Case, ...]:
    """Every case of one application."""
    found = []
    for form in CATALOGUE.find(app, "test").forms:
        for row in rows(app):
            plain = _case(app, form, row, ())
            found.append(plain)
            if any(refusal.acceptable(each.gap) for each in plain.refusals):
                found.append(_case(app, form, row, MATRIX["accept"]))
    return tuple(found)


def _case(app: str, form: str, row: str, accept: t.Sequence[str]) -> Case:
    given = rows(app)[row]
    item = {"name": app, "form": form, **given.get("application", {}), **({"accept": list(accept)} if accept else {})}
    host = plan_host(resolve.load(given["relay"], [item]), CATALOGUE, given.get("credential", "in_force"))
    name = f"{row}-accepted" if accept else row
    if host.refusals:
        return Case(name, form, row, host.refusals, None, ())
    [plan] = host.apps
    rendered, refusals, problems = render_app(plan, {})
    assert not problems, problems
    return Case(name, form, row, tuple(refusals), None if refusals else plan, () if refusals else tuple(rendered))


def golden_of(app: str) -> dict[str, str]:
    """All golden files of one application: one text a form, by name, with every row and the files that it ends in."""
    found: dict[str, str] = {}
    for case in cases(app):
        found.setdefault(f"{case.form}.txt", "")
        found[f"{case.form}.txt"] += f"==== {case.name}\n" + "".join(
            _part(path, text) for path, text in case.golden.items()
        )
    return found


def _part(path: str, text: str) -> str:
    end = "" if text.endswith("\n") else "\n\\ no line end\n"
    return f"---- {path}\n{text}{end}"


def accepted_golden(app: str) -> dict[str, str]:
    """The golden files of one application as they stand in the repository."""
    return {path.name: path.read_bytes().decode() for path in sorted((GOLDEN / app).glob("*.txt"))}
