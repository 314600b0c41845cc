# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internal: what nobody expected, as a problem that says where it was and how to report it. Both sides use it.

An exception's own text may hold anything, a password too, so only its type and its place in our code are shown.
"""

from __future__ import annotations

import types
import typing as t

from .problem import Problem

ISSUES = "https://github.com/smarthost/mail/issues"
_OURS = "smarthost/mail/"
_LONGEST = 100


def problem(error: BaseException) -> Problem:
    """Type, file, line and function, and no value."""
    what = f"smarthost.mail met something that it does not expect ({type(error).__name__[:_LONGEST]}: {_place(error.__traceback__)})."
    hint = (
        f"Please report this line, with the versions of smarthost.mail and ansible-core, at {ISSUES}\n"
        "The error's own text is not shown, as it may hold a secret."
    )
    return Problem("", what, "internal-error", hint)


def is_ansibles(error: BaseException) -> bool:
    """Whether Ansible, or its templates, raised it on purpose, and has its own way to show it."""
    return type(error).__module__.partition(".")[0] in ("ansible", "jinja2")


def guard(module: t.Any, work: t.Callable[[t.Any], None]) -> None:
    """``work`` with a module of Ansible; whatever it raises ends the module with a message."""
    found = None
    try:
        work(module)
    except Exception as error:  # noqa: B902
        found = problem(error)
    if (
        found is not None
    ):  # outside of the handler: within it Ansible would add the traceback, with the error's text, at -vvv
        module.fail_json(msg=str(found), changed=False, problems=[found.as_dict()])


def _place(trace: t.Optional[types.TracebackType]) -> str:
    """The innermost function of ours, and what it called where that is another's."""
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        _folder, ours, path = code.co_filename.rpartition(_OURS)
        places.append(
            (bool(ours), f"{path if ours else path.rpartition('/')[2]}, line {trace.tb_lineno}, in {code.co_name}")
        )
        trace = trace.tb_next
    ours_last = [place for own, place in places if own][-1:]
    return "; ".join(dict.fromkeys([*ours_last, *(place for _own, place in places[-1:])])) or "at an unknown place"
