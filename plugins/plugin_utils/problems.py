# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems: where, what is wrong, what to write instead, a stable code. Never a secret, never an unknown key's value."""

from __future__ import annotations

import difflib
import typing as t


class Problem(t.NamedTuple):
    """One thing that is wrong, in the user's words.

    where: path as the user wrote it (``smtp_relay.relays.main.security``), may be empty.
    what: one sentence without the path, ends with a full stop or question mark.
    code: stable, lower case with dashes; documented in docs/errors.md.
    hint: what to write instead, one sentence or a list; may be empty.
    """

    where: str
    what: str
    code: str
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        text = f"{head}   [{self.code}]"
        return text + "".join(f"\n    {line}" for line in self.hint.splitlines())

    def as_dict(self) -> dict[str, str]:
        """The same facts for a task result."""
        return {"where": self.where, "what": self.what, "hint": self.hint, "code": self.code}


class ProblemsError(Exception):
    """Everything that is wrong, all at once. Nothing was written."""

    def __init__(self, problems: t.Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(word: str, choices: t.Iterable[str]) -> str:
    """A ready ending such as `` Did you mean "starttls"?``, or an empty string when nothing is close."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def one_of(choices: t.Iterable[str]) -> str:
    """The hint that lists what may be written."""
    return "One of: " + ", ".join(choices) + "."
