# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine whose first process is a real systemd: this machine's /usr, and nothing else of it but the collection, by systemd-nspawn."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[2]
PLACE = "srv/collections/ansible_collections/smarthost/mail"
PROGRAMS = {"systemd-nspawn": "systemd-container", "systemctl": "systemd", "nsenter": "util-linux"}
WANTED = ("/usr/lib/systemd/systemd", "/usr/bin/python3")
SECONDS = 60


def missing() -> str:
    """What this machine lacks for it, in words; empty when it can be started."""
    if os.geteuid() != 0:
        return "a machine of its own needs root"
    lacking = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    lacking += [path for path in WANTED if not os.path.exists(path)]
    return f"missing: {' '.join(lacking)}" if lacking else ""


class Machine:
    """One that has been started; ``root`` is its file system, which can be written from here too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        _lay_out(root)
        # Below another systemd, it is that which gives the machine a cgroup of its own.
        keep = [] if os.path.isdir("/run/systemd/system") else ["--keep-unit"]
        self._cgroups = [top / f"smarthost-{os.getpid()}" for top in _cgroup_trees()] if keep else []
        command = [
            "sh",
            "-ec",
            'for tree in $0; do mkdir "$tree"; echo $$ > "$tree/cgroup.procs"; done; exec "$@"',
            " ".join(map(str, self._cgroups)),
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            *keep,
            f"--directory={root}",
            "--bind-ro=/usr",
            f"--bind-ro={COLLECTION}:/{PLACE}",
            f"--machine=smarthost-{os.getpid()}",
            "--console=pipe",
            "--resolv-conf=off",
            "--private-network",
        ]
        self._log = (root / "boot.log").open("wb")
        self._outside = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self.pid = 0
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self._outside.poll() is None:
            self.pid = self.pid or self._first_process()
            if self.pid and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.1)
        raise RuntimeError("systemd did not start: " + (self.root / "boot.log").read_text(errors="replace")[-2000:])

    def _first_process(self) -> int:
        """systemd-nspawn's child, once it is systemd."""
        listed = Path(f"/proc/{self._outside.pid}/task/{self._outside.pid}/children").read_text().split()
        first = int(listed[0]) if listed else 0
        return first if first and Path(f"/proc/{first}/comm").read_text().strip() == "systemd" else 0

    def run(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        """A command in the machine."""
        command = ["nsenter", f"--target={self.pid}", "--all", "--", *words]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=SECONDS, check=False)

    def unit(self, name: str, lines: t.Sequence[str]) -> None:
        """A service, with these lines of its section."""
        (self.root / f"etc/systemd/system/{name}.service").write_text("[Service]\n" + "\n".join(lines) + "\n")
        self.run("systemctl", "daemon-reload")

    def stop(self) -> None:
        """End its first process, and with it all others, then what held it."""
        for pid in filter(None, (self.pid, self._outside.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._outside.wait()
        self._log.close()
        for top in self._cgroups:
            _remove(top)


def _cgroup_trees() -> t.List[Path]:
    """Where systemd keeps its own tree: all there is (version 2), or its part (version 1, with or without 2 beside it)."""
    top = Path("/sys/fs/cgroup")
    return (
        [top]
        if (top / "cgroup.procs").exists()
        else [tree for tree in (top / "unified", top / "systemd") if tree.exists()]
    )


def _remove(cgroup: Path) -> None:
    """An empty cgroup with those below it, deepest first; what the kernel still holds for a moment is waited for."""
    deadline = time.monotonic() + 5
    for folder in sorted((Path(found) for found, _folders, _files in os.walk(cgroup)), reverse=True):
        while folder.exists():
            try:
                folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.05)


def _lay_out(root: Path) -> None:
    for name in ("usr", "etc/systemd/system", "run", "proc", "sys", "dev", "tmp", "var/log", "var/tmp", "root", PLACE):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink(f"/{name}"):
            (root / name).symlink_to(os.readlink(f"/{name}"))
    for name in ("os-release", "ld.so.cache"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    (root / "etc/machine-id").touch()
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "etc/systemd/system/default.target").symlink_to("/usr/lib/systemd/system/basic.target")
