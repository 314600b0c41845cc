# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems: where, what is wrong, what to write instead, a stable code. Never a secret, nor a byte of any file. Both sides use them."""

from __future__ import annotations

import errno
import os
import typing as t

from .light import NamedTuple
from .visible import visible


class Problem(NamedTuple):
    """One thing that is wrong, in the user's words.

    where: path as the user wrote it (``smtp_relay.relays.main.security``), or a path of the target; may be empty.
    what: one sentence without the path, ends with a full stop or question mark.
    code: stable, lower case with dashes; explained in docs/codes.md.
    hint: what to write instead, one sentence or a list; may be empty.
    """

    where: str
    what: str
    code: str
    hint: str = ""

    def __str__(self) -> str:
        where, what, hint, code = self.as_dict().values()
        text = f"{where}: {what}   [{code}]" if where else f"{what}   [{code}]"
        return text + "".join(f"\n    {line}" for line in hint.split("\n") if hint)

    def as_dict(self) -> dict[str, str]:
        """The same facts for a module result: names of keys and files, and what tools say, may hold anything, and are shown on terminals."""
        return {
            "where": visible(self.where),
            "what": visible(self.what, "\n"),
            "hint": visible(self.hint, "\n"),
            "code": self.code,
        }


#: What is named instead, for a task of one's own and for the role.
OTHER_STATE_DIR = "another state_dir (smtp_relay_state_dir of the role)"


class ProblemsError(Exception):
    """Everything that stands in the way, all at once. Nothing was written, or everything was undone."""

    def __init__(self, problems: t.Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ETXTBSY)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def from_os_error(error: OSError, where: str, after: str) -> Problem:
    """A failed system call as a problem: its path and the system's words, nothing else.

    ``where`` is used when the error names no path; ``after`` says what became of the set ("Nothing was changed.").
    """
    named = next((name for name in (error.filename2, error.filename) if isinstance(name, str)), where)
    code = "write-failed"
    if error.errno in _NO_SPACE:
        code = "no-space"
    elif error.errno in _NOT_WRITABLE:
        code = "not-writable"
    reason = os.strerror(error.errno) if error.errno else "the system gave no reason"
    return Problem(named, f"{reason}. {after}", code)
