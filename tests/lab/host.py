# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of a lab: its disk, its start, commands in it, its end."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import typing as t

from lab import processes
from lab.places import Places
from lab.processes import Failed, Process, run, wait_until
from lab.skeleton import FILES

DISK = "64m"  # the most that a host's files may take: a tmpfs, so it takes what is written
START_SECONDS = 60.0  # for a whole fleet on a busy machine
COMMAND_SECONDS = 120.0
# Root in a host is this machine's root: without these it could set this machine's clock or write to its disk.
NOT_ALLOWED = ",".join(
    "-" + name for name in ("sys_time", "sys_module", "sys_rawio", "mknod", "syslog", "mac_admin", "mac_override")
)


@dataclasses.dataclass(frozen=True)
class Host:
    """name: h001, h002 and so on, or "relay"."""

    places: Places
    name: str

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return self.places.address(self.name)

    @property
    def folder(self) -> pathlib.Path:
        """What the lab keeps for it: disk/ (a tmpfs), root/ (where its root is mounted, in its own namespace), boot.log, process."""
        return self.places.folder / "hosts" / self.name

    @property
    def disk(self) -> pathlib.Path:
        """The file system that holds all it has written."""
        return self.folder / "disk"

    @property
    def files(self) -> pathlib.Path:
        """What it has written. While it runs nobody else writes there: `reach` is the way."""
        return self.disk / "upper"

    @property
    def systemd(self) -> bool:
        """Whether its process 1 is systemd, and not a small script."""
        return (self.files / "etc/machine-id").exists()

    def prepare(self, services: t.Sequence[str], own: t.Optional[pathlib.Path] = None, systemd: bool = False) -> None:
        """Make its disk. services: to start. own: a tree of files that this host has before the others' skeleton."""
        self.disk.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755,size=" + DISK, "lab", self.disk)
        for folder in (self.disk / "work", self.folder / "root", self.files / "etc", self.files / "opt" / "lab"):
            folder.mkdir(parents=True)
        if own:
            shutil.copytree(own, self.files, dirs_exist_ok=True)
        (self.files / "etc" / "hostname").write_text(self.name + "\n", encoding="ascii")
        (self.files / "opt" / "lab" / "services").write_text(
            "".join(name + "\n" for name in services), encoding="ascii"
        )
        if systemd:
            write_units(self.files / "etc", [*services, "ssh", "lab-ready"], self.places.namespace(self.name))

    def start(self) -> None:
        """Start it, with the files it has; do not wait. Failed when it runs."""
        if self.process():
            raise Failed(f"{self.name} is running")
        overlay = "lowerdir={},upperdir={},workdir={}".format(
            self.places.folder / "skeleton", self.files, self.disk / "work"
        )
        network = self.places.namespace(self.name)
        words = [str(self.folder / "root"), self.name, overlay]
        if self.systemd:
            command = [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                str(FILES / "boot-systemd.sh"),
                *words,
                network,
            ]
        else:
            command = [
                "nsenter",
                "--net=%s" % (processes.NAMESPACES / network),
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "--uts",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                str(FILES / "boot.sh"),
                *words,
                NOT_ALLOWED,
            ]
        with open(self.folder / "boot.log", "ab") as log:
            begun = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment()
            )
        process = Process.of(begun.pid)
        (self.folder / "process").write_text("%d %d\n" % (process or (begun.pid, 0)), encoding="ascii")

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until it has started its services; Failed, with what it said, when it does not. A file tells: a connection leaves traces."""
        try:
            wait_until(lambda: self.ready() or not self.process(), f"{self.name} has not started", seconds)
        except Failed as error:
            raise Failed(f"{error}\n{self.said()}") from error
        if not self.ready():
            raise Failed(f"{self.name} has ended while it started:\n{self.said()}")

    def said(self) -> str:
        """Return the end of what it and its services have said while starting."""
        logs = [self.folder / "boot.log", *sorted((self.files / "var" / "log").glob("lab-*.log"))]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in logs)

    def process(self) -> t.Optional[Process]:
        """Return the process, on this machine, that holds the host together; None when it does not run."""
        try:
            pid, started = (self.folder / "process").read_text(encoding="ascii").split()
        except (FileNotFoundError, ValueError):
            return None
        process = Process(int(pid), int(started))
        return process if process.alive() else None

    def first(self) -> t.Optional[Process]:
        """Return its process 1."""
        process = self.process()
        children = process.children() if process else []
        return Process.of(children[0]) if children else None

    def reach(self, path: str) -> pathlib.Path:
        """Return the path by which a file of the host is read or written from here, whether it runs or not. path: without a leading /."""
        first = self.first()
        return pathlib.Path("/proc/%d/root" % first.pid if first else self.files) / path

    def ready(self) -> bool:
        """Return whether it has started its services."""
        first = self.first()
        return bool(first and os.path.exists("/proc/%d/root/run/lab-ready" % first.pid))

    def command(self, *words: object) -> list[str]:
        """Return the command that runs `words` as root in the host."""
        first = self.first()
        if not first:
            raise Failed(f"{self.name} is not running")
        return [
            "nsenter",
            "--target",
            str(first.pid),
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--root",
            "--wd",
            "setpriv",
            "--bounding-set=" + NOT_ALLOWED,
            *map(str, words),
        ]

    def run(self, *words: object, given: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program as root in the host; both its outputs are in stdout. Failed when it ends with an error, unless check is false."""
        done = subprocess.run(
            self.command(*words),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if check and done.returncode:
            raise Failed(
                "`%s` on %s ended with %d: %s"
                % (" ".join(map(str, words)), self.name, done.returncode, done.stdout.strip())
            )
        return done

    def processes(self) -> list[Process]:
        """Return every process of the host, those of a shell that somebody has opened in it among them."""
        return processes.inside([self.places.namespace(self.name)])

    def kill(self) -> None:
        """End all its processes at once, as when a machine crashes. Its address still answers, and refuses connections."""
        processes.end(self.processes)

    def freeze(self, still: bool = True) -> None:
        """Stop all its processes (or let them go on): connections are accepted, and nobody answers."""
        for process in self.processes():
            process.signal(signal.SIGSTOP if still else signal.SIGCONT)


def write_units(etc: pathlib.Path, services: t.Sequence[str], machine: str) -> None:
    """Make a host one of systemd's that starts these services and no other. machine: a name that no other has."""
    units = etc / "systemd" / "system"
    shutil.copytree(FILES / "systemd", units)
    (units / "multi-user.target.wants").mkdir()
    for service in services:
        (units / "multi-user.target.wants" / (service + ".service")).symlink_to(f"../{service}.service")
    (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
    for other in ("console-getty.service", "postfix@-.service"):  # Debian's generator starts a Postfix beside ours
        (units / other).symlink_to("/dev/null")
    # With an id it is no first boot, at which everything that this machine's packages have would be started.
    (etc / "machine-id").write_text(
        hashlib.md5(machine.encode(), usedforsecurity=False).hexdigest() + "\n", encoding="ascii"
    )


def environment() -> dict[str, str]:
    """The environment of a process in a host: nothing of this machine's."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb")}
