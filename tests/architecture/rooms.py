# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of module_utils and plugin_utils: the first lines of a room's __init__.py say which others it imports, and that is held to it."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

SIDES = ("module_utils", "plugin_utils")
FILES = 20
MANY = ("plugin_utils.dialects",)  # one file a syntax, however many there are

Graph = t.Mapping[str, t.Mapping[str, int]]


def room(name: str) -> str:
    """The folder that a file lives in."""
    return name.rpartition(".")[0]


def declared(plugins: pathlib.Path) -> dict[str, set[str] | None]:
    """For each room below a plugins folder which others its __init__.py says that it imports; None where it does not say."""
    found: dict[str, set[str] | None] = {}
    for side in SIDES:
        for folder in sorted({path.parent for path in (plugins / side).rglob("*.py")}):
            start = folder / "__init__.py"
            text = (ast.get_docstring(ast.parse(start.read_text(encoding="utf-8"))) if start.is_file() else "") or ""
            line = re.search(r"^Imports: ((?:.|\n )+?)\.$", text, re.MULTILINE)
            names = None if line is None else set(re.findall(r"(?:module|plugin)_utils(?:\.\w+)*", line.group(1)))
            found[".".join(folder.relative_to(plugins).parts)] = names
    return found


def broken(plugins: pathlib.Path, graph: Graph) -> t.Iterator[str]:
    """Every broken rule of the rooms. graph: for each file the files that it imports, types included, with the line."""
    known = declared(plugins)
    of_rooms = {name: edges for name, edges in graph.items() if name.split(".")[0] in SIDES}
    inside = {
        name: {other: line for other, line in edges.items() if other.split(".")[0] in SIDES}
        for name, edges in of_rooms.items()
    }
    for name, names in known.items():
        shown = "plugins/{}/__init__.py".format(name.replace(".", "/"))
        files = [path for path in (plugins / name.replace(".", "/")).glob("*.py") if path.name != "__init__.py"]
        used = {
            room(other) if other not in known else other
            for file, edges in inside.items()
            if room(file) == name
            for other in edges
        } - {name}
        if names is None:
            yield f'{shown}:1: does not say what the room may import (a line that begins with "Imports: ")'
        else:
            yield from (
                f"{shown}:1: says that it imports {other}, and no file of it does" for other in sorted(names - used)
            )
        if len(files) > FILES and name not in MANY:
            yield "%s:1: %d files; a room has at most %d" % (shown, len(files), FILES)
    for file, edges in inside.items():
        for other, line in edges.items():
            target = other if other in known else room(other)
            if file.startswith("module_utils") and other.startswith("plugin_utils"):
                continue  # layers.py names it
            if target != room(file) and known.get(room(file)) is not None and target not in (known[room(file)] or ()):
                yield "plugins/%s.py:%d: imports %s, which its room does not" % (file.replace(".", "/"), line, other)
    of_kind: tuple[tuple[str, Graph], ...] = (
        ("file", inside),
        ("room", {name: dict.fromkeys(names or (), 0) for name, names in known.items()}),
    )
    for kind, graph in of_kind:
        yield from ("{}s import each other: {}".format(kind, ", ".join(circle)) for circle in circles(graph))


def circles(graph: Graph) -> list[list[str]]:
    """Groups of names that reach each other (Tarjan's strongly connected components of more than one)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        open_.append(name)
        for other in graph.get(name, ()):
            if other not in number:
                visit(other)
            if other in open_:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == number[name]:
            group = open_[open_.index(name) :]
            del open_[open_.index(name) :]
            found.extend([sorted(group)] if len(group) > 1 else [])

    for name in graph:
        if name not in number:
            visit(name)
    return found
