# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zip files that Ansible makes of modules (AnsiballZ), which it keeps for one run: for all runs that find the same modules.

Every run has a folder of its own for them, with links to those that are there already. What it adds is copied when it has ended, whole or
not at all, so runs at the same time do not see each other's unfinished files, whichever way Ansible writes them.
"""

from __future__ import annotations

import os
import shutil

NOT_MODULES = (".lock", "-part")


def lend(kept: str, folder: str) -> None:
    """Makes the folder of one run."""
    os.makedirs(kept, exist_ok=True)
    os.mkdir(folder)
    for name in os.listdir(kept):
        os.symlink(os.path.join(kept, name), os.path.join(folder, name))


def keep(folder: str, kept: str) -> None:
    """Keeps what a run has added to its folder."""
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_file(follow_symlinks=False) and not entry.name.endswith(NOT_MODULES):
            unfinished = f"{kept}.{os.getpid()}"  # beside the folder, so that nobody takes it for a module
            shutil.copyfile(entry.path, unfinished)
            os.rename(unfinished, os.path.join(kept, entry.name))
