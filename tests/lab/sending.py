# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending mail from a host of the lab, with a given credential or with whatever the host's own settings say."""

from __future__ import annotations

import time
import typing as t

from lab.host import Host
from lab.relay import HOSTNAME

OLD, NEW = ("old@lab.test", "old-secret"), ("new@lab.test", "new-secret")  # what a new relay knows
# msmtp's exit status, by sysexits.h: sent; not a credential that the relay takes; no connection; no answer; no 220; something in between.
SENT, REFUSED, UNREACHABLE, NO_ANSWER, AT_GREETING, DROPPED = 0, 77, 75, 74, 76, 69


class Sent(t.NamedTuple):
    """How the program ended, what it said, and after how many seconds."""

    status: int
    said: str
    seconds: float


def send(host: Host, user: str, secret: str, timeout: int = 4) -> Sent:
    """Send one message by msmtp, with this credential and nothing of the host's settings. timeout: for each answer, in seconds."""
    return timed(
        host,
        "msmtp",
        "--file=/dev/null",
        "--host=" + HOSTNAME,
        "--port=587",
        "--tls=on",
        "--auth=plain",
        "--user=" + user,
        "--passwordeval=echo " + secret,
        "--from=x@lab.test",
        "--timeout=%d" % timeout,
        "sink@any.example",
    )


def send_as_configured(host: Host, program: str = "msmtp", subject: str = "test") -> Sent:
    """Send one message as the host's own settings say. program: msmtp, or sendmail, which hands it to the host's Postfix."""
    return timed(host, program, "sink@any.example", subject=subject)


def timed(host: Host, *words: str, subject: str = "test") -> Sent:
    """Give a message to a program in the host."""
    started = time.monotonic()
    done = host.run(*words, given=f"Subject: {subject}\n\nhello\n", check=False)
    return Sent(done.returncode, done.stdout, time.monotonic() - started)
