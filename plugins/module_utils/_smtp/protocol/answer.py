# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an HTTP server said, in the place of an SMTP reply."""

from __future__ import annotations

from ..._shared.light import NamedTuple


class HttpAnswer(NamedTuple):
    """``code`` is HTTP's; ``text`` is what a report may show of it."""

    code: int
    text: str
    meaning: str = ""
    enhanced: str = ""
    kind: int = 0  # never one of SMTP's, whose rules do not hold here
