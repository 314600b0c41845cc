# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a numbered message every second by a program of the host, until told to stop: ``sender.py msmtp``, or sendmail for its Postfix.

Each attempt is a line of output: the number, the program's exit status, the first line of what it said. A message that has begun is
finished, so every number that was tried has its line.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time

EVERY = 1.0  # seconds


def main(program: str) -> None:
    """Send, at the same pace however long each takes."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *seen: stopping.set())
    number, due = 0, time.monotonic()
    while not stopping.is_set():
        number, due = number + 1, max(due + EVERY, time.monotonic())
        text = "Subject: %s %s %d\n\nhello\n" % (socket.gethostname(), program, number)
        done = subprocess.run(
            [program, "sink@lab.test"],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(number, done.returncode, " ".join(done.stdout.split("\n")[0:2]), flush=True)
        stopping.wait(max(0.0, due - time.monotonic()))


main(sys.argv[1])
