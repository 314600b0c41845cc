# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the part of real web applications that reads the settings and sends mail, with the files that somebody else wrote.

They are Debian's packages, downloaded and unpacked and never installed: what they want of databases and web servers is left out.
"""

from __future__ import annotations

import shutil
import tempfile
import typing as t
from pathlib import Path

from integration import namespace
from integration.mailers import ran, unpacked
from integration.namespace import Place
from integration.programs import Outcome, mail

# ---- WordPress ---------------------------------------------------------------------------------------------------------------

# As wp-settings.php does, but for the database, themes and other plugins: must-use plugins first, then wp_mail
WORDPRESS = """\
[, $root, $plugins, $subject, $to] = $argv;
define("ABSPATH", "$root/");
define("WPINC", "wp-includes");
define("WPMU_PLUGIN_DIR", $plugins);
foreach (["plugin", "load", "class-wp-error", "functions", "formatting", "l10n", "general-template", "link-template", "http"] as $part)
    require ABSPATH . WPINC . "/$part.php";
add_filter("pre_option_blog_charset", fn () => "UTF-8");
add_filter("pre_option_home", fn () => "http://site.test");
foreach (wp_get_mu_plugins() as $plugin)
    include_once $plugin;
require ABSPATH . WPINC . "/pluggable.php";
add_action("wp_mail_failed", fn ($error) => fwrite(STDERR, $error->get_error_message()));
exit(wp_mail($to, $subject, "Sent by a real program.") ? 0 : 1);
"""


def wordpress(plugin: Path, subject: str, recipient: str) -> Outcome:
    """Sends by WordPress's wp_mail, with the folder of `plugin` as its mu-plugins."""
    root = unpacked("wordpress") / "usr/share/wordpress"
    return ran(["php", "-r", WORDPRESS, "--", str(root), str(plugin.parent), subject, recipient])


# ---- Roundcube ---------------------------------------------------------------------------------------------------------------

ROUNDCUBE_PACKAGES = ("roundcube-core", "php-net-smtp", "php-net-socket", "php-auth-sasl", "php-pear")
ROUNDCUBE = """\
[, $root, $folder, $from, $to, $text] = $argv;
define("INSTALL_PATH", "$root/");
define("RCUBE_CONFIG_DIR", "$folder/");
require "$root/program/lib/Roundcube/bootstrap.php";
$app = rcube::get_instance();
$smtp = new rcube_smtp();
if (!$smtp->connect()) exit("cannot connect: " . print_r($smtp->get_error(), true) . print_r($smtp->get_response(), true) . "\\n");
[$headers, $body] = explode("\\n\\n", $text, 2);
if (!$smtp->send_mail($from, $to, $headers, $body)) exit("cannot send: " . print_r($smtp->get_response(), true) . "\\n");
$smtp->disconnect();
exit("Delivered.\\n");
"""
ROUNDCUBE_CONFIG = "<?php\n$config = [];\n$config['log_driver'] = 'stdout';\ninclude '{0}';\n"


def roundcube(include: Path, subject: str, recipient: str, sender: str) -> Outcome:
    """Sends by Roundcube's SMTP class, with a config.inc.php that includes `include`."""
    libraries = [str(unpacked(package) / "usr/share/php") for package in ROUNDCUBE_PACKAGES[1:]]
    root = unpacked("roundcube-core") / "usr/share/roundcube"
    with tempfile.TemporaryDirectory(prefix="smarthost-roundcube-") as folder:
        Path(folder, "config.inc.php").write_text(ROUNDCUBE_CONFIG.format(include))
        shutil.copy(unpacked("roundcube-core") / "etc/roundcube/defaults.inc.php", folder)
        text = f"From: {sender}\n" + mail(subject, recipient)
        argv = [
            "php",
            "-d",
            "include_path=" + ":".join([".", *libraries]),
            "-r",
            ROUNDCUBE,
            "--",
            str(root),
            folder,
            sender,
            recipient,
            text,
        ]
        done = ran(argv)
    return Outcome(done.ok and "Delivered." in done.text, done.text)


