# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real programs with the configuration files that somebody else wrote, and tells what they said."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.request
from pathlib import Path

from integration import namespace
from integration.namespace import Place
from integration.postfix import Postfix, free_ports, prepare

PROJECT = Path(__file__).resolve().parents[2]
SASL_PLUGINS = "/usr/lib/x86_64-linux-gnu/sasl2"


class Outcome(t.NamedTuple):
    """What became of one message, by the program's own word."""

    ok: bool
    text: str  # the program's output and errors


def mail(subject: str, recipient: str) -> str:
    """A message as a script would pipe it to sendmail: no From line, so the program has to know its own."""
    return f"To: {recipient}\nSubject: {subject}\n\nSent by a real program.\n"


# ---- Postfix as a satellite --------------------------------------------------------------------------------------------------

SATELLITE_CF = """\
# A mail server that somebody set up before us
myhostname = satellite.site.test
myorigin = $myhostname
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_host_lookup = native
alias_maps =
alias_database =
biff = no
"""


def prepare_satellite(root: Path) -> Path:
    """Writes under `root` the configuration folder of a Postfix that is not yet anyone's satellite, with no port open; returns it.

    `root` must be a folder that any user may enter: pytest's tmp_path is not.
    """
    found: Path = prepare(root, SATELLITE_CF)
    return found


