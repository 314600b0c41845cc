# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real relay for the tests: Postfix with TLS, Cyrus SASL logins and one mailbox that takes every message."""

from __future__ import annotations

import email
import email.policy
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import typing as t
from email.message import EmailMessage
from pathlib import Path

from integration.pki import Leaf, Pki
from integration.postfix import Postfix, free_ports, prepare

HOSTNAME = "relay.test"

MAIN_CF = """\
myhostname = {hostname}
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
biff = no
alias_maps =
alias_database =
local_recipient_maps =
append_dot_mydomain = no
smtpd_banner = $myhostname ESMTP Postfix
smtpd_error_sleep_time = 0
# Nothing ever leaves this machine: every message that is accepted, for whatever domain, lands in the one maildir
virtual_mailbox_domains = dest.test
default_transport = virtual
relay_transport = virtual
virtual_mailbox_base = {root}
virtual_mailbox_maps = static:mail/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options = noanonymous
smtpd_sasl_authenticated_header = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_received_header = yes
smtpd_tls_chain_files = {chain}
smtpd_tls_loglevel = 1
tls_random_source = dev:/dev/urandom
"""

# mail_name is what the Received header says in brackets: it tells by which port a message came
SERVICES = """\
127.0.0.1:{starttls} inet n - n - - smtpd -o mail_name=starttls -o smtpd_tls_security_level={level} -o smtpd_tls_auth_only=yes
127.0.0.1:{tls} inet n - n - - smtpd -o mail_name=tls -o smtpd_tls_wrappermode=yes
127.0.0.1:{plain} inet n - n - - smtpd -o mail_name=plain -o smtpd_tls_security_level=none
"""

RECEIVED = re.compile(
    r"(?:\(using (?P<tls>\S+) with cipher .*?)?(?:\(Authenticated sender: (?P<user>[^)]*)\)\s+)?"
    r"by \S+ \((?P<port>starttls|tls|plain)\) with \S+ id (?P<id>\w+)",
    re.DOTALL,
)


class Message(t.NamedTuple):
    """A message in the relay's mailbox, with what the relay itself saw of the conversation that brought it."""

    tls: str  # the version, as TLSv1.3; empty when it came in clear text
    user: str  # who logged in; empty when nobody did
    port: str  # the port it came by: starttls, tls, plain; empty for a message of the relay's own (a bounce)
    sender: str  # the envelope's; empty for a bounce
    recipients: t.Tuple[str, ...]  # the envelope's
    subject: str
    body: str
    headers: EmailMessage


Running = t.TypeVar("Running", bound="Relay")


