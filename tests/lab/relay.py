# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's relay: credentials that can be added and revoked, the mail that arrived, and who logged in."""

from __future__ import annotations

import email
import os
import pathlib
import re
import shutil
import time
import typing as t

from lab.host import Host
from lab.places import DOMAIN, RELAY
from lab.processes import wait_until
from lab.skeleton import FILES, SINK_ID, make_old

HOSTNAME = f"{RELAY}.{DOMAIN}"
# What a new relay knows: two credentials that are valid at the same time.
FIRST = {"old@" + DOMAIN: "old-secret", "new@" + DOMAIN: "new-secret"}
TABLES = ("first", "second")
LOGIN = re.compile(r"client=\S*\[([\d.]+)\], sasl_method=(\S+), sasl_username=(\S+)")
REFUSED = re.compile(r"\[([\d.]+)\]: SASL (\S+) authentication failed")


class Message(t.NamedTuple):
    """One message that arrived. login: the user that the client had logged in as. client: its address."""

    subject: str
    sender: str
    recipient: str
    login: str
    client: str


class Login(t.NamedTuple):
    """One login. user: "" when it was refused, as the relay then notes no name."""

    client: str
    mechanism: str
    user: str


class Relay:
    """Credentials, mail and logins of the relay of one lab. All of it is read from the relay's files, so also while it is down."""

    def __init__(self, host: Host) -> None:
        """host: the one with the name "relay"."""
        self.host = host

    def prepare(self) -> None:
        """Make its disk, with the credentials of FIRST."""
        self.host.prepare(["postfix", "dovecot"], FILES / "relay")
        etc = self.host.files / "etc"
        shutil.copy(self.host.places.folder / "pki" / "relay.chain", etc / "postfix")
        for name in ("at_connect", "at_each_step"):
            (etc / "postfix" / name).touch()
        make_old(etc / "postfix")
        for name in ("", "/new", "/cur", "/tmp"):
            folder = self.host.files / ("var/sink" + name)
            folder.mkdir(parents=True)
            os.chown(folder, SINK_ID, SINK_ID)
        for table in TABLES:
            self._write(table, FIRST.items() if table == "first" else ())

    # Credentials. With two secrets of one user, PLAIN and LOGIN accept both; the challenge mechanisms know the first only.

    def credentials(self) -> list[tuple[str, str]]:
        """Return every user and secret that is accepted now."""
        return [pair for table in TABLES for pair in self._read(table)]

    def add(self, user: str, secret: str) -> None:
        """Accept this secret from now on, beside the one that the user has; return when it is in force."""
        if (user, secret) in self.credentials():
            return
        table = "second" if user in dict(self._read("first")) else "first"
        self._write(table, [(name, other) for name, other in self._read(table) if name != user] + [(user, secret)])
        self._in_force(user, secret, True)

    def revoke(self, user: str, secret: t.Optional[str] = None) -> None:
        """Refuse this secret of the user from now on, or all of them; return when it is in force."""
        gone = [pair for pair in self.credentials() if pair[0] == user and secret in (None, pair[1])]
        for table in TABLES:
            self._write(table, [pair for pair in self._read(table) if pair not in gone])
        for pair in gone:
            self._in_force(*pair, False)

    def set(self, user: str, secret: str) -> None:
        """Accept this secret of the user and no other."""
        self.revoke(user)
        self.add(user, secret)

    def _path(self, table: str) -> pathlib.Path:
        return self.host.reach("etc/dovecot/" + table)

    def _read(self, table: str) -> list[tuple[str, str]]:
        lines = self._path(table).read_text(encoding="utf-8").splitlines()
        return [(line.split(":{PLAIN}", 1)[0], line.split(":{PLAIN}", 1)[1]) for line in lines]

    def _write(self, table: str, pairs: t.Iterable[tuple[str, str]]) -> None:
        """Put a new table in the old one's place. Dovecot takes one of the same size and time for unchanged, so the time always moves on."""
        path = self._path(table)
        new = path.with_suffix(".new")
        new.write_text("".join("{}:{{PLAIN}}{}\n".format(*pair) for pair in pairs), encoding="utf-8")
        shutil.chown(new, "root", "dovecot")
        new.chmod(0o640)
        moved_on = max(time.time(), path.stat().st_mtime + 1) if path.exists() else time.time()
        os.utime(new, (moved_on, moved_on))
        new.rename(path)

    def _in_force(self, user: str, secret: str, accepted: bool) -> None:
        """Wait until the relay's own word on this credential is so: Dovecot looks at its tables once a second."""
        if self.host.ready():
            wait_until(
                lambda: self.accepts(user, secret) is accepted, f"the relay takes up the change of {user}", step=0.05
            )

    def accepts(self, user: str, secret: str) -> bool:
        """Return whether Dovecot accepts this credential now, asked directly and not by SMTP."""
        return (
            self.host.run(
                "doveadm", "auth", "test", "-x", "service=smtp", user, given=secret + "\n", check=False
            ).returncode
            == 0
        )

    # Mail and logins.

    def mail(self) -> list[Message]:
        """Return every message that has arrived, the oldest first."""
        folder = self.host.reach("var/sink/new")
        paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [_message(path) for path in paths]

    def forget_mail(self) -> None:
        """Remove the mail that has arrived."""
        for path in (self.host.reach("var/sink/new")).iterdir():
            path.unlink()

    def log(self) -> str:
        """Return what Postfix has noted."""
        path = self.host.reach("var/log/mail.log")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def logins(self) -> list[Login]:
        """Return every login that was used for a message, and every one that was refused, the oldest first."""
        found = []
        for line in self.log().splitlines():
            used, refused = LOGIN.search(line), REFUSED.search(line)
            if used:
                found.append(Login(used[1], used[2], used[3]))
            elif refused:
                found.append(Login(refused[1], refused[2], ""))
        return found


def _message(path: pathlib.Path) -> Message:
    parsed = email.message_from_bytes(path.read_bytes())
    received = str(parsed.get("Received", ""))
    login = re.search(r"Authenticated sender: ([^)\s]+)", received)
    client = re.search(r"\[([\d.]+)\]\)", received)
    return Message(
        str(parsed.get("Subject", "")),
        str(parsed.get("Return-Path", "")).strip("<>"),
        str(parsed.get("X-Original-To", "")),
        login[1] if login else "",
        client[1] if client else "",
    )
