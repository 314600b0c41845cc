# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every code that a message can carry is explained in docs/codes.md, and nothing else is."""

from __future__ import annotations

import ast
import json
import pathlib
import re
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+|locked")
# Files that pick a code from a table, or as a default: every word of that shape in them is one.
TABLES = (
    "module_utils/_host/preflight.py",
    "module_utils/_shared/problem.py",
    "module_utils/_host/journal.py",
    "declaration/completeness.py",
)


def codes_in_python() -> t.Iterator[str]:
    """The third argument of every Problem that is made, and the codes of capabilities."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                wanted = node.args[2:3] if name == "Problem" else node.args[1:2] if name == "Gap" else []
                yield from (
                    item.value for item in wanted if isinstance(item, ast.Constant) and isinstance(item.value, str)
                )
                if name == "get" and any(
                    isinstance(item, ast.Constant) and item.value == "x-code" for item in node.args[:1]
                ):
                    yield from (str(item.value) for item in node.args[1:2] if isinstance(item, ast.Constant))
            elif (
                isinstance(node, ast.Constant) and path.as_posix().endswith(TABLES) and CODE.fullmatch(str(node.value))
            ):
                yield str(node.value)


def codes_in_schemas(node: t.Any) -> t.Iterator[str]:
    """Every ``x-code``, and the closed list of what may be accepted."""
    if isinstance(node, dict):
        if "x-code" in node:
            yield node["x-code"]
        if node.get("x-code") == "gap-code":
            yield from node["enum"]
        for item in node.values():
            yield from codes_in_schemas(item)
    elif isinstance(node, list):
        for item in node:
            yield from codes_in_schemas(item)


def test_docs_explain_exactly_the_codes_that_there_are() -> None:
    schema = json.loads((ROOT / "plugins/plugin_utils/schemas/smtp_relay.schema.json").read_text("utf-8"))
    there = {*codes_in_python(), *codes_in_schemas(schema)}
    assert len(there) > 60 and all(CODE.fullmatch(code) for code in there)
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "codes.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(set(explained)), "a code is explained twice"
    assert set(explained) - there == set(), "explained, but no message carries it"
    assert there - set(explained) == set(), "carried by a message, but not explained in docs/codes.md"
