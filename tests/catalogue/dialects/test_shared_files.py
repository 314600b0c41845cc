# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge and remove over messy files of users: ours is set, theirs stays byte for byte, and taking ours back gives the file as it was."""

from __future__ import annotations

import importlib
import json
import random
import typing as t

import pytest
import yaml
from catalogue import oracles
from catalogue.hostile import HOSTILE
from catalogue.oracles import languages

SEEDS = range(60)
SECRET = HOSTILE["issue"]


class Shared(t.NamedTuple):
    """One dialect of shared files: settings of ours, what we own, and the application's reader."""

    dialect: str
    tree: t.Any
    other: t.Any
    owns: list[list[str]]
    messy: t.Callable[[random.Random], str]
    read: t.Callable[[str], t.Any]


def _join(lines: list[str], rng: random.Random) -> str:
    """Lines with one of the line ends, now and then a byte order mark, now and then no end of the last line."""
    end = rng.choice(["\n", "\n", "\r\n"])
    text = end.join(lines) + end * rng.choice([0, 1, 1, 2])
    return rng.choice(["", "", "\ufeff"]) + text


def _messy_ini(rng: random.Random) -> str:
    lines: list[str] = []
    for section in rng.sample(["", "server", "mailer", "log", "mailer", "mailer.sub", "odd name"], rng.randint(0, 6)):
        if section or lines:
            lines.append(rng.choice([f"[{section or 'DEFAULT'}]", f"  [{section or 'DEFAULT'}] ; note"]))
        for number in range(rng.randint(0, 5)):
            lines.append(
                rng.choice(
                    [
                        f"KEY{number} = value {number}",
                        "\tTABBED=1",
                        '; a comment ` with """ quotes',
                        "# PASSWD = commented out",
                        "",
                        "   ",
                        "PASSWD = old ; the old one",
                        "PASSWD=`old # one`",
                        "FROM : x@y",
                        "HOST   =   spaced   ",
                        "USER =",
                        'PASSWD = """a`b""" ; `c`',
                        "PATH = C:\\dir",
                        "umlaut = \u00fc\u2028 \udcff",
                        "`odd=key` = 1",
                        '"quoted:key" = 2',
                        "text = `two\nlines`",
                    ]
                )
            )
    return _join(lines, rng)


def _messy_conf(rng: random.Random) -> str:
    lines: list[str] = []
    for section in rng.sample(["server", "mailer", "log", "odd name"], rng.randint(0, 4)):
        lines.append(rng.choice([f"[{section}]", f"[{section}] ; note"]))
        choices = [
            "KEY = value",
            "; a comment = with ] marks",
            "# passwd = commented out",
            "",
            "   ",
            rng.choice(
                [
                    "PASSWD = old ; the old one",
                    "passwd: `old`",
                    "Passwd=old\n  of two lines\n\t; and a comment\n\n  and a third",
                ]
            ),
            "from : x@y",
            "HOST   =   spaced   ",
            "user =",
            "path = C:\\dir,\n    # between\n    more",
            "umlaut = \u00fc\u2028 %(x)s",
        ]
        lines += rng.sample(choices, rng.randint(0, 8))
    return _join(lines, rng)


def _messy_grafana(rng: random.Random) -> str:
    text = _messy_ini(rng)
    return text.replace("HOST   =   spaced   ", "HOST = joined \\\n  to this ") if rng.random() < 0.5 else text


def _messy_env(rng: random.Random) -> str:
    return _join(
        [
            rng.choice(
                [
                    f"KEY{rng.randint(0, 3)}=value",
                    "# MAIL_HOST=commented",
                    "",
                    "MAIL_HOST=old # the old one",
                    "MAIL_HOST = 'old'",
                    "export MAIL_PORT=25",
                    "MAIL_PORT=",
                    'MULTI="first\nsecond"',
                    'MAIL_PASSWORD="o\\"ld"   # a "comment"',
                    "EMPTY",
                    "  INDENTED = x",
                    'REF="${KEY0}/\u00fc"',
                    "\"QUOTED\"='a b'",
                ]
            ).replace("EMPTY", "EMPTY=")
            for _line in range(rng.randint(0, 12))
        ],
        rng,
    )


