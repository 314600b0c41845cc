# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves the test bed itself, with configurations written by hand: what it calls delivered was, and a wrong setting is refused."""

from __future__ import annotations

import base64
import json
import os
import shlex
import smtplib
import ssl
import time
import typing as t
import uuid
from pathlib import Path

import pytest
from integration import programs
from integration.needs import HOSTILE, HOSTILE_ASCII, USERS, need
from integration.pki import Pki
from integration.relay import Relay

Send = t.Callable[["Settings", str], programs.Outcome]
RECIPIENT = "reader@dest.test"
USER = "apps@site.test"


class Settings(t.NamedTuple):
    """What one program is told, by hand."""

    folder: Path
    port: int
    tls: bool  # from the first byte, else STARTTLS
    ca: Path
    user: str
    password: str


def by_postfix(settings: Settings, subject: str) -> programs.Outcome:
    config = programs.prepare_satellite(settings.folder)
    (config / "sasl_passwd").write_text(f"[localhost]:{settings.port} {settings.user}:{settings.password}\n")
    with (config / "main.cf").open("a") as main_cf:
        main_cf.write(
            f"relayhost = [localhost]:{settings.port}\nsmtp_sasl_auth_enable = yes\n"
            f"smtp_sasl_password_maps = texthash:{config}/sasl_passwd\nsmtp_sasl_security_options = noanonymous\n"
            f"smtp_tls_security_level = secure\nsmtp_tls_CAfile = {settings.ca}\n"
            f"smtp_tls_wrappermode = {'yes' if settings.tls else 'no'}\n"
        )
    with programs.PostfixSatellite(config) as satellite:
        return satellite.send(subject, RECIPIENT)


def by_msmtp(settings: Settings, subject: str) -> programs.Outcome:
    config = settings.folder / "msmtprc"
    config.write_text(
        f'account default\nhost localhost\nport {settings.port}\nauth plain\nuser {settings.user}\npassword "{settings.password}"\n'
        f"from noreply@site.test\ntls on\ntls_starttls {'off' if settings.tls else 'on'}\ntls_trust_file {settings.ca}\n"
    )
    return programs.msmtp(config, subject, RECIPIENT)


def by_nullmailer(settings: Settings, subject: str) -> programs.Outcome:
    folder = settings.folder / "nullmailer"
    folder.mkdir()
    mode = "--tls" if settings.tls else "--starttls"
    login = f"--user={settings.user} {shlex.quote('--pass=' + settings.password)}"
    (folder / "remotes").write_text(
        f"localhost smtp --port={settings.port} {mode} --x509cafile={settings.ca} {login}\n"
    )
    (folder / "me").write_text("host.site.test\n")
    return programs.nullmailer(folder, subject, RECIPIENT)


def by_django(settings: Settings, subject: str) -> programs.Outcome:
    dropin = settings.folder / "smtp_settings.py"
    dropin.write_text(
        f"EMAIL_HOST = 'localhost'\nEMAIL_PORT = {settings.port}\nEMAIL_USE_TLS = {not settings.tls}\nEMAIL_USE_SSL = {settings.tls}\n"
        f"EMAIL_HOST_USER = {settings.user!r}\nEMAIL_HOST_PASSWORD = {settings.password!r}\nDEFAULT_FROM_EMAIL = 'noreply@site.test'\n"
    )
    return programs.django_mail(dropin, subject, RECIPIENT, {"SSL_CERT_FILE": str(settings.ca)})


def by_alertmanager(settings: Settings, subject: str) -> programs.Outcome:
    config = settings.folder / "alertmanager.yml"
    words = {
        "smtp_smarthost": f"localhost:{settings.port}",
        "smtp_from": "noreply@site.test",
        "smtp_require_tls": True,
        "smtp_auth_username": settings.user,
        "smtp_auth_password": settings.password,
    }
    receiver = programs.ALERTMANAGER_BASE.replace(
        "        headers:", f"        tls_config: {{ca_file: {settings.ca}}}\n        headers:"
    )
    config.write_text(f"global: {json.dumps(words)}\n{receiver}")
    with programs.Alertmanager(config) as alertmanager:
        return alertmanager.send(subject, RECIPIENT)


