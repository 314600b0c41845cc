# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A start of the probe stays cheap: the rules of module_utils/_shared/light.py hold, and the checker finds each kind of violation."""

from __future__ import annotations

import pathlib

import pytest
from architecture.start import costly

TARGET = pathlib.Path(__file__).resolve().parent.parent.parent / "plugins" / "module_utils"
SHARED = (
    "light",
    "problem",
    "secret",
    "spelling_search",
    "spellings",
    "text",
    "visible",
)  # of _shared what the probe loads

PLANTED = {
    "a pattern": ("import re\nX = re.compile('a')\n", "a.py:2: compiles a pattern"),
    "a pattern with a type": ("import re\nX: t.Any = re.compile('a')\n", "a.py:2: compiles a pattern"),
    "a pattern of a class": ("import re\nclass A:\n    x = [re.compile('a')]\n", "a.py:3: compiles a pattern"),
}
ALLOWED = {
    "a pattern where it is used": "import re\ndef f(x):\n    return re.match('a', x) or re.compile('b').match(x)\n",
    "an annotation": "x: t.TypeAlias = 't.Any'\ndef f(x: t.Any) -> t.Any:\n    return x\n",
}


def test_nothing_costly_happens_while_the_probe_is_loaded() -> None:
    files = [*sorted((TARGET / "_smtp").rglob("*.py")), *(TARGET / "_shared" / f"{name}.py" for name in SHARED)]
    assert {"probe.py", "tls.py", "light.py"} <= {path.name for path in files}
    assert [problem for path in files for problem in costly(path)] == []


@pytest.mark.parametrize("text, said", PLANTED.values(), ids=PLANTED)
def test_what_is_costly_is_named(text: str, said: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    (problem,) = costly(tmp_path / "a.py")
    assert problem.startswith(said)


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_what_is_not_is_allowed(text: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    assert costly(tmp_path / "a.py") == []