# ---- Redmine -----------------------------------------------------------------------------------------------------------------

REDMINE = """\
require "erb"
require "yaml"
require "active_support/all"
require "action_mailer"
module Redmine
  def self.root = "/nonexistent"
end
$LOADED_FEATURES << "redmine.rb"
def require(name) = name == "redmine" || super
load ARGV[0]
Redmine::Configuration.load(file: ARGV[1], env: "production")
class Letters < ActionMailer::Base
  def letter(subject, recipient, sender) = mail(
    to: recipient, from: sender, subject: subject, body: "Sent by a real program.", content_type: "text/plain")
end
Letters.letter(ARGV[2], ARGV[3], ARGV[4]).deliver_now
"""


def redmine(config: Path, subject: str, recipient: str, sender: str) -> Outcome:
    """Sends by Action Mailer, set up by Redmine's own reader of configuration.yml."""
    reader = unpacked("redmine") / "usr/share/redmine/lib/redmine/configuration.rb"
    return ran(["ruby", "-W0", "-e", REDMINE, str(reader), str(config), subject, recipient, sender])


# ---- Mailman -----------------------------------------------------------------------------------------------------------------

MAILMAN_PACKAGES = (
    "mailman3",
    "python3-lazr.config",
    "python3-lazr.delegates",
    "python3-public",
    "python3-flufl.lock",
    "python3-flufl.i18n",
    "python3-zope.component",
    "python3-zope.interface",
    "python3-zope.event",
    "python3-zope.hookable",
    "python3-psutil",
    "python3-importlib-resources",
)
MAILMAN = """\
import site, sys
for folder in sys.argv[1].split(":"):
    site.addsitedir(folder)
from zope.component import provideUtility
from mailman.config import config
from mailman.interfaces.languages import ILanguageManager
from mailman.languages.manager import LanguageManager
provideUtility(LanguageManager(), ILanguageManager)  # as its configure.zcml does
config.create_paths = False
config.load(sys.argv[2])
from mailman.mta.base import BaseDelivery
refused = BaseDelivery()._connection.sendmail(sys.argv[3], [sys.argv[4]], sys.argv[5])
sys.exit(str(refused) if refused else 0)
"""


def mailman3(config: Path, subject: str, recipient: str, sender: str, trusted: Path) -> Outcome:
    """Sends by Mailman's own deliverer with `config` as its mailman.cfg; Python trusts `trusted` alone."""
    folders = ":".join(str(unpacked(package) / "usr/lib/python3/dist-packages") for package in MAILMAN_PACKAGES)
    text = f"From: {sender}\n" + mail(subject, recipient)
    argv = ["/usr/bin/python3", "-c", MAILMAN, folders, str(config), sender, recipient, text]
    return ran(argv, SSL_CERT_FILE=str(trusted), PYTHONDONTWRITEBYTECODE="1")


# ---- What sends by the system's sendmail ---------------------------------------------------------------------------------------

# Started, it runs what is to run at each start; the shell stays, as what cron started ends with its namespace
CRON = """\
mount -t tmpfs tmpfs /run
cron -f &
for _try in $(seq 200); do test -s "$1/msmtp.log" && break; sleep 0.05; done
cat "$1/msmtp.log"
"""
PAM = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


def cron(msmtprc: Path, subject: str, recipient: str) -> Outcome:
    """Has cron send what a job says, by msmtp as the system's sendmail with `msmtprc` as its /etc/msmtprc."""
    with tempfile.TemporaryDirectory(prefix="smarthost-cron-") as folder:
        root = Path(folder)
        tables = root / "crontabs"
        tables.mkdir(0o730)
        (tables / "root").write_text(f"MAILTO={recipient}\n@reboot echo {subject}\n")
        (tables / "root").chmod(0o600)
        (root / "pam").write_text(PAM)
        (root / "empty").mkdir()
        (root / "rc").write_text(msmtprc.read_text() + f"logfile {root}/msmtp.log\n")
        places = [
            Place("/usr/sbin/cron", unpacked("cron") / "usr/sbin/cron"),
            Place("/var/spool/cron/crontabs", tables),
            Place("/etc/pam.d/cron", root / "pam"),
            Place("/etc/cron.d", root / "empty"),
            *_sendmail(root / "rc"),
        ]
        done = namespace.run(["sh", "-c", CRON, "sh", folder], places, "")
    return Outcome("exitcode=EX_OK" in done.stdout, done.stdout + done.stderr)


SMARTD = "/usr/share/smartmontools"


def smartd(msmtprc: Path, subject: str, recipient: str) -> Outcome:
    """Has smartd's own warning script send one about a failure named `subject`, by mailx and msmtp with `msmtprc`."""
    package = unpacked("smartmontools")
    places = [
        Place(SMARTD, package / SMARTD[1:]),
        Place("/etc/smartmontools", package / "etc/smartmontools"),
        Place("/usr/bin/mail", unpacked("bsd-mailx") / "usr/bin/bsd-mailx"),
        *_sendmail(msmtprc),
    ]
    library = unpacked("liblockfile1") / "usr/lib/x86_64-linux-gnu"
    environment = {
        "SMARTD_MAILER": f"{SMARTD}/smartd-runner",
        "SMARTD_ADDRESS": recipient,
        "SMARTD_FAILTYPE": subject,
        "SMARTD_MESSAGE": "It fails.",
        "SMARTD_DEVICEINFO": "A disk",
        "SMARTD_PREVCNT": "0",
        "SMARTD_NEXTDAYS": "",
        "LD_LIBRARY_PATH": str(library),
    }
    words = [f"{name}={value}" for name, value in environment.items()]
    done = namespace.run(["env", *words, f"{SMARTD}/smartd_warning.sh"], places, "")
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


def php(folder: Path, subject: str, recipient: str) -> Outcome:
    """Sends by PHP's mail(), with what is in `folder` read after the php.ini of this machine."""
    script = "exit(mail($argv[2], $argv[1], 'Sent by a real program.') ? 0 : 1);"
    return ran(["php", "-r", script, "--", subject, recipient], PHP_INI_SCAN_DIR=str(folder))


def _sendmail(msmtprc: Path) -> t.List[Place]:
    return [Place("/usr/sbin/sendmail", Path("/usr/bin/msmtp")), Place("/etc/msmtprc", msmtprc)]


# ---- What is needed ----------------------------------------------------------------------------------------------------------

PACKAGES: t.Mapping[str, t.Tuple[str, ...]] = {
    "wordpress": ("wordpress",),
    "roundcube": ROUNDCUBE_PACKAGES,
    "redmine": ("redmine",),
    "mailman3": MAILMAN_PACKAGES,
    "cron": ("cron",),
    "smartd": ("smartmontools", "bsd-mailx", "liblockfile1"),
    "php": (),
}
INSTALLED = {
    "wordpress": {"php": "php-cli"},
    "roundcube": {"php": "php-cli"},
    "redmine": {"ruby": "ruby-actionmailer"},
    "mailman3": {},
    "cron": {"msmtp": "msmtp"},
    "smartd": {"msmtp": "msmtp"},
    "php": {"php": "php-cli", "msmtp": "msmtp"},
}


def missing(name: str) -> str:
    """What to do to have the program of the runner `name`; empty when it is here."""
    absent = [package for program, package in INSTALLED[name].items() if not shutil.which(program)]
    if absent:
        return "apt-get install " + " ".join(absent)
    try:
        if PACKAGES[name]:
            unpacked(*PACKAGES[name])
    except (RuntimeError, OSError) as error:
        return f"make `apt-get download` work here: {error}"
    return ""
