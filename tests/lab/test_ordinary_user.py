# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook as people run it: by an ordinary user without sudo here, on hosts that are reached as an ordinary user with sudo there."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import typing as t

import pytest

from lab.fixture import started
from lab.host import Host
from lab.laboratory import Lab
from lab.relay import FIRST
from lab.skeleton import FILES

USER, ROOT_ID, SECONDS = 20001, 0, 300
PACKAGES = sysconfig.get_path("purelib")
CATALOGUE = FILES.parent / "catalogue"
OLD, NEW = FIRST
GITEA = "; the user's own\n[server]\nDOMAIN = x.example\n\n[mailer]\nENABLED = false\nUSER = mine\n"
# What a run leaves that is not of the collection: Ansible's and the system's own.
NOT_OURS = (
    "./proc",
    "./sys",
    "./dev",
    "./run",
    "./tmp",
    "./var/log",
    "./var/tmp",
    "./home/deploy/.ansible",
    "./root/.ansible",
    "./var/spool/postfix",
    "./var/lib/postfix",
    "./var/mail",
)
Values = t.Dict[str, t.Any]


class Site:
    """A project folder of an ordinary user, whose sudo on this machine notes that it was asked for and refuses."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        self.lab, self.folder = lab, folder
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "sudo").write_text(f"#!/bin/sh\necho called >> {folder}/sudo-called\nexit 1\n")
        (folder / "bin" / "sudo").chmod(0o755)
        shutil.copy(lab.places.folder / "id_ed25519", folder / "key")
        users = pathlib.Path("/etc/passwd").read_text(encoding="utf-8")
        (folder / "passwd").write_text(f"{users}operator:x:{USER}:{USER}::{folder}:/bin/sh\n", encoding="utf-8")
        shutil.copy(lab.authority, folder / "ca.pem")
        self.relay: Values = {
            "host": "relay.lab.test",
            "username": OLD,
            "password": FIRST[OLD],
            "from": "Example <noreply@lab.test>",
        }
        self.apps: t.List[t.Any] = [
            "msmtp",
            "notifier",
            {"name": "gitea", "form": "ini", "path": "/srv/gitea/app.ini", "activate": False, "installed": True},
        ]
        self.variables: Values = {}
        self.python = python()
        self.give()

    def give(self) -> None:
        """Everything in the folder belongs to the user."""
        subprocess.run(["chown", "-R", f"{USER}:{USER}", str(self.folder)], check=True)

    def inventory(self, become: t.Optional[bool]) -> pathlib.Path:
        """Written anew for each run. become: what the variable ansible_become says, None where there is none."""
        hosts = {host.name: {"ansible_host": host.address} for host in self.lab.hosts}
        known = self.lab.places.folder / "known_hosts"
        common: Values = {
            "ansible_user": "deploy",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_pipelining": True,
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_control_path_dir": str(self.folder / "cp"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes -o ConnectTimeout=10",
            "smtp_relay": self.relay,
            "smtp_relay_apps": self.apps,
            "smtp_relay_catalogue": [str(CATALOGUE)],
            "smtp_relay_report_dest": str(self.folder / "report"),
            "smtp_relay_rotation_retries": 1,
            "smtp_relay_rotation_delay": 1,
            **(
                {}
                if become is None
                else {"ansible_become": become, "ansible_become_user": "root", "ansible_become_method": "sudo"}
            ),
            **self.variables,
        }
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        self.give()
        return path

    def run(
        self, playbook: str, *options: str, become: t.Optional[bool] = None, fails: bool = False, **environment: str
    ) -> str:
        """What a playbook says, run by the ordinary user."""
        words = [
            self.python,
            "-m",
            "ansible",
            "playbook",
            f"smarthost.mail.{playbook}",
            "-i",
            str(self.inventory(become)),
            *options,
        ]
        whole = (
            'mount --bind "$0/passwd" /etc/passwd && cd "$0" && exec setpriv --reuid=%d --regid=%d --clear-groups "$@"'
            % (USER, USER)
        )
        command = self.lab.controller("sh", "-c", whole, str(self.folder), *words)
        own = {
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": PACKAGES,
        }
        given = {**os.environ, **own, **environment}
        given["PATH"] = f"{self.folder}/bin:{given['PATH']}"
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
            env=given,
        )
        assert (done.returncode != 0) == fails, done.stdout[-6000:]
        assert not (self.folder / "sudo-called").exists(), "sudo was asked for on the controller"
        assert [secret for secret in FIRST.values() if secret in done.stdout] == []
        return done.stdout


def python() -> str:
    """A Python like this one that everybody may run; this one may be in root's home."""
    name = f"python3.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        drop = [
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--clear-groups",
            "sh",
            "-c",
            'exec "$0" -c "import jinja2, yaml"',
            path,
        ]
        if subprocess.run(drop, env={"PYTHONPATH": PACKAGES}, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return path
    leave_out(f"no {name} that an ordinary user can run, with the packages of {PACKAGES}")


def leave_out(why: str) -> t.NoReturn:
    """Skips the test, or fails it where CI=true: there a test left out is a miss."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="module")
def own_lab() -> t.Iterator[Lab]:
    """Two hosts, for this file alone: what they have is compared whole."""
    with started(mtas=0, hosts=2, name="ordinary") as made:
        for host in made.hosts:
            making = "mkdir -p /srv/gitea && cat > /srv/gitea/app.ini && chown -R deploy:deploy /srv/gitea && chmod 640 /srv/gitea/app.ini"
            host.run("sh", "-c", making, given=GITEA)
        yield made


@pytest.fixture
def site(own_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    folder = pathlib.Path("/var/tmp") / f"smarthost-ordinary-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    yield Site(own_lab, folder)
    shutil.rmtree(folder)


def tree(host: Host) -> t.Dict[str, str]:
    """Everything on a host that is on its own disk: kind, mode, owners, and what is in it."""
    prune = " -o ".join(f"-path {path}" for path in NOT_OURS)
    listed = host.run("sh", "-c", rf"cd / && find . -xdev \( {prune} \) -prune -o -printf '%p|%y %m %U:%G %l\n'").stdout
    found = dict(line.split("|", 1) for line in listed.splitlines())
    sums = host.run(
        "sh", "-c", rf"cd / && find . -xdev \( {prune} \) -prune -o -type f -print0 | xargs -0 sha256sum"
    ).stdout
    for line in sums.splitlines():
        digest, _blank, path = line.partition("  ")
        found[path] += " " + digest
    return found


def digest(values: t.Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def rotating(site: Site) -> None:
    """The declaration of docs/rotation.md: only now the credential has an id, and a next one."""
    site.relay.update(credential_id="2026-08", next={"id": "2026-11", "username": NEW, "password": FIRST[NEW]})


def test_a_whole_life_with_become_in_the_inventory_and_nothing_of_ours_is_left_at_its_end(site: Site) -> None:
    hosts = site.lab.hosts
    before = {host.name: tree(host) for host in hosts}
    said = site.run("remove", become=True)
    assert said.count("Nothing of ours is on this host.") == 2 and {host.name: tree(host) for host in hosts} == before
    assert site.run("rollback", become=True).count("Nothing to restore: this host keeps no generation.") == 2
    site.run("plan", become=True)
    site.run("render", "-e", "smtp_relay_dest=./out", become=True)
    assert (site.folder / "out" / "h001" / "etc" / "msmtprc").is_file()
    site.run("apply", become=True)
    applied = {host.name: tree(host) for host in hosts}
    site.run("verify", become=True)
    rotating(site)
    assert "Checked: 2 hosts would get the next credential" in site.run("rotate", "--check", become=True)
    said = site.run("rotate", "-e", "smtp_relay_rotation_soak=1", become=True)
    assert "Rotation complete: 2" in said and "WARNING" not in said
    assert "NOT REVOKED" in site.run("revoke_check", become=True, fails=True)
    site.relay["username"], site.relay["password"], site.relay["credential_id"] = NEW, FIRST[NEW], "2026-11"
    del site.relay["next"]
    site.relay["from"] = "Other <other@lab.test>"
    rotated = {host.name: tree(host) for host in hosts}
    site.run("apply", become=True)
    said = site.run("rollback", "--check", become=True)
    assert said.count("Would restore what was there before generation") == 2 and "/etc/msmtprc" in said
    said = site.run("rollback", become=True)
    assert said.count("Verified by a login with what is in the files:") == 2 and "Activated: notifier" in said
    for host in hosts:
        now = tree(host)
        assert {path for path in now if "smarthost" not in path and now[path] != rotated[host.name].get(path)} == set()
    said = site.run("remove", "--check", become=True)
    assert said.count("Would revert ") == 2 and "Would remove /var/lib/smarthost" in said
    said = site.run("remove", become=True)
    assert said.count("Removed /var/lib/smarthost.") == 2 and "Activated: notifier" in said
    after = {host.name: tree(host) for host in hosts}
    for name, was in before.items():
        assert {
            path: (was.get(path), after[name].get(path))
            for path in {*was, *after[name]}
            if was.get(path) != after[name].get(path)
        } == {}
    assert {digest(each) for each in applied.values()} != {digest(each) for each in after.values()}


@pytest.mark.parametrize(
    "how, environment",
    [(("-b",), {}), ((), {"ANSIBLE_BECOME": "1"}), (("-e", "ansible_become=true"), {})],
    ids=["option", "environment", "extra variable"],
)
def test_become_by_option_environment_and_extra_variable(
    site: Site, how: t.Tuple[str, ...], environment: t.Dict[str, t.Any]
) -> None:
    site.run("apply", *how, **environment)
    rotating(site)
    assert "Checked: 2 hosts would get the next credential" in site.run("rotate", "--check", *how, **environment)
    assert "[still-in-force]" in site.run("revoke_check", *how, fails=True, **environment)
    site.run("render", "-e", "smtp_relay_dest=./out", *how, **environment)
    site.run("verify", *how, **environment)
    assert site.run("remove", *how, **environment).count("Removed /var/lib/smarthost.") == 2


def test_without_become_where_root_is_not_needed_and_what_it_says_where_it_is(site: Site) -> None:
    said = site.run("apply", fails=True)
    assert "become" in said, "how root is got is in the message"
    home = "/home/deploy"
    site.apps = [{"name": "msmtp", "path": f"{home}/.msmtprc", "owner": "deploy", "group": "deploy"}]
    site.variables = {"smtp_relay_state_dir": f"{home}/.smarthost"}
    before = [tree(host) for host in site.lab.hosts]
    site.run("apply")
    site.run("verify")
    rotating(site)
    assert "Rotation complete: 2" in site.run("rotate")
    assert site.lab.hosts[0].run("stat", "-c", "%U", f"{home}/.msmtprc", f"{home}/.smarthost").stdout.split() == [
        "deploy",
        "deploy",
    ]
    assert site.run("remove").count(f"Removed {home}/.smarthost.") == 2
    assert [tree(host) for host in site.lab.hosts] == before
