# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands, and naming a process for good: by its id and its start time, or by the network namespace that it lives in."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import typing as t

from lab import needs

NAMESPACES = pathlib.Path("/run/netns")  # where iproute2 keeps the named ones


class Failed(Exception):
    """Something the lab did has failed; the text says what, with what the program printed."""


def run(*command: object, given: str = "", check: bool = True) -> str:
    """Run a program with `given` as its input and return what it printed on both outputs; Failed when it ends with an error."""
    words = [str(word) for word in command]
    env = {**os.environ, "PATH": needs.SYSTEM_PATH, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        words, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, check=False
    )
    if check and done.returncode:
        raise Failed("`%s` ended with %d: %s" % (" ".join(words), done.returncode, done.stdout.strip()))
    return done.stdout


class Process(t.NamedTuple):
    """One process: a process id alone may be another's by now."""

    pid: int
    started: int  # in clock ticks since the machine started

    @classmethod
    def of(cls, pid: int) -> t.Optional[Process]:
        """Return the process that has this id now; None when there is none, or one that is dead and waits to be reaped."""
        try:
            fields = (
                pathlib.Path("/proc/%d/stat" % pid)
                .read_text(encoding="utf-8", errors="replace")
                .rsplit(")", 1)[1]
                .split()
            )
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """Return whether this very process still runs."""
        return Process.of(self.pid) == self

    def children(self) -> list[int]:
        """Return the ids of its children, none when it has ended."""
        try:
            return [
                int(word)
                for word in pathlib.Path("/proc/%d/task/%d/children" % (self.pid, self.pid))
                .read_text(encoding="ascii")
                .split()
            ]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def signal(self, number: int) -> None:
        """Send a signal to this process and never to a later one with the same id."""
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.alive():
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)


def inside(namespaces: t.Iterable[str]) -> list[Process]:
    """Return every process that lives in one of the named network namespaces: whoever is in one of the lab's is the lab's."""
    wanted = set()
    for name in namespaces:
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(NAMESPACES / name)
            wanted.add((status.st_dev, status.st_ino))
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and wanted:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                process = Process.of(int(entry.name))
                status = os.stat(entry / "ns" / "net")
                if process and process.alive() and (status.st_dev, status.st_ino) in wanted:
                    found.append(process)
    return found


def end(find: t.Callable[[], t.Sequence[Process]], seconds: float = 10) -> None:
    """SIGKILL what `find` returns until it returns nothing; Failed when something is left after so many seconds."""
    last = time.monotonic() + seconds
    while left := find():
        for process in left:
            process.signal(signal.SIGKILL)
        if time.monotonic() > last:
            raise Failed("These processes do not end: {}".format(", ".join(str(process.pid) for process in left)))
        time.sleep(0.01)


def wait_until(true: t.Callable[[], bool], what: str, seconds: float = 10, step: float = 0.01) -> None:
    """Return as soon as `true()` is; Failed with `what` when it is not within so many seconds."""
    last = time.monotonic() + seconds
    while not true():
        if time.monotonic() > last:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(step)
