# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications whose smtp_relay_apps entries map client_cert show it to a real relay that talks to nobody without one."""

from __future__ import annotations

import pathlib
import typing as t
import uuid

import pytest
from integration import mailers, programs, web_apps
from integration.needs import HOSTILE, need
from integration.pki import Pki
from integration.programs import Outcome, PostfixSatellite
from integration.relay import Relay
from integration.test_mailers import RECIPIENT, SENDER, arrived, plan_and_write, second_address  # noqa: F401 pylint: disable=unused-import
from leave_out import leave_out

USERS = {SENDER: HOSTILE}
COMMON_NAME = "apps-host.site.test"


def _satellite(path: pathlib.Path, subject: str, _relay: Relay) -> Outcome:
    with PostfixSatellite(path) as satellite:
        return satellite.send(subject, RECIPIENT)


Send = t.Callable[[pathlib.Path, str, Relay], Outcome]
SENDERS: t.Mapping[str, t.Tuple[str, Send]] = {
    "postfix": ("postfix", _satellite),
    "msmtp": ("msmtprc", lambda path, subject, relay: programs.msmtp(path, subject, RECIPIENT)),
    "exim": ("exim", lambda path, subject, relay: mailers.exim(path, subject, RECIPIENT)),
    "s_nail": ("s-nail.rc", lambda path, subject, relay: mailers.s_nail(path, subject, RECIPIENT)),
    "wordpress": ("mu/smarthost.php", lambda path, subject, relay: web_apps.wordpress(path, subject, RECIPIENT)),
    "roundcube": (
        "smarthost.inc.php",
        lambda path, subject, relay: web_apps.roundcube(path, subject, RECIPIENT, SENDER),
    ),
    "php": ("conf.d", lambda path, subject, relay: web_apps.php(path, subject, RECIPIENT)),
}
FORMS = {"exim": "split", "postfix": "satellite"}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Relay]:
    """A relay that wants a certificate of its own CA."""
    need("postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db", "msmtp")
    pki = Pki(tmp_path_factory.mktemp("pki"))
    with Relay(USERS, pki=pki, client_ca=pki.ca) as running:
        yield running


def send(
    name: str, relay: Relay, second: t.Mapping[str, int], site: pathlib.Path, with_certificate: bool
) -> t.Tuple[str, Outcome]:
    """The subject and what became of a message that `name` sent with what its entry writes."""
    problem = (web_apps if name in web_apps.INSTALLED else mailers).missing(name)
    if problem:
        leave_out(problem)
    leaf = relay.pki.client(COMMON_NAME)
    files = {"client_cert": leaf.cert, "client_key": leaf.key, "ca_path": relay.pki.ca}
    for key, path in files.items():  # where any user may read them: Exim's does
        files[key] = site / f"{key}.pem"
        files[key].write_bytes(path.read_bytes())
        files[key].chmod(0o644)
    given = {
        **{key: str(path) for key, path in files.items() if with_certificate or key == "ca_path"},
        "host": "localhost",
        "port": relay.ports["tls"],
        "security": "tls",
        "username": SENDER,
        "password": HOSTILE,
        "from": SENDER,
    }
    if name == "exim":  # which takes 127.0.0.1 for itself
        given.update(host="127.0.0.2", port=second["tls"])
    file, by = SENDERS[name]
    path = programs.prepare_satellite(site) if name == "postfix" else site / file
    form = {"form": FORMS[name]} if name in FORMS else {}
    assert plan_and_write(given, {"name": name, "path": str(path), **form}) == []
    subject = f"{name}-{uuid.uuid4().hex}"
    return subject, by(path, subject, relay)


@pytest.mark.parametrize("name", SENDERS)
def test_an_application_shows_the_declared_certificate(
    name: str,
    relay: Relay,
    second_address: t.Dict[str, int],  # noqa: F811
    site: pathlib.Path,
) -> None:
    subject, outcome = send(name, relay, second_address, site, with_certificate=True)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    received = str((message.headers.get_all("Received") or [""])[0])
    assert f'Client CN "{COMMON_NAME}"' in received and "verified OK" in received, received
    assert (message.port, message.user, bool(message.tls)) == ("tls", SENDER, True)


@pytest.mark.parametrize("name", ["msmtp", "wordpress"])
def test_without_one_the_relay_takes_nothing(
    name: str,
    relay: Relay,
    second_address: t.Dict[str, int],  # noqa: F811
    site: pathlib.Path,
) -> None:
    subject, outcome = send(name, relay, second_address, site, with_certificate=False)
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []
