# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that tests start in place of ansible-playbook. It starts as often as they do, so it imports little."""

from __future__ import annotations

import marshal
import os
import signal
import sys

from ansible_server import rules, wire

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing, which costs every start some milliseconds
if TYPE_CHECKING:
    import typing as t

LOST = "The server of Ansible has lost this run."


def main(folder: str) -> t.NoReturn:
    """Has the server of this folder run Ansible with our arguments, or becomes the real program."""
    with open(os.path.join(folder, "settings"), "rb") as file:
        server = marshal.load(file)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = sys.argv[1:]
    reason = rules.why_real(server, arguments, os.environ) or served(folder, arguments)
    note(folder, reason)
    signal.signal(
        signal.SIGPIPE, signal.SIG_DFL
    )  # which Python ignores for itself, and what it becomes would inherit that
    os.execve(server["program"], [server["program"], *arguments], os.environ)


def served(folder: str, arguments: t.Sequence[str]) -> str:
    """Runs Ansible in the server and ends with its status; returns only if it was not begun, and then why."""
    request = {"arguments": arguments, "folder": os.getcwd(), "umask": umask(), "environment": dict(os.environ)}
    try:
        with wire.connected(os.path.join(folder, "private", "server")) as connection:
            wire.send(connection, [rules.key(os.environ), dict(os.environ)])
            path = wire.receive(connection)[0]
        if not path:
            return "too many sets of variables"
        connection = wire.connected(path)
        wire.send(connection, request, files=(0, 1, 2))
        wire.receive(connection)
    except (OSError, EOFError) as error:
        return f"no server: {error!r}"
    try:
        end(wire.receive(connection)[0])
    except (OSError, EOFError):
        sys.exit(LOST)


def umask() -> int:
    """The mask of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def end(status: int) -> t.NoReturn:
    """Ends this process as the run has ended: with its exit status, or by the signal that ended it."""
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -status)
    os._exit(status)


def note(folder: str, reason: str) -> None:
    """Keeps why this was a real start, where we may write."""
    try:
        with open(os.path.join(folder, "private", "real-starts"), "a", encoding="utf-8") as file:
            file.write(reason + "\n")
    except OSError:
        pass