def _messy_main_cf(rng: random.Random) -> str:
    lines = [rng.choice(["# Debian specific", "myhostname = a.example", ""])]
    lines += [
        rng.choice(
            [
                "relayhost = [old.example]:25",
                "relayhost=",
                "mynetworks = 127.0.0.0/8\n  [::1]/128\n\t# between\n  10.0.0.0/8",
                "# relayhost = commented",
                "",
                "smtp_tls_security_level   =   may",
                "\n",
                "inet_interfaces = all   ",
                "smtp_sasl_password_maps =\n  hash:/etc/postfix/sasl",
                "mydestination = $myhostname, localhost",
            ]
        )
        for _line in range(rng.randint(0, 12))
    ]
    return _join(lines, rng)


def _messy_json(rng: random.Random) -> str:
    tree: dict[str, t.Any] = {
        "ServiceSettings": {"SiteURL": "https://\u00fc.example", "Empty": {}, "List": [1, {"a": None}]}
    }
    if rng.random() < 0.8:
        keys = rng.sample(["SMTPServer", "SMTPPort", "Other", "SMTPPassword", "Last", "Password}{"], rng.randint(0, 6))
        tree["EmailSettings"] = rng.choice(
            [{key: rng.choice(["old", 1.50, None, True, [], {"x": "}"}]) for key in keys}] * 4 + [None]
        )
    items = list(tree.items())
    rng.shuffle(items)
    text = json.dumps(
        dict(items),
        indent=rng.choice([None, 0, 2, 4, "\t"]),
        ensure_ascii=rng.random() < 0.5,
        separators=rng.choice([None, (",", ":")]),
    )
    text = (
        text.replace("\n", rng.choice(["\n", "\r\n"]))
        .replace("1.5", "1.50e0")
        .replace("{}", rng.choice(["{}", "{ }", "{\n}"]))
    )
    return rng.choice([text, text + "\n", "\n " + text + " \n", "{}", "", "{ }\n"])


def _messy_yaml(rng: random.Random) -> str:
    settings = [
        "smtp_smarthost: old:25 # the old one",
        "smtp_smarthost:",
        "resolve_timeout: 5m",
        "# a comment",
        "",
        "smtp_require_tls: !!bool true",
        "http_config: {a: 1}",
        "smtp_auth_password: |\n    block\n    text",
        "slack_api_url: 'x: #y'",
        "nested:\n    - a: 1\n      b: |+\n        kept\n\n    - *anchor",
        "smtp_auth_password: >-  # folded\n    a\n\n    b",
        '"quoted key": &other {b: 2}',
    ]
    wide = rng.choice(["", "  "])
    block = [wide + "  " + line.replace("\n", "\n" + wide) for line in rng.sample(settings, rng.randint(0, 7))]
    block = list({line.strip().split(":")[0]: line for line in block}.values())
    parts = [
        ["# Alertmanager \u00fc"],
        ["", ""],
        ["route:", "  receiver: x # y", "  routes:", "  - a: [1,", "      2]"],
        ["templates: []"],
        ["other: {<<: *anchor, b: 2}"],
    ]
    head = ["base: &anchor", "  k: v"]
    body = [
        (
            ["global:" + rng.choice(["", " # ours"]), *block]
            if any(":" in line.split("#")[0] for line in block)
            else [rng.choice(["global:", "global: {}", "global: ~ # none"])]
        )
    ]
    chosen = rng.sample(parts, rng.randint(0, 5)) + rng.choice([body, body, []])
    rng.shuffle(chosen)
    text = "\n".join(rng.choice([[], ["---"]]) + head + [line for part in chosen for line in part]) + "\n" * rng.choice(
        [1, 2]
    )
    text += rng.choice(["", "", "...\n"])
    return rng.choice(["", "\ufeff"]) + text.replace("\n", rng.choice(["\n", "\r\n"]))


def _messy_erb(rng: random.Random) -> str:
    """To Ruby a byte order mark is a column, which a comment behind it puts right."""
    return _messy_yaml(rng).replace("\ufeff", "\ufeff# marked\n")


def _owned(*path: str, keys: t.Iterable[str]) -> list[list[str]]:
    return [[*path, key] for key in keys]


