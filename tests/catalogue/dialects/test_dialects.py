# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each dialect writes, what it refuses to read, and what it does with files that a person could have typed."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils import dialects
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import CannotCarry, NotValid
from catalogue import oracles
from catalogue.oracles import languages

FOLDER = pathlib.Path(next(iter(dialects.__path__)))
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py") if path.stem != "base")
# Formats that have no comments.
NO_COMMENT = {"json", "line", "whole"}

WRITTEN = {
    "exim_macros": ({"REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS": "*"}, "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n"),
    "exim_update": ({"dc_smarthost": "smtp.example.com::465"}, "dc_smarthost='smtp.example.com::465'\n"),
    "opensmtpd": (
        {
            "table smarthost": {"": "file:/etc/secrets"},
            "action": {"": "smarthost", "auth <smarthost>": True, "helo": "a.example"},
        },
        'table smarthost "file:/etc/secrets"\naction "smarthost" \\\n  auth <smarthost> \\\n  helo "a.example"\n',
    ),
    "monit": (
        {"set mailserver": {"": "smtp.example.com", "port": 587, "password": 'a"b\\c', "using ssl": True}},
        'set mailserver "smtp.example.com"\n  port 587\n  password \'a"b\\\\c\'\n  using ssl\n',
    ),
    "dma": (
        {"SMARTHOST": "smtp.example.com", "PORT": 587, "STARTTLS": True},
        "SMARTHOST smtp.example.com\nPORT 587\nSTARTTLS\n",
    ),
    "dma_auth": ([["apps@example.com", "smtp.example.com", " a:b|c "]], "apps@example.com|smtp.example.com: a:b|c \n"),
    "ssmtp": ({"mailhub": "smtp.example.com:587", "UseTLS": True}, "mailhub=smtp.example.com:587\nUseTLS=yes\n"),
    "esmtp": (
        {"hostname": "smtp.example.com:587", "password": "a b\\c", "starttls": "required"},
        'hostname = "smtp.example.com:587"\npassword = "a b\\\\c"\nstarttls = required\n',
    ),
    "mutt": (
        {"smtp_pass": "it's $x", "ssl_force_tls": True, "connect_timeout": 15},
        "set smtp_pass='it'\"'\"'s $x'\nset ssl_force_tls=yes\nset connect_timeout=15\n",
    ),
    "s_nail": (
        {"mta": "smtp://a.example:587", "from": "O'Neil <a@b>", "smtp-use-starttls": True, "x": False},
        "wysh set mta=$'smtp://a.example:587'\nwysh set from=$'O\\'Neil <a@b>'\nset smtp-use-starttls\nunset x\n",
    ),
    "symfony_dotenv": (
        {"MAILER_DSN": "smtps://a:b%25@smtp.example.com:465", "NAME": "o'neil $x"},
        "MAILER_DSN='smtps://a:b%25@smtp.example.com:465'\nNAME='o'\"'\"'neil $x'\n",
    ),
    "properties": (
        {"spring.mail.host": "smtp.example.com", "spring.mail.password": " ü\U0001f600=#"},
        "spring.mail.host=smtp.example.com\nspring.mail.password=\\ \\u00fc\\ud83d\\ude00\\=\\#\n",
    ),
    "docker_env": (
        {"SMTP_HOST": "smtp.example.com", "SMTP_PORT": 465, "SMTP_TLS": True},
        "SMTP_HOST=smtp.example.com\nSMTP_PORT=465\nSMTP_TLS=true\n",
    ),
    "systemd_env": ({"FROM": "Example <a@b>", "PORT": 465}, 'FROM="Example <a@b>"\nPORT=465\n'),
    "systemd_unit": (
        {"Service": {"EnvironmentFile": "/srv/100%/mail.env"}},
        "[Service]\nEnvironmentFile=/srv/100%%/mail.env\n",
    ),
    "goini": (
        {"": {"APP_NAME": "Git"}, "mailer": {"ENABLED": True, "SMTP_PORT": 465, "FROM": "Example <a@b>", "USER": ""}},
        "APP_NAME = Git\n\n[mailer]\nENABLED = true\nSMTP_PORT = 465\nFROM = `Example <a@b>`\nUSER = ``\n",
    ),
    "grafana_ini": (
        {"smtp": {"enabled": False, "host": "smtp.example.com:465"}},
        "[smtp]\nenabled = false\nhost = smtp.example.com:465\n",
    ),
    "php": (
        {
            "mail_smtpport": 465,
            "mail_smtpauth": True,
            "mail_smtpname": "o'neil",
            "mail_smtpstreamoptions": {"ssl": {"verify_peer": False}},
            "l": ["a", 2],
        },
        "<?php\n$CONFIG = array (\n  'mail_smtpport' => 465,\n  'mail_smtpauth' => true,\n  'mail_smtpname' => 'o\\'neil',\n"
        "  'mail_smtpstreamoptions' => array (\n    'ssl' => array (\n      'verify_peer' => false,\n    ),\n  ),\n"
        "  'l' => array (\n    'a',\n    2,\n  ),\n);\n",
    ),
    "php_settings": (
        {"$config['smtp_host']": "ssl://h:465", "$wgSMTP": {"auth": False, "port": 465}, "$CFG->smtpuser": "o'neil"},
        "<?php\n$config['smtp_host'] = 'ssl://h:465';\n$wgSMTP = array (\n  'auth' => false,\n  'port' => 465,\n);\n"
        "$CFG->smtpuser = 'o\\'neil';\n",
    ),
    "wordpress": (
        {"phpmailer_init": {"Port": 465, "SMTPOptions": {"ssl": {"verify_peer": True}}}, "pre_wp_mail": False},
        "<?php\nadd_action('phpmailer_init', function ($given) {\n    $given->Port = 465;\n    $given->SMTPOptions = array (\n"
        "      'ssl' => array (\n        'verify_peer' => true,\n      ),\n    );\n}, PHP_INT_MAX);\n"
        "add_filter('pre_wp_mail', function () {\n    return false;\n}, PHP_INT_MAX);\n",
    ),
    "rawconfigparser": (
        {"options": {"smtp_server": "h", "smtp_ssl": True, "smtp_user": ""}, "mta": {"smtp_pass": "a;b # %(c)s"}},
        "[options]\nsmtp_server = h\nsmtp_ssl = true\nsmtp_user =\n\n[mta]\nsmtp_pass = a;b # %(c)s\n",
    ),
    "matomo_ini": (
        {"General": {"noreply_email_name": "O'Neil & Co"}, "mail": {"port": 465, "encryption": "ssl"}},
        '; <?php exit; ?> DO NOT REMOVE THIS LINE\n\n[General]\nnoreply_email_name = "O\'Neil &#38; Co"\n\n'
        '[mail]\nport = 465\nencryption = "ssl"\n',
    ),
    "phpini": ({"sendmail_path": "/bin/x -C 'a b' \"$c\""}, 'sendmail_path = "/bin/x -C \'a b\' \\"\\$c\\""\n'),
    "erb_yaml": (
        {"production": {"email_delivery": {"port": 465, "password": "<% x %>"}}},
        'production:\n  email_delivery:\n    port: 465\n    password: "\\x3c% x %>"\n',
    ),
    "ruby": (
        {
            "gitlab_rails['smtp_tls']": True,
            "A::Base.smtp_settings": {"port": 465, "auth": {"symbol": "plain"}, "l": ["o'neil"]},
        },
        "gitlab_rails['smtp_tls'] = true\nA::Base.smtp_settings = {\n  port: 465,\n  auth: :plain,\n  l: ['o\\'neil'],\n}\n",
    ),
    "phpdotenv": (
        {"MAIL_HOST": "smtp.example.com", "MAIL_ON": True, "MAIL_USERNAME": "null"},
        'MAIL_HOST=smtp.example.com\nMAIL_ON=true\nMAIL_USERNAME="\\"null\\""\n',
    ),
    "python": (
        {"EMAIL_USE_SSL": True, "EMAIL_PORT": 465, "EMAIL_HOST": "h"},
        "EMAIL_USE_SSL = True\nEMAIL_PORT = 465\nEMAIL_HOST = 'h'\n",
    ),
    "json": (
        {"a": {"b": [1, True, "\u00fc"]}},
        '{\n  "a": {\n    "b": [\n      1,\n      true,\n      "\u00fc"\n    ]\n  }\n}\n',
    ),
    "yaml": (
        {
            "global": {"smtp_require_tls": False, "smtp_smarthost": "h:25", "tls_config": {"ca_file": "/ca"}},
            "on": [1, "a"],
        },
        'global:\n  smtp_require_tls: false\n  smtp_smarthost: "h:25"\n  tls_config:\n    ca_file: "/ca"\n"on": [1, "a"]\n',
    ),
    "whole": ("correct horse $HOME", "correct horse $HOME"),
    "compose": (
        {"services": {"web": {"environment": {"A": "$HOME $$", "B": True}, "volumes": ["$a:/b"]}}},
        'services:\n  web:\n    environment:\n      A: "$$HOME $$$$"\n      B: true\n    volumes: ["$$a:/b"]\n',
    ),
    "postfix_main": (
        {"relayhost": "[h]:465", "smtp_tls_wrappermode": True, "mydestination": ""},
        "relayhost = [h]:465\nsmtp_tls_wrappermode = yes\nmydestination =\n",
    ),
    "postfix_table": ([["[h]:465", "user:pass word"]], "[h]:465 user:pass word\n"),
    "msmtp": (
        {
            "defaults": {"tls": True, "port": 465},
            "accounts": {"main": {"host": "h", "password": "a b"}},
            "default": "main",
        },
        'defaults\ntls on\nport 465\n\naccount main\nhost h\npassword "a b"\n\naccount default : main\n',
    ),
    "nullmailer": ([["h", "smtp", "--port=465", "--pass=a b"]], "h smtp --port=465 '--pass=a b'\n"),
    "line": ("mail.example.com", "mail.example.com\n"),
    "sheet": (
        {
            "SMTP": {
                "Enabled": True,
                "Port number": 465,
                "Password": "(from the vault)",
                "Username": "",
                "Authentication": ["PLAIN", "LOGIN"],
            }
        },
        "## SMTP\n\n- [ ] Enabled: on\n- [ ] Port number: 465\n- [ ] Password: (from the vault)\n"
        "- [ ] Username: (leave empty)\n- [ ] Authentication: PLAIN, LOGIN\n",
    ),
}
TYPED = {"compose", "php", "ruby", "php_settings", "wordpress", "python", "json", "yaml", "erb_yaml"}

NOT_VALID = [
    ("docker_env", "A=1\nNAME ONLY\n", 2),
    ("systemd_env", "A=1\nB='single'\n", 2),
    ("systemd_unit", "[Service]\nNAME ONLY\n", 2),
    ("systemd_unit", "A=1\n", 1),
    ("goini", "[a]\nno delimiter\n", 2),
    ("goini", "[open\n", 1),
    ("goini", "[a]\nK = `s3cret\nx = 1\n", 2),
    ("grafana_ini", "[a]\n= no key\n", 2),
    ("php", "<html>", 1),
    ("php", "<?php\n$CONFIG = array (\n  'a' => getenv('B'),\n);\n", 3),
    ("php_settings", "<html>", 1),
    ("php_settings", "<?php\n$a = 1;\nrequire 'b';\n", 3),
    ("php_settings", "<?php\n$a = getenv('B');\n", 2),
    ("wordpress", "<html>", 1),
    ("wordpress", "<?php\necho 1;\n", 2),
    ("wordpress", "<?php\nadd_filter('a', function () {\n    return 1;\n}, 5);\n", 4),
    ("rawconfigparser", "a = 1\n[b]\n", 1),
    ("rawconfigparser", "[a]\nNAME ONLY\n", 2),
    ("rawconfigparser", "[a]\n= s3cret\n", 2),
    ("matomo_ini", "[a]\nb = two words\n", 2),
    ("matomo_ini", "b = 1\n", 1),
    ("phpini", 'a = "1"\nb = 2\n', 2),
    ("erb_yaml", "a: 1\n\tb: 2\n", 2),
    ("ruby", "require 'x'\n", 0),
    ("ruby", "A = ENV['B']\n", 0),
    ("phpdotenv", "A=1\nB=two words\n", 2),
    ("phpdotenv", "A='it's'\n", 1),
    ("phpdotenv", 'A="s3cret\nB=1\n', 1),
    ("phpdotenv", "no equals\n", 1),
    ("phpdotenv", 'A="s3cret\\x"\n', 1),
    ("python", "A = 1\nB = (\n", 2),
    ("python", "import os\n", 1),
    ("python", "A = open('x')\n", 1),
    ("json", '{"a": 1,}', 1),
    ("json", "[1]", 1),
    ("json", "\ufeff{}", 1),
    ("json", '{"a": NaN}', 0),
    ("json", "{'a': 1}", 1),
    ("yaml", "a: 1\n\tb: 2\n", 2),
    ("yaml", "- a\n", 1),
    ("compose", "a: [1\n", 2),
    ("yaml", "a: [1\n", 2),
    ("postfix_main", "  continues nothing\n", 1),
    ("postfix_main", "a = b\nno equals\n", 2),
    ("postfix_table", "key\n", 1),
    ("msmtp", "host h\n", 1),
    ("nullmailer", "h smtp '--pass=s3cret\n", 1),
    ("line", "a\nb\n", 2),
    ("sheet", "## SMTP\nfree text\n", 2),
    ("exim_macros", "A = 1\nB = s3cret \\", 2),
    ("exim_update", "dc_a='1'\ndc_b=two words\n", 2),
    ("exim_update", "dc_a=$(getenv)\n", 1),
    ("opensmtpd", '  helo "a"\n', 1),
    ("monit", 'set daemon 1\nset alert "s3cret\n', 2),
    ("dma", "PORT 25\nfree text\n", 2),
    ("dma_auth", "# a\nfree text\n", 2),
    ("ssmtp", "root=a\nfree text\n", 2),
    ("esmtp", "free text\n", 1),
    ("mutt", "set a='it's s3cret\n", 1),
    ("mutt", "color free='text'\n", 1),
    ("s_nail", "set a=free text\n", 1),
    ("symfony_dotenv", "A=1\nB=two words\n", 2),
    ("symfony_dotenv", "A='s3cret\n", 1),
    ("symfony_dotenv", "NAME ONLY\n", 1),
    ("properties", "a=1\nfree text\n", 2),
]

