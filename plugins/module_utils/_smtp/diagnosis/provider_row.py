# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of one reply of a provider, and remedies that several rows share."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple

OAUTH = "Use OAuth2, or a relay of your own in front of it; app passwords do not help."
WAIT = "Wait, and send less at a time."


class Row(NamedTuple):
    """One reply. All ``fragments`` must be in the reply (lower case, code included); ``of`` empty: whoever says it."""

    key: str
    of: str
    fragments: t.Tuple[str, ...]
    category: str
    meaning: str
    remedies: t.Tuple[str, ...]