_INI = {"mailer": {"ENABLED": True, "HOST": "smtp.example.com", "PASSWD": SECRET, "FROM": "Example <a@b>"}}
_INI_OWNS = _owned("mailer", keys=["ENABLED", "HOST", "USER", "PASSWD", "FROM"])
_CONF = {"mailer": {"enabled": True, "host": "smtp.example.com", "passwd": SECRET, "from": "Example <a@b>"}}
SHARED = {
    "odoo": Shared(
        "rawconfigparser",
        _CONF,
        {"mailer": {"enabled": False}},
        _owned("mailer", keys=["enabled", "host", "user", "passwd", "from"]),
        _messy_conf,
        languages.rawconfigparser,
    ),
    "redmine": Shared(
        "erb_yaml",
        {"global": {"smtp_smarthost": "smtp.example.com:465", "smtp_auth_password": SECRET, "smtp_require_tls": False}},
        {"global": {"smtp_hello": "x"}},
        _owned("global", keys=["smtp_smarthost", "smtp_auth_password", "smtp_require_tls", "smtp_hello"]),
        _messy_erb,
        languages.redmine,
    ),
    "gitea": Shared("goini", _INI, {"mailer": {"ENABLED": False}}, _INI_OWNS, _messy_ini, oracles.gitea),
    "grafana": Shared(
        "grafana_ini", _INI, {"mailer": {"ENABLED": False, "USER": "u"}}, _INI_OWNS, _messy_grafana, oracles.grafana
    ),
    "laravel": Shared(
        "phpdotenv",
        {"MAIL_HOST": "smtp.example.com", "MAIL_PORT": 465, "MAIL_PASSWORD": SECRET},
        {"MAIL_MAILER": "log"},
        _owned(keys=["MAIL_MAILER", "MAIL_HOST", "MAIL_PORT", "MAIL_PASSWORD"]),
        _messy_env,
        oracles.laravel,
    ),
    "postfix": Shared(
        "postfix_main",
        {
            "relayhost": "[smtp.example.com]:465",
            "smtp_tls_wrappermode": True,
            "smtp_sasl_password_maps": "texthash:/etc/postfix/x",
        },
        {"relayhost": ""},
        _owned(keys=["relayhost", "smtp_tls_wrappermode", "smtp_sasl_password_maps", "smtp_tls_security_level"]),
        _messy_main_cf,
        lambda text: oracles.postconf(text, ["relayhost", "smtp_tls_wrappermode", "smtp_sasl_password_maps"]),
    ),
    "mattermost": Shared(
        "json",
        {"EmailSettings": {"SMTPServer": "smtp.example.com", "SMTPPort": 465, "SMTPPassword": SECRET, "On": True}},
        {"EmailSettings": {"On": False}},
        _owned("EmailSettings", keys=["SMTPServer", "SMTPPort", "SMTPPassword", "On", "ConnectionSecurity"]),
        _messy_json,
        oracles.go_json,
    ),
    "alertmanager": Shared(
        "yaml",
        {"global": {"smtp_smarthost": "smtp.example.com:465", "smtp_auth_password": SECRET, "smtp_require_tls": False}},
        {"global": {"smtp_hello": "x"}},
        _owned("global", keys=["smtp_smarthost", "smtp_auth_password", "smtp_require_tls", "smtp_hello"]),
        _messy_yaml,
        oracles.go_yaml,
    ),
}


def _module(dialect: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.{dialect}")


def _leaves(tree: t.Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], t.Any]:
    """All settings by path; an empty or null container has none."""
    if isinstance(tree, dict):
        return {leaf: value for key, item in tree.items() for leaf, value in _leaves(item, (*path, key)).items()}
    return {} if len(path) == 1 and tree is None else {path: tree}


def _not_ours(settings: dict[tuple[str, ...], t.Any], owned: set[tuple[str, ...]]) -> dict[tuple[str, ...], t.Any]:
    return {path: value for path, value in settings.items() if not any(path[: len(own)] == own for own in owned)}


def _files(shared: Shared) -> t.Iterator[tuple[t.Any, str]]:
    for seed in SEEDS:
        yield _module(shared.dialect), shared.messy(random.Random(seed))


@pytest.mark.parametrize("name", SHARED)
def test_merge_sets_ours_and_changes_no_other_setting(name: str) -> None:
    shared = SHARED[name]
    owned = {tuple(path) for path in shared.owns}
    for dialect, text in _files(shared):
        before, after = (
            _leaves(dialect.read(text) if text.strip("\ufeff\r\n") else {}),
            _leaves(dialect.read(dialect.merge(text, shared.tree, shared.owns))),
        )
        ours = _leaves(shared.tree)
        assert set(after) - set(_not_ours(after, owned)) == set(ours), text
        assert _not_ours(before, owned) == _not_ours(after, owned), text


