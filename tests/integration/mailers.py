# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real mail servers, mailers and mail libraries with the files that somebody else wrote: what programs.py has no room for.

Mail servers that conflict with Postfix are downloaded by apt-get, unpacked and never installed; each runs in a mount namespace of
its own, in which its files stand where it looks for them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from integration import namespace
from integration.forward import Forward
from integration.namespace import Place
from integration.programs import PROJECT, Outcome, mail

# Users whom Debian's packages make when they are installed; the numbers mean nothing outside of a namespace
USERS = {"Debian-exim": 64901, "opensmtpd": 64902, "opensmtpq": 64903}
UNPACKED = (
    "exim4-base",
    "exim4-config",
    "exim4-daemon-light",
    "opensmtpd",
    "dma",
    "ssmtp",
    "esmtp",
    "libesmtp6",
    "node-nodemailer",
)


def unpacked(package: str, *more: str) -> Path:
    """The folder with the files of one of Debian's packages; RuntimeError when apt-get cannot download it.

    Those of `more` are fetched with it, as apt-get takes as long for many as for one. Several test processes may call this at once.
    """
    home = PROJECT / ".cache" / "unpacked"
    wanted = [name for name in (package, *more) if not (home / name).exists()]
    if wanted:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as work:
            got = subprocess.run(
                ["apt-get", "-o", "APT::Sandbox::User=root", "download", *wanted],
                cwd=work,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            if got.returncode:
                raise RuntimeError(f"apt-get download {' '.join(wanted)} failed: {got.stderr}")
            for name in wanted:
                [archive] = Path(work).glob(f"{name}_*.deb")
                subprocess.run(["dpkg", "-x", str(archive), f"{work}/{name}"], check=True)
                with contextlib.suppress(OSError):  # another test process was faster
                    os.rename(f"{work}/{name}", home / name)
    found: Path = home / package
    return found


def _program(package: str, path: str) -> Place:
    return Place("/" + path, unpacked(package) / path)


@contextlib.contextmanager
def _scratch(name: str) -> t.Iterator[Path]:
    """A folder that any user may enter, with `passwd` and `group` that know USERS."""
    with tempfile.TemporaryDirectory(prefix=f"smarthost-{name}-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        for table, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n")):
            known = Path("/etc", table).read_text()
            (root / table).write_text(
                known + "".join(line.format(*user) for user in USERS.items() if f"{user[0]}:" not in known)
            )
        yield root


def _accounts(root: Path) -> t.List[Place]:
    return [Place("/etc/passwd", root / "passwd"), Place("/etc/group", root / "group")]


def _folder(root: Path, path: str, owner: int = 0, mode: int = 0o755) -> Place:
    """An empty folder that stands at `path`."""
    made = root / path.strip("/").replace("/", "_")
    made.mkdir(parents=True)
    os.chown(made, owner, owner)
    made.chmod(mode)
    return Place(path, made)


# ---- Mail servers ------------------------------------------------------------------------------------------------------------

EXIM = """\
update-exim4.conf || exit
exim4 -i -odf -t
cat /var/log/exim4/mainlog
"""


def exim(folder: Path, subject: str, recipient: str) -> Outcome:
    """Sends by Exim in Debian's configuration, with `folder` standing at /etc/exim4 beside what the package has there."""
    with _scratch("exim") as root:
        config = root / "etc"
        shutil.copytree(unpacked("exim4-config") / "etc/exim4", config)
        shutil.copytree(folder, config, dirs_exist_ok=True)
        os.chown(config / "passwd.client", 0, USERS["Debian-exim"])
        (root / "mailname").write_text("site.test\n")
        number = USERS["Debian-exim"]
        places = [
            Place("/etc/exim4", config),
            Place("/etc/mailname", root / "mailname"),
            _program("exim4-daemon-light", "usr/sbin/exim4"),
            _program("exim4-config", "usr/sbin/update-exim4.conf"),
            _folder(root, "/var/lib/exim4"),
            *_accounts(root),
            _folder(root, "/var/spool/exim4", number, 0o750),
            _folder(root, "/var/log/exim4", number),
        ]
        done = namespace.run(["sh", "-c", EXIM], places, mail(subject, recipient))
        return Outcome("Completed" in done.stdout and " => " in done.stdout, done.stdout + done.stderr)


SMTPD_CONF = """\
listen on socket
include "{0}"
match from local for any action "smarthost"
"""
# The shell stays: what it started ends with its namespace. /run is private, for the socket.
OPENSMTPD = """\
mount -t tmpfs tmpfs /run
smtpd -d -f /etc/smtpd.conf > /run/log 2>&1 &
for _try in $(seq 100); do test -S /run/smtpd.sock && break; sleep 0.05; done
sendmail -t
for _try in $(seq 200); do grep -q ' mta delivery ' /run/log && break; sleep 0.05; done
cat /run/log
"""


