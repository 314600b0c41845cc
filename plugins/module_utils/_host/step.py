# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one path shall become, found out before anything is written."""

from __future__ import annotations

import dataclasses
import typing as t

from .._shared.problem import Problem
from .disk.snapshot import FILE, MISSING, Meta, Seen


@dataclasses.dataclass(frozen=True)
class PathStep:
    """What one path shall become. ``data`` None: it shall not exist. ``drop``: folders to remove then, if empty.

    command: the settings are not a file's, but what this tool reads and writes (see commands).
    narrow: folders made for it let others pass, and do not list what is in them.
    """

    path: str
    real: str
    seen: Seen = dataclasses.field(repr=False)
    data: t.Optional[bytes] = dataclasses.field(repr=False)
    meta: t.Optional[Meta]
    make: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    command: t.Optional[t.Mapping[str, t.Any]] = None
    narrow: bool = False

    @property
    def changed(self) -> bool:
        """Bytes, owner, group, mode or access attributes differ from what stands there."""
        if self.data is None:
            return self.seen.kind != MISSING
        return self.seen.kind != FILE or (self.data, self.meta) != (self.seen.data, self.seen.meta)


Outcome = t.Union[PathStep, t.List[Problem]]
