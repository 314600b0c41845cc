# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application that reads its mail settings once, when it starts, and then sends a numbered message every second.

Settings: /etc/notifier/mail.json (catalogue entry tests/lab/catalogue/notifier). Without that file it waits for its next start.
Each message's number and outcome is a line of /var/log/notifier.log: "17 ok" or "17 failed: ...". It goes on counting after a restart.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import smtplib
import socket
import ssl
import threading
import typing as t

SETTINGS = pathlib.Path("/etc/notifier/mail.json")
LOG = pathlib.Path("/var/log/notifier.log")
EVERY = 1.0  # seconds


def send(settings: dict[str, t.Any], subject: str) -> None:
    """Send one message, by a connection of its own."""
    context = ssl.create_default_context(cafile=settings.get("ca"))
    if settings["security"] == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(settings["host"], settings["port"], timeout=10, context=context)
    else:
        client = smtplib.SMTP(settings["host"], settings["port"], timeout=10)
    with client:
        if settings["security"] == "starttls":
            client.starttls(context=context)
        if settings.get("user"):
            client.login(settings["user"], settings["password"])
        text = "Subject: {}\r\nFrom: {}\r\n\r\nhello\r\n".format(subject, settings["from"])
        client.sendmail(settings["from"], ["sink@lab.test"], text.encode())


def outcome(settings: dict[str, t.Any], subject: str) -> str:
    """Send one message and return how that went."""
    try:
        send(settings, subject)
    except (OSError, smtplib.SMTPException) as error:
        return "failed: {} {}".format(type(error).__name__, " ".join(str(error).split()))
    return "ok"


def main() -> None:
    """Send until told to stop; a message that has begun is finished."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *seen: stopping.set())
    settings = json.loads(SETTINGS.read_text()) if SETTINGS.exists() else None
    if settings is None:
        stopping.wait()
        return
    number = int(LOG.read_text().split("\n")[-2].split()[0]) if LOG.exists() and LOG.stat().st_size else 0
    with LOG.open("a") as log:
        while not stopping.is_set():
            number += 1
            with contextlib.suppress(OSError):  # no space left: the line waits for the next one
                print(
                    number, outcome(settings, "%s notifier %d" % (socket.gethostname(), number)), file=log, flush=True
                )
            stopping.wait(EVERY)


main()
