# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes of an older version as they are in the present one."""

from __future__ import annotations

import typing as t

from . import fields
from .fields import DamagedError

Json = t.Dict[str, t.Any]


def migrated(value: object, place: str, version: int, steps: t.Mapping[int, t.Callable[[Json], Json]]) -> Json:
    """A document in this version, from an older one. ``steps``: from each older version to the one after it. Raises DamagedError."""
    document: Json = dict(fields.mapping(value, place))
    found = fields.whole(document.pop("version", 1), f"{place}.version")
    if found > version:
        raise DamagedError(
            f"{fields.shown(place)} is of version {found}, and this release knows no version after {version}",
            newer=True,
        )
    if found < 1 or (found == 1) != ("version" not in fields.mapping(value, place)):
        raise DamagedError(f"{fields.shown(place)} is of no version that there ever was")
    for number in range(found, version):
        document = steps[number](document)
    return document