def opensmtpd(folder: Path, subject: str, recipient: str, trusted: Path) -> Outcome:
    """Sends by OpenSMTPD, whose smtpd.conf includes the file in `folder`; the system's store is `trusted`."""
    with _scratch("opensmtpd") as root:
        (root / "smtpd.conf").write_text(SMTPD_CONF.format(folder / "smtpd.smarthost.conf"))
        empty = _folder(root, "/var/lib/opensmtpd")
        (empty.source / "empty").mkdir(mode=0o755)
        smtpctl = root / "smtpctl"  # refuses to queue without its own group
        shutil.copy(unpacked("opensmtpd") / "usr/sbin/smtpctl", smtpctl)
        os.chown(smtpctl, 0, USERS["opensmtpq"])
        smtpctl.chmod(0o2755)
        places = [
            Place("/etc/smtpd.conf", root / "smtpd.conf"),
            _program("opensmtpd", "usr/sbin/smtpd"),
            Place("/usr/sbin/smtpctl", smtpctl),
            Place("/usr/sbin/sendmail", smtpctl),
            empty,
            _folder(root, "/var/spool/smtpd", mode=0o711),
            *_accounts(root),
            Place("/etc/ssl/certs/ca-certificates.crt", trusted),
        ]
        done = namespace.run(["sh", "-c", OPENSMTPD], places, mail(subject, recipient))
        return Outcome('result="Ok"' in done.stdout, done.stdout + done.stderr)


def dma(folder: Path, subject: str, recipient: str) -> Outcome:
    """Sends by the DragonFly Mail Agent with `folder` standing at /etc/dma."""
    with _scratch("dma") as root:
        spool = _folder(root, "/var/spool/dma", mode=0o2775)
        shutil.chown(spool.source, "root", "mail")
        places = [Place("/etc/dma", folder), _program("dma", "usr/sbin/dma"), spool]
        # it keeps trying what fails for now
        done = namespace.run(["timeout", "10", "dma", "-D", "-t"], places, mail(subject, recipient))
        left = [path.name for path in spool.source.iterdir() if path.name != "flush"]
        return Outcome(done.returncode == 0 and not left, f"{done.stdout}{done.stderr} left in its queue: {left}")


def ssmtp(config: Path, subject: str, recipient: str) -> Outcome:
    """Sends by sSMTP with `config` standing at /etc/ssmtp/ssmtp.conf."""
    places = [Place("/etc/ssmtp/ssmtp.conf", config), _program("ssmtp", "usr/sbin/ssmtp")]
    done = namespace.run(["ssmtp", "-v", "-t"], places, mail(subject, recipient))
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


# libESMTP 1.1 hangs in most conversations by TLS 1.3
TLS_12 = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nMaxProtocol = TLSv1.2\n"


def esmtp(config: Path, subject: str, recipient: str, trusted: Path) -> Outcome:
    """Sends by esmtp with `config` standing at /etc/esmtprc, by TLS 1.2 at most; OpenSSL trusts `trusted` alone."""
    libraries = unpacked("libesmtp6") / "usr/lib/x86_64-linux-gnu"
    [plugins] = libraries.glob("esmtp-plugins-*")  # without its login mechanisms it sends without login
    places = [
        Place("/etc/esmtprc", config),
        _program("esmtp", "usr/bin/esmtp"),
        Place(f"/usr/lib/x86_64-linux-gnu/{plugins.name}", plugins),
    ]
    with _scratch("esmtp") as root:
        (root / "openssl.cnf").write_text(TLS_12)
        environment = [f"LD_LIBRARY_PATH={libraries}", f"SSL_CERT_FILE={trusted}", f"OPENSSL_CONF={root}/openssl.cnf"]
        # it hangs after a failure
        done = namespace.run(["env", *environment, "timeout", "10", "esmtp", "-t"], places, mail(subject, recipient))
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


# ---- Mailers -----------------------------------------------------------------------------------------------------------------


def mutt(config: Path, subject: str, recipient: str) -> Outcome:
    """Sends by Mutt with `config` standing in /etc/Muttrc.d."""
    places = [Place("/etc/Muttrc.d/smarthost.rc", config)]
    done = namespace.run(["mutt", "-s", subject, "--", recipient], places, "Sent by a real program.\n")
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


def s_nail(config: Path, subject: str, recipient: str) -> Outcome:
    """Sends by S-nail with an /etc/s-nail.rc that sources `config`."""
    with _scratch("s-nail") as root:
        (root / "rc").write_text(f"source {config}\n")
        argv = ["s-nail", "-v", "-Snosave", "-Sexpandaddr", "-s", subject, recipient]
        done = namespace.run(argv, [Place("/etc/s-nail.rc", root / "rc")], "Sent by a real program.\n")
        return Outcome(done.returncode == 0, done.stdout + done.stderr)


MONITRC = """\
set daemon 1
set pidfile {root}/pid
set idfile {root}/id
set statefile {root}/state
include {config}
set alert {recipient} {{ instance }}
check system {subject}
"""
# Loopback of its own, on whose 127.0.0.2 the ports lead out to the relay
MONIT = """\
ip link set lo up
"$1" "$2" $3 > "$4/ready" &
for _try in $(seq 100); do test -s "$4/ready" && break; sleep 0.05; done
monit -t -c "$4/monitrc" || exit
timeout 15 monit -I -v -c "$4/monitrc" > "$4/log" 2>&1 &
for _try in $(seq 200); do grep -qE 'alert|error|failed' "$4/log" && break; sleep 0.05; done
sleep 1
cat "$4/log"
"""


