# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small tree that is the root of every host: its own /etc and /var, this machine's /usr, and nothing else of this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

from lab import pki
from lab.places import DOMAIN, RELAY, Places

FILES = pathlib.Path(__file__).resolve().parent / "files"
OPERATOR = "deploy"  # whom Ansible logs in as; sudo without a password
OPERATOR_ID = 1000
SINK_ID = 5000  # of the relay's maildir
# What programs in /usr need of /etc and what this machine's packages have put there. No configuration of the machine's own.
COPIED = (
    "debian_version",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "login.defs",
    "mime.types",
    "protocols",
    "python3",
    "services",
    "ssl/openssl.cnf",
    "postfix/dynamicmaps.cf",
    "postfix/dynamicmaps.cf.d",
    "postfix/makedefs.out",
    "postfix/post-install",
    "postfix/postfix-files",
    "postfix/postfix-files.d",
    "postfix/postfix-script",
)
FOLDERS = (
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "usr",
    "root",
    "home",
    "mnt",
    "srv",
    "etc/alternatives",
    "var/cache",
    "var/lib/dovecot",
    "var/lib/misc",
    "var/lib/sudo",
    "var/log",
    "var/mail",
    "var/spool/postfix",
    "var/lib/postfix",
    "var/tmp",
)


def make(root: pathlib.Path, places: Places, hosts: t.Sequence[str], public_key: str) -> None:
    """Make the tree at `root`, which does not exist yet. public_key: who may log in, a line of authorized_keys."""
    os.umask(0o022)
    for name in FOLDERS:
        (root / name).mkdir(parents=True)
    (root / "root").chmod(0o700)
    (root / "tmp").chmod(0o1777)
    (root / "var/tmp").chmod(0o1777)
    for link in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink("/" + link):
            (root / link).symlink_to(os.readlink("/" + link))
    (root / "var/run").symlink_to("/run")
    (root / "var/lock").symlink_to("/run/lock")
    copy_etc(root / "etc")
    shutil.copytree(FILES / "host", root, dirs_exist_ok=True)
    write_users(root)
    write_names(root / "etc", places, hosts)
    trust(root / "etc/ssl/certs", places.folder / "pki" / "ca.pem")
    (root / "etc/sudoers").chmod(0o440)
    for home, owner in (("root", 0), ("home/" + OPERATOR, OPERATOR_ID)):
        write_key(root / home, owner, public_key)
    settle(root)


def copy_etc(etc: pathlib.Path) -> None:
    """Copy what packages have put into this machine's /etc, with the links by which one program stands for another."""
    machine = pathlib.Path("/etc")
    for source in [*(machine / name for name in COPIED), *machine.glob("python3.*")]:
        target = etc / source.relative_to(machine)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.exists():
            shutil.copy2(source, target)
    for link in (machine / "alternatives").iterdir():
        if link.is_symlink() and not link.name.endswith(".gz"):
            (etc / "alternatives" / link.name).symlink_to(os.readlink(link))
    (etc / "os-release").symlink_to("../usr/lib/os-release")
    (etc / "localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")


def write_users(root: pathlib.Path) -> None:
    """Write passwd, group and shadow: the users that this machine's packages have made, the operator, the owner of the relay's maildir."""

    def of_the_system(path: str) -> list[str]:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if int(line.split(":")[2]) < 1000 or line.startswith("no")]  # nobody, nogroup

    users = [
        *of_the_system("/etc/passwd"),
        "%s:x:%d:%d::/home/%s:/bin/bash" % (OPERATOR, OPERATOR_ID, OPERATOR_ID, OPERATOR),
        "sink:x:%d:%d::/var/sink:/usr/sbin/nologin" % (SINK_ID, SINK_ID),
    ]
    groups = [*of_the_system("/etc/group"), "%s:x:%d:" % (OPERATOR, OPERATOR_ID), "sink:x:%d:" % SINK_ID]
    (root / "etc/passwd").write_text("\n".join(users) + "\n", encoding="utf-8")
    (root / "etc/group").write_text("\n".join(groups) + "\n", encoding="utf-8")
    (root / "etc/shadow").write_text(
        "".join("{}:*:20000::::::\n".format(user.split(":")[0]) for user in users), encoding="utf-8"
    )
    (root / "etc/shadow").chmod(0o600)


def write_names(etc: pathlib.Path, places: Places, hosts: t.Sequence[str]) -> None:
    """Write the addresses of all hosts: the lab has no DNS."""
    lines = ["127.0.0.1 localhost"]
    lines += [f"{places.address(name)} {name}.{DOMAIN} {name}" for name in (RELAY, *hosts)]
    (etc / "hosts").write_text("\n".join(lines) + "\n", encoding="ascii")


def trust(folder: pathlib.Path, authority: pathlib.Path) -> None:
    """Make the lab's own CA the only one that a host trusts, in a bundle and by its hash, as programs look for it either way."""
    folder.mkdir(parents=True)
    shutil.copy(authority, folder / "ca-certificates.crt")
    (folder / (pki.subject_hash(authority) + ".0")).symlink_to("ca-certificates.crt")


def write_key(home: pathlib.Path, owner: int, public_key: str) -> None:
    """Let whoever holds the lab's key log in as the owner of `home`."""
    folder = home / ".ssh"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "authorized_keys").write_text(public_key, encoding="ascii")
    for path in (home, folder, folder / "authorized_keys"):
        os.chown(path, owner, owner)


def settle(root: pathlib.Path) -> None:
    """Give Postfix its folder, and its settings an age: it waits up to 2 s for a main.cf that is newer than that."""
    shutil.chown(root / "var/lib/postfix", "postfix", "postfix")
    make_old(root / "etc/postfix")


def make_old(folder: pathlib.Path) -> None:
    """Date every file in `folder` to a long time ago."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (1_000_000_000, 1_000_000_000))
