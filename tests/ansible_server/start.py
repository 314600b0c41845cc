# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For tests: the program to start in place of ansible-playbook."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REAL = str(Path(sys.executable).with_name("ansible-playbook"))
TESTS = Path(__file__).resolve().parent.parent
SHEBANG = "#!{python} -IES\nimport sys\nsys.path.insert(0, {tests!r})\nfrom ansible_server.client import main\nmain({folder!r})\n"
LONGEST = 127  # of the first line of a script, on older Linux
# As it was when pytest began: a test may have changed what Python reads when it starts.
ENVIRONMENT = dict(os.environ)


def ansible_playbook() -> str:
    """The path of a program that does what ansible-playbook does. The server is started when it is first asked for."""
    if os.environ.get("SMARTHOST_REAL_START") or not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        return REAL
    return str(server() / "ansible-playbook") if len(f"#!{python()} -IES") <= LONGEST else REAL


def python() -> str:
    """The Python that the real program is started with."""
    with open(REAL, encoding="utf-8") as file:
        first = file.readline().strip()
    return first[2:] if first.startswith("#!") and os.access(first[2:], os.X_OK) else sys.executable


@functools.lru_cache(maxsize=None)
def server() -> Path:
    """Starts the server of this pytest process; its folder."""
    folder = Path(tempfile.mkdtemp(prefix="smarthost-ansible-"))
    folder.chmod(0o755)  # a run as another user starts the program too
    (folder / "private").mkdir(mode=0o700)
    program = folder / "ansible-playbook"
    program.write_text(SHEBANG.format(python=python(), tests=str(TESTS), folder=str(folder)), encoding="utf-8")
    program.chmod(0o755)
    with open(folder / "private" / "errors", "w+", encoding="utf-8") as errors:
        command = [python(), str(TESTS / "ansible_server" / "server.py"), str(folder), REAL]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ENVIRONMENT,
            start_new_session=True,
        )
        assert process.stdin and process.stdout
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"The server of Ansible was not started:\n{errors.seek(0) or errors.read()}")
    process.stdout.close()
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    return folder


def real_starts() -> "list[str]":
    """Why each run since the beginning was a real start that the server could not do."""
    kept = server() / "private" / "real-starts"
    return kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
