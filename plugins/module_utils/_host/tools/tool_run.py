# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tool run: an application's own tool is called, with its input in a file, its output within bounds, and no secret in an error."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import tempfile
import typing as t

from ..._shared.problem import Problem, ProblemsError
from . import safe_command
from .bounded_output import TooMuchError, collect, last_lines

_LAST_LINES = 3
_LONGEST_LINE = 400


class Call(t.NamedTuple):
    """place: what problems call the tool. tool: the words that stand before the others. secrets: what may not show in an error."""

    place: str
    tool: t.Sequence[str]
    words: t.Sequence[str]
    secrets: t.Sequence[str]


def run(call: Call, body: t.Optional[bytes], seconds: float, most: int) -> bytes:
    """What the tool prints. A regular file is its input: some (occ) do not wait for a pipe to be filled. Raises ProblemsError."""
    said = " ".join(call.words)
    with tempfile.TemporaryFile() as source:
        source.write(body or b"")
        source.seek(0)
        begun = _begun(call)
        try:
            process = subprocess.Popen(
                list(begun.words),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                **begun.popen,
            )
        except OSError as error:
            raise _missing(call, os.strerror(error.errno or 0)) from None
        with process:
            try:
                output, errors = collect(process, seconds, most)
            except (subprocess.TimeoutExpired, TooMuchError) as error:
                os.killpg(process.pid, signal.SIGKILL)
                what = f"{said} did not end within {seconds:g} seconds."
                if isinstance(error, TooMuchError):
                    what = f"{said} prints more than {most} bytes."
                raise ProblemsError(
                    [
                        Problem(
                            call.place, what, "tool-failed", "Run it by hand, and see whether the application is well."
                        )
                    ]
                ) from None
    if process.returncode:
        # What reading prints is full of the application's other secrets.
        lines = _last_lines(errors, call) + ([] if body is None else _last_lines(output, call))
        what = f"{said} ended with status {process.returncode}.{begun.as_whom}"
        raise ProblemsError([Problem(call.place, what, "tool-failed", "\n".join(lines))])
    return output


def _begun(call: Call) -> safe_command.Start:
    try:
        begun = safe_command.start([*call.tool, *call.words])
    except safe_command.UnsafeCommandError as error:
        raise ProblemsError(
            [Problem(call.place, f"This is not started as root: {error}.", "unsafe-command", error.HINT)]
        ) from None
    if begun is None:
        raise _missing(call, os.strerror(errno.ENOENT))
    return begun


def _missing(call: Call, why: str) -> ProblemsError:
    what = f"There is no such program on this host ({why})."
    return ProblemsError([Problem(call.place, what, "tool-missing", "Say tool: with the words that call it here.")])


def _last_lines(output: bytes, call: Call) -> list[str]:
    # Only where a tool has failed: no other run waits for it.
    from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor, Secret
    from ansible_collections.smarthost.mail.plugins.module_utils._shared.visible import visible

    redactor = Redactor()
    for secret in call.secrets:
        redactor.learn("", Secret(secret))
    lines = redactor.texts(last_lines(output))
    return [visible(line.strip())[:_LONGEST_LINE] for line in lines if line.strip()][-_LAST_LINES:]
