# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip script that ansible-test would download: the pip that ships with CPython installs what was asked for.

ansible-test calls it for each of the virtual environments that it makes, nine of them. What the first has got is kept beside this file, and
the others have a copy.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import sysconfig

WHEELS = ""  # where setup.py has unpacked Debian's pip, for a Python without ensurepip: place.py writes it here


def bundled() -> str:
    """The pip that this Python would put into a new environment: ensurepip's, from the folder it has for wheels, or Debian's."""
    ensurepip = os.path.join(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    for folder in filter(None, (ensurepip, sysconfig.get_config_var("WHEEL_PKG_DIR"), WHEELS)):
        for wheel in glob.glob(os.path.join(folder, "pip-*.whl")):
            return wheel + "/pip"
    sys.exit("This Python has no pip to install one with.")


def main() -> None:
    """Give this environment what was asked for."""
    wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    packages = sysconfig.get_path("purelib")
    kept = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), " ".join(word for word in wanted if not word.startswith("-"))
    )
    if os.path.isdir(kept):
        shutil.copytree(kept, packages, dirs_exist_ok=True)
    else:
        subprocess.check_call([sys.executable, bundled(), "install", *wanted])
        shutil.rmtree(kept + ".part", ignore_errors=True)
        shutil.copytree(packages, kept + ".part")
        os.rename(kept + ".part", kept)
    with open(os.path.join(sys.prefix, "pip.conf"), "w", encoding="utf-8") as file:
        file.write(
            "[install]\ncompile = no\n"
        )  # much of what is installed is never imported, and Python compiles the rest when it is


if __name__ == "__main__":
    main()
