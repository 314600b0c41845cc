# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip script that ansible-test would download: ensurepip's pip, which ships inside CPython, installs what was asked for."""

from __future__ import annotations

import glob
import importlib.util
import subprocess
import sys

WHEELS = ""  # where setup.py has unpacked Debian's pip, for a Python without ensurepip: place.py writes it here
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
if importlib.util.find_spec("ensurepip"):
    # A process of its own: ensurepip sets PIP_CONFIG_FILE=/dev/null, and pip would then ignore the user's package index.
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
else:
    pip = glob.glob(WHEELS + "/pip-*.whl")[0] + "/pip"
    subprocess.check_call([sys.executable, pip, "install", "--no-index", "--find-links", WHEELS, "pip", "setuptools"])
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + wanted))
