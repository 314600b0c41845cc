# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-ins share: a store beside the tool, a log of how it was called, and orders to fail that a test gives."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import typing as t

TOOL = pathlib.Path(sys.argv[0]).resolve()
STORE = TOOL.with_name(TOOL.name + ".store.json")
CALLS = TOOL.with_name(TOOL.name + ".calls")
ORDERS = TOOL.with_name(TOOL.name + ".orders.json")


def load() -> t.Any:
    """What the application has. Notes the call, with all that /proc shows of it to other users."""
    shown = [
        pathlib.Path(f"/proc/{pid}/{part}").read_bytes().decode()
        for pid in ("self", os.getppid())
        for part in ("cmdline", "environ")
    ]
    with CALLS.open("a") as calls:
        calls.write(json.dumps({"words": sys.argv[1:], "shown": shown}) + "\n")
    return json.loads(STORE.read_text())


def orders() -> dict[str, t.Any]:
    """What the test wants to go wrong."""
    return json.loads(ORDERS.read_text()) if ORDERS.exists() else {}


def save(tree: t.Any, given: str) -> None:
    """Keep it, unless ordered otherwise. given: what was handed over."""
    ordered = orders()
    if "fail" in ordered:
        sys.stderr.write(ordered["fail"].replace("{given}", given))
        sys.exit(1)
    if "ignore" not in ordered:
        STORE.write_text(json.dumps(tree))
    if "kill" in ordered:
        ORDERS.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