class PostfixSatellite:
    """The Postfix instance of a folder that `prepare_satellite` made and somebody then pointed at a relay."""

    def __init__(self, config: Path) -> None:
        self.postfix = Postfix(config)

    def __enter__(self) -> PostfixSatellite:
        self.postfix.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.postfix.stop()

    def send(self, subject: str, recipient: str, timeout: float = 15) -> Outcome:
        """Hands the message to this instance's sendmail and waits for the first word on its delivery in the log."""
        before = len(self.postfix.log())
        done = subprocess.run(
            ["sendmail", "-C", str(self.postfix.config), "-i", "-t"],
            input=mail(subject, recipient),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        deadline = time.monotonic() + timeout
        log = ""
        while done.returncode == 0 and "status=" not in log and time.monotonic() < deadline:
            time.sleep(0.02)
            log = self.postfix.log()[before:]
        return Outcome("status=sent" in log, done.stdout + done.stderr + log)


# ---- msmtp -------------------------------------------------------------------------------------------------------------------


def msmtp(config: Path, subject: str, recipient: str) -> Outcome:
    """Sends by msmtp with `config` standing at /etc/msmtprc, the file of the whole system."""
    done = namespace.run(["msmtp", "-t"], [Place("/etc/msmtprc", config)], mail(subject, recipient))
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


# ---- nullmailer --------------------------------------------------------------------------------------------------------------


def unpacked_nullmailer() -> Path:
    """The folder with nullmailer's files, from Debian's package; RuntimeError when apt-get cannot download it.

    It conflicts with postfix, so it is unpacked and never installed. Several test processes may call this at once.
    """
    home = PROJECT / ".cache" / "nullmailer"
    if not home.exists():
        home.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as work:
            got = subprocess.run(
                ["apt-get", "-o", "APT::Sandbox::User=root", "download", "nullmailer"],
                cwd=work,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if got.returncode:
                raise RuntimeError(f"apt-get download nullmailer failed: {got.stderr}")
            [package] = Path(work).glob("*.deb")
            subprocess.run(["dpkg", "-x", str(package), f"{work}/files"], check=True)
            try:
                os.rename(f"{work}/files", home)
            except OSError:
                if not home.exists():  # else another test process was faster
                    raise
    return home


# What Debian's service does (with a fifo for the trigger), then one message: queued by whoever calls sendmail, sent by the user mail.
# The shell stays as the first process of its namespace: a change of user would undo the promise to die with unshare
NULLMAILER = """\
mkfifo -m 0622 /var/spool/nullmailer/trigger
chown mail:root /var/spool/nullmailer/trigger
nullmailer-inject "$1" || exit
setpriv --reuid=mail --regid=mail --clear-groups nullmailer-send 2>&1
exit
"""


def nullmailer(folder: Path, subject: str, recipient: str, timeout: float = 20) -> Outcome:
    """Queues and sends by nullmailer with `folder` standing at /etc/nullmailer and an empty queue; returns after its first attempt."""
    files = unpacked_nullmailer()
    with tempfile.TemporaryDirectory(prefix="smarthost-nullmailer-") as root:
        spool = Path(root, "spool")
        shutil.copytree(files / "var/spool/nullmailer", spool)
        for place in (spool, *spool.iterdir()):
            shutil.chown(place, "mail")
        programs = [
            Place(f"/usr/{name}", files / "usr" / name)
            for name in ("bin/nullmailer-inject", "sbin/nullmailer-queue", "sbin/nullmailer-send", "lib/nullmailer")
        ]
        places = [Place("/etc/nullmailer", folder), Place("/var/spool/nullmailer", spool), *programs]
        scratch = Path(root, "scratch")
        argv = namespace.command(["sh", "-c", NULLMAILER, "sh", recipient], places, scratch)
        text = _until(argv, mail(subject, recipient), "Delivery complete", timeout)
    return Outcome("Sent file." in text, text)


def _until(argv: t.Sequence[str], text: str, word: str, timeout: float) -> str:
    """Everything the program says until `word` comes, it ends, or `timeout` seconds are over; the program is ended."""
    said = b""
    deadline = time.monotonic() + timeout
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdin and process.stdout
        process.stdin.write(text.encode())
        process.stdin.close()
        while (
            word.encode() not in said
            and select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
        ):
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            said += chunk
        process.kill()  # unshare ignores SIGTERM; its children end with it,
        process.stdout.read()  # and have ended when nobody holds the other end of the pipe
    return said.decode(errors="replace")


# ---- Django ------------------------------------------------------------------------------------------------------------------

DJANGO_SETTINGS = """\
SECRET_KEY = "only for this test"
USE_TZ = True
from {module} import *
"""
DJANGO_SEND = """\
import sys, django
django.setup()
from django.core.mail import send_mail
print(send_mail(sys.argv[1], "Sent by a real program.\\n", None, [sys.argv[2]]), "sent")
"""


def django_mail(
    dropin: Path, subject: str, recipient: str, environment: t.Optional[t.Mapping[str, str]] = None
) -> Outcome:
    """Sends by Django's send_mail, with settings that import `dropin`, a Python file; `environment` is added to the process's own."""
    with tempfile.TemporaryDirectory(prefix="smarthost-django-") as folder:
        Path(folder, "site_settings.py").write_text(DJANGO_SETTINGS.format(module=dropin.stem))
        settings = {
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONPATH": f"{folder}:{dropin.parent}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", DJANGO_SEND, subject, recipient],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **settings, **(environment or {})},
        )
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


# ---- Alertmanager ------------------------------------------------------------------------------------------------------------

ALERTMANAGER_BASE = """\
# What somebody had before us: alerts go to whom their label "recipient" names, under their own name
route:
  receiver: people
  group_by: [alertname, recipient]
  group_wait: 0s
receivers:
  - name: people
    email_configs:
      - to: '{{ .GroupLabels.recipient }}'
        headers:
          Subject: '{{ .GroupLabels.alertname }}'
"""


class Alertmanager:
    """Prometheus Alertmanager with `config` (an alertmanager.yml that grew from ALERTMANAGER_BASE) on a free port of loopback."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._root = Path(tempfile.mkdtemp(prefix="smarthost-alertmanager-"))
        self._log = self._root / "log"
        self._url = f"http://127.0.0.1:{free_ports(1)[0]}"

    def __enter__(self) -> Alertmanager:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus-alertmanager",
                    f"--config.file={self._config}",
                    f"--storage.path={self._root}/data",
                    f"--web.listen-address={self._url[7:]}",
                    "--cluster.listen-address=",
                    "--log.level=debug",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        if not self._ready(15):
            text = self._log.read_text()
            self.__exit__()
            raise RuntimeError(f"Alertmanager did not start:\n{text}")
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._root)

    def _ready(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self._url + "/-/ready", timeout=1):
                    return True
            except OSError:
                time.sleep(0.02)
        return False

    def send(self, subject: str, recipient: str, timeout: float = 15) -> Outcome:
        """Raises an alert named `subject` for `recipient`, and waits for Alertmanager's first word on its notification."""
        before = self._log.stat().st_size
        alert = json.dumps([{"labels": {"alertname": subject, "recipient": recipient}}]).encode()
        request = urllib.request.Request(
            self._url + "/api/v2/alerts", data=alert, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=timeout):
            pass
        deadline = time.monotonic() + timeout
        log = ""
        while "Notify success" not in log and "Notify attempt failed" not in log and time.monotonic() < deadline:
            time.sleep(0.02)
            log = self._log.read_bytes()[before:].decode(errors="replace")
        return Outcome("Notify success" in log, log)


# ---- What is needed ----------------------------------------------------------------------------------------------------------


def _can_have_nullmailer() -> bool:
    try:
        return unpacked_nullmailer().exists()
    except (RuntimeError, OSError):
        return False


NEEDS: t.Mapping[str, t.Callable[[], bool]] = {
    "postfix": lambda: shutil.which("postfix") is not None,
    "sasl2-bin": lambda: shutil.which("saslpasswd2") is not None,
    "libsasl2-modules": lambda: Path(SASL_PLUGINS, "libcrammd5.so").exists(),
    "dovecot-core": lambda: shutil.which("dovecot") is not None,
    "dovecot-submissiond": lambda: Path("/usr/lib/dovecot/submission-login").exists(),
    "libsasl2-modules-db": lambda: Path(SASL_PLUGINS, "libsasldb.so").exists(),
    "microsocks": lambda: shutil.which("microsocks") is not None,
    "tinyproxy": lambda: shutil.which("tinyproxy") is not None,
    "msmtp": lambda: shutil.which("msmtp") is not None,
    "nullmailer": _can_have_nullmailer,
    "prometheus-alertmanager": lambda: shutil.which("prometheus-alertmanager") is not None,
    "django": lambda: importlib.util.find_spec("django") is not None,
}
# How to get each that is no Debian package to install
OTHERWISE: t.Mapping[str, str] = {
    "nullmailer": "make `apt-get download nullmailer` work here (it conflicts with postfix, so the suite only unpacks it)",
    "django": "pip install django",
}
RELAY_NEEDS = ("postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db")


def missing(*packages: str) -> str:
    """What to do to have those of `packages` (names in NEEDS) that are not here; empty when all are."""
    absent = [package for package in packages if not NEEDS[package]()]
    debian = [package for package in absent if package not in OTHERWISE]
    ways = ["apt-get install " + " ".join(debian)] if debian else []
    return "; ".join(ways + [OTHERWISE[package] for package in absent if package in OTHERWISE])
