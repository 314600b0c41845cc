# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of the machine, and which of it is missing, in words."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

# Program: the Debian package that has it.
PROGRAMS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "postfix": "postfix",
    "doveadm": "dovecot-core",
    "msmtp": "msmtp",
    "ps": "procps",
    "systemd-nspawn": "systemd-container",
}
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # a user's PATH often lacks the first


class Missing(Exception):
    """The machine cannot run the lab; the text has one line for each thing that is missing."""


def check(path: str = SYSTEM_PATH) -> None:
    """Raise Missing with everything that is not as the lab needs it. path: where programs are looked for."""
    problems = []
    if not sys.platform.startswith("linux"):
        raise Missing("The lab needs Linux: its hosts are network and mount namespaces.")
    if os.geteuid() != 0:
        problems.append("The lab needs root: it makes namespaces and mounts. Run it as root or with sudo.")
    absent = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program, path=path)})
    if not pathlib.Path("/usr/bin/python3").exists():
        absent.append("python3")  # another Python, such as /usr/local's, is not what Ansible finds on a host
    if absent:
        problems.append(
            "Debian packages are missing: apt-get install --no-install-recommends {}".format(" ".join(absent))
        )
    if not pathlib.Path("/bin").is_symlink():
        problems.append(
            "/bin is not a link to /usr/bin: the lab's hosts see this machine's /usr and nothing else of it."
        )
    if problems:
        raise Missing("\n".join(problems))
