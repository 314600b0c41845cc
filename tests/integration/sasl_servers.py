# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Relays with every login mechanism that real servers have: Postfix with Dovecot's or Cyrus's SASL, Dovecot's own submission."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import time
import typing as t
from pathlib import Path

from integration.pki import Leaf, Pki
from integration.postfix import free_ports
from integration.relay import Relay

DOVECOT_CONF = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
auth_verbose = yes
auth_failure_delay = 0
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
first_valid_uid = 1
auth_mechanisms = {mechanisms}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = {root}/passwords
}}
# The certificate was all: there is no password to compare
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=y
}}
passdb {{
  driver = passwd-file
  mechanisms = xoauth2 oauthbearer
  args = {root}/tokens
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={root}/home
}}
# An address that has failed before is answered only after 2 to 15 s. That is real, and slows the next test: off here
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

AUTH_SOCKET = """\
protocols =
ssl = no
service auth {{
  unix_listener {queue}/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""

SUBMISSION = """\
protocols = submission
listen = 127.0.0.1
ssl = required
ssl_cert = <{leaf.cert}
ssl_key = <{leaf.key}
ssl_ca = <{ca}
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_username_from_cert = yes
mail_location = maildir:{root}/home/mail
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
service submission-login {{
  inet_listener submission {{
    port = 0
  }}
  inet_listener submissions {{
    port = {port}
    ssl = yes
  }}
}}
"""


class Dovecot:
    """One Dovecot of the test's own in `root`, in the foreground so that its process is ours to end."""

    def __init__(
        self, root: Path, mechanisms: str, services: str, users: t.Mapping[str, str], tokens: t.Mapping[str, str]
    ) -> None:
        self.root = root
        for folder in ("run", "state", "home"):
            (root / folder).mkdir(mode=0o755, parents=True)
        shutil.chown(root / "home", "nobody", "nogroup")
        (root / "dovecot.conf").write_text(DOVECOT_CONF.format(root=root, mechanisms=mechanisms) + services)
        for name, entries in (("passwords", users), ("tokens", tokens)):
            self._write(root / name, entries)

    def _write(self, path: Path, entries: t.Mapping[str, str]) -> None:
        path.touch(mode=0o640)
        shutil.chown(path, "root", "dovecot")
        # In base64, since a password may hold the colon that ends it
        path.write_text(
            "".join(
                f"{user}:{{PLAIN.b64}}{base64.b64encode(text.encode()).decode()}\n" for user, text in entries.items()
            )
        )

    def start(self, ready: t.Callable[[], bool]) -> None:
        """Starts it and returns once `ready`."""
        self._process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(self.root / "dovecot.conf")], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while not ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"Dovecot in {self.root} did not start:\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it; its master ends its own processes."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=10)

    def log(self) -> str:
        """What it has logged."""
        path = self.root / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""


class DovecotRelay(Relay):
    """Postfix that asks Dovecot about logins. `tokens` maps user names to the bearer token that is good for each."""

    MECHANISMS = "plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer"

    def __init__(self, users: t.Mapping[str, str], tokens: t.Mapping[str, str], pki: t.Optional[Pki] = None) -> None:
        super().__init__({}, pki=pki)
        queue = self.root / "queue"
        (queue / "private").mkdir(exist_ok=True)
        shutil.chown(queue / "private", "postfix")
        self._dovecot = Dovecot(self.root / "dovecot", self.MECHANISMS, AUTH_SOCKET.format(queue=queue), users, tokens)

    def _main_cf(self, leaf: Leaf, sender_logins: t.Optional[t.Mapping[str, str]], client_ca: t.Optional[Path]) -> str:
        text = super()._main_cf(leaf, sender_logins, client_ca)
        found: str = text.replace("smtpd_sasl_type = cyrus", "smtpd_sasl_type = dovecot").replace(
            "sasl_path = smtpd", "sasl_path = private/auth"
        )
        return found

    def start(self) -> None:
        """Both."""
        super().start()
        self._dovecot.start((self.root / "queue" / "private" / "auth").exists)

    def stop(self) -> None:
        """Both."""
        self._dovecot.stop()
        super().stop()

    def log(self) -> str:
        """Both logs."""
        found: str = super().log() + self._dovecot.log()
        return found


class CyrusRelay(Relay):
    """Postfix with every mechanism of Cyrus SASL that proves a password, NTLM among them."""

    def __init__(self, users: t.Mapping[str, str], mechanisms: str, pki: t.Optional[Pki] = None) -> None:
        self._mechanisms = mechanisms
        super().__init__(users, pki=pki)

    def _prepare_sasl(self) -> None:
        super()._prepare_sasl()
        path = self._postfix.config / "sasl" / "smtpd.conf"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("mech_list")]
        path.write_text("\n".join(lines) + f"\nmech_list: {self._mechanisms}\n")


class DovecotSubmission:
    """Dovecot's own submission service on `port`, TLS from the first byte; a client certificate of `pki` logs in its common name."""

    def __init__(self, root: Path, pki: Pki, behind: Relay, users: t.Mapping[str, str]) -> None:
        self.port = free_ports(1)[0]
        services = SUBMISSION.format(
            root=root, leaf=pki.good(), ca=pki.ca, port=self.port, relay_port=behind.ports["plain"]
        )
        self._dovecot = Dovecot(root, "external plain", services, users, {})

    def __enter__(self) -> DovecotSubmission:
        self._dovecot.start(self._answers)
        return self

    def __exit__(self, *_error: object) -> None:
        self._dovecot.stop()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        """What it has logged."""
        return self._dovecot.log()
