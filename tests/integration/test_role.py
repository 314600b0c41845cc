# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on real input: one declaration, the role, and real programs whose mail arrives with TLS and as the declared user."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
import urllib.parse
import uuid
from pathlib import Path

import pytest
from ansible_server.start import ansible_playbook
from integration import programs
from integration.needs import HOSTILE, HOSTILE_ASCII, need
from integration.relay import Relay

SECRETS = (HOSTILE, HOSTILE_ASCII)
RECIPIENT = "reader@dest.test"


class Host(t.NamedTuple):
    """One host under test: a folder for each application, and what the role said."""

    folder: Path
    status: int
    output: str


def declaration(relay: Relay) -> t.Dict[str, t.Any]:
    """Three relays on the one server: STARTTLS, TLS from the first byte, and a user whose password is plain ASCII."""
    main = {
        "host": "localhost",
        "port": relay.ports["starttls"],
        "security": "starttls",
        "ca_path": str(relay.pki.ca),
        "username": "apps@site.test",
        "password": HOSTILE,
        "from": "Site Apps <apps@site.test>",
    }
    return {
        "default": "main",
        "relays": {
            "main": main,
            "tls": {"like": "main", "port": relay.ports["tls"], "security": "tls", "password": HOSTILE},
            "ascii": {"like": "main", "username": "web", "password": HOSTILE_ASCII},
        },
    }


def applications(folder: Path) -> t.List[t.Any]:
    """Every application that sends, some of them twice: several instances, several relays on one host."""
    return [
        {"name": "postfix", "path": str(folder / "postfix-site" / "postfix")},
        {"name": "postfix-tls", "app": "postfix", "relay": "tls", "path": str(folder / "postfix-tls-site" / "postfix")},
        {"name": "msmtp", "path": str(folder / "msmtprc")},
        {"name": "msmtp-tls", "app": "msmtp", "relay": "tls", "path": str(folder / "msmtprc-tls")},
        {"name": "nullmailer", "path": str(folder / "nullmailer")},
        {"name": "nullmailer-tls", "app": "nullmailer", "relay": "tls", "path": str(folder / "nullmailer-tls")},
        {"name": "django", "relay": "ascii", "path": str(folder / "smarthost_mail.py"), "accept": ["no-ca-path"]},
        {
            "name": "alertmanager",
            "path": str(folder / "alertmanager.yml"),
            "group": "prometheus",
            "accept": ["no-ca-path"],
        },
    ]


def play(
    folder: Path,
    relay: t.Dict[str, t.Any],
    apps: t.List[t.Any],
    *options: str,
    playbook: str = "smarthost.mail.apply",
    before: t.Sequence[str] = (),
) -> "subprocess.CompletedProcess[str]":
    """Run a playbook of the collection against this machine. before: a command that runs what it is given."""
    variables = {
        "smtp_relay": relay,
        "smtp_relay_apps": apps,
        "smtp_relay_state_dir": str(folder / "state"),
        "smtp_relay_activate": False,
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }
    inventory = folder / "inventory.yml"
    inventory.write_text(as_yaml({"all": {"hosts": {"site": variables}}}))
    inventory.chmod(0o600)
    command = [*before, ansible_playbook(), "-i", str(inventory), playbook, *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "ANSIBLE_NOCOLOR": "1"}
    )


