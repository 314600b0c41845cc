# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular files of others, read for what stands in them: never a device or a pipe, and never more than so many bytes."""

from __future__ import annotations

import os
import stat
import typing as t


def read_small(path: str, most: int) -> t.Optional[bytes]:
    """The first bytes of a regular file; None where there is none, or it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", closefd=False) as file:
            return file.read(most)
    except OSError:
        return None
    finally:
        os.close(fd)


def read_lines(path: str, most: int) -> t.Optional[t.List[str]]:
    """The lines of such a file as text."""
    data = read_small(path, most)
    return None if data is None else data.decode("utf-8", "replace").splitlines()