def monit(config: Path, subject: str, recipient: str, ports: t.Mapping[int, int]) -> Outcome:
    """Sends Monit's first alert with `config` included; `ports` leads from ports of 127.0.0.2 to ports of this machine's 127.0.0.1.

    The alert names the host that it checks, which `subject` is here.
    """
    with _scratch("monit") as root, contextlib.ExitStack() as stack:
        (root / "monitrc").write_text(MONITRC.format(root=root, config=config, subject=subject, recipient=recipient))
        (root / "monitrc").chmod(0o600)
        for port, target in ports.items():
            stack.enter_context(Forward(f"{root}/to-{port}", ("127.0.0.1", target)))
        ways = " ".join(f"127.0.0.2:{port}={root}/to-{port}" for port in ports)
        inside = [
            "unshare",
            "--net",
            "sh",
            "-c",
            MONIT,
            "sh",
            sys.executable,
            str(Path(__file__).with_name("forward.py")),
            ways,
            str(root),
        ]
        done = namespace.run(inside, [], "")
        failed = any(word in done.stdout for word in ("rror", "failed", "Aborting event"))
        return Outcome(done.returncode == 0 and not failed, done.stdout + done.stderr)


# ---- Libraries ---------------------------------------------------------------------------------------------------------------

RAILS = """\
require "action_mailer"
load ARGV[0]
class Letters < ActionMailer::Base
  def letter(subject, recipient) = mail(to: recipient, subject: subject, body: "Sent by a real program.", content_type: "text/plain")
end
Letters.letter(ARGV[1], ARGV[2]).deliver_now
"""


def rails(initializer: Path, subject: str, recipient: str) -> Outcome:
    """Sends by Action Mailer, the library of Rails, after it has loaded `initializer`."""
    return ran(["ruby", "-W0", "-e", RAILS, str(initializer), subject, recipient])


SYMFONY = """\
require "Symfony/Component/Mailer/autoload.php";
require "Symfony/Component/Dotenv/autoload.php";
(new Symfony\\Component\\Dotenv\\Dotenv())->load($argv[1]);
$mailer = new Symfony\\Component\\Mailer\\Mailer(Symfony\\Component\\Mailer\\Transport::fromDsn($_ENV["MAILER_DSN"]));
$mailer->send((new Symfony\\Component\\Mime\\Email())->from($argv[4])->to($argv[3])->subject($argv[2])->text("Sent by a real program."));
"""


def symfony(dotenv: Path, subject: str, recipient: str, sender: str, trusted: Path) -> Outcome:
    """Sends by Symfony's Mailer with the MAILER_DSN that its Dotenv reads from `dotenv`; PHP trusts `trusted` alone."""
    return ran(["php", "-d", f"openssl.cafile={trusted}", "-r", SYMFONY, "--", str(dotenv), subject, recipient, sender])


NODEMAILER = """\
const [file, subject, to] = process.argv.slice(1);
const {transport, defaults} = JSON.parse(require("fs").readFileSync(file));
require("nodemailer").createTransport(transport, defaults).sendMail({to, subject, text: "Sent by a real program."});
"""


def nodemailer(settings: Path, subject: str, recipient: str, trusted: Path) -> Outcome:
    """Sends by Nodemailer with the transport and defaults of `settings`; Node trusts `trusted` as well."""
    modules = unpacked("node-nodemailer") / "usr/share/nodejs"
    return ran(
        ["node", "-e", NODEMAILER, str(settings), subject, recipient],
        NODE_PATH=str(modules),
        NODE_EXTRA_CA_CERTS=str(trusted),
    )


def ran(argv: t.Sequence[str], **environment: str) -> Outcome:
    """What a program said that sends and ends; `environment` is added to the process's own."""
    env = {**os.environ, **environment}
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=60, check=False, env=env)
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


# ---- What is needed ----------------------------------------------------------------------------------------------------------


def missing(name: str) -> str:
    """What to do to have the program of the runner `name`; empty when it is here."""
    installed = {
        "mutt": ["mutt"],
        "s_nail": ["s-nail"],
        "monit": ["monit"],
        "rails": ["ruby"],
        "symfony": ["php"],
        "nodemailer": ["node"],
    }
    debian = {
        "s-nail": "s-nail",
        "ruby": "ruby-actionmailer",
        "php": "php-symfony-mailer php-symfony-dotenv",
        "node": "nodejs",
    }
    absent = [debian.get(program, program) for program in installed.get(name, ()) if not shutil.which(program)]
    if absent:
        return "apt-get install " + " ".join(absent)
    several = {"exim": UNPACKED[:3], "esmtp": ("esmtp", "libesmtp6"), "nodemailer": ("node-nodemailer",)}
    packages = several.get(name, (name,) if name in UNPACKED else ())
    try:
        if packages:
            unpacked(*packages)
    except (RuntimeError, OSError) as error:
        return f"make `apt-get download` work here: {error}"
    return ""