def as_yaml(value: t.Any) -> str:
    """YAML in which no text is a template: a password with braces, as it comes out of a vault."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    return f"!unsafe {json.dumps(value)}" if isinstance(value, str) else json.dumps(value)


@pytest.fixture(scope="module")
def host(relay: Relay) -> t.Iterator[Host]:
    """A host on which the role ran once, at its most talkative and with --diff."""
    need("msmtp", "nullmailer", "prometheus-alertmanager", "django")
    folder = Path(tempfile.mkdtemp(prefix="smarthost-role-"))
    folder.chmod(0o755)
    for name in ("postfix", "postfix-tls"):
        programs.prepare_satellite(folder / f"{name}-site")
    (folder / "alertmanager.yml").write_text(programs.ALERTMANAGER_BASE)
    done = play(folder, declaration(relay), applications(folder), "-vvv", "--diff")
    yield Host(folder, done.returncode, done.stdout + done.stderr)
    shutil.rmtree(folder)


def by_postfix(path: Path, subject: str) -> programs.Outcome:
    with programs.PostfixSatellite(path) as satellite:
        return satellite.send(subject, RECIPIENT)


def by_alertmanager(path: Path, subject: str) -> programs.Outcome:
    with programs.Alertmanager(path) as alertmanager:
        return alertmanager.send(subject, RECIPIENT)


SENDERS: t.Mapping[str, t.Callable[[Path, str], programs.Outcome]] = {
    "postfix": by_postfix,
    "msmtp": lambda path, subject: programs.msmtp(path, subject, RECIPIENT),
    "nullmailer": lambda path, subject: programs.nullmailer(path, subject, RECIPIENT),
    "django": lambda path, subject: programs.django_mail(path, subject, RECIPIENT),
    "alertmanager": by_alertmanager,
}


def test_the_role_writes_every_application_and_proves_both_ways_to_the_relay(host: Host) -> None:
    assert host.status == 0, host.output[-6000:]


@pytest.mark.parametrize(
    "name, port, user",
    [
        ("postfix", "starttls", "apps@site.test"),
        ("postfix-tls", "tls", "apps@site.test"),
        ("msmtp", "starttls", "apps@site.test"),
        ("msmtp-tls", "tls", "apps@site.test"),
        ("nullmailer", "starttls", "apps@site.test"),
        ("nullmailer-tls", "tls", "apps@site.test"),
        ("django", "starttls", "web"),
        ("alertmanager", "starttls", "apps@site.test"),
    ],
)
def test_a_real_program_sends_with_the_files_of_the_role(
    name: str, port: str, user: str, host: Host, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Go and Python trust this file in place of the system's store; on a host the CA would be installed there.
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.pki.ca))
    item = next(item for item in applications(host.folder) if item["name"] == name)
    subject = f"{name} {uuid.uuid4()}"
    outcome = SENDERS[item.get("app", name)](Path(item["path"]), subject)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    assert message.tls.startswith("TLSv1."), message
    assert (message.port, message.user) == (port, user)


def test_no_secret_is_in_what_ansible_prints_at_vvv_with_diff(host: Host) -> None:
    assert "(secret)" in host.output, "the diff shows that there is a secret"
    for secret in SECRETS:
        assert not leaks(host.output, secret)


def test_files_with_a_secret_are_closed_to_others(host: Host) -> None:
    names = ("sasl_passwd", "msmtprc", "msmtprc-tls", "remotes", "smarthost_mail.py", "alertmanager.yml")
    holders = [path for path in host.folder.rglob("*") if path.name in names]
    assert len(holders) == 8
    assert {str(path): oct(path.stat().st_mode) for path in holders if path.stat().st_mode & 0o007} == {}


def test_a_second_run_changes_nothing(host: Host, relay: Relay) -> None:
    done = play(host.folder, declaration(relay), applications(host.folder))
    assert done.returncode == 0 and "changed=0" in done.stdout, done.stdout[-3000:]


def test_verify_proves_the_relays_and_finds_every_file_as_declared(host: Host, relay: Relay) -> None:
    done = play(host.folder, declaration(relay), applications(host.folder), playbook="smarthost.mail.verify")
    assert done.returncode == 0 and "changed=0" in done.stdout and "as far as it was seen" in done.stdout, done.stdout[
        -3000:
    ]


def test_django_refuses_a_password_that_it_cannot_log_in_with_and_nothing_is_written(site: Path, relay: Relay) -> None:
    apps = [
        {"name": "django", "path": str(site / "smarthost_mail.py"), "accept": ["no-ca-path"]},
        {"name": "msmtp", "path": str(site / "msmtprc")},
    ]
    done = play(site, declaration(relay), apps)
    assert done.returncode != 0
    assert "Django" in done.stdout and "[value-not-carried]" in done.stdout, done.stdout[-3000:]
    assert not leaks(done.stdout + done.stderr, HOSTILE)
    assert sorted(path.name for path in site.iterdir()) == ["inventory.yml"], "no file, no state folder"


def test_a_wrong_password_is_told_by_the_role_in_plain_words(site: Path, relay: Relay) -> None:
    declared = declaration(relay)
    declared["relays"]["main"]["password"] = "not the password"
    done = play(site, declared, [{"name": "msmtp", "path": str(site / "msmtprc")}])
    assert done.returncode != 0
    assert "[auth_failed]" in done.stdout, done.stdout[-3000:]
    assert not leaks(done.stdout + done.stderr, "not the password")


def test_taking_an_application_back_restores_what_stood_there(site: Path, relay: Relay) -> None:
    config = site / "main.cf"
    before = "# mine\nmyhostname = host.site.test\nrelayhost = [older.site.test]:25\n"
    config.write_text(before)
    apps = [{"name": "postfix", "path": str(site)}, {"name": "msmtp", "path": str(site / "msmtprc")}]
    assert play(site, declaration(relay), apps).returncode == 0
    assert config.read_text() != before
    done = play(site, declaration(relay), [{**item, "state": "absent"} for item in apps])
    assert done.returncode == 0, done.stdout[-3000:]
    assert config.read_text() == before
    assert not (site / "msmtprc").exists() and not (site / "sasl_passwd").exists()


def leaks(text: str, secret: str) -> t.List[str]:
    """In which of its usual spellings a secret stands in a text."""
    raw = secret.encode()
    spellings = {
        "clear": secret,
        "base64": base64.b64encode(raw).decode(),
        "URL": urllib.parse.quote(secret, safe=""),
        "JSON": json.dumps(secret)[1:-1],
        "JSON, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1],
        "repr": repr(secret)[1:-1],
    }
    return [name for name, spelling in spellings.items() if spelling in text]
