# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each mail server, mailer and library sends through a real relay with the files that its smtp_relay_apps entry makes."""

from __future__ import annotations

import pathlib
import shutil
import typing as t
import uuid

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.plan import plan_host
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.render import render_app
from integration import mailers
from integration.forward import Forward
from integration.needs import HOSTILE, need
from integration.pki import Pki
from integration.programs import Outcome
from integration.relay import Message, Relay
from leave_out import leave_out

RECIPIENT = "reader@dest.test"
SENDER = "apps@site.test"
# For what can carry less: no double quote beside a blank, no quotes of both kinds, nothing that sSMTP cuts a value at
ONE_KIND_OF_QUOTES = 'p@ss w"or\\d $HOME #;%s`{{x}} ü'
NO_DOUBLE_QUOTE = "p@ss wo'r\\d $HOME #;%s`{{x}} ü"
NOTHING_SPECIAL = "p@ss\"wo'r\\d$HOME;%s`{{x}}ü"
USERS = {SENDER: HOSTILE, "one-kind": ONE_KIND_OF_QUOTES, "no-double": NO_DOUBLE_QUOTE, "plain": NOTHING_SPECIAL}
PASSWORDS = {"monit": "one-kind", "esmtp": "no-double", "ssmtp": "plain"}
# What each application is told to take knowingly, and nothing else
ACCEPT = {
    "opensmtpd": ["no-ca-path"],
    "dma": ["no-verify", "no-ca-path", "no-login"],
    "ssmtp": ["no-verify", "no-ca-path"],
    "esmtp": ["no-login", "no-ca-path"],
    "monit": ["name-not-checked"],
    "symfony": ["no-ca-path"],
}
FORMS = {"exim": "split"}  # in which it can be told to require the login
Send = t.Callable[[pathlib.Path, str, Relay], Outcome]
SENDERS: t.Mapping[str, Send] = {
    "exim": lambda path, subject, relay: mailers.exim(path, subject, RECIPIENT),
    "opensmtpd": lambda path, subject, relay: mailers.opensmtpd(path, subject, RECIPIENT, relay.pki.ca),
    "dma": lambda path, subject, relay: mailers.dma(path, subject, RECIPIENT),
    "ssmtp": lambda path, subject, relay: mailers.ssmtp(path, subject, RECIPIENT),
    "esmtp": lambda path, subject, relay: mailers.esmtp(path, subject, RECIPIENT, relay.pki.ca),
    "mutt": lambda path, subject, relay: mailers.mutt(path, subject, RECIPIENT),
    "s_nail": lambda path, subject, relay: mailers.s_nail(path, subject, RECIPIENT),
    "monit": lambda path, subject, relay: mailers.monit(
        path, subject, RECIPIENT, {587: relay.ports["starttls"], 465: relay.ports["tls"], 25: relay.ports["plain"]}
    ),
    "rails": lambda path, subject, relay: mailers.rails(path, subject, RECIPIENT),
    "symfony": lambda path, subject, relay: mailers.symfony(path, subject, RECIPIENT, SENDER, relay.pki.ca),
    "nodemailer": lambda path, subject, relay: mailers.nodemailer(path, subject, RECIPIENT, relay.pki.ca),
}
MONIT_PORTS = {"starttls": 587, "tls": 465, "plain": 25}


@pytest.fixture(scope="module")
def relay() -> t.Iterator[Relay]:
    """A relay that knows USERS."""
    need("postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db")
    with Relay(USERS) as running:
        yield running


@pytest.fixture(scope="module")
def second_address(relay: Relay) -> t.Iterator[t.Dict[str, int]]:
    """The relay's ports once more on 127.0.0.2: Exim takes 127.0.0.1 for itself."""
    ways = {name: Forward(("127.0.0.2", 0), ("127.0.0.1", port)) for name, port in relay.ports.items()}
    yield {name: int(way.address[1]) for name, way in ways.items()}
    for way in ways.values():
        way.__exit__()


def plan_and_write(relay: t.Mapping[str, t.Any], app: t.Mapping[str, t.Any]) -> t.List[str]:
    """The problems of the plan of one application, or none and its files stand where its plan has them."""
    host = plan_host(resolve.load(relay, [app]), Catalogue())
    if host.refusals:
        return [str(refusal.problem(each)) for each in host.refusals]
    [plan] = host.apps
    existing = {
        file.path: pathlib.Path(file.path).read_text()
        for file in plan.files
        if file.shared and pathlib.Path(file.path).exists()
    }
    rendered, refusals, problems = render_app(plan, existing)
    for file, text in rendered:
        path = pathlib.Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(int(file.mode or "0644", 8))
        if file.group == "mail":  # the other groups are of packages that are not installed
            shutil.chown(path, "root", "mail")
    return [str(refusal.problem(each)) for each in refusals] + [str(each) for each in problems]


def declared(
    name: str, port: str, relay: Relay, second_address: t.Mapping[str, int], **more: t.Any
) -> t.Dict[str, t.Any]:
    """A declaration of the relay as `name` can reach it, by its port for starttls, tls or plain."""
    host, number = "localhost", relay.ports[port]
    if name == "exim":
        host, number = "127.0.0.2", second_address[port]
    if name == "monit":
        host, number = "127.0.0.2", MONIT_PORTS[port]
    user = PASSWORDS.get(name, SENDER)
    security = {"plain": "none"}.get(port, port)
    return {
        "host": host,
        "port": number,
        "security": security,
        "ca_path": str(relay.pki.ca),
        "username": user,
        "password": USERS[user],
        "from": f"Site Apps <{SENDER}>",
        "allow_plaintext_auth": port == "plain",
        **more,
    }


def request(name: str, path: pathlib.Path) -> t.Dict[str, t.Any]:
    """The item of smtp_relay_apps."""
    form = {"form": FORMS[name]} if name in FORMS else {}
    return {"name": name, "path": str(path), "accept": ACCEPT.get(name, []), **form}


def send(name: str, relay: Relay, given: t.Mapping[str, t.Any], folder: pathlib.Path) -> t.Tuple[str, Outcome]:
    """The subject and what became of a message that `name` sent with the files made of a declaration."""
    problem = mailers.missing(name)
    if problem:
        leave_out(problem)
    path = folder / name
    assert plan_and_write(given, request(name, path)) == []
    subject = f"{name}-{uuid.uuid4().hex}"
    return subject, SENDERS[name](path, subject, relay)


def arrived(relay: Relay, subject: str) -> t.List[Message]:
    return [message for message in relay.messages() if subject in message.subject]


