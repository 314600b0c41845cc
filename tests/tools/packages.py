# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the Debian packages that a suite names in its packages.txt, where this machine and this user may."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

# A package that brings a server must not start it on the machine of whoever runs the tests: Debian asks policy-rc.d.
INSTALL = """
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt() { apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
apt install -y --no-install-recommends "$@" || { apt update; apt install -y --no-install-recommends "$@"; }
"""


def listed(path: pathlib.Path) -> list[str]:
    """Read one package name a line; `#` starts a comment. A missing file names none."""
    if not path.is_file():
        return []
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def missing(names: t.Sequence[str]) -> list[str]:
    """Return those that dpkg does not hold as installed; all of them where there is no dpkg."""
    if not names or not shutil.which("dpkg-query"):
        return list(names)
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]
    shown = subprocess.run(
        query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, check=False
    ).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def install(names: t.Sequence[str], log: t.Optional[t.IO[str]] = None) -> str:
    """Install what is missing of `names`; return "" when all are there, else why not, in words."""
    wanted = missing(names)
    if not wanted:
        return ""
    if not shutil.which("apt-get"):
        return "this machine has no apt"
    become: list[str] = []
    if os.geteuid() != 0:
        become = ["sudo", "-n"]
        if (
            not shutil.which("sudo")
            or subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0
        ):
            return "this user is neither root nor allowed sudo without a password"
    done = subprocess.run(
        [*become, "sh", "-c", INSTALL, "install", *wanted],
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        check=False,
    )
    still = missing(names)
    if done.returncode or still:
        return "apt could not install " + " ".join(still or wanted)
    return ""


def unpacked(names: t.Sequence[str], folder: pathlib.Path) -> pathlib.Path:
    """Return a folder with the files of Debian packages, downloaded and unpacked there and never installed. Any user may. RuntimeError says why not."""
    stamp = folder / "unpacked.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8").split() == list(names):
        return folder
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise RuntimeError("this machine has no apt")
    shutil.rmtree(folder, ignore_errors=True)
    download = folder / "download"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (download / name).mkdir(parents=True)
    apt = [
        "apt-get",
        "-q",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        f"Dir::Cache={download}/cache",
        "-o",
        "Debug::NoLocking=true",
    ]
    own = ["-o", f"Dir::State={download}/state", "-o", "Dir::State::status=/var/lib/dpkg/status"]
    # The machine's own lists first; a new machine has none, and only root may fetch them to where they belong.
    tries = (([*apt, "download", *names],), ([*apt, *own, "update"], [*apt, *own, "download", *names]))
    failed = [why for commands in tries for why in [_try(commands, download)]]
    if all(failed):
        raise RuntimeError("apt-get download {} failed: {}".format(" ".join(names), failed[-1]))
    for package in download.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(folder)], check=True)
    shutil.rmtree(download)
    stamp.write_text(" ".join(names), encoding="utf-8")
    return folder


def _try(commands: t.Sequence[t.Sequence[str]], folder: pathlib.Path) -> str:
    """Run one command after another unless what they are for is there already; return "" or the end of what the one that failed printed."""
    for command in commands if not list(folder.glob("*.deb")) else ():
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False
        )
        if done.returncode:
            return " ".join(done.stdout.split()[-30:])
    return ""
