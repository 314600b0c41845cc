# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the unit tests of the target side (module_utils) on the oldest Python that this machine has of those we promise; the probe's also on the newest.

What differs from Python to Python is TLS; what writes files runs on the oldest and on .venv's own, and is killed there before
every system call; before every line, which are the same on all of them, `unit` does that.
"""

from __future__ import annotations

import os
import subprocess
import sys

import place

# Which ansible-core still runs on each: its ansible.module_utils is what our code imports.
CORES = {
    "3.8": "ansible-core~=2.13.0",
    "3.9": "ansible-core~=2.15.0",
    "3.12": "ansible-core~=2.19.0",
    "3.13": "ansible-core~=2.19.0",
}
TOOLS = (
    "pytest>=8.3,<10",
    "pytest-xdist~=3.6",
    "cryptography>=42",
    "aiosmtpd~=1.4",
    "dnspython>=2.6",
    "hypothesis~=6.100",
)


def found() -> list[tuple[str, str]]:
    """Return (version, program) of the oldest and the newest that really run here."""
    have = []
    for version in CORES:
        for folder in [*place.pythons(), *os.environ["PATH"].split(os.pathsep)]:
            program = os.path.join(folder, "python" + version)
            if (
                os.path.exists(program)
                and subprocess.run([program, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0
            ):
                have.append((version, program))
                break
    return [have[0], have[-1]] if len(have) > 1 else have


def main() -> int:
    """Run the tests on each Python found; return the exit status."""
    status = 0
    have = found()
    print(
        "Pythons beside .venv's own: "
        + (", ".join(version for version, program in have) or "none here, so .venv's own run in `unit` is all")
    )
    for version, program in have:
        folder = "tests/unit/plugins/module_utils" + ("" if version == have[0][0] else "/_smtp")
        bin_folder = place.make_venv("python-" + version, (CORES[version], *TOOLS), sys.stdout, program)
        command = [
            str(bin_folder / "python"),
            "-m",
            "pytest",
            "-q",
            "-n",
            "4",
            "-p",
            "no:cacheprovider",
            "-k",
            "not whichever_line",
            folder,
        ]
        status = max(status, subprocess.run(command, check=False).returncode)
    return status


if __name__ == "__main__":
    sys.exit(main())