@pytest.mark.parametrize(
    ("name", "port"),
    [
        (name, port)
        for name in SENDERS
        for port in ("starttls", "tls", "plain")
        if (name, port)
        not in (
            ("opensmtpd", "plain"),
            ("esmtp", "tls"),
            ("rails", "plain"),
            ("symfony", "starttls"),
            ("symfony", "plain"),
        )
    ],
)
def test_a_real_program_sends_as_declared(
    name: str, port: str, relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    given = declared(name, port, relay, second_address)
    subject, outcome = send(name, relay, given, site)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    assert (message.port, message.user, bool(message.tls)) == (port, given["username"], port != "plain")
    if name not in ("ssmtp", "esmtp"):  # which say so
        assert message.sender == SENDER


@pytest.mark.parametrize("name", sorted(set(SENDERS) - {"esmtp", "dma"}))
def test_a_login_that_fails_is_never_passed_over(
    name: str, relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    subject, outcome = send(
        name, relay, declared(name, "tls", relay, second_address, password="not-the-password"), site
    )
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []


def test_what_dma_is_refused_for_is_so(relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path) -> None:
    subject, outcome = send(
        "dma", relay, declared("dma", "tls", relay, second_address, password="not-the-password"), site
    )
    assert outcome.ok, outcome.text
    assert relay.wait_for(subject).user == "", (
        "it sends without the login that failed; if not, its entry need not refuse"
    )


@pytest.mark.parametrize("name", sorted(set(SENDERS) - {"symfony", "monit"}))
def test_required_starttls_is_not_stripped(
    name: str, relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    subject, outcome = send(name, relay, declared(name, "plain", relay, second_address, security="starttls"), site)
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []


def test_monit_does_not_send_where_starttls_is_stripped(relay: Relay, site: pathlib.Path) -> None:
    assert not mailers.missing("monit")
    given = declared("monit", "starttls", relay, {})
    assert plan_and_write(given, {"name": "monit", "path": str(site / "monit"), "accept": ACCEPT["monit"]}) == []
    subject = f"monit-{uuid.uuid4().hex}"
    outcome = mailers.monit(site / "monit", subject, RECIPIENT, {587: relay.ports["plain"]})
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []


@pytest.mark.parametrize(
    ("name", "accept"),
    [
        ("exim", ()),
        ("opensmtpd", ("no-ca-path",)),
        ("mutt", ()),
        ("s_nail", ()),
        ("esmtp", ("no-login", "no-ca-path")),
        ("rails", ()),
        ("nodemailer", ()),
    ],
)
def test_a_certificate_of_an_unknown_ca_is_refused(
    name: str,
    accept: t.Sequence[str],
    relay: Relay,
    second_address: t.Dict[str, int],
    site: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if mailers.missing(name):
        leave_out(mailers.missing(name))
    stranger = Pki(site / "pki", "Another CA")
    given = declared(name, "starttls", relay, second_address, ca_path=str(stranger.ca))
    assert plan_and_write(given, {**request(name, site / name), "accept": list(accept)}) == []
    subject = f"{name}-{uuid.uuid4().hex}"
    monkeypatch.setattr(relay, "pki", stranger)  # what the program's store trusts; the relay's certificate is as it was
    outcome = SENDERS[name](site / name, subject, relay)
    assert not outcome.ok, outcome.text
    assert arrived(relay, subject) == []


@pytest.mark.parametrize(
    ("name", "port", "words"),
    [
        ("opensmtpd", "plain", "delivers nothing"),
        ("esmtp", "starttls", "sends all the same, without"),
        ("ssmtp", "tls", "accepts every certificate"),
        ("dma", "tls", "accepts every certificate"),
        ("dma", "tls", "sends all the same, without"),
        ("exim", "tls", "sends all the same, without"),
        ("monit", "tls", "never its name"),
        ("symfony", "starttls", "falls back to clear text"),
        ("rails", "plain", "uses STARTTLS whenever"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_is_written(
    name: str, port: str, words: str, relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    problems = plan_and_write(declared(name, port, relay, second_address), {"name": name, "path": str(site / name)})
    assert words in " ".join(problems)
    assert list(site.iterdir()) == []


@pytest.mark.parametrize("name", sorted(PASSWORDS))
def test_a_password_that_a_file_cannot_hold_is_refused_and_not_shown(
    name: str, relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    given = declared(name, "starttls", relay, second_address, password=HOSTILE)
    problems = " ".join(plan_and_write(given, {"name": name, "path": str(site / name), "accept": ACCEPT[name]}))
    assert "[value-not-carried]" in problems
    assert HOSTILE not in problems
    assert not (site / name).exists()


def test_what_was_in_the_file_of_dma_stays_and_counts(
    relay: Relay, second_address: t.Dict[str, int], site: pathlib.Path
) -> None:
    (site / "dma").mkdir()
    (site / "dma" / "dma.conf").write_text("# mine\nSMARTHOST\nNULLCLIENT\nMAILNAME dma.site.test\n")
    subject, outcome = send("dma", relay, declared("dma", "tls", relay, second_address), site)
    assert outcome.ok, outcome.text
    assert relay.wait_for(subject).user == SENDER
    text = (site / "dma" / "dma.conf").read_text()
    assert text.startswith("# mine\nSMARTHOST localhost\nNULLCLIENT\n"), text
