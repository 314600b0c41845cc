# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local mail server that takes everything proves nothing of the relay behind it. In a network of its own, where port 25 is free."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

from integration.test_role import play
from leave_out import leave_out

DISCARDS = """
import os, socket, subprocess, sys, threading
server = socket.create_server(("127.0.0.1", 25))
def talk(sock):
    with sock, sock.makefile("rb") as lines:
        sock.sendall(b"220 discard\\r\\n")
        for line in lines:
            sock.sendall(b"221 bye\\r\\n" if line[:4].upper() == b"QUIT" else b"250 ok\\r\\n")
def serve():
    while True:
        threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""
RELAYS = {
    "default": "main",
    "relays": {
        "main": {
            "host": "no-such-relay.invalid",
            "security": "starttls",
            "username": "u",
            "password": "hunter2 and more",
            "from": "a@site.test",
        },
        "queue": {"type": "local_mta", "via": "main", "from": "a@site.test"},
    },
}


def discarding(
    site: Path, apps: t.List[t.Any], playbook: str = "smarthost.mail.apply"
) -> "subprocess.CompletedProcess[str]":
    """The playbook on a host where port 25 takes all mail and discards it, and nothing else is reached."""
    if subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        leave_out("a network of its own needs root")
    before = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-c", DISCARDS]
    found: "subprocess.CompletedProcess[str]" = play(
        site, RELAYS, apps, "-e", f"smtp_relay_report_dest={site}/report", playbook=playbook, before=before
    )
    return found


def test_a_relay_behind_a_local_mta_that_discards_is_not_said_to_work(site: Path) -> None:
    (site / "postfix").mkdir()
    (site / "postfix/main.cf").write_text("# mine\n")
    apps = [
        {"name": "postfix", "path": str(site / "postfix")},
        {"name": "msmtp", "relay": "queue", "path": str(site / "msmtprc")},
    ]
    for playbook in ("smarthost.mail.apply", "smarthost.mail.verify"):
        done = discarding(site, apps, playbook)
        assert done.returncode != 0, done.stdout[-4000:]
        (host,) = json.loads((site / "report/report.json").read_text())["hosts"]
        found = {app["name"]: app for app in host["apps"]}
        assert [(app["proof"], app["green"]) for app in found.values()] == [("not_tested", False)] * 2
        assert (
            "relay main, to which the local mail server forwards: no-such-relay.invalid" in found["msmtp"]["proof_why"]
        )
        assert {relay["name"]: relay["ok"] for relay in host["relays"]} == {
            "main (postfix, msmtp)": False,
            "queue (msmtp)": True,
        }
    assert (site / "msmtprc").exists(), "a name that is not known blocks nothing"


def test_where_nothing_is_declared_to_forward_it_is_refused(site: Path) -> None:
    done = discarding(site, [{"name": "msmtp", "relay": "queue", "path": str(site / "msmtprc")}])
    assert done.returncode != 0 and "[local-mta-not-forwarding]" in done.stdout and "List postfix" in done.stdout
    assert not (site / "msmtprc").exists()
