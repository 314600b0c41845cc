# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ordinary user with an empty home: an ansible-core in a virtual environment, the artefact in a collections path, a key for the lab's hosts."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "tools")]

import stranger  # noqa: E402  needs the path above
from lab.laboratory import Lab  # noqa: E402
from lab.skeleton import OPERATOR  # noqa: E402

SECONDS = 300
NAMES = {
    "smtp.example.com": "relay.lab.test",
    "apps@example.com": "old@lab.test",
    "noreply@example.com": "fleet@lab.test",
}
COLLECTION = pathlib.PurePath("collections/ansible_collections/smarthost/mail")


class Done(t.NamedTuple):
    """How a command ended, and everything that it printed."""

    status: int
    text: str


class User:
    """Everything it has is below one folder; what it runs sees the lab's names and nothing of root's environment."""

    def __init__(self, lab: Lab, folder: pathlib.Path, core: str) -> None:
        """core: the ansible-core to install, such as 2.19."""
        self.lab, self.core = lab, core
        self.id = stranger.free_user()
        self.home = stranger.home(folder, f"home-{core}")
        self.passwd = folder / f"passwd-{core}"
        accounts = pathlib.Path("/etc/passwd").read_text("utf-8").rstrip("\n")
        self.passwd.write_text(f"{accounts}\nnewcomer:x:{self.id}:{self.id}::{self.home}:/bin/sh\n", encoding="utf-8")
        self.site = self.home / "site"
        self.site.mkdir()
        self._env = {
            **stranger.environment(self.home),
            "TMPDIR": str(self.home),
            "ANSIBLE_NOCOLOR": "1",
            "LANG": "C.UTF-8",
        }
        self._env["PATH"] = f"{self.home}/venv/bin:{stranger.SYSTEM_PATH}"
        self._env["ANSIBLE_COLLECTIONS_PATH"] = f"{self.home}/collections"

    def set_up(self, artefact: pathlib.Path, hosts: t.Mapping[str, str]) -> None:
        """What README's "Installation" says, with the artefact in Galaxy's place, and an inventory of the lab's hosts by name."""
        shutil.copy(artefact, self.home / artefact.name)
        self._copy_key()
        self._write_inventory(hosts)
        stranger.give(self.home, self.id)
        python = stranger.python_for(self.id)
        for command in (
            [python, "-m", "venv", "venv"],
            ["venv/bin/python", "-m", "pip", "install", "-qq", f"ansible-core~={self.core}.0"],
            ["venv/bin/ansible-galaxy", "collection", "install", "--offline", artefact.name, "-p", "collections"],
            ["venv/bin/python", "-m", "pip", "install", "-qq", "jsonschema"],
        ):
            done = self._run(command, self.home)
            assert done.status == 0, f"{' '.join(command)}\n{done.text[-3000:]}"

    def readme(self, part: str) -> str:
        """README's own command in which these words stand, the shortest, from the installed artefact, without its comment; the lab's names in it."""
        lines = (self.home / COLLECTION / "README.md").read_text("utf-8").splitlines()
        found = [line[2:].split("   #")[0].rstrip() for line in lines if line.startswith("$ ") and part in line]
        assert found, f"README has no command with {part}"
        return with_our_names(min(found, key=len))

    def declaration(self) -> str:
        """README's "whole minimum", with the lab's names in the place of example.com's."""
        text = (self.home / COLLECTION / "README.md").read_text("utf-8")
        found = re.search(r"```yaml\n(# group_vars/all\.yml.*?)\n\n", text, re.DOTALL)
        assert found, "README has no minimum"
        return with_our_names(found[1]) + "\n"

    def write(self, name: str, text: str) -> None:
        """One of the user's files, below its site."""
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        stranger.give(self.site, self.id)

    def has_playbook(self, name: str) -> bool:
        """Whether the artefact has a playbook."""
        found: bool = (self.home / COLLECTION / "playbooks" / f"{name}.yml").is_file()
        return found

    def run(self, command: str) -> Done:
        """A command as somebody types it in the site's folder."""
        return self._run(shlex.split(command), self.site)

    def _run(self, words: t.Sequence[str], folder: pathlib.Path) -> Done:
        env = [f"{name}={value}" for name, value in self._env.items()]
        # ssh(1) wants an account; it is there for what runs here, and for nobody else.
        known = ["sh", "-ec", 'mount --bind "$0" /etc/passwd; exec "$@"', str(self.passwd)]
        command = self.lab.controller(*known, *stranger.as_user(self.id, ["env", "-i", *env, *words]))
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
            errors="replace",
        )
        return Done(done.returncode, done.stdout)

    def _copy_key(self) -> None:
        keys = self.home / ".ssh"
        keys.mkdir(mode=0o700)
        shutil.copy(self.lab.places.folder / "id_ed25519", keys / "id_ed25519")
        shutil.copy(self.lab.places.folder / "known_hosts", keys / "known_hosts")
        os.chmod(keys / "id_ed25519", 0o600)

    def _write_inventory(self, hosts: t.Mapping[str, str]) -> None:
        ways = f"-o UserKnownHostsFile={self.home}/.ssh/known_hosts -o ConnectTimeout=5"
        lines = [
            "[wiki]",
            *(f"{name} ansible_host={address}" for name, address in hosts.items()),
            "",
            "[all:vars]",
            f"ansible_user={OPERATOR}",
            "ansible_become=true",
            f"ansible_ssh_private_key_file={self.home}/.ssh/id_ed25519",
            f"ansible_ssh_common_args='{ways}'",
        ]
        (self.site / "inventory").write_text("\n".join(lines) + "\n", encoding="utf-8")


def with_our_names(text: str) -> str:
    """A text of README with the lab's names in the place of example.com's."""
    return re.sub("|".join(map(re.escape, NAMES)), lambda name: NAMES[name[0]], text)
