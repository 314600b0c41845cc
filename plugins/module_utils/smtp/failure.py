# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the probe: a category of the closed list, the reply behind it, and facts for the sentence."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .reply import Reply


class Failure(Exception):
    """The conversation did not get where it should.

    ``category`` is a word of :data:`diagnosis.CATEGORIES`; ``detail`` says what was seen, in words for people;
    ``stage`` is filled in by the step during which it was raised; ``facts`` are plain values for the report.
    """

    def __init__(self, category: str, reply: Reply | None = None, detail: str = "", **facts: t.Any) -> None:
        super().__init__(category)
        self.category = category
        self.reply = reply
        self.detail = detail
        self.facts = facts
        self.stage = ""
