# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task of the collection run by ansible-playbook against this machine, with its result as a program gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_server.start import ansible_playbook
from integration.returned import COMMON, OF_ASYNC, documented, wrong

Result = t.Dict[str, t.Any]
FILTERS = str(Path(__file__).resolve().parent / "filters")


def task(
    folder: Path,
    module: str,
    options: Result,
    *more: str,
    fails: bool = False,
    keywords: t.Optional[Result] = None,
    **variables: t.Any,
) -> Result:
    """The result of one task. ``fails``: whether it has to fail; ``more``: options of ansible-playbook; ``keywords`` of the task."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **variables}
    kept = folder / "result.json"
    kept.unlink(missing_ok=True)
    tasks = [
        {f"smarthost.mail.{module}": options, "register": "found", "ignore_errors": True, **(keywords or {})},
        {
            "ansible.builtin.debug": {"msg": "{{ found | to_json | kept_at(kept) }}"},
            "vars": {"kept": str(kept)},
            "no_log": True,
        },
    ]
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"site": variables}}}))
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    command = [ansible_playbook(), "-i", str(folder / "inventory.json"), str(folder / "play.json"), *more]
    env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FILTER_PLUGINS": FILTERS}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)
    assert kept.exists(), done.stdout[-3000:] + done.stderr[-1000:]
    found: Result = json.loads(kept.read_text())
    assert bool(found.get("failed")) == fails, found.get("msg")
    common = COMMON | OF_ASYNC if "async" in (keywords or {}) else COMMON
    assert not (undocumented := wrong(found, documented(module), common)), undocumented
    return found
