# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation that failed."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .answer import HttpAnswer
    from .reply import Reply


class Failure(Exception):
    """The conversation did not get where it should.

    ``category`` is a word of :data:`diagnosis.CATEGORIES`; ``reply`` is an :class:`HttpAnswer` where HTTP was spoken; ``detail`` says
    what was seen, in words for people; ``stage`` is filled in by the step during which it was raised; ``facts`` are plain values
    for the report.
    """

    def __init__(
        self, category: str, reply: Reply | HttpAnswer | None = None, detail: str = "", **facts: t.Any
    ) -> None:
        super().__init__(category)
        self.category = category
        self.reply = reply
        self.detail = detail
        self.facts = facts
        self.stage = ""
