# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection keeps its layers, and the checker finds each kind of violation when one is planted."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest
from architecture.layers import OURS, broken_rules
from architecture.rooms import SIDES

PLUGINS = pathlib.Path(__file__).resolve().parent.parent.parent / "plugins"
START = "from __future__ import annotations\n"


class Planted(t.NamedTuple):
    """Files to write below plugins/, and a part of the one sentence that must come back ("" for none)."""

    files: dict[str, str]
    said: str


def imports(names: str) -> str:
    """The __init__.py of a room that imports these others."""
    return f'"""A room.\n\nImports: {names}.\n"""\n'


PLANTED = {
    "a module_utils file imports a library": Planted(
        {"module_utils/_smtp/reply.py": "import yaml\n"}, "reply.py:2: imports yaml; module_utils may"
    ),
    "a module_utils file imports the controller's side": Planted(
        {
            "module_utils/_shared/seal.py": "from ...plugin_utils.declaration import model\n",
            "plugin_utils/declaration/model.py": "",
        },
        "seal.py:2: imports " + OURS,
    ),
    "a module_utils file imports ansible's controller code": Planted(
        {"module_utils/_smtp/protocol/reply.py": "from ansible.errors import AnsibleError\n"},
        "imports ansible.errors; module_utils may",
    ),
    "a module_utils file knows AnsibleModule": Planted(
        {"module_utils/_smtp/result.py": "from ansible.module_utils.basic import AnsibleModule\n"},
        "knows AnsibleModule",
    ),
    "a module imports the controller's side": Planted(
        {
            "modules/smtp_probe.py": f"from {OURS}.plugin_utils.planning import plan\n",
            "plugin_utils/planning/plan.py": "",
        },
        "imports plugin_utils.planning.plan, which never",
    ),
    "a file imports what its room does not": Planted(
        {"plugin_utils/planning/plan.py": "from ..rendering import render\n", "plugin_utils/rendering/render.py": ""},
        "plan.py:2: imports plugin_utils.rendering.render, which its room",
    ),
    "the same inside a function": Planted(
        {
            "plugin_utils/planning/plan.py": "def f():\n    from ..rendering.render import g\n",
            "plugin_utils/rendering/render.py": "",
        },
        "plan.py:3: imports plugin_utils.rendering.render, which its",
    ),
    "the same for types only": Planted(
        {
            "plugin_utils/planning/plan.py": "import typing as t\nif t.TYPE_CHECKING:\n    from ..rendering.render import g\n",
            "plugin_utils/rendering/render.py": "",
        },
        "plan.py:4: imports plugin_utils.rendering.render, which its",
    ),
    "a room does not say what it imports": Planted(
        {"plugin_utils/planning/__init__.py": ""}, "planning/__init__.py:1: does not say what the room may import"
    ),
    "a room says that it imports what it does not": Planted(
        {
            "plugin_utils/planning/plan.py": "",
            "plugin_utils/planning/__init__.py": imports("plugin_utils.rendering"),
            "plugin_utils/rendering/render.py": "",
        },
        "says that it imports plugin_utils.rendering, and no file",
    ),
    "a room has too many files": Planted(
        {"plugin_utils/planning/p%d.py" % number: "" for number in range(21)}, "21 files; a room has at most 20"
    ),
    "files import each other": Planted(
        {
            "plugin_utils/planning/a.py": "from . import b\n",
            "plugin_utils/planning/b.py": "def f():\n    from .a import g\n",
        },
        "files import each other: plugin_utils.planning.a, plugin_utils.planning.b",
    ),
    "plugin_utils uses an unnamed library": Planted(
        {"plugin_utils/declaration/model.py": "import requests\n"}, "imports requests; plugin_utils may use"
    ),
    "a room imports an action": Planted(
        {"plugin_utils/planning/plan.py": "from ...action import smtp_config\n", "action/smtp_config.py": ""},
        "what composes",
    ),
    "two files import socket": Planted(
        {
            "module_utils/_smtp/network/transport.py": "import socket\n",
            "module_utils/_smtp/network/tls.py": "import socket\n",
        },
        "socket is imported in plugins/",
    ),
    "jinja2 on the wrong side": Planted(
        {"filter/smtp.py": "import jinja2\n"}, "jinja2 is imported in plugins/filter/smtp.py; it belongs"
    ),
    "a target file is too new": Planted(
        {"module_utils/_smtp/protocol/reply.py": "match 1:\n    case 1: pass\n"}, "is not Python 3.8"
    ),
    "a target file uses a new method": Planted(
        {"module_utils/_smtp/protocol/reply.py": "x = 'ab'.removeprefix('a')\n"}, "str.removeprefix is not in"
    ),
    "a plugin climbs out by text": Planted(
        {"filter/smtp.py": "x = '../../schemas/a.json'\n"}, "climbs out of plugins/ with '../../schemas"
    ),
    "a plugin climbs out by parent": Planted(
        {"filter/smtp.py": "x = path.resolve().parent.parent.parent / 'schemas'\n"}, "climbs out of plugins/"
    ),
    "a plugin climbs out by parents": Planted(
        {"filter/smtp.py": "x = path.resolve().parents[2]\n"}, "climbs out of plugins/ with path.resolve().parents[2]"
    ),
    "a plugin reads beside itself": Planted(
        {"filter/smtp.py": "x = path.resolve().parent.parent / 'plugin_utils'\n"}, ""
    ),
    "a file is too long": Planted({"filter/smtp.py": "x = 1\n" * 400}, "401 lines; a file is at most 400"),
    "a function is too long": Planted(
        {"filter/smtp.py": "def f():\n" + "    x = 1\n" * 50}, "f has 51 lines; a function is at most 50"
    ),
    "a page of documentation is no program": Planted(
        {"modules/m.py": "DOCUMENTATION = '''\n" + "x\n" * 500 + "'''\n"}, ""
    ),
    "the right direction": Planted(
        {
            "plugin_utils/planning/plan.py": "from ..declaration.model import A\nfrom ...module_utils._shared import seal\n",
            "plugin_utils/planning/__init__.py": imports("module_utils._shared, plugin_utils.declaration"),
            "plugin_utils/declaration/model.py": "",
            "module_utils/_shared/seal.py": "import hashlib\n",
            "action/a.py": f"from {OURS}.plugin_utils.planning import plan\n",
            "module_utils/_smtp/network/transport.py": "import socket\n",
        },
        "",
    ),
}


