# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for applications' own tools that cannot be had here, each written after the tool's source: same words, same output."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys
import typing as t

HERE = pathlib.Path(__file__).resolve().parent


class Tool:
    """One of them in a folder, with what its application has."""

    def __init__(self, folder: pathlib.Path, program: str, has: t.Any) -> None:
        """program: ``occ``, ``mmctl``, ``kcadm`` or ``api_cli``."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "store.py", folder)
        self._at = folder / program
        self._at.write_text(f"#!{sys.executable}\n" + (HERE / f"{program}.py").read_text("utf-8"), "utf-8")
        self._at.chmod(0o755)
        self.path = str(self._at)
        self.put(has)

    def put(self, has: t.Any) -> None:
        """Somebody sets the application's settings by hand."""
        self._beside(".store.json").write_text(json.dumps(has))

    @property
    def has(self) -> t.Any:
        """What the application has now."""
        return json.loads(self._beside(".store.json").read_text())

    def order(self, **orders: t.Any) -> None:
        """``fail``: what it says to standard error then, {given} being what it was handed; ``ignore``; ``kill`` its caller, once."""
        self._beside(".orders.json").write_text(json.dumps(orders))

    @property
    def calls(self) -> list[list[str]]:
        """The words of each call."""
        return [call["words"] for call in self._logged()]

    @property
    def shown(self) -> str:
        """All that other users of the host could see of it and its caller."""
        return "".join(text for call in self._logged() for text in call["shown"])

    def _logged(self) -> list[t.Any]:
        calls = self._beside(".calls")
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    def _beside(self, suffix: str) -> pathlib.Path:
        return self._at.with_name(self._at.name + suffix)