# Programs that give up over the whole file; the others warn, or cannot be asked.
REFUSING = {
    "goini": oracles.gitea,
    "grafana_ini": oracles.grafana,
    "phpdotenv": oracles.laravel,
    "json": oracles.go_json,
    "yaml": oracles.go_yaml,
    "docker_env": oracles.docker,
    "rawconfigparser": languages.rawconfigparser,
    "erb_yaml": languages.redmine,
}
# phpdotenv drops the rest of the file without a word, and with it whatever we would add there.
SWALLOWED = ("phpdotenv", 'A="s3cret\nB=1\n', 1)


def _module(name: str) -> t.Any:
    return importlib.import_module(f"{dialects.__name__}.{name}")


def test_every_dialect_has_its_sample_and_is_a_page() -> None:
    assert (
        set(WRITTEN) == set(NAMES) == {name for name, _text, _line in NOT_VALID} | {"whole"}
    )  # in which every text is valid
    assert not [path.name for path in FOLDER.glob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 250]


@pytest.mark.parametrize("name", NAMES)
def test_a_dialect_has_the_surface_of_the_contract(name: str) -> None:
    module = _module(name)
    arguments = {word: list(inspect.signature(getattr(module, word)).parameters) for word in ("write", "read", "quote")}
    assert {word: len(names) for word, names in arguments.items()} == {"write": 1, "read": 1, "quote": 1}
    assert hasattr(module, "merge") == hasattr(module, "remove")
    assert hasattr(module, "comment") == (name not in NO_COMMENT)
    assert "Cannot carry:" in (module.__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_is_written_as_a_person_would_write_it(name: str) -> None:
    tree, text = WRITTEN[name]
    assert _module(name).write(tree) == text


@pytest.mark.parametrize("name", sorted(set(NAMES) - NO_COMMENT))
def test_a_comment_stands_before_the_settings_and_changes_none(name: str) -> None:
    tree, text = WRITTEN[name]
    module = _module(name)
    commented = module.comment("Managed by smarthost.mail.\nDo not edit.") + text
    assert "Do not edit." in commented
    assert module.read(commented) == module.read(text)


@pytest.mark.parametrize("name", sorted(TYPED))
def test_types_survive_reading(name: str) -> None:
    tree, text = WRITTEN[name]
    assert _module(name).read(text) == tree


def test_the_applications_read_types_and_comments_too() -> None:
    tree, text = WRITTEN["php"]
    assert oracles.php(_module("php").comment("Managed by smarthost.mail.\nDo not edit.") + text) == tree
    assert languages.php_settings(_module("php_settings").comment("Managed.") + WRITTEN["php_settings"][1]) == {
        "config": {"smtp_host": "ssl://h:465"},
        "wgSMTP": {"auth": False, "port": 465},
        "CFG": {"smtpuser": "o'neil"},
    }
    assert (
        languages.wordpress(_module("wordpress").comment("Managed.") + WRITTEN["wordpress"][1])
        == WRITTEN["wordpress"][0]
    )
    assert languages.redmine(WRITTEN["erb_yaml"][1]) == WRITTEN["erb_yaml"][0]
    assert oracles.go_yaml(WRITTEN["yaml"][1]) == WRITTEN["yaml"][0]
    assert oracles.laravel(WRITTEN["phpdotenv"][1]) == {
        "MAIL_HOST": "smtp.example.com",
        "MAIL_ON": True,
        "MAIL_USERNAME": "null",
    }


@pytest.mark.parametrize(("name", "text", "line"), NOT_VALID)
def test_a_text_that_is_not_valid_is_named_by_line_and_not_quoted(name: str, text: str, line: int) -> None:
    module = _module(name)
    with pytest.raises(NotValid) as caught:
        module.read(text)
    assert caught.value.line == line
    assert not any(
        word in str(caught.value) for word in ("two words", "s3cret", "it's", "getenv", "NAME ONLY", "free text")
    )
    if hasattr(module, "merge"):
        with pytest.raises(NotValid):
            module.merge(text, WRITTEN[name][0], [])


@pytest.mark.parametrize(
    ("name", "text", "line"), [case for case in NOT_VALID if case[0] in REFUSING and case != SWALLOWED]
)
def test_the_application_refuses_such_a_text_as_well(name: str, text: str, line: int) -> None:
    with pytest.raises(AssertionError):
        REFUSING[name](text)


MERGED = {
    "a key of dma without a value gets one, and none has the blank before a comment": (
        "dma",
        "SMARTHOST\n#PORT 25\nMAILNAME /etc/mailname # here\nSTARTTLS\nALIASES  /a \n DEFER is a comment\n",
        {"SMARTHOST": "a.example", "MAILNAME": "b.example", "ALIASES": "/b", "DEFER": True},
        [["STARTTLS"]],
        "SMARTHOST a.example\n#PORT 25\nMAILNAME b.example\nALIASES /b\nDEFER\n DEFER is a comment\n",
    ),
    "a carriage return is no part of a value of ours in dma": (
        "dma",
        "# mine\r\nSMARTHOST old\r\nSPOOLDIR /x\r\n",
        {"SMARTHOST": "a.example", "STARTTLS": True},
        [],
        "# mine\r\nSMARTHOST a.example\nSPOOLDIR /x\r\nSTARTTLS\n",
    ),
    "a macro of Exim over two lines is one, also where it was set anew": (
        "exim_macros",
        "X = a \\\n  b\nOTHER = 1\nX == c\n.endif\n",
        {"X": "*"},
        [],
        "OTHER = 1\nX == *\n.endif\n",
    ),
    "Debian's file for Exim, of any quotes": (
        "exim_update",
        'dc_a="1"\ndc_b=2\n',
        {"dc_b": "3", "dc_c": "d"},
        [["dc_a"]],
        "dc_b='3'\ndc_c='d'\n",
    ),
    "a value of Symfony's that is pieced together is replaced as a whole": (
        "symfony_dotenv",
        "export MAILER_DSN='a'\"b\"c # why\nX='two\nlines'\n",
        {"MAILER_DSN": "null://null"},
        [],
        "export MAILER_DSN='null://null' # why\nX='two\nlines'\n",
    ),
    "a key stays in its place, with its spacing and comment": (
        "goini",
        "; top\n[mailer]\nHOST   =   old  ; note\nLOG=1\n\n; about log\n[log]\nLEVEL = info\n",
        {"mailer": {"HOST": "h", "USER": "u"}},
        [["mailer", "PASSWD"]],
        "; top\n[mailer]\nHOST   =   h  ; note\nLOG=1\nUSER = u\n\n; about log\n[log]\nLEVEL = info\n",
    ),
    "an owned key that the tree leaves out is taken out": (
        "goini",
        "[mailer]\r\nPASSWD = old\r\nLOG = 1\r\n",
        {"mailer": {}},
        [["mailer", "PASSWD"]],
        "[mailer]\r\nLOG = 1\r\n",
    ),
    "a new section comes last, after a blank line": (
        "goini",
        "[log]\nLEVEL = info",
        {"mailer": {"HOST": "h"}},
        [],
        "[log]\nLEVEL = info\n\n[mailer]\nHOST = h",
    ),
    "of sections with one name the last gets new keys, of equal keys one stays": (
        "goini",
        "[m]\nA = 1\n[x]\n[m]\nA = 2\nB = 3\n",
        {"m": {"A": "n", "C": "c"}},
        [],
        "[m]\n[x]\n[m]\nA = n\nB = 3\nC = c\n",
    ),
    "a comment that would end the quote goes with the old value": (
        "goini",
        "[m]\nA = 1 ; say `x`\n",
        {"m": {"A": "a b"}},
        [],
        "[m]\nA = `a b`\n",
    ),
    "grafana joins lines that end in a backslash": (
        "grafana_ini",
        "[smtp]\nuser = a\\\n  b\nhost = x\n",
        {"smtp": {"user": "u"}},
        [],
        "[smtp]\nuser = u\nhost = x\n",
    ),
    "gitea does not": (
        "goini",
        "[smtp]\nuser = a\\\nhost = x\n",
        {"smtp": {"user": "u"}},
        [],
        "[smtp]\nuser = u\nhost = x\n",
    ),
    "python takes lines that are indented deeper for more of the value": (
        "rawconfigparser",
        "[options]\naddons_path = /a,\n    # not this\n    /b\nSMTP_Server : old\n  more\nlimit = 1\n",
        {"options": {"smtp_server": "h", "smtp_port": 465}},
        [],
        "[options]\naddons_path = /a,\n    # not this\n    /b\nSMTP_Server : h\nlimit = 1\nsmtp_port = 465\n",
    ),
    "ruby in a user's yaml stays, and none comes from us": (
        "erb_yaml",
        'default:\n  path: "<%= 1 %>"\nproduction:\n',
        {"production": {"password": "<%= 1 %>"}},
        [],
        'default:\n  path: "<%= 1 %>"\nproduction:\n  password: "\\x3c%= 1 %>"\n',
    ),
    "phpdotenv keeps export, spacing and comment": (
        "phpdotenv",
        "export A = 'old' # note\nB=1",
        {"A": "new one", "C": 2},
        [],
        'export A = "new one" # note\nB=1\nC=2',
    ),
    "a value over several lines is one value": ("phpdotenv", 'A="one\ntwo"\nB=1\n', {"A": "x"}, [], "A=x\nB=1\n"),
    "postfix continues a value on lines with a blank in front": (
        "postfix_main",
        "mynetworks = a\n  b\n\n  # c\n  d\nrelayhost = x\nrelayhost = y\n",
        {"mynetworks": "n", "relayhost": "[h]"},
        [],
        "mynetworks = n\nrelayhost = [h]\n",
    ),
    "json is changed in its own style": (
        "json",
        '{\n    "A": {"x": 1.0, "y": [ ]},\n    "B": 2\n}',
        {"A": {"x": "s"}, "C": {"d": 1}},
        [],
        '{\n    "A": {"x": "s", "y": [ ]},\n    "B": 2,\n    "C": {\n        "d": 1\n    }\n}',
    ),
    "of equal json keys one stays": ("json", '{"a": 1, "b": 2, "a": 3}', {}, [["a"]], '{"b": 2}'),
    "yaml keeps anchors, merge keys and folded text": (
        "yaml",
        "base: &b\n  x: 1\nglobal:\n  <<: *b\n  note: >\n    two\n    lines\n\nroute: {receiver: a}\n",
        {"global": {"smtp_from": "a@b"}},
        [],
        'base: &b\n  x: 1\nglobal:\n  <<: *b\n  note: >\n    two\n    lines\n  smtp_from: "a@b"\n\nroute: {receiver: a}\n',
    ),
    "an empty yaml block is opened": (
        "yaml",
        "---\nglobal: {} # none\nroute: 1\n",
        {"global": {"a": 1}},
        [],
        "---\nglobal: # none\n  a: 1\nroute: 1\n",
    ),
    "a yaml list is set on one line": ("yaml", "a:\n  - 1\n  - 2\nb: 1\n", {"a": ["x", 3]}, [], 'a: ["x", 3]\nb: 1\n'),
}


@pytest.mark.parametrize("case", MERGED)
def test_merge(case: str) -> None:
    name, text, tree, owns, merged = MERGED[case]
    assert _module(name).merge(text, tree, owns) == merged


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("yaml", "global: {smtp_from: a}\n"),
        ("yaml", "x: &x {a: 1}\nglobal: *x\n"),
        ("yaml", "global: text\n"),
        ("yaml", "global:\n  k: 1\nglobal:\n  k: 2\n"),
        ("yaml", "a: 1\n---\nb: 1\n"),
        ("yaml", "{a: 1}\n"),
        ("yaml", "a: *nowhere\n"),
        ("yaml", "a: |\n  text"),
        ("yaml", "global:\n  k: &k v\nother: *k\n"),
        ("json", '{"global": "text"}'),
        ("json", '{"global": [1]}'),
    ],
)
def test_a_file_that_leaves_no_place_for_our_keys_is_refused(name: str, text: str) -> None:
    with pytest.raises(NotValid) as caught:
        _module(name).merge(text, {"global": {"k": "v"}}, [])
    assert caught.value.why


