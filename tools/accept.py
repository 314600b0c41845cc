# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the golden files of the named applications anew. Read them before you commit them.

Usage: .venv/bin/python tools/accept.py APPLICATION... | --all
"""

from __future__ import annotations

import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / ".venv" / "collections"), str(ROOT / "tests")]

from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import SHIPPED, load_entry  # noqa: E402  needs the path above
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError  # noqa: E402
from catalogue import cases  # noqa: E402


def main(names: list[str]) -> int:
    """Write the goldens of each application. Returns the exit status."""
    names = cases.APPS if names == ["--all"] else names
    unknown = [name for name in names if name not in cases.APPS]
    if unknown or not names:
        print(f"Not in the catalogue: {', '.join(unknown)}." if unknown else __doc__, file=sys.stderr)
        return 2
    try:
        for name in names:
            load_entry(SHIPPED / name / "app.yml")
    except ProblemsError as error:
        print(error, file=sys.stderr)
        return 1
    for name in names:
        before, after = cases.accepted_golden(name), cases.golden_of(name)
        shutil.rmtree(cases.GOLDEN / name, ignore_errors=True)
        for path, text in after.items():
            target = cases.GOLDEN / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        changed = sum(before.get(path) != after.get(path) for path in {*before, *after})
        print(
            f"{name}: {len(after)} golden files, {changed} changed. Read them: git diff tests/catalogue/golden/{name}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
