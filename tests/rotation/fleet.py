# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of folders that stand for hosts, whose mail goes through one real relay that knows two credentials."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

from ansible_server.start import REAL, ansible_playbook
from integration import programs
from integration.relay import Relay

HERE = Path(__file__).resolve().parent

OLD, NEW = "apps-2026-08", "apps-2026-11"
PASSWORDS = {OLD: "the old p@ss w\"o'r\\d $HOME #;%s`{{x}}", NEW: "the new p@ss:w\"o'r\\d $HOME #;%s`{{x}}"}
GROUPS = {"left": ("web1", "web2"), "right": ("web3",)}
HOSTS = ("web1", "web2", "web3")
RECIPIENT = "reader@dest.test"
SECONDS = 400  # for one playbook on a busy machine
# What an application is restarted by: it notes that it was, and fails where the host is told to.
RESTART = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo restarted >> restarts
! test -e cannot-restart
"""
Values = t.Dict[str, t.Any]


class Fleet:
    """Hosts web1 to web3, each a folder with msmtp and Gitea, in two groups."""

    def __init__(self, folder: Path, relay: Relay) -> None:
        self.folder, self.relay = folder, relay
        self.declared: Values = {
            "host": "localhost",
            "port": relay.ports["tls"],
            "security": "tls",
            "ca_path": str(relay.pki.ca),
            "accept": ["no-ca-path"],
            "username": OLD,
            "credential_id": "2026-08",
            "password": PASSWORDS[OLD],
            "from": "apps@site.test",
        }
        self.next: Values = {"id": "2026-11", "username": NEW, "password": PASSWORDS[NEW]}
        self.variables: t.Dict[str, Values] = {name: {} for name in HOSTS}
        self.unlisted: t.Set[t.Tuple[str, str]] = set()
        for name in HOSTS:
            (folder / name / "etc").mkdir(parents=True, exist_ok=True)
            (folder / name / "restart").write_text(RESTART)
            (folder / name / "restart").chmod(0o755)

    def declaration(self, rotating: bool) -> Values:
        """The relay, with its next credential or without."""
        return {**self.declared, **({"next": self.next} if rotating else {})}

    def apps(self, name: str) -> t.List[Values]:
        """The applications that are listed for one host."""
        etc = self.folder / name / "etc"
        every_one: t.List[Values] = [
            {"name": "msmtp", "path": str(etc / "msmtprc")},
            {
                "name": "gitea",
                "path": str(etc / "gitea.env"),
                "owner": "root",
                "group": "root",
                "activate": {"command": [str(self.folder / name / "restart")]},
            },
        ]
        return [app for app in every_one if (name, app["name"]) not in self.unlisted]

    def run(
        self, playbook: str, *options: str, rotating: bool = True, **more: t.Any
    ) -> "subprocess.CompletedProcess[str]":
        """A playbook of the collection over the fleet; ``rotating``: whether the declaration has its next credential."""
        command = [*self.command(playbook, rotating), *options]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env=self.environment(), **more
        )

    def command(self, playbook: str, rotating: bool = True) -> t.List[str]:
        """The command, its inventory written."""
        hosts = {
            name: {
                "smtp_relay_apps": self.apps(name),
                "smtp_relay_state_dir": str(self.folder / name / "state"),
                **variables,
            }
            for name, variables in self.variables.items()
        }
        common = {
            "smtp_relay": self.declaration(rotating),
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "smtp_relay_report_dest": str(self.folder / "report"),
            "smtp_relay_rotation_delay": 1,
            "smtp_relay_rotation_retries": 1,
        }
        groups = {group: {"hosts": dict.fromkeys(set(names) & set(hosts))} for group, names in GROUPS.items()}
        inventory = self.folder / "inventory.yml"
        inventory.write_text(as_yaml({"all": {"hosts": hosts, "children": groups, "vars": common}}))
        inventory.chmod(0o600)
        return [ansible_playbook(), "-i", str(inventory), f"smarthost.mail.{playbook}", "--forks", "4"]

    def environment(self) -> t.Dict[str, str]:
        """What the command is run with."""
        return {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "true"}

    def rotate(self, *options: str, fails: bool = False) -> str:
        """What the playbook rotate says; ``fails``: whether it has to fail."""
        done = self.run("rotate", *options)
        assert (done.returncode != 0) == fails, done.stdout[-8000:] + done.stderr[-2000:]
        return done.stdout + done.stderr

    def rotate_once_changed(self, change: t.Callable[[], object]) -> str:
        """What the playbook rotate says when this is changed at the provider as soon as it waits for that."""
        rotating = subprocess.Popen(
            self.command("rotate"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment()
        )
        assert rotating.stdout is not None
        said = ""
        for line in rotating.stdout:
            said += line
            if "RETRYING" in line and "Change the credential at the provider now" in line:
                break
        change()
        said += rotating.stdout.read()
        assert rotating.wait() == 0, said[-5000:]
        return said

    def killed(self, task: str, number: int = 1) -> None:
        """Runs the playbook rotate and kills it, with everything it has started, when this task is begun for the nth time."""
        more = {
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE),
            "ANSIBLE_CALLBACKS_ENABLED": "kill_at",
            "KILL_AT": task,
            "KILL_NUMBER": str(number),
        }
        done = subprocess.run(
            [REAL, *self.command("rotate")[1:]],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={**self.environment(), **more},
        )
        assert done.returncode == -signal.SIGKILL, f"{task} was never begun:\n{done.stdout[-3000:]}"

    def text(self, name: str) -> str:
        """Everything that stands in the files of one host's applications."""
        return "".join(path.read_text() for path in sorted((self.folder / name / "etc").iterdir()))

    def users(self) -> t.Dict[str, str]:
        """By host the user name in its files, both names where they hold both."""
        return {name: " ".join(user for user in (OLD, NEW) if user in self.text(name)) for name in HOSTS}

    def kept(self) -> t.Dict[str, int]:
        """By host how many generations are kept."""
        return {name: len(list((self.folder / name / "state" / "generations").iterdir())) for name in HOSTS}

    def send(self) -> t.Dict[str, str]:
        """Sends a message from every host with the real msmtp; by host as whom it has arrived."""
        subject = str(uuid.uuid4())
        for name in HOSTS:
            outcome = programs.msmtp(self.folder / name / "etc" / "msmtprc", f"{name} {subject}", RECIPIENT)
            assert outcome.ok, f"{name}: {outcome.text}"
        return {name: self.relay.wait_for(f"{name} {subject}").user.partition("@")[0] for name in HOSTS}

    def report(self) -> Values:
        """What the last run reported, for programs."""
        found: Values = json.loads((self.folder / "report" / "report.json").read_text())
        return found


def every(user: str) -> t.Dict[str, str]:
    """The same for every host."""
    return dict.fromkeys(HOSTS, user)


def as_yaml(value: t.Any) -> str:
    """YAML in which no text is a template: a password with braces, as it comes out of a vault."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    return f"!unsafe {json.dumps(value)}" if isinstance(value, str) else json.dumps(value)
