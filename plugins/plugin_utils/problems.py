# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems: where, what is wrong, what to write instead, a stable code. Never a secret, never an unknown key's value."""

from __future__ import annotations

import difflib
import typing as t

from ..module_utils.files.problems import Problem, ProblemsError

__all__ = ["Problem", "ProblemsError", "by_cause", "did_you_mean", "one_of"]


def did_you_mean(word: str, choices: t.Iterable[str]) -> str:
    """A ready ending such as `` Did you mean "starttls"?``, or an empty string when nothing is close."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def by_cause(problems: t.Iterable[Problem]) -> list[Problem]:
    """Each cause once, with every place that it was found at."""
    found: dict[Problem, list[str]] = {}
    for problem in problems:
        found.setdefault(problem._replace(where=""), []).append(problem.where)
    return [cause._replace(where=", ".join(dict.fromkeys(filter(None, places)))) for cause, places in found.items()]


def one_of(choices: t.Iterable[str]) -> str:
    """The hint that lists what may be written."""
    return "One of: " + ", ".join(choices) + "."