SENDERS: t.Mapping[str, t.Tuple[Send, str]] = {
    "postfix": (by_postfix, "postfix"),
    "msmtp": (by_msmtp, "msmtp"),
    "nullmailer": (by_nullmailer, "nullmailer"),
    "django": (by_django, "django"),
    "alertmanager": (by_alertmanager, "prometheus-alertmanager"),
}


def settings_for(program: str, relay: Relay, folder: Path, mode: str = "starttls") -> Settings:
    """The right settings; Django's login cannot carry a password beyond ASCII, so it has a user with one that is hostile within it."""
    need(SENDERS[program][1])
    user = "web" if program == "django" else USER
    return Settings(folder, relay.ports[mode], mode == "tls", relay.pki.ca, user, USERS[user])


def send(program: str, settings: Settings) -> t.Tuple[str, programs.Outcome]:
    """Sends with a subject that no other message has; the subject and what the program said."""
    subject = f"{program} {uuid.uuid4().hex}"
    return subject, SENDERS[program][0](settings, subject)


@pytest.mark.parametrize("program", SENDERS)
def test_a_message_by_starttls_arrives_with_tls_and_the_user_who_logged_in(
    program: str, relay: Relay, site: Path
) -> None:
    settings = settings_for(program, relay, site)
    subject, outcome = send(program, settings)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    assert message.tls.startswith("TLSv1.")
    assert (message.port, message.user, message.recipients) == ("starttls", settings.user, (RECIPIENT,))


@pytest.mark.parametrize(
    "program", [program for program in SENDERS if program != "alertmanager"]
)  # which does that on port 465 only
def test_a_message_by_tls_from_the_first_byte_arrives_with_the_user_who_logged_in(
    program: str, relay: Relay, site: Path
) -> None:
    settings = settings_for(program, relay, site, "tls")
    subject, outcome = send(program, settings)
    assert outcome.ok, outcome.text
    message = relay.wait_for(subject)
    assert message.tls.startswith("TLSv1.")
    assert (message.port, message.user) == ("tls", settings.user)


@pytest.mark.parametrize("program", SENDERS)
def test_a_wrong_password_is_refused_and_the_program_says_so(program: str, relay: Relay, site: Path) -> None:
    subject, outcome = send(program, settings_for(program, relay, site)._replace(password="not the password"))
    assert not outcome.ok
    assert "535" in outcome.text
    assert subject not in [message.subject for message in relay.messages()]


@pytest.mark.parametrize("program", SENDERS)
def test_a_relay_of_an_unknown_ca_is_refused(program: str, relay: Relay, site: Path) -> None:
    stranger = Pki(site / "stranger", "Some other CA")
    subject, outcome = send(program, settings_for(program, relay, site)._replace(ca=stranger.ca))
    assert not outcome.ok
    assert "certificate" in outcome.text.lower()
    assert subject not in [message.subject for message in relay.messages()]


@pytest.mark.parametrize("program", SENDERS)
def test_a_relay_without_starttls_gets_no_message(program: str, relay: Relay, site: Path) -> None:
    subject, outcome = send(program, settings_for(program, relay, site, "plain"))
    assert not outcome.ok
    assert subject not in [message.subject for message in relay.messages()]


# ---- the relay alone ---------------------------------------------------------------------------------------------------------


def login(client: smtplib.SMTP, user: str, password: str) -> int:
    """The code of the answer to AUTH PLAIN; by hand, since smtplib cannot send what is not ASCII."""
    client.ehlo("client.site.test")
    return client.docmd("AUTH PLAIN", base64.b64encode(f"\0{user}\0{password}".encode()).decode())[0]


@pytest.mark.parametrize(
    "leaf, reason",
    [
        ("expired", "has expired"),
        ("not_yet_valid", "not yet valid"),
        ("wrong_name", "Hostname mismatch"),
        ("self_signed", "self-signed"),
    ],
)
def test_each_bad_certificate_is_refused_by_a_verifying_client_for_its_reason(
    leaf: str, reason: str, tmp_path: Path
) -> None:
    need(*programs.RELAY_NEEDS)
    pki = Pki(tmp_path)
    with Relay({}, pki=pki, leaf=getattr(pki, leaf)()) as relay:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            smtplib.SMTP_SSL("localhost", relay.ports["tls"], context=ssl.create_default_context(cafile=str(pki.ca)))


