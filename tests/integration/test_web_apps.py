# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web applications, and what sends by the system's sendmail, send through a real relay with the files of smtp_relay_apps entries."""

from __future__ import annotations

import pathlib
import typing as t
import uuid

import pytest
from integration import web_apps
from integration.needs import HOSTILE, HOSTILE_ASCII, need
from integration.programs import Outcome
from integration.relay import Relay
from integration.test_mailers import RECIPIENT, SENDER, arrived, plan_and_write
from leave_out import leave_out

USERS = {SENDER: HOSTILE, "ascii": HOSTILE_ASCII}


class Sender(t.NamedTuple):
    """How one program sends: the entry whose file it reads, where that stands, and by what.

    user: who logs in. accept: what the application is told to take knowingly. ports: the relay's by which it can send as declared.
    """

    app: str
    path: str
    send: t.Callable[[pathlib.Path, str, Relay], Outcome]
    user: str = SENDER
    accept: t.Sequence[str] = ()
    ports: t.Sequence[str] = ("starttls", "tls")


SENDERS: t.Mapping[str, Sender] = {
    "wordpress": Sender(
        "wordpress", "mu/smarthost.php", lambda path, subject, relay: web_apps.wordpress(path, subject, RECIPIENT)
    ),
    "roundcube": Sender(
        "roundcube",
        "smarthost.inc.php",
        lambda path, subject, relay: web_apps.roundcube(path, subject, RECIPIENT, SENDER),
        ports=("tls",),
    ),
    "redmine": Sender(
        "redmine", "configuration.yml", lambda path, subject, relay: web_apps.redmine(path, subject, RECIPIENT, SENDER)
    ),
    # Python's smtplib logs in with ASCII only
    "mailman3": Sender(
        "mailman3",
        "mailman.cfg",
        lambda path, subject, relay: web_apps.mailman3(path, subject, RECIPIENT, SENDER, relay.pki.ca),
        "ascii",
        ["no-ca-path"],
    ),
    "php": Sender("php", "conf.d", lambda path, subject, relay: web_apps.php(path, subject, RECIPIENT)),
    "cron": Sender(
        "msmtp", "msmtprc", lambda path, subject, relay: web_apps.cron(path, subject, RECIPIENT), ports=("starttls",)
    ),
    "smartd": Sender(
        "msmtp", "msmtprc", lambda path, subject, relay: web_apps.smartd(path, subject, RECIPIENT), ports=("tls",)
    ),
}


@pytest.fixture(scope="module")
def relay() -> t.Iterator[Relay]:
    """A relay that knows USERS."""
    need("postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db")
    with Relay(USERS) as running:
        yield running


def send(name: str, port: str, relay: Relay, site: pathlib.Path, **more: t.Any) -> t.Tuple[str, Outcome]:
    """The subject and what became of a message that `name` sent with what its entry writes for the relay by one of its ports."""
    problem = web_apps.missing(name)
    if problem:
        leave_out(problem)
    sender = SENDERS[name]
    given = {
        "host": "localhost",
        "port": relay.ports[port],
        "security": {"plain": "none"}.get(port, port),
        "ca_path": str(relay.pki.ca),
        "username": sender.user,
        "password": USERS[sender.user],
        "from": SENDER,
        **more,
    }
    path = site / sender.path
    assert (
        plan_and_write(given, {"name": name, "app": sender.app, "path": str(path), "accept": list(sender.accept)}) == []
    )
    subject = f"{name}-{uuid.uuid4().hex}"
    return subject, sender.send(path, subject, relay)


@pytest.mark.parametrize(("name", "port"), [(name, port) for name, sender in SENDERS.items() for port in sender.ports])
def test_a_real_application_sends_as_declared(name: str, port: str, relay: Relay, site: pathlib.Path) -> None:
    subject, outcome = send(name, port, relay, site)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    assert (message.port, message.user, bool(message.tls), message.sender) == (port, SENDERS[name].user, True, SENDER)


@pytest.mark.parametrize("name", ["wordpress", "roundcube", "redmine", "mailman3", "php"])
def test_an_application_whose_login_fails_sends_nothing(name: str, relay: Relay, site: pathlib.Path) -> None:
    subject, outcome = send(name, "tls", relay, site, password="not-the-password")
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []


@pytest.mark.parametrize("name", ["wordpress", "redmine", "mailman3", "php"])
def test_an_application_told_to_require_starttls_sends_nothing_without(
    name: str, relay: Relay, site: pathlib.Path
) -> None:
    subject, outcome = send(name, "plain", relay, site, security="starttls")
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []
