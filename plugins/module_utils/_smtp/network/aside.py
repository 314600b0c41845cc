# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside the conversation, which is left behind where it takes too long: a look-up has no timeout of its own."""

from __future__ import annotations

import typing as t
from _thread import allocate_lock, start_new_thread


class Aside:
    """Work in a thread of its own, which is left behind by those who do not wait until its end.

    Python does not wait for it when the module ends.
    """

    def __init__(self, work: t.Callable[[], t.Any]) -> None:
        self._work = work
        self._done: list[t.Any] = []
        self._busy = allocate_lock()
        self._busy.acquire()
        start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except (OSError, ValueError) as exc:
            self._done.append(exc)
        finally:
            self._busy.release()

    def within(self, seconds: float) -> t.Any:
        """What it returned, or the OSError or ValueError it raised, or None if it takes too long. Any number may wait for it."""
        if self._busy.acquire(timeout=max(seconds, 0)):
            self._busy.release()
        return self._done[0] if self._done else None


def in_time(work: t.Callable[[], t.Any], seconds: float) -> t.Any:
    """What ``work`` returns, or the OSError or ValueError it raised, or None if it took too long (it is then left behind)."""
    return Aside(work).within(seconds)
