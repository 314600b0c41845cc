# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab keeps its promises: hosts of their own, a relay with two credentials, every fault by name, and nothing left after a kill."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from lab.host import Host
from lab.laboratory import Lab
from lab.processes import wait_until
from lab.relay import HOSTNAME
from lab.sending import NEW, OLD, REFUSED, SENT, send

CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_ADMIN, CAP_SYS_TIME, CAP_MKNOD = 16, 17, 21, 25, 27  # linux/capability.h


def ssh(lab: Lab, host: Host, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a host as Ansible would."""
    folder = lab.places.folder
    return subprocess.run(
        [
            "ssh",
            "-o",
            "BatchMode=yes",
            "-i",
            str(folder / "id_ed25519"),
            "-o",
            "UserKnownHostsFile=%s" % (folder / "known_hosts"),
            "deploy@" + host.address,
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_each_host_is_reached_by_ssh_with_a_known_host_key_and_has_sudo(lab: Lab) -> None:
    assert [ssh(lab, host, "sudo", "hostname").stdout.strip() for host in lab.hosts] == ["h001", "h002", "h003"]


def test_a_file_on_one_host_is_on_no_other_and_not_on_this_machine(lab: Lab) -> None:
    lab.hosts[0].run("touch", "/etc/only-here")
    assert lab.hosts[0].run("ls", "/etc/only-here").returncode == 0
    assert lab.hosts[1].run("ls", "/etc/only-here", check=False).returncode != 0
    assert not pathlib.Path("/etc/only-here").exists()


def test_a_host_shows_nothing_of_this_machine_but_its_programs(lab: Lab) -> None:
    host = lab.hosts[0]
    assert set(host.run("ls", "/").stdout.split()) <= {
        "bin",
        "dev",
        "etc",
        "home",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var",
    }
    assert set(host.run("sh", "-c", "ls -A /home /root /srv /var/mail | grep -v :").stdout.split()) == {
        "deploy",
        ".ssh",
    }
    assert host.run("touch", "/usr/x", check=False).returncode != 0
    assert len(host.run("ps", "-A").stdout.splitlines()) < 20


def test_root_on_a_host_may_neither_set_this_machines_clock_nor_make_devices(lab: Lab) -> None:
    host = lab.hosts[0]
    for shown in (
        ssh(lab, host, "sudo", "cat", "/proc/self/status").stdout,
        host.run("cat", "/proc/self/status").stdout,
    ):
        allowed = int(dict(line.split(":", 1) for line in shown.splitlines())["CapBnd"], 16)
        assert allowed & (1 << CAP_SYS_ADMIN)
        assert not allowed & ((1 << CAP_SYS_TIME) | (1 << CAP_MKNOD) | (1 << CAP_SYS_MODULE) | (1 << CAP_SYS_RAWIO))


def test_a_host_has_no_way_out_and_the_labs_addresses_never_leave_this_machine(lab: Lab) -> None:
    assert "unreachable" in lab.hosts[0].run("ip", "route", "get", "192.0.2.1", check=False).stdout
    nobodys = "198.19.255.1"
    route = subprocess.run(
        ["ip", "route", "get", nobodys], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert route.returncode != 0
    assert "No route to host" in route.stdout or "unreachable" in route.stdout


def test_two_credentials_work_at_once_and_the_mail_says_which_brought_it(lab: Lab) -> None:
    lab.relay.forget_mail()
    assert [send(host, *credential).status for host, credential in zip(lab.hosts, (OLD, NEW))] == [SENT, SENT]
    wait_until(lambda: len(lab.relay.mail()) == 2, "both messages arrive")
    assert {(message.client, message.login) for message in lab.relay.mail()} == {
        (lab.hosts[0].address, OLD[0]),
        (lab.hosts[1].address, NEW[0]),
    }


def test_two_secrets_of_one_user_work_at_once_and_a_revoked_one_is_refused_as_soon_as_revoke_returns(lab: Lab) -> None:
    host, relay = lab.hosts[0], lab.relay
    relay.add("two@lab.test", "first")
    relay.add("two@lab.test", "second")
    assert [send(host, "two@lab.test", secret).status for secret in ("first", "second", "third")] == [
        SENT,
        SENT,
        REFUSED,
    ]
    relay.revoke("two@lab.test", "first")
    assert [send(host, "two@lab.test", secret).status for secret in ("first", "second")] == [REFUSED, SENT]
    relay.set("two@lab.test", "third")
    assert [send(host, "two@lab.test", secret).status for secret in ("second", "third")] == [REFUSED, SENT]
    relay.revoke("two@lab.test")
    assert send(host, "two@lab.test", "third").status == REFUSED
    assert ("two@lab.test", "third") not in relay.credentials()


def test_the_relay_tells_who_logged_in_and_who_was_refused(lab: Lab) -> None:
    before = len(lab.relay.logins())
    send(lab.hosts[2], *NEW)
    send(lab.hosts[2], NEW[0], "wrong")
    address = lab.hosts[2].address
    assert [(login.client, login.user) for login in lab.relay.logins()[before:]] == [(address, NEW[0]), (address, "")]


def test_a_command_of_the_controller_knows_the_relay_and_trusts_it_and_this_machine_does_neither(lab: Lab) -> None:
    script = (
        f"import smtplib, ssl; client = smtplib.SMTP('{HOSTNAME}', 587, timeout=10); "
        "client.starttls(context=ssl.create_default_context()); print(client.noop()[0])"
    )
    command = [sys.executable, "-c", script]
    outcomes = [
        subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
        for words in (lab.controller(*command), command)
    ]
    assert outcomes == ["250\n", ""]