class Relay:
    """Postfix on loopback: `ports["starttls"]` (login only after STARTTLS), `ports["tls"]`, `ports["plain"]` (no STARTTLS, but login).

    It takes mail for dest.test from anyone and for other domains from who is logged in. `users` maps user names to passwords;
    `sender_logins` maps envelope senders to the users who own them, and then a user may send as no other address; `leaf` is a
    server certificate other than a good one of `pki`; with `client_ca` it talks on port tls only to who shows a certificate of
    that CA. Needs root, postfix, sasl2-bin and libsasl2-modules.
    """

    def __init__(
        self,
        users: t.Mapping[str, str],
        require_starttls: bool = False,
        sender_logins: t.Optional[t.Mapping[str, str]] = None,
        pki: t.Optional[Pki] = None,
        leaf: t.Optional[Leaf] = None,
        client_ca: t.Optional[Path] = None,
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="smarthost-relay-"))
        self.root.chmod(0o755)  # Postfix's own users must be able to enter
        self.pki = pki or Pki(self.root / "pki")
        self.ports = dict(zip(("starttls", "tls", "plain"), free_ports(3)))
        services = SERVICES.format(level="encrypt" if require_starttls else "may", **self.ports)
        self._postfix = Postfix(
            prepare(self.root, self._main_cf(leaf or self.pki.good(), sender_logins, client_ca), services)
        )
        self._prepare_mailbox()
        self._prepare_sasl()
        for user, password in users.items():
            self.set_password(user, password)

    def _main_cf(self, leaf: Leaf, sender_logins: t.Optional[t.Mapping[str, str]], client_ca: t.Optional[Path]) -> str:
        owner = pwd.getpwnam("nobody")
        text = MAIN_CF.format(root=self.root, hostname=HOSTNAME, chain=leaf.chain, uid=owner.pw_uid, gid=owner.pw_gid)
        if client_ca:
            text += f"smtpd_tls_req_ccert = yes\nsmtpd_tls_CAfile = {client_ca}\n"
        if sender_logins is None:
            return text
        table = self.root / "sender_logins"
        table.write_text("".join(f"{sender} {user}\n" for sender, user in sender_logins.items()))
        return (
            text
            + f"smtpd_sender_login_maps = texthash:{table}\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n"
        )

    def _prepare_mailbox(self) -> None:
        for folder in ("mail", "mail/tmp", "mail/new", "mail/cur"):
            (self.root / folder).mkdir(mode=0o700)
            shutil.chown(self.root / folder, "nobody")

    def _prepare_sasl(self) -> None:
        folder = (
            self._postfix.config / "sasl"
        )  # Debian's Postfix looks for smtpd.conf here, whatever cyrus_sasl_config_path says
        folder.mkdir()
        (folder / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self._sasldb}\nmech_list: PLAIN LOGIN CRAM-MD5\n"
        )

    @property
    def _sasldb(self) -> Path:
        found: Path = self._postfix.config / "sasl" / "sasldb2"
        return found

    def set_password(self, user: str, password: str) -> None:
        """From now on `user` logs in with `password` and no other."""
        self._saslpasswd(["-p", "-c"], user, password)
        shutil.chown(self._sasldb, "root", "postfix")
        self._sasldb.chmod(0o640)

    def revoke(self, user: str) -> None:
        """From now on `user` cannot log in."""
        self._saslpasswd(["-d"], user, "")

    def _saslpasswd(self, options: t.List[str], user: str, password: str) -> None:
        # Cyrus takes what follows an @ as the realm, and the server's own name where there is none
        name, _at, realm = user.partition("@")
        command = ["saslpasswd2", *options, "-f", str(self._sasldb), "-u", realm or HOSTNAME, name]
        done = subprocess.run(command, input=password.encode(), capture_output=True, timeout=10, check=False)
        if done.returncode:
            raise RuntimeError(f"saslpasswd2 failed for {user}: {done.stderr.decode(errors='replace')}")

    def start(self) -> None:
        """Starts it, after `stop` again on the same ports with the same users and mailbox."""
        self._postfix.start()

    def stop(self) -> None:
        """Ends its processes; the folder with mailbox and users stays."""
        self._postfix.stop()

    def log(self) -> str:
        """Everything it has logged."""
        found: str = self._postfix.log()
        return found

    def close(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self.root)

    def __enter__(self: Running) -> Running:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def messages(self) -> t.List[Message]:
        """Every message that arrived, oldest first; one message to several recipients is one entry."""
        found: t.Dict[str, Message] = {}
        for path in sorted((self.root / "mail" / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns):
            key, message = read_message(path.read_bytes())
            if key in found:
                message = message._replace(recipients=found[key].recipients + message.recipients)
            found[key] = message
        return list(found.values())

    def wait_for(self, subject: str, timeout: float = 10, recipients: int = 1) -> Message:
        """The first message whose subject contains `subject` and that has reached so many recipients.

        AssertionError with the log's end if none has in `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for message in self.messages():
                if subject in message.subject and len(message.recipients) >= recipients:
                    return message
            time.sleep(0.02)
        raise AssertionError(
            f"no message with subject {subject!r} within {timeout} s; the relay's log ends:\n{self.log()[-3000:]}"
        )


def read_message(raw: bytes) -> t.Tuple[str, Message]:
    """The relay's queue id and the message of one file of the maildir; only the topmost Received header, the relay's own, is believed."""
    parsed: EmailMessage = email.message_from_bytes(raw, policy=email.policy.default)
    top = str((parsed.get_all("Received") or [""])[0])
    stamp = RECEIVED.search(top)
    part = parsed.get_body(("plain", "html"))
    message = Message(
        tls=(stamp and stamp["tls"]) or "",
        user=(stamp and stamp["user"]) or "",
        port=(stamp and stamp["port"]) or "",
        sender=str(parsed.get("Return-Path", "")).strip("<> "),
        recipients=(str(parsed["X-Original-To"]),),
        subject=str(parsed.get("Subject", "")),
        body=part.get_content() if part else "",
        headers=parsed,
    )
    return (stamp["id"] if stamp else str(parsed["Message-ID"])), message
