# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet on the hosts of a lab: its declaration, the playbooks over it, and the proof that every application of every host can send."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import typing as t
import uuid

from lab.laboratory import Lab
from lab.processes import Process, wait_until
from lab.relay import FIRST, Message
from lab.sending import send_as_configured

OLD, NEW = FIRST
CATALOGUE = pathlib.Path(__file__).resolve().parent.parent / "lab" / "catalogue"
PLAYBOOK = pathlib.Path(sys.executable).with_name("ansible-playbook")
AT_ONCE = ("-e", '{"smtp_relay_serial": ["100%"]}')
STATE = ("etc/msmtprc", "etc/notifier", "etc/postfix", "var/lib/smarthost")  # all that a run may change on a host
SECONDS = 600  # for one playbook on a busy machine
Values = t.Dict[str, t.Any]


class Moment(t.NamedTuple):
    """When a task begins for the nth time. sign: when after that a line begins so, such as DONE: one host has done it, the others have not."""

    task: str
    nth: int = 1
    sign: t.Tuple[str, ...] = ()

    def __str__(self) -> str:
        return "%s, number %d%s" % (self.task, self.nth, ", half done" if self.sign else "")


DONE = ("changed: ", "ok: ")


class Fleet:
    """The hosts of a lab with msmtp, which reads its settings for each message, and the notifier, which reads them when it starts."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        """folder: for the declaration and the report."""
        self.lab, self.folder = lab, folder
        self.names = [host.name for host in lab.hosts]
        self.relay: Values = {
            "host": "relay.lab.test",
            "port": 587,
            "security": "starttls",
            "from": "Fleet <fleet@lab.test>",
            "credential_id": "spring",
            "username": OLD,
            "password": FIRST[OLD],
            "next": {"id": "autumn", "username": NEW, "password": FIRST[NEW]},
        }
        self.apps: t.Dict[str, t.List[t.Any]] = {name: ["msmtp", "notifier"] for name in self.names}

    def declaration(self) -> Values:
        """What is declared for the whole fleet."""
        return self.relay

    def programs(self) -> t.Dict[str, str]:
        """By host the program that its people send mail with."""
        return dict.fromkeys(self.names, "msmtp")

    # Playbooks.

    def command(self, playbook: str, *options: str) -> t.List[str]:
        """The command, its inventory written."""
        variables = {
            "smtp_relay_catalogue": [str(CATALOGUE)],
            "smtp_relay": self.declaration(),
            "smtp_relay_report_dest": str(self.folder / "report"),
            "smtp_relay_rotation_retries": 1,
            "smtp_relay_rotation_delay": 1,
        }
        hosts = {name: {"smtp_relay_apps": apps} for name, apps in self.apps.items()}
        inventory = self.folder / "inventory.yml"
        inventory.write_text(json.dumps({"all": {"vars": variables, "hosts": hosts}}), encoding="utf-8")
        return self.lab.controller(
            PLAYBOOK, "-i", self.lab.inventory, "-i", inventory, "smarthost.mail." + playbook, "--forks", "10", *options
        )

    def run(self, playbook: str, *options: str, fails: bool = False) -> str:
        """What a playbook of the collection says. fails: whether it has to."""
        done = subprocess.run(
            self.command(playbook, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
            env=environment(),
        )
        assert (done.returncode != 0) == fails, done.stdout[-8000:]
        assert [secret for secret in FIRST.values() if secret in done.stdout] == []
        return done.stdout

    def rotate(
        self,
        *options: str,
        fails: bool = False,
        at: t.Optional[Moment] = None,
        then: t.Callable[[], object] = lambda: None,
    ) -> str:
        """What the playbook rotate says. then: what happens at a moment of the run."""
        if at is None:
            return self.run("rotate", *options, fails=fails)
        said, status = self._watched(options, at, lambda _process: then())
        assert (status != 0) == fails, said[-8000:]
        return said

    def killed(self, at: Moment) -> str:
        """Runs the playbook rotate and kills it, with every process it has started, at a moment of the run; what it had said."""
        said, status = self._watched(AT_ONCE, at, kill)
        assert status == -signal.SIGKILL, said[-8000:]
        return said

    def _watched(self, options: t.Sequence[str], at: Moment, act: t.Callable[[Process], object]) -> t.Tuple[str, int]:
        running = subprocess.Popen(
            self.command("rotate", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )
        process, left, inside, said = Process.of(running.pid), at.nth, False, ""
        assert running.stdout is not None and process is not None
        for line in running.stdout:
            said += line
            if line.startswith("TASK ["):
                inside = line.startswith(f"TASK [smarthost.mail.smtp_relay : {at.task}]")
                left -= inside
            if left == 0 and inside and (not at.sign or line.startswith(at.sign)):
                left = -1
                act(process)
        assert left < 0, f"{at} has not come:\n{said[-8000:]}"
        return said, running.wait(SECONDS)

    def day_after(self) -> None:
        """Let time pass: Ansible's connections end, which would wait long for a host that was away."""
        for socket in (self.lab.places.folder / "ssh").iterdir():
            subprocess.run(
                ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "lab"], stderr=subprocess.DEVNULL, check=False
            )

    # What the hosts have, and what they can do.

    def save(self, name: str) -> None:
        """Keep what the hosts have under this name."""
        for host in self.lab.hosts:
            host.run("sh", "-c", 'cd / && tar -cf "/root/$0.tar" $(ls -d "$@" 2> /dev/null)', name, *STATE)

    def load(self, name: str) -> None:
        """Give the hosts what they had when it was kept, and the relay its two credentials; nothing has been sent."""
        if sorted(self.lab.relay.credentials()) != sorted(FIRST.items()):
            for user, secret in FIRST.items():
                self.lab.relay.set(user, secret)
        for host in self.lab.hosts:
            host.run(
                "sh",
                "-c",
                'cd / && rm -rf "$@" && tar -xpf "/root/$0.tar" && rm -f var/log/notifier.log && service notifier restart',
                name,
                *STATE,
            )
            host.run("service", "postfix", "reload", check=False)
        self.lab.relay.forget_mail()

    def kept(self) -> t.Dict[str, int]:
        """By host how many generations are kept, with the bytes that were replaced."""
        return {host.name: len(list(host.reach("var/lib/smarthost/generations").iterdir())) for host in self.lab.hosts}

    def every(self, user: str) -> t.Dict[str, str]:
        """The same user for every host."""
        return dict.fromkeys(self.names, user)

    def sends(self) -> t.Dict[str, str]:
        """By host as whom it sends. Every application of every host has sent a message, after this was asked for, and it has arrived."""
        mark, begun = uuid.uuid4().hex, len(self.lab.relay.mail())
        for name, program in self.programs().items():
            sent = send_as_configured(self.lab.host(name), program, f"{name} {mark}")
            assert sent.status == 0, f"{name}: {sent.said}"
        wanted = {name: {f"{name} {mark}", f"{name} notifier"} for name in self.names}
        logins: t.Dict[str, t.Set[str]] = {}

        def arrived() -> bool:
            for message in self.lab.relay.mail()[begun:]:
                name, kind = message.subject.split()[:2]
                logins.setdefault(f"{name} {kind}", set()).add(message.login)
            return all(subject in logins for subjects in wanted.values() for subject in subjects)

        wait_until(arrived, f"a message of every application of every host: {wanted}", seconds=60, step=0.2)
        return {
            name: " ".join(sorted(set().union(*(logins[subject] for subject in subjects))))
            for name, subjects in wanted.items()
        }

    def notified(self) -> t.Dict[str, t.List[str]]:
        """By host what its notifier has noted of each message."""
        return {
            host.name: host.reach("var/log/notifier.log").read_text(encoding="utf-8").splitlines()
            for host in self.lab.hosts
        }

    def mail(self) -> t.List[Message]:
        """Every message that has arrived."""
        return self.lab.relay.mail()


def environment() -> t.Dict[str, str]:
    """What a playbook is run with."""
    return {**os.environ, "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}


def kill(process: Process) -> None:
    """Kill a process and all that it has started, and all that these have: stopped first, so that it starts no other meanwhile."""
    process.signal(signal.SIGSTOP)
    tree, found = [process], [process]
    while found:
        found = [child for child in (Process.of(pid) for parent in found for pid in parent.children()) if child]
        tree += found
    for each in tree:
        each.signal(signal.SIGKILL)


def messages(said: str) -> str:
    """The summary that a playbook ends with: the lines that begin with the word Rotation."""
    lines = [line.strip().strip(",").strip('"').replace('\\"', '"') for line in said.splitlines()]
    begun = [number for number, line in enumerate(lines) if line.startswith("Rotation ")]
    assert begun, said[-4000:]
    last = lines[begun[-1] :]
    return "\n".join(last[: last.index("]")])
