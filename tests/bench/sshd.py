# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SSH server of our own on loopback: own keys, own port, own client settings; ended by its process id."""

from __future__ import annotations

import contextlib
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import typing as t

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""
CLIENT = """\
Host bench*
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/client_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
"""


@contextlib.contextmanager
def running(folder: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Start a server and yield the path of an ssh_config in which it is the host `bench`, and every host whose name begins so; end it afterwards."""
    program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not program:
        sys.exit("The bench measures over SSH and needs sshd: apt install openssh-server")
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # root's sshd insists on its privilege separation folder
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = (folder / "host_key.pub").read_text(encoding="ascii")
    (folder / "known_hosts").write_text("[127.0.0.1]:%d %s" % (port, key), encoding="ascii")
    (folder / "ssh_config").write_text(
        CLIENT.format(port=port, user=getpass.getuser(), folder=folder), encoding="utf-8"
    )
    (folder / "sshd_config").write_text(SERVER.format(port=port, folder=folder), encoding="utf-8")
    with (folder / "sshd.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
        try:
            wait_for(server, port, folder / "sshd.log")
            yield folder / "ssh_config"
        finally:
            server.terminate()
            server.wait(timeout=10)


def wait_for(server: subprocess.Popen[bytes], port: int, log: pathlib.Path) -> None:
    """Return when the server accepts connections; leave with its own words when it ended instead."""
    deadline = time.monotonic() + 10
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    sys.exit("sshd did not start:\n" + log.read_text(encoding="utf-8"))
