# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of ansible-playbook in a fork of a process that has imported Ansible.

Two processes: the run itself, a session of its own, and its guard, which tells the client how it has ended, and ends it and all that it has
started when the client is gone. Whoever loses its parent becomes a child of the guard, so that none of them is missed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
import typing as t

from ansible_server import cache, wire

PR_SET_CHILD_SUBREAPER = 36
BROKEN = 250  # the exit status where not Ansible has failed but what is in this file
Request = t.Dict[str, t.Any]


def guard(connection: socket.socket, program: str, kept: str) -> None:
    """Reads what to run, runs it, and waits for its end or the client's. kept: the folder of the zip files of modules."""
    request, files = wire.receive(connection, 3)
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl has failed")
    run = os.fork()
    if run == 0:
        connection.close()
        alone(request, files, program, kept)
    for file in files:
        os.close(file)
    with contextlib.suppress(OSError):
        wire.send(connection, "begun")
    poll = select.poll()
    ended = os.pidfd_open(run)
    poll.register(ended, select.POLLIN)
    poll.register(connection, select.POLLIN)
    if ended in dict(poll.poll()):
        status = os.waitpid(run, 0)[1]
        with contextlib.suppress(OSError):
            wire.send(connection, os.waitstatus_to_exitcode(status))
    else:
        end_all()


def end_all() -> None:
    """Ends everything that this process has started, until nothing is left."""
    while found := descendants(os.getpid()):
        for process in found:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def descendants(process: int) -> t.List[int]:
    """The children of a process, their children and so on."""
    children: t.Dict[int, t.List[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
            children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
    found, new = [], [process]
    while new:
        new = [child for parent in new for child in children.get(parent, ())]
        found += new
    return found


def alone(request: Request, files: t.Sequence[int], program: str, kept: str) -> t.NoReturn:
    """The run: everything as in a process that was just started, then Ansible, then the end of the process."""
    status = BROKEN
    try:
        as_started(request, files, program)
        folder = own_folder(kept)
        status = ansible(program)
        cache.keep(folder, kept)
        atexit._run_exitfuncs()
    except BaseException:  # nothing may get back to the server's own code, of which this is a copy
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(status)


def as_started(request: Request, files: t.Sequence[int], program: str) -> None:
    """Makes this process one that was started with this request."""
    os.setsid()
    os.chdir(request["folder"])
    os.umask(request["umask"])
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = [program, *request["arguments"]]


def own_folder(kept: str) -> str:
    """Gives Ansible a fresh folder for the files of this run, which it removes at its end; returns that of the zip files of modules in it."""
    from ansible import constants
    from ansible.utils import vars as unique
    from ansible.utils.path import cleanup_tmp_file

    atexit.unregister(cleanup_tmp_file)
    above = os.path.dirname(constants.DEFAULT_LOCAL_TMP)
    os.makedirs(above, 0o700, exist_ok=True)
    constants.DEFAULT_LOCAL_TMP = tempfile.mkdtemp(prefix=f"ansible-local-{os.getpid()}", dir=above)
    atexit.register(cleanup_tmp_file, constants.DEFAULT_LOCAL_TMP, warn=True)
    if hasattr(unique, "random_int"):  # a part of the identifiers of this run's tasks
        unique.random_int = os.urandom(4).hex()
    folder = os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")
    cache.lend(kept, folder)
    return folder


def ansible(program: str) -> int:
    """Does what the script of that name does, and returns the exit status of it."""
    from ansible import cli
    from ansible.cli import playbook

    try:
        if hasattr(cli, "check_blocking_io"):
            cli.check_blocking_io()
        sys.exit(playbook.main())
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return (ended.code or 0) & 0xFF
        print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    return 1
