# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""msmtp itself logs in with a secret that stands in a file of its own, which has not even a line end."""

from __future__ import annotations

import base64
import pathlib
import shutil
import socket
import subprocess
import threading

from ansible_collections.smarthost.mail.plugins.filter.smtp import smtp_files
from catalogue import oracles

PASSWORD = "p@ss w\"o'r\\d $HOME #;%s`x ü "


def _one_message(listener: socket.socket, logins: list[bytes]) -> None:
    client, _address = listener.accept()
    with client, client.makefile("rwb", 0) as wire:
        wire.write(b"220 here\r\n")
        while True:
            line = wire.readline().strip()
            if not line or line == b"QUIT":
                return
            if line.startswith(b"AUTH PLAIN "):
                logins.append(base64.b64decode(line.split()[2]))
            said = (
                b"354 go\r\n"
                if line == b"DATA"
                else b"250-here\r\n250 AUTH PLAIN\r\n"
                if line.startswith(b"EHLO")
                else b"250 ok\r\n"
            )
            wire.write(b"235 ok\r\n" if line.startswith(b"AUTH") else said)
            while line == b"DATA" and wire.readline().strip() != b".":
                pass
            if line == b"DATA":
                wire.write(b"250 ok\r\n")


def test_msmtp_logs_in_with_the_secret_of_the_file(tmp_path: pathlib.Path) -> None:
    oracles.need(shutil.which("msmtp"), "msmtp")
    logins: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        relay = {
            "host": "127.0.0.1", "port": listener.getsockname()[1], "security": "none", "username": "u", "password": PASSWORD,
            "from": "a@b.example", "secret": "file",
        }  # fmt: skip
        (_path, settings), (place, secret) = smtp_files(relay, "msmtp").items()
        (tmp_path / "secret").write_text(secret, "utf-8")
        (tmp_path / "msmtprc").write_text(settings.replace(place, str(tmp_path / "secret")), "utf-8")
        (tmp_path / "msmtprc").chmod(0o600)
        server = threading.Thread(target=_one_message, args=(listener, logins), daemon=True)
        server.start()
        command = ["msmtp", "-C", str(tmp_path / "msmtprc"), "x@y.example"]
        done = subprocess.run(command, input=b"Subject: t\n\nhello\n", stderr=subprocess.PIPE, timeout=30, check=False)
        server.join(10)
    assert (done.returncode, done.stderr) == (0, b"")
    assert logins == [b"\0u\0" + PASSWORD.encode()]
    assert PASSWORD not in settings and "passwordeval" in settings