@pytest.mark.parametrize(
    "name",
    [
        "goini",
        "phpdotenv",
        "symfony_dotenv",
        "exim_update",
        "postfix_main",
        "json",
        "yaml",
        "rawconfigparser",
        "erb_yaml",
    ],
)
def test_a_file_that_we_made_is_empty_again_after_remove(name: str) -> None:
    tree = {"m": {"a": "1"}} if name in ("goini", "json", "yaml", "rawconfigparser", "erb_yaml") else {"a": "1"}
    owns = [["m", "a"]] if "m" in tree else [["a"]]
    module = _module(name)
    assert module.remove(module.merge("", tree, owns), owns, "") == ""


@pytest.mark.parametrize(
    ("name", "tree"),
    [
        ("msmtp", {"accounts": {"a": {"password": "x" * 600}}}),
        ("postfix_table", [["two words", "x"]]),
        ("postfix_table", [["k", ""]]),
        ("sheet", {"T": {"a: b": "c"}}),
        ("sheet", {"T": {"a": "(leave empty)"}}),
        ("line", ""),
        ("exim_macros", {"A": ""}),
        ("dma", {"A": ""}),
        ("dma_auth", [["a|b", "host", "x"]]),
        ("dma_auth", [["a", "2001:db8::1", "x"]]),
        ("ssmtp", {"A": ""}),
        ("esmtp", {"A": ""}),
        ("monit", {"a": {"b": ""}}),
        ("properties", {"a": "${b}"}),
        ("docker_env", {"A": ["list"]}),
    ],
)
def test_what_has_no_spelling_is_refused(name: str, tree: t.Any) -> None:
    with pytest.raises(CannotCarry):
        _module(name).write(tree)
