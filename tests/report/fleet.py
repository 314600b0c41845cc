# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site for the playbooks apply and verify: hosts that work, fail, refuse and cannot be reached, over a relay of our own."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

from ansible_server.start import ansible_playbook

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))

from relay import EmbeddedRelay  # noqa: E402

__all__ = ["PASSWORD", "ROOT", "SECRETS", "WRONG", "EmbeddedRelay", "Site"]
PASSWORD = "the right passw0rd"
WRONG = "the wr0ng password"
SECRETS = (PASSWORD, WRONG)


class Site(t.NamedTuple):
    """A folder for the hosts, an inventory and the reports."""

    folder: pathlib.Path
    relay: EmbeddedRelay

    def declared(self, password: str = PASSWORD, **more: t.Any) -> t.Dict[str, t.Any]:
        """A declaration of the relay with TLS from the first byte."""
        return {
            "host": "localhost",
            "port": self.relay.tls_port,
            "security": "tls",
            "ca_path": str(self.relay.ca),
            "username": "apps@example.com",
            "credential_id": "2026-08",
            "password": password,
            "from": "noreply@example.com",
            **more,
        }

    def hosts(self) -> t.Dict[str, t.Dict[str, t.Any]]:
        """One host of every kind."""
        starttls = {"port": self.relay.starttls_port, "security": "starttls"}
        return {
            "works": {"smtp_relay": self.declared()},
            "login": {"smtp_relay": self.declared(WRONG)},
            "refuses": {"smtp_relay": self.declared(**starttls), "smtp_relay_apps": ["gitea"]},
            "typo": {"smtp_relay": self.declared(hots="x")},
            "gone": {
                "smtp_relay": self.declared(),
                "ansible_connection": "ssh",
                "ansible_host": "127.0.0.1",
                "ansible_port": 1,
            },
        }

    def run(self, playbook: str, hosts: t.Mapping[str, t.Any], *options: str) -> "subprocess.CompletedProcess[str]":
        """Run a playbook of the collection over these hosts, the report in reports/ of the folder."""
        return subprocess.run(
            self.command(playbook, hosts, *options), capture_output=True, text=True, timeout=120, check=False
        )

    def command(self, playbook: str, hosts: t.Mapping[str, t.Any], *options: str) -> t.List[str]:
        """The command for a playbook of the collection, or for the file with this path; its inventory is written."""
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "smtp_relay_activate": False,
            "smtp_relay_report_dest": str(self.folder / "reports"),
            "smtp_relay_state_dir": str(self.folder) + "/{{ inventory_hostname }}/state",
            "smtp_relay_apps": [{"name": "msmtp", "path": str(self.folder) + "/{{ inventory_hostname }}/msmtprc"}],
        }
        for name in hosts:
            (self.folder / name).mkdir(exist_ok=True)
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        return [
            ansible_playbook(),
            "-i",
            str(inventory),
            playbook if "/" in playbook else f"smarthost.mail.{playbook}",
            *options,
        ]

    def report(self) -> t.Dict[str, t.Any]:
        """What report.json holds."""
        return t.cast(t.Dict[str, t.Any], json.loads((self.folder / "reports" / "report.json").read_text("utf-8")))

    def outcomes(self) -> t.Dict[str, str]:
        """Host to outcome."""
        return {host["name"]: host["outcome"] for host in self.report()["hosts"]}
