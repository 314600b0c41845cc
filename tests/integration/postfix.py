# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Postfix instance of the test's own, given by its configuration folder, that never meets the host's Postfix."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path

MASTER_CF = """\
pickup     unix n - n 60 1 pickup
cleanup    unix n - n - 0 cleanup
qmgr       unix n - n 300 1 qmgr
tlsmgr     unix - - n 1000? 1 tlsmgr
rewrite    unix - - n - - trivial-rewrite
bounce     unix - - n - 0 bounce
defer      unix - - n - 0 bounce
trace      unix - - n - 0 bounce
verify     unix - - n - 1 verify
flush      unix n - n 1000? 0 flush
proxymap   unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp       unix - - n - - smtp
relay      unix - - n - - smtp
showq      unix n - n - - showq
error      unix - - n - - error
retry      unix - - n - - error
discard    unix - - n - - discard
local      unix - n n - - local
virtual    unix - n n - - virtual
anvil      unix - - n - 1 anvil
scache     unix - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
"""


def paths_cf(root: Path) -> str:
    """The main.cf lines that keep an instance inside `root` (which the users postfix and postdrop must be able to enter)."""
    return (
        f"compatibility_level = 3.6\n"
        f"queue_directory = {root}/queue\n"
        f"data_directory = {root}/data\n"
        f"maillog_file = {root}/log\n"
        f"maillog_file_prefixes = {root}\n"
    )


def prepare(root: Path, main_cf: str, services: str = "") -> Path:
    """Writes the configuration folder of an instance under `root` and returns it; `services` are master.cf lines of its own."""
    config = root / "postfix"
    for folder in (config, root / "queue", root / "data"):
        folder.mkdir(parents=True, mode=0o755)
    subprocess.run(["chown", "postfix", str(root / "data")], check=True)
    (config / "main.cf").write_text(paths_cf(root) + main_cf)
    (config / "master.cf").write_text(services + MASTER_CF)
    return config


def free_ports(count: int) -> t.List[int]:
    """Port numbers of 127.0.0.1 that were free a moment ago."""
    sockets = [socket.socket() for _number in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Postfix:
    """Starts and stops the instance of one configuration folder; only processes of that instance are ever signalled."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self._backdate()
        self._queue = Path(self._value("queue_directory"))
        self._log = Path(self._value("maillog_file"))

    def _value(self, parameter: str) -> str:
        done = subprocess.run(
            ["postconf", "-c", str(self.config), "-h", parameter], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _backdate(self) -> None:
        minute_ago = time.time() - 60  # every Postfix command waits up to 2 s for a main.cf that is younger than that
        os.utime(self.config / "main.cf", (minute_ago, minute_ago))

    def start(self) -> None:
        """Starts the master; RuntimeError with the log's end when it does not come up."""
        self._backdate()
        done = subprocess.run(
            ["postfix", "-c", str(self.config), "start"], capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode or not self.master():
            raise RuntimeError(f"Postfix in {self.config} did not start:\n{done.stderr}{self.log()[-2000:]}")

    def stop(self, timeout: float = 10) -> None:
        """Ends the master and every process of its session, and returns when they are gone; nothing to do when it does not run."""
        master = self.master()
        if not master:
            return
        os.kill(master, signal.SIGTERM)  # the master passes it on to its process group
        deadline = time.monotonic() + timeout
        while session(master):
            if time.monotonic() > deadline:
                for pid in session(master):
                    os.kill(pid, signal.SIGKILL)
                raise RuntimeError(f"Postfix in {self.config} had to be killed after {timeout} s")
            time.sleep(0.01)

    def master(self) -> int:
        """The process id of the running master, else 0: the pid file alone is not believed, its process must use our folder."""
        try:
            pid = int((self._queue / "pid" / "master.pid").read_text())
            return pid if os.path.samefile(f"/proc/{pid}/cwd", self._queue) else 0
        except (OSError, ValueError):
            return 0

    def log(self) -> str:
        """Everything this instance has logged so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


def session(leader: int) -> t.List[int]:
    """The living processes (no zombies) of the session that `leader` leads; a Postfix master is the leader of its own."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue  # it has just ended
        state, _parent, _group, sid = stat.rsplit(")", 1)[1].split()[:4]
        if int(sid) == leader and state != "Z":
            found.append(int(entry))
    return found
