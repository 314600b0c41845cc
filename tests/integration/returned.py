# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's RETURN says that comes back, and what is wrong with a result beside it."""

from __future__ import annotations

import ast
import functools
import typing as t
from pathlib import Path

import yaml

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
Documented = t.Dict[str, t.Dict[str, t.Any]]
# What Ansible itself puts into any result.
COMMON = {
    "changed",
    "failed",
    "msg",
    "diff",
    "invocation",
    "warnings",
    "deprecations",
    "exception",
    "skipped",
    "skip_reason",
    "rc",
    "failed_when_result",
    "changed_when_result",
    "ansible_facts",
    "module_stdout",
    "module_stderr",
    "unreachable",
    "attempts",
    "results",
}
# And beside it into that of a task with `async`.
OF_ASYNC = {"started", "finished", "ansible_job_id", "results_file", "stdout", "stdout_lines", "stderr", "stderr_lines"}
TYPES: t.Dict[str, t.Tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "list": (list,),
    "dict": (dict,),
    "raw": (object,),
    "path": (str,),
}


@functools.lru_cache(maxsize=None)
def documented(module: str) -> Documented:
    """RETURN of a module of ours."""
    tree = ast.parse((PLUGINS / "modules" / f"{module}.py").read_text("utf-8"))
    texts = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    found: Documented = yaml.safe_load(str(texts["RETURN"]))
    return found


def wrong(
    result: t.Mapping[str, t.Any], about: Documented, common: t.Container[str] = COMMON, where: str = ""
) -> t.List[str]:
    """Keys that came back and are not documented, and values of another type than documented; null may stand for any."""
    problems = []
    for key, value in result.items():
        at = f"{where}{key}"
        if key not in about:
            problems += [] if key in common or key.startswith("_ansible") else [f"{at} came back and is not documented"]
            continue
        described = about[key]
        if value is not None and not isinstance(value, TYPES[described["type"]]):
            problems.append(f"{at} is documented as {described['type']} and came back as {type(value).__name__}")
        elif described.get("contains"):
            for item in value if isinstance(value, list) else [value or {}]:
                problems += wrong(t.cast("t.Mapping[str, t.Any]", item), described["contains"], (), f"{at}.")
    return problems


def keys(result: t.Mapping[str, t.Any], about: Documented, where: str = "") -> t.Set[str]:
    """Every documented key that came back, those within others as ``apps.name``."""
    found: t.Set[str] = set()
    for key in about:
        if key in result:
            found.add(f"{where}{key}")
            inner: t.Any = about[key].get("contains")
            value = result[key]
            for item in (value if isinstance(value, list) else [value]) if inner and value else ():
                found |= keys(item, inner, f"{where}{key}.")
    return found


def every_key(about: Documented, where: str = "") -> t.Set[str]:
    """Every key that is documented."""
    return {f"{where}{key}" for key in about} | {
        name for key, item in about.items() for name in every_key(item.get("contains") or {}, f"{where}{key}.")
    }
