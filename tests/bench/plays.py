# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that the bench measures, as data."""

from __future__ import annotations

import json
import pathlib
import typing as t

Task = t.Dict[str, t.Any]

RELAY = {
    "host": "smtp.example.com",
    "port": 465,
    "username": "apps@example.com",
    "password": "bench-dummy",
    "from": "noreply@example.com",
}
# What an operator writes by hand today: the same settings that smtp_config writes for Gitea.
TEMPLATE = """\
GITEA__mailer__ENABLED=true
GITEA__mailer__PROTOCOL=smtps
GITEA__mailer__SMTP_ADDR={{ relay.host }}
GITEA__mailer__SMTP_PORT={{ relay.port }}
GITEA__mailer__USER={{ relay.username }}
GITEA__mailer__PASSWD={{ relay.password }}
GITEA__mailer__FROM={{ relay.from }}
GITEA__mailer__FORCE_TRUST_SERVER_CERT=false
"""


def ours(count: int, folder: t.Union[str, pathlib.Path]) -> list[Task]:
    """One smtp_config task for `count` instances of Gitea, each with a file of its own."""
    apps = [
        {"name": "g%02d" % number, "app": "gitea", "form": "env", "path": "%s/app%02d.env" % (folder, number)}
        for number in range(count)
    ]
    return [
        {"name": "Ours", "smarthost.mail.smtp_config": {"relay": RELAY, "apps": apps, "state_dir": f"{folder}/state"}}
    ]


def templates(count: int, folder: t.Union[str, pathlib.Path]) -> list[Task]:
    """`count` template tasks that write the same settings to as many files."""
    return [
        {
            "name": "Template",
            "ansible.builtin.template": {
                "src": "mailer.env.j2",
                "dest": "%s/app%02d.env" % (folder, number),
                "mode": "0600",
            },
        }
        for number in range(count)
    ]


def ping() -> list[Task]:
    """The smallest task that runs a module on the host."""
    return [{"name": "Ping", "ansible.builtin.ping": {}}]


def write(path: pathlib.Path, tasks: list[Task]) -> pathlib.Path:
    """Write a play with these tasks (JSON is YAML); none makes an empty play. Return its path."""
    play = {"name": "Bench", "hosts": "all", "gather_facts": False, "vars": {"relay": RELAY}, "tasks": tasks}
    path.write_text(json.dumps([play], indent=1), encoding="utf-8")
    path.with_name("mailer.env.j2").write_text(TEMPLATE, encoding="utf-8")
    return path