@pytest.mark.parametrize("name", SHARED)
def test_the_application_reads_ours_from_the_merged_file(name: str) -> None:
    shared = SHARED[name]
    for dialect, text in list(_files(shared))[:15]:
        if shared.dialect in ("json", "yaml", "erb_yaml") and "\ufeff" in text or "\udcff" in text:
            continue
        read = _leaves(shared.read(dialect.merge(text.removeprefix("\ufeff"), shared.tree, shared.owns)))
        for path, value in _leaves(shared.tree).items():
            wanted = {"goini": dialect.read, "grafana_ini": dialect.read, "rawconfigparser": dialect.read}.get(
                shared.dialect
            )
            spelled = _leaves(wanted(dialect.write(shared.tree)))[path] if wanted else value
            assert (
                str(read[path]) == {"True": "yes"}.get(str(spelled), str(spelled))
                if shared.dialect == "postfix_main"
                else str(read[path]) == str(spelled)
            ), text


@pytest.mark.parametrize("name", ["gitea", "grafana", "laravel"])
def test_we_read_a_messy_file_as_the_application_does(name: str) -> None:
    shared = SHARED[name]
    for dialect, text in list(_files(shared))[:30]:
        text = text.replace("\udcff", "").replace("${KEY0}", "x")
        read = dialect.read(text)
        if name == "laravel":
            assert shared.read(text) == read, text
        else:
            ours = {section or "DEFAULT": settings for section, settings in read.items()}
            assert shared.read(text) == {"DEFAULT": {}, **ours}, text


@pytest.mark.parametrize("name", SHARED)
def test_every_line_that_is_not_ours_stays_byte_for_byte_and_in_order(name: str) -> None:
    shared = SHARED[name]
    for dialect, text in _files(shared):
        without_ours = dialect.merge(text, {}, shared.owns)
        merged = dialect.merge(text, shared.tree, shared.owns)
        assert _in_order(without_ours.lstrip("\ufeff"), merged.lstrip("\ufeff"), loose=shared.dialect == "json"), (
            text,
            merged,
        )


def _in_order(part: str, whole: str, loose: bool) -> bool:
    """Every line of one text is in the other, in the same order (JSON: it may all be one line, null may become an object)."""
    if loose:
        characters = iter(whole)
        return all(char in characters for char in part.replace("null", "") if char not in " \r\n\t,{}")
    lines = iter(line.rstrip("\r\n") for line in whole.splitlines())
    return all(
        line.rstrip("\r\n") in lines
        for line in part.splitlines()
        if line.strip() and not line.lstrip().startswith("global:")
    )


@pytest.mark.parametrize("name", SHARED)
def test_merging_twice_changes_nothing(name: str) -> None:
    shared = SHARED[name]
    for dialect, text in _files(shared):
        once = dialect.merge(text, shared.tree, shared.owns)
        assert dialect.merge(once, shared.tree, shared.owns) == once, text


@pytest.mark.parametrize("name", SHARED)
def test_remove_gives_back_the_file_as_it_was(name: str) -> None:
    shared = SHARED[name]
    for dialect, text in _files(shared):
        merged = dialect.merge(text, shared.tree, shared.owns)
        assert dialect.remove(merged, shared.owns, text) == text
        again = dialect.merge(merged, shared.other, shared.owns)
        assert dialect.remove(again, shared.owns, text) == text, again


@pytest.mark.parametrize("name", SHARED)
def test_remove_keeps_what_the_user_has_added_since(name: str) -> None:
    shared = SHARED[name]
    section = {"goini": "", "grafana_ini": "", "rawconfigparser": "added"}.get(shared.dialect)
    added = {"ADDED": 1} if section is None else {section: {"added": 1}}
    path = ["ADDED"] if section is None else [section, "added"]
    for dialect, text in _files(shared):
        merged = dialect.merge(dialect.merge(text, shared.tree, shared.owns), added, [path])
        taken_back = dialect.remove(merged, shared.owns, text)
        before = _leaves(dialect.read(text)) if text.strip("\ufeff\r\n") else {}
        after = _leaves(dialect.read(taken_back))
        assert str(after.pop(tuple(path))) == "1"
        assert after == before, (text, taken_back)


def test_both_yaml_parsers_give_the_same_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = _module("_yaml_nodes")
    texts = [
        text.removeprefix("\ufeff") + "\nemoji: \U0001f600 # x\n"
        for _dialect, text in _files(SHARED["alertmanager"])
        if "..." not in text
    ]
    assert nodes.LOADER.__name__ == "CSafeLoader", "PyYAML here is built without libyaml: nothing to compare"
    by_libyaml = [nodes.parse(text) for text in texts]
    monkeypatch.setattr(nodes, "LOADER", yaml.SafeLoader)
    assert [nodes.parse(text) for text in texts] == by_libyaml
