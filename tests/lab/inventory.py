# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's way into the lab: an inventory by SSH whose sockets and keys live and end with the lab."""

from __future__ import annotations

import pathlib
import typing as t

from lab.host import Host
from lab.skeleton import OPERATOR


def write_inventory(folder: pathlib.Path, hosts: t.Sequence[Host], mtas: int) -> None:
    """Write inventory.yml and known_hosts into the lab's folder. mtas: how many of the hosts, from the first, run Postfix.

    The relay is not in it: it stands for a provider's, whom nobody's playbook reaches.
    """
    (folder / "ssh").mkdir(mode=0o700)
    host_key = " ".join((folder / "host_key.pub").read_text(encoding="ascii").split()[:2])
    (folder / "known_hosts").write_text("".join(f"{host.address} {host_key}\n" for host in hosts), encoding="ascii")
    lines = ["all:", "  vars:"]
    lines += [
        "    {}: {}".format(*pair)
        for pair in {
            "ansible_user": OPERATOR,
            "ansible_become": "true",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_pipelining": "true",
            "ansible_ssh_private_key_file": folder / "id_ed25519",
            "ansible_control_path_dir": folder / "ssh",  # a master that outlived the lab would make the next run hang
            "ansible_ssh_common_args": "-o UserKnownHostsFile=%s -o StrictHostKeyChecking=yes -o ConnectTimeout=10"
            % (folder / "known_hosts"),
            "lab_relay_ca": folder / "pki" / "ca.pem",
        }.items()
    ]
    lines.append("  children:")
    for group, members in (("targets", hosts), ("mtas", hosts[:mtas])):
        lines += [f"    {group}:", "      hosts:%s" % ("" if members else " {}")]
        lines += [f"        {host.name}: {{ansible_host: {host.address}}}" for host in members]
    (folder / "inventory.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
