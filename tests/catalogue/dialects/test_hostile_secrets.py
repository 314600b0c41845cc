# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each dialect carries each hostile secret exactly, as the application's own parser reads it, or refuses it as stated here."""

from __future__ import annotations

import importlib
import re
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import dialect_names
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import CannotCarry
from catalogue import oracles
from catalogue.hostile import HOSTILE
from catalogue.oracles import languages, mailers

Values = t.Dict[str, str]


class Case(t.NamedTuple):
    """How one dialect is tried: a tree of values by name, and the application's reader of the written text.

    shown: what the reader shows of a value that it took over exactly.
    """

    dialect: str
    tree: t.Callable[[Values], t.Any]
    read: t.Callable[[str, Values], t.Any]
    shown: t.Callable[[str], str] = str


def _flat(values: Values) -> Values:
    return values


def _upper(values: Values) -> Values:
    return {name.upper(): value for name, value in values.items()}


def _lower(values: Values) -> Values:
    return {name.lower(): value for name, value in values.items()}


def _case(dialect: str, read: t.Callable[[str], t.Any], tree: t.Callable[[Values], t.Any] = _flat) -> Case:
    return Case(dialect, tree, lambda text, _values: read(text))


def _module(dialect: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.{dialect}")


CASES = {
    "mutt": Case(
        "mutt",
        lambda values: {f"my_{name}": value for name, value in values.items()},
        mailers.mutt,
        shown=lambda value: value[: mailers.SHOWN_BY_MUTT],
    ),
    "s-nail": Case("s_nail", _flat, mailers.s_nail),
    "exim": _case("exim_update", oracles.shell),
    "symfony": _case("symfony_dotenv", mailers.symfony),
    "docker": _case("docker_env", oracles.docker),
    "systemd": _case("systemd_env", oracles.systemd),
    "sh": _case("systemd_env", oracles.shell),
    "gitea": _case("goini", lambda text: oracles.gitea(text)["mailer"], lambda values: {"mailer": values}),
    "grafana": _case("grafana_ini", lambda text: oracles.grafana(text)["smtp"], lambda values: {"smtp": values}),
    "php": _case("php", oracles.php),
    "roundcube": _case(
        "php_settings",
        lambda text: languages.php_settings(text)["config"],
        lambda values: {f"$config['{name}']": value for name, value in values.items()},
    ),
    "wordpress": _case("wordpress", lambda text: languages.wordpress(text)["hook"], lambda values: {"hook": values}),
    "gitlab": _case(
        "ruby", languages.gitlab, lambda values: {f"gitlab_rails['{name}']": value for name, value in values.items()}
    ),
    "redmine": _case(
        "erb_yaml", lambda text: languages.redmine(text)["production"], lambda values: {"production": values}
    ),
    "matomo": _case("matomo_ini", lambda text: languages.matomo(text)["mail"], lambda values: {"mail": values}),
    "php.ini": Case("phpini", _flat, languages.phpini),
    "odoo": _case(
        "rawconfigparser", lambda text: languages.rawconfigparser(text)["options"], lambda values: {"options": values}
    ),
    "laravel": _case("phpdotenv", oracles.laravel),
    "python": _case("python", oracles.python),
    "go json": _case("json", oracles.go_json),
    "go yaml": _case("yaml", lambda text: oracles.go_yaml(text)["global"], lambda values: {"global": values}),
    "synapse": _case("yaml", lambda text: yaml.safe_load(text)["email"], lambda values: {"email": values}),
    "compose": Case(
        "compose",
        lambda values: {"services": {"web": {"environment": values}}},
        lambda text, _values: oracles.compose(text, ["web"])["web"],
        shown=lambda value: value.replace("\x85", " "),  # folded by its printer; what it read is right
    ),
    "postconf": Case("postfix_main", _flat, oracles.postconf, shown=lambda value: re.sub("[ \t]+", " ", value)),
    "postmap": Case("postfix_table", lambda values: [list(pair) for pair in values.items()], oracles.postmap),
    "msmtp": Case(
        "msmtp",
        lambda values: {
            "accounts": {name: {"host": "localhost", "from": "a@b", "user": value} for name, value in values.items()}
        },
        oracles.msmtp,
    ),
}
# Dialects whose reader is no program here: a person, or (nullmailer) the integration suite, where it really sends.
OWN_READER = {
    # tests/integration/test_mailers.py sends with some of these by the programs themselves.
    "exim_macros": Case("exim_macros", _upper, lambda text, values: _lower(_module("exim_macros").read(text))),
    "dma": Case("dma", _upper, lambda text, values: _lower(_module("dma").read(text))),
    "dma_auth": _case(
        "dma_auth",
        lambda text: {words[0]: words[2] for words in _module("dma_auth").read(text)},
        lambda v: [[k, "h", x] for k, x in v.items()],
    ),
    "ssmtp": _case("ssmtp", lambda text: _module("ssmtp").read(text)),
    "esmtp": _case("esmtp", lambda text: _module("esmtp").read(text)),
    "monit": _case(
        "monit", lambda text: _module("monit").read(text)["set mailserver"], lambda values: {"set mailserver": values}
    ),
    "opensmtpd": _case(
        "opensmtpd", lambda text: _module("opensmtpd").read(text)["action"], lambda values: {"action": values}
    ),
    "properties": _case("properties", lambda text: _module("properties").read(text)),
    "systemd_unit": _case(
        "systemd_unit", lambda text: _module("systemd_unit").read(text)["Service"], lambda values: {"Service": values}
    ),
    "nullmailer": _case(
        "nullmailer",
        lambda text: {words[0]: words[1] for words in _module("nullmailer").read(text)},
        lambda v: v.items(),
    ),
    "sheet": _case("sheet", lambda text: _module("sheet").read(text)["Mail"], lambda values: {"Mail": values}),
    "whole": Case(
        "whole",
        _flat,
        lambda _text, values: {k: _module("whole").read(_module("whole").write(v)) for k, v in values.items()},
    ),
    "line": Case(
        "line",
        _flat,
        lambda _text, values: {k: _module("line").read(_module("line").write(v)) for k, v in values.items()},
    ),
}

LINES = {"line break", "carriage return"}
EDGES = {"leading space", "trailing space", "only spaces", "leading tab"}
DOUBLE_QUOTES = {"issue", "in double quotes", "one double quote", "ends in a double quote", "all quotes"}
BACKSLASHES = {
    "issue", "all quotes", "backslash", "ends in a backslash", "ends in two backslashes", "backslash and quote", "escape sequences",
}  # fmt: skip
BOTH_QUOTES = {"issue", "both quotes", "three double quotes", "all quotes", "backslash and quote"}
BLANKS = EDGES | {
    "issue", "space", "no-break spaces", "tab", "ends in a double quote", "all quotes", "hash", "leading hash", "space and hash", "dollar",
    "semicolon and colon", "shell command", "jinja", "erb", "php", "url", "bang", "yaml anchor", "yaml flow", "question", "sql", "pipe",
    "next line and separators",
}  # fmt: skip
DOLLARS = {"dollar", "dollar name", "braced name", "shell command", "grafana file"}
REFUSED: dict[str, set[str]] = {
    "exim_macros": LINES | EDGES | BACKSLASHES | DOLLARS,
    "exim_update": LINES | BOTH_QUOTES | {"in single quotes", "one single quote", "sql"},
    "dma": LINES | BLANKS,
    "dma_auth": LINES,
    "ssmtp": LINES | BLANKS | {"equals"},
    "esmtp": LINES | DOUBLE_QUOTES,
    "mutt": LINES,
    "s_nail": LINES | {"tab", "leading tab", "control", "delete"},
    "monit": LINES
    | EDGES
    | DOUBLE_QUOTES
    | BOTH_QUOTES
    | {"no-break spaces", "in single quotes", "one single quote", "sql"},
    "opensmtpd": LINES
    | DOUBLE_QUOTES
    | BACKSLASHES
    | {"both quotes", "three double quotes", "backtick and three double quotes"},
    "symfony_dotenv": LINES,
    "properties": {"dollar", "braced name"},
    "docker_env": LINES,
    "systemd_env": LINES | {"control", "delete"},
    "systemd_unit": LINES
    | EDGES
    | BACKSLASHES
    | {"tab", "braces", "url", "yaml anchor", "yaml flow", "question", "php", "control", "delete"},
    "goini": LINES | {"percent reference", "backtick and three double quotes"},
    "grafana_ini": LINES
    | {"percent reference", "backtick and three double quotes", "dollar", "braced name", "grafana file"},
    "php": set(),
    "php_settings": set(),
    "wordpress": set(),
    "matomo_ini": LINES | {"amp"},
    "phpini": LINES,
    "erb_yaml": set(),
    "ruby": set(),
    "rawconfigparser": LINES | EDGES | {"no-break spaces"},
    "phpdotenv": LINES,
    "python": set(),
    "json": set(),
    "yaml": set(),
    "compose": set(),
    "postfix_main": LINES | EDGES,
    "postfix_table": LINES | EDGES,
    "msmtp": LINES | {"600 characters"},
    "nullmailer": LINES,
    "line": LINES | EDGES,
    "whole": LINES,
    "sheet": LINES | EDGES,
}


def _named(names: t.Iterable[str]) -> Values:
    """The secrets under names that every format takes as a key."""
    order = list(HOSTILE)
    return {f"v{order.index(name)}": HOSTILE[name] for name in names}


def _write(case: Case, values: Values) -> str:
    if case.dialect in ("line", "whole"):
        return "".join(_module(case.dialect).write(value) for value in values.values())
    found: str = _module(case.dialect).write(case.tree(values))
    return found


def test_the_list_has_at_least_forty_secrets() -> None:
    assert len(set(HOSTILE.values())) == len(HOSTILE) >= 40


@pytest.mark.parametrize("name", [*CASES, *OWN_READER])
def test_the_parser_reads_back_exactly_what_was_declared(name: str) -> None:
    case = {**CASES, **OWN_READER}[name]
    values = _named(secret for secret in HOSTILE if secret not in REFUSED[case.dialect])
    read = case.read(_write(case, values), values)
    changed = [list(HOSTILE)[int(key[1:])] for key, value in values.items() if read.get(key) != case.shown(value)]
    assert changed == []
    assert not [key for key in read if "INJECTED" in str(key)]


@pytest.mark.parametrize("dialect", REFUSED)
def test_exactly_the_stated_secrets_are_refused_and_never_shown(dialect: str) -> None:
    case = next(case for case in [*CASES.values(), *OWN_READER.values()] if case.dialect == dialect)
    refused = set()
    for name, value in HOSTILE.items():
        try:
            _write(case, _named([name]))
        except CannotCarry as error:
            refused.add(name)
            assert value not in str(error)
    assert refused == REFUSED[dialect]


@pytest.mark.parametrize("dialect", sorted(set(REFUSED) - {"line", "whole"}))
def test_our_own_reader_agrees_with_the_application(dialect: str) -> None:
    case = next(case for case in [*CASES.values(), *OWN_READER.values()] if case.dialect == dialect)
    values = _named(secret for secret in HOSTILE if secret not in REFUSED[dialect])
    tree = case.tree(values)
    assert _module(dialect).read(_write(case, values)) == (
        [list(row) for row in tree] if dialect == "nullmailer" else tree
    )


def test_every_dialect_meets_every_hostile_secret() -> None:
    """A new dialect has its row in REFUSED and its case, or this fails."""
    assert set(REFUSED) == dialect_names()
    assert {case.dialect for case in [*CASES.values(), *OWN_READER.values()]} == dialect_names()
