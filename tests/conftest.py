# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this checkout importable as ansible_collections.smarthost.mail, for pytest and for the programs that tests start."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
from fuzz.effort import load_profile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".venv" / "collections"

sys.path.insert(0, str(COLLECTIONS))
load_profile()


@pytest.fixture(scope="session", autouse=True)
def private_ansible(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ansible programs started by a test find this collection and never the user's settings, home or other collections."""
    os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["ANSIBLE_CONFIG"] = str(ROOT / "demo" / "ansible.cfg")
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
    os.environ["ANSIBLE_HOME"] = str(tmp_path_factory.mktemp("ansible-home"))
    os.environ["ANSIBLE_LOCALHOST_WARNING"] = "false"
    os.environ["NO_COLOR"] = "1"
