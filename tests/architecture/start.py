# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of module_utils/_shared/light.py, which keep a start of the probe cheap, checked by reading what a file does while loading."""

from __future__ import annotations

import ast
import pathlib
import typing as t


def costly(path: pathlib.Path) -> list[str]:
    """Return what a file does while it is loaded that light.py rules out, as `file:line: what`."""
    return [
        "%s:%d: %s" % (path.name, line, what) for line, what in _found(ast.parse(path.read_text(encoding="utf-8")).body)
    ]


def _found(statements: t.Iterable[ast.AST]) -> t.Iterator[tuple[int, str]]:
    """What runs while loading: everything but the bodies of functions, and what stands under TYPE_CHECKING."""
    for node in statements:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.AnnAssign)):
            inner: list[ast.AST] = [node.value] if isinstance(node, ast.AnnAssign) and node.value else []
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            inner = list(node.orelse)
        else:
            inner = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            yield node.lineno, "compiles a pattern while loading; write re.match(...) where it is used"
        yield from _found(inner)
