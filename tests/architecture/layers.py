# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the layout (DESIGN §5), checked by reading imports: every broken rule of a plugins folder as one sentence.

Which rooms (folders of module_utils and plugin_utils) may import which others stands in each room's __init__.py: see rooms.py.
"""

from __future__ import annotations

import ast
import pathlib
import sys
import typing as t

from architecture import rooms

OURS = "ansible_collections.smarthost.mail.plugins"
COMPOSERS = ("action", "modules", "filter", "lookup", "callback")
LIBRARIES = (
    "ansible",
    "yaml",
    "ruamel",
    "jinja2",
    "jsonschema",
)  # what the controller side may use beside the standard library
ONE_FILE = {"socket": "module_utils", "ssl": "module_utils", "jinja2": "plugin_utils", "jsonschema": "plugin_utils"}
FILE_LINES, FUNCTION_LINES = 400, 50


class Import(t.NamedTuple):
    """One imported module, with its full dotted name. running: false where only a type checker reads it."""

    name: str
    line: int
    running: bool


def imports(path: pathlib.Path, plugins: pathlib.Path) -> list[Import]:
    """Return every import of a file, relative ones resolved, a `from package import file` as the file where there is one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = [OURS, *path.relative_to(plugins).parent.parts]
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        running = id(node) not in for_types
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno, running) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
                if node.level
                else str(node.module)
            )
            found += [Import(whole(base, alias.name, plugins), node.lineno, running) for alias in node.names]
    return found


def whole(base: str, name: str, plugins: pathlib.Path) -> str:
    """Return base.name when that is a file or folder of ours, else base: `from .smtp import reply` imports a file."""
    if base == OURS or base.startswith(OURS + "."):
        place = plugins.joinpath(*base[len(OURS) + 1 :].split("."), name) if base != OURS else plugins / name
        if place.is_dir() or place.with_suffix(".py").is_file():
            return base + "." + name
    return base


def area(name: str) -> str:
    """Return the dotted path of one of our files below plugins/, "" for what is not ours."""
    return name[len(OURS) + 1 :] if name.startswith(OURS + ".") else ""


def broken_by(path: str, imported: Import) -> str:
    """Return which rule the file with the dotted path `path` breaks by one import, or ""."""
    side, ours = path.split(".")[0], area(imported.name)
    if ours and ours.split(".")[0] in COMPOSERS:
        return f"imports {ours}: nothing may import what composes"
    if side == "module_utils":
        return target_side(ours, imported.name)
    if side == "modules" and ours.startswith("plugin_utils"):
        return f"imports {ours}, which never reaches the target"
    if side == "plugin_utils":
        return controller_side(ours, imported.name)
    return ""


def target_side(ours: str, name: str) -> str:
    """module_utils: the standard library, ansible.module_utils and itself; and no AnsibleModule."""
    top = name.split(".")[0]
    if name.startswith("ansible.module_utils.basic"):
        return "knows AnsibleModule; only modules/ may"
    if (
        not ours.startswith("module_utils")
        and top not in sys.stdlib_module_names
        and not name.startswith("ansible.module_utils")
    ):
        return f"imports {name}; module_utils may use the standard library, ansible.module_utils and itself"
    return ""


def controller_side(ours: str, name: str) -> str:
    """plugin_utils: the libraries named above, and what its rooms say."""
    if not ours and name.split(".")[0] not in (*LIBRARIES, *sys.stdlib_module_names):
        return "imports {}; plugin_utils may use {}".format(name, ", ".join(LIBRARIES))
    return ""


def broken_rules(plugins: pathlib.Path) -> list[str]:
    """Return every broken rule below a plugins folder, as `file:line: what`."""
    problems = []
    graph: dict[str, dict[str, int]] = {}
    users: dict[str, set[str]] = {name: set() for name in ONE_FILE}
    for path in sorted(plugins.rglob("*.py")):
        dotted = ".".join(path.relative_to(plugins).with_suffix("").parts)
        shown = "plugins/" + path.relative_to(plugins).as_posix()
        found = imports(path, plugins)
        graph[dotted] = {area(imported.name): imported.line for imported in found if area(imported.name)}
        for imported in found:
            problem = broken_by(dotted, imported)
            if problem:
                problems.append("%s:%d: %s" % (shown, imported.line, problem))
            if imported.running and imported.name.split(".")[0] in ONE_FILE:
                users[imported.name.split(".")[0]].add(shown)
        problems += [shown + problem for problem in [*sizes(path), *old_grammar(path, dotted), *outside(path, plugins)]]
    for name, side in ONE_FILE.items():
        if len(users[name]) > 1 or any(not user.startswith(f"plugins/{side}/") for user in users[name]):
            problems.append(
                "{} is imported in {}; it belongs in one file below {}".format(
                    name, ", ".join(sorted(users[name])), side
                )
            )
    return list(dict.fromkeys([*problems, *rooms.broken(plugins, graph)]))


def sizes(path: pathlib.Path) -> t.Iterator[str]:
    """A file is a page, a function a paragraph. The documentation strings of a module are text, not program."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
            lines -= (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > FILE_LINES:
        yield ":1: %d lines; a file is at most %d" % (lines, FILE_LINES)
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > FUNCTION_LINES:
                yield ":%d: %s has %d lines; a function is at most %d" % (
                    function.lineno,
                    function.name,
                    length,
                    FUNCTION_LINES,
                )


def old_grammar(path: pathlib.Path, dotted: str) -> t.Iterator[str]:
    """What is sent to the target parses as Python 3.8 and evaluates no annotation."""
    if dotted.split(".")[0] not in ("module_utils", "modules"):
        return
    text = path.read_text(encoding="utf-8")
    try:
        ast.parse(text, feature_version=(3, 8))
    except SyntaxError as error:
        yield ":%d: is not Python 3.8: %s" % (error.lineno or 1, error.msg)
    if (
        "from __future__ import annotations" not in text and len(ast.parse(text).body) > 1
    ):  # an __init__.py may be its docstring
        yield ":1: lacks `from __future__ import annotations`, without which list[str] fails on Python 3.8"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr in ("removeprefix", "removesuffix"):
            yield ":%d: str.%s is not in Python 3.8" % (node.lineno, node.attr)


def outside(path: pathlib.Path, plugins: pathlib.Path) -> t.Iterator[str]:
    """A plugin finds data beside itself: climbing out of plugins/ reaches folders that an installed collection may lack."""
    inside = len(path.relative_to(plugins).parts)  # __file__ may climb so many folders and still be in plugins/
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node).count(".parent") > inside:
            yield ":%d: climbs out of plugins/ with %s" % (node.lineno, ast.unparse(node))
            return
        if (
            isinstance(node, ast.Subscript)
            and ast.unparse(node.value).endswith(".parents")
            and int(ast.unparse(node.slice)) >= inside
        ):
            yield ":%d: climbs out of plugins/ with %s" % (node.lineno, ast.unparse(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("../" * inside):
            yield ":%d: climbs out of plugins/ with %r" % (node.lineno, node.value)