def test_login_is_offered_without_starttls_on_the_plain_port_only(relay: Relay) -> None:
    offered = {}
    for name in ("plain", "starttls"):
        with smtplib.SMTP("127.0.0.1", relay.ports[name]) as client:
            client.ehlo("client.site.test")
            offered[name] = (client.has_extn("starttls"), client.esmtp_features.get("auth", "").split())
    assert offered == {"plain": (False, ["PLAIN", "LOGIN", "CRAM-MD5"]), "starttls": (True, [])}


def test_a_changed_password_and_a_revoked_user_are_in_force_at_once() -> None:
    need(*programs.RELAY_NEEDS)
    codes = []
    with Relay({USER: HOSTILE, "other": "second"}) as relay:
        with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
            codes.append(login(client, USER, HOSTILE))
        relay.set_password(USER, HOSTILE_ASCII)
        for password in (HOSTILE, HOSTILE_ASCII):
            with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
                codes.append(login(client, USER, password))
        relay.revoke(USER)
        for user, password in ((USER, HOSTILE_ASCII), ("other", "second")):
            with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
                codes.append(login(client, user, password))
    assert codes == [235, 535, 235, 535, 235]


def test_required_starttls_owned_senders_and_foreign_domains_are_refused_in_the_relays_words() -> None:
    need(*programs.RELAY_NEEDS)
    with Relay({"app": "secret"}, require_starttls=True, sender_logins={"app@site.test": "app"}) as relay:
        with smtplib.SMTP("127.0.0.1", relay.ports["starttls"]) as client:
            assert client.docmd("MAIL", "FROM:<app@site.test>")[0] == 530
        with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
            client.ehlo("client.site.test")
            client.mail("nobody@site.test")
            assert client.rcpt("someone@elsewhere.test") == (
                554,
                b"5.7.1 <someone@elsewhere.test>: Relay access denied",
            )
        with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
            assert login(client, "app", "secret") == 235
            client.mail("boss@site.test")
            assert client.rcpt(RECIPIENT)[0] == 553


def test_a_message_to_two_recipients_is_one_message_and_one_by_nobody_shows_no_user(relay: Relay) -> None:
    subject = uuid.uuid4().hex
    with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
        client.sendmail("guest@site.test", ["one@dest.test", "two@dest.test"], f"Subject: {subject}\n\nHello.\n")
    message = relay.wait_for(subject, recipients=2)
    assert sorted(message.recipients) == ["one@dest.test", "two@dest.test"]
    assert (message.tls, message.user, message.port, message.sender) == ("", "", "plain", "guest@site.test")
    assert message.body == "Hello.\n"
    assert [arrived.subject for arrived in relay.messages()].count(subject) == 1


def test_a_closed_relay_leaves_no_process_and_no_folder_and_can_restart_on_its_ports() -> None:
    need(*programs.RELAY_NEEDS)
    with Relay({"app": "secret"}) as relay:
        relay.stop()
        assert gone(relay.root)
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP("127.0.0.1", relay.ports["plain"])
        relay.start()
        with smtplib.SMTP("127.0.0.1", relay.ports["plain"]) as client:
            assert login(client, "app", "secret") == 235
        assert inside(relay.root) != []
    assert gone(relay.root)
    assert not relay.root.exists()


@pytest.mark.parametrize("program", SENDERS)
def test_a_program_that_has_sent_leaves_no_process(
    program: str, relay: Relay, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTHOST_TEST", str(site))  # a mark that everything the program starts inherits
    _subject, outcome = send(program, settings_for(program, relay, site))
    assert outcome.ok, outcome.text
    assert inside(site) == []


@pytest.mark.parametrize("ci, outcome", [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_program_is_named_and_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: t.Type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(outcome, match="apt-get install postfix msmtp"):
        need("postfix", "msmtp")


def gone(folder: Path) -> bool:
    """Whether none is left, once those that were told to end have had the time for it."""
    deadline = time.monotonic() + 20
    while inside(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return inside(folder) == []


def inside(folder: Path) -> t.List[int]:
    """The processes that work in `folder`, or name it on their command line or in their environment."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = b"".join(Path(f"/proc/{entry}/{name}").read_bytes() for name in ("cmdline", "environ"))
            if os.fsencode(folder) in words or os.readlink(f"/proc/{entry}/cwd").startswith(str(folder)):
                found.append(int(entry))
        except OSError:
            continue  # it has ended, or is a zombie
    return found
