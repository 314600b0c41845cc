# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders on every host of a lab, one message a second each, and what became of every message."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import subprocess
import time
import typing as t

from lab.host import Host, environment
from lab.laboratory import Lab
from lab.processes import Failed, Process

STOP_SECONDS = 60  # a message that has begun is finished


class Attempt(t.NamedTuple):
    """One message that a program was asked to send. status: its exit status; 0: it took the message."""

    subject: str
    status: int
    said: str


class Load:
    """What the senders did: to be read when they have stopped."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        """folder: a new one, for the senders' words."""
        self.lab = lab
        self.folder = folder
        folder.mkdir()

    def start(self, host: Host, program: str) -> subprocess.Popen[bytes]:
        """Start one sender."""
        with open(self.folder / (f"{host.name} {program}"), "wb") as words:
            return subprocess.Popen(
                host.command("python3", "/opt/lab/sender.py", program),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
            )

    def attempts(self) -> list[Attempt]:
        """Return every attempt of every sender."""
        found = []
        for path in sorted(self.folder.iterdir()):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                number, status, said = [*line.split(" ", 2), ""][:3]
                found.append(Attempt(f"{path.name} {number}", int(status), said))
        return found

    def refused(self) -> list[Attempt]:
        """Return the attempts that the program did not take."""
        return [attempt for attempt in self.attempts() if attempt.status != 0]

    def lost(self, seconds: float = 15) -> list[str]:
        """Return the subjects that were taken and have not arrived, when all have or after so many seconds."""
        taken = {attempt.subject for attempt in self.attempts() if attempt.status == 0}
        last = time.monotonic() + seconds
        while True:
            missing = taken - {message.subject for message in self.lab.relay.mail()}
            if not missing or time.monotonic() > last:
                return sorted(missing)
            time.sleep(0.1)


@contextlib.contextmanager
def every_second(lab: Lab, folder: pathlib.Path, programs: t.Mapping[str, str]) -> t.Iterator[Load]:
    """Send from some hosts, as their own settings say, for as long as the block runs.

    programs: host to program (msmtp, or sendmail where a Postfix runs). folder: a new one for the senders' words.
    """
    load = Load(lab, folder)
    running = [load.start(lab.host(name), program) for name, program in programs.items()]
    try:
        yield load
    finally:
        for sender in running:
            stop(sender)


def stop(sender: subprocess.Popen[bytes]) -> None:
    """Tell a sender to stop, and wait until it has finished its message."""
    nsenter = Process.of(sender.pid)
    for child in nsenter.children() if nsenter else []:  # nsenter passes no signal on
        process = Process.of(child)
        if process:
            process.signal(signal.SIGTERM)
    try:
        sender.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        sender.kill()
        raise Failed("a sender does not stop") from error
