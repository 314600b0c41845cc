# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems: where, what is wrong, what to write instead, a stable code. Never a secret, never an unknown key's value."""

from __future__ import annotations

import difflib
import typing as t

from ..module_utils._shared.problem import Problem, ProblemsError

__all__ = ["HOSTS", "Problem", "ProblemsError", "by_cause", "by_host", "grouped", "some", "did_you_mean", "one_of"]

HOSTS = "{hosts}"  # in a hint for several hosts, until it is known which


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


def by_host(found: t.Mapping[str, t.Sequence[Problem]]) -> list[Problem]:
    """Each cause once, with its hosts and, where it is theirs, their applications. found: by host."""
    causes: dict[Problem, dict[str, list[str]]] = {}
    for name, problems in found.items():
        for problem in problems:
            causes.setdefault(problem._replace(where=""), {}).setdefault(name, []).append(problem.where)
    return [cause._replace(where=_places(hosts), hint=_named(cause.hint, hosts)) for cause, hosts in causes.items()]


def _named(hint: str, hosts: t.Iterable[str]) -> str:
    """The hint for these hosts, as --limit takes them: ``!{hosts}`` becomes each of them left out."""
    return hint.replace("!" + HOSTS, ",".join("!" + name for name in hosts)).replace(HOSTS, ",".join(hosts))


def _places(hosts: t.Mapping[str, t.Sequence[str]]) -> str:
    alike = grouped((", ".join(filter(None, apps)), name) for name, apps in hosts.items())
    return "; ".join(f"{some(names)}: {apps}" if apps else some(names) for apps, names in alike.items())


def grouped(pairs: t.Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By the first of each pair the second ones."""
    found: dict[str, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def some(names: t.Sequence[str], most: int = 5) -> str:
    """``web1, web2``; of many the first ones and how many more."""
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def one_of(choices: t.Iterable[str]) -> str:
    """The hint that lists what may be written."""
    return "One of: " + ", ".join(choices) + "."