def test_the_collection_keeps_its_layers_and_sizes() -> None:
    assert broken_rules(PLUGINS) == []


def test_the_checker_reads_the_whole_collection() -> None:
    assert {path.name for path in PLUGINS.iterdir() if path.is_dir()} >= {
        "action",
        "filter",
        "modules",
        "module_utils",
        "plugin_utils",
    }


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_named_and_nothing_else(planted: Planted, tmp_path: pathlib.Path) -> None:
    for name, text in planted.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(START + text if path.name != "__init__.py" else text, encoding="utf-8")
    for folder in {path.parent for side in SIDES for path in (tmp_path / side).rglob("*.py")}:
        if not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text(imports("nothing of the others"), encoding="utf-8")
    said = broken_rules(tmp_path)
    if planted.said:
        assert len(said) == 1 and planted.said in said[0]
    else:
        assert said == []


def test_a_target_file_without_lazy_annotations_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "module_utils").mkdir()
    (tmp_path / "module_utils" / "__init__.py").write_text(imports("nothing of the others"), encoding="utf-8")
    (tmp_path / "module_utils" / "a.py").write_text("x: int = 1\ny: list[str] = []\n", encoding="utf-8")
    (said,) = broken_rules(tmp_path)
    assert "lacks `from __future__ import annotations`" in said


def test_the_files_that_a_newcomer_is_sent_to_are_there() -> None:
    root = PLUGINS.parent
    named = re.findall(
        r"`((?:plugins|roles|tools|tests)/[\w./]+\.(?:py|yml))`", (root / "CONTRIBUTING.md").read_text("utf-8")
    )
    assert len(named) > 10 and [path for path in named if not (root / path).exists()] == []


def test_no_type_has_its_name_from_another() -> None:
    """One word, one meaning. ActionModule is what Ansible looks for in each of its files."""
    found: dict[str, list[str]] = {}
    for path in sorted(PLUGINS.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name != "ActionModule":
                found.setdefault(node.name, []).append(path.name)
    assert len(found) > 200 and {name: files for name, files in found.items() if len(files) > 1} == {}
