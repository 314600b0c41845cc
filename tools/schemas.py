# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published copies of the schemas, which editors point to: ``--write`` makes them, ``--check`` fails when they differ."""

from __future__ import annotations

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "plugins" / "plugin_utils" / "schemas"
PUBLISHED = ROOT / "schemas"


def stale(published: pathlib.Path = PUBLISHED) -> list[str]:
    """Names of schemas whose copy is missing, differs, or has no source any more."""
    names = {path.name for folder in (SOURCE, published) for path in folder.glob("*.json")}
    return sorted(name for name in names if _bytes(SOURCE / name) != _bytes(published / name))


def write(published: pathlib.Path = PUBLISHED) -> None:
    """Make every copy, and remove one that has no source any more."""
    published.mkdir(exist_ok=True)
    for name in stale(published):
        content = _bytes(SOURCE / name)
        if content is None:
            (published / name).unlink()
        else:
            (published / name).write_bytes(content)


def _bytes(path: pathlib.Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main() -> int:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true")
    choice.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        write()
    names = stale()
    for name in names:
        print(f"schemas/{name} is not as plugins/plugin_utils/schemas/{name}: run tools/schemas.py --write")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
