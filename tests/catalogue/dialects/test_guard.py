# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing of the user's is ever lost: files that an application's parser takes, and what became of them before the guard."""

from __future__ import annotations

import configparser
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects import _registry as speech
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import NotValid
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import merge_guard

MAILMAN = (
    "[mta]\n  incoming: mailman.mta.postfix.LMTP\n  outgoing: mailman.mta.deliver.deliver\n"
    "  [database]\n  class: mailman.database.postgresql.PostgreSQLDatabase\n  url: postgresql://mm:secret@db/mm\n"
)
MTA = {"mta": {"smtp_host": "smtp.example.com", "smtp_user": "u", "smtp_pass": "first"}}
MTA_OWNS = [["mta", key] for key in ("smtp_host", "smtp_user", "smtp_pass", "smtp_port")]


def _configparser(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_an_indented_file_of_mailman_keeps_its_database_over_many_runs() -> None:
    before, text = _configparser(MAILMAN), MAILMAN
    for password in ("first", "second", "third"):
        text = merge_guard.merge("rawconfigparser", text, {"mta": {**MTA["mta"], "smtp_pass": password}}, MTA_OWNS)
        read = _configparser(text)
        assert read["database"] == before["database"]
        assert read["mta"] == {**before["mta"], **MTA["mta"], "smtp_pass": password}
    assert merge_guard.remove("rawconfigparser", text, MTA_OWNS, MAILMAN) == MAILMAN


@pytest.mark.parametrize(
    "text",
    [
        "[mta]\n  [database]\n  url: x\n",
        "  [mta]\n    [database]\n  url: x\n",
        "[mta]\n\t  a: 1\n\t[database]\n\turl: x\n",
        "[a]\n    x: 1\n  [mta]\n  incoming: y\n[database]\nurl: z\n",
        "[mta]\nincoming: a\n  b\n\n  c\n\n[database]\nurl: z\n",
    ],
)
def test_every_indentation_is_kept(text: str) -> None:
    merged = merge_guard.merge("rawconfigparser", text, MTA, MTA_OWNS)
    wanted = _configparser(text)
    assert _configparser(merged) == {**wanted, "mta": {**wanted["mta"], **MTA["mta"]}}
    assert merge_guard.remove("rawconfigparser", merged, MTA_OWNS, text) == text


def test_a_value_that_ends_in_a_backslash_takes_in_none_of_our_keys() -> None:
    for text in ("[smtp]\nfrom = a\\", "[smtp]\nfrom = a\\\n", "[paths]\ndata = C:\\\n", "[smtp]\nfrom = a\\\nb\\\n"):
        owns = [["smtp", "host"], ["smtp", "user"]]
        merged = merge_guard.merge("grafana_ini", text, {"smtp": {"host": "h"}}, owns)
        read = speech.dialect("grafana_ini").read(merged)
        assert read["smtp"]["host"] == "h"
        assert {**read["smtp"], "host": None} == {
            **speech.dialect("grafana_ini").read(text).get("smtp", {}),
            "host": None,
        }
        assert merge_guard.merge("grafana_ini", merged, {"smtp": {"host": "h"}}, owns) == merged
        assert merge_guard.remove("grafana_ini", merged, owns, text) == text


@pytest.mark.parametrize("text", ["MAIN_X=z\n", "MAIN_X =z\n", "MAIN_X==z\n", "MAIN_X = z\n"])
def test_a_value_that_begins_with_an_equals_sign_is_no_other_operator(text: str) -> None:
    merged = merge_guard.merge("exim_macros", text, {"MAIN_X": "=1"}, [["MAIN_X"]])
    assert speech.dialect("exim_macros").read(merged) == {"MAIN_X": "=1"}
    assert merge_guard.merge("exim_macros", merged, {"MAIN_X": "=1"}, [["MAIN_X"]]) == merged
    assert merge_guard.remove("exim_macros", merged, [["MAIN_X"]], text) == text


ODD_YAML = {
    "document end": "default: \n...\n",
    "a tag": "k: !secret x\n",
    "a tag of a mapping": "k: !include\n  a: 1\n",
    "an anchor twice": "a: &x 1\nb: &x 2\nc: *x\n",
    "a value key": "k: =\n",
    "no such date": "k: 2001-99-99\n",
    "a list as key": "? [a, b]\n: c\n",
    "merging no mapping": "k:\n  <<: x\n",
    "5,000 digits": f"k: {'9' * 5000}\n",
    "900 deep": "k:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 900)),
    "a bomb of aliases": "a: &a [x, x]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1 or ''}, *a{n - 1 or ''}]\n" for n in range(1, 60)),
    "null above a comment": "default:\n  # none\n  null\nz: 1\n",
}
ODD_YAML["900 deep"] = ODD_YAML["900 deep"].rstrip("\n") + " 1\n"
ODD_JSON = {
    "empty": "",
    "blanks": " \n",
    "5,000 digits": '{"k": %s}' % ("9" * 5000),
    "900 deep": '{{"k": {}1{}}}'.format('{"a":' * 900, "}" * 900),
    "9,000 deep": '{{"k": {}{}, "z": 1}}'.format("[" * 9000, "]" * 9000),
    "twice": '{"k": 1, "k": 2}',
    "null": '{"default": null}',
}
NESTED_OWNS = [["default", "smtp", "host"], ["default", "smtp", "password"], ["default", "smtp", "user"]]
NESTED = {"default": {"smtp": {"host": "h", "password": "p\"w'd: #\\"}}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[
            pytest.param(name, text, id=f"{name} {what}")
            for name in ("yaml", "erb_yaml")
            for what, text in ODD_YAML.items()
        ],
        *[pytest.param("json", text, id=f"json {what}") for what, text in ODD_JSON.items()],
    ],
)
def test_what_only_the_application_understands_is_kept_as_it_is(name: str, text: str) -> None:
    merged = merge_guard.merge(name, text, NESTED, NESTED_OWNS)
    assert merge_guard.values(name, merged, NESTED_OWNS) == {
        ("default", "smtp", "host"): "h",
        ("default", "smtp", "password"): "p\"w'd: #\\",
    }
    if text.strip() and "default" not in text:
        assert text.strip("{}\n ") in merged
    assert merge_guard.remove(name, merged, NESTED_OWNS, text) == text


def test_aliases_below_our_own_keys_are_not_expanded_without_end() -> None:
    bomb = ODD_YAML["a bomb of aliases"] + "default: {}\nsmtp: *a59\n"
    with pytest.raises(NotValid, match="expand"):
        merge_guard.values("yaml", bomb, [["smtp"]])
    with pytest.raises(NotValid, match="expand"):
        speech.dialect("yaml").read(bomb)
    with pytest.raises(NotValid, match="expand"):
        merge_guard.values("yaml", "smtp: &x\n  a: *x\n", [["smtp"]])


def test_a_key_of_ours_that_comes_by_a_merge_key_is_seen() -> None:
    text = "base: &base\n  user: old\ndefault:\n  smtp:\n    <<: *base\n"
    assert merge_guard.values("yaml", text, NESTED_OWNS) == {("default", "smtp", "user"): "old"}
    with pytest.raises(merge_guard.Harm, match="as they are declared"):
        merge_guard.merge("yaml", text, NESTED, NESTED_OWNS)
    declared = {"default": {"smtp": {**NESTED["default"]["smtp"], "user": "new"}}}
    assert (
        merge_guard.values("yaml", merge_guard.merge("yaml", text, declared, NESTED_OWNS), NESTED_OWNS)[
            ("default", "smtp", "user")
        ]
        == "new"
    )


def test_an_alias_to_a_value_of_ours_keeps_the_file_from_being_changed() -> None:
    for text in (
        "default:\n  smtp:\n    host: &h old\nother: *h\n",
        "x: &h 1\ndefault:\n  smtp:\n    host: &h old\nother: *h\n",
    ):
        with pytest.raises((NotValid, merge_guard.Harm)):
            merge_guard.merge("yaml", text, NESTED, NESTED_OWNS)


class _Broken:
    """A dialect with one mistake."""

    def __init__(self, spoken: t.Any, **mistakes: t.Any) -> None:
        self._spoken, self._mistakes = spoken, mistakes

    def __getattr__(self, name: str) -> t.Any:
        return self._mistakes.get(name) or getattr(self._spoken, name)


INI, OURS, OWNS = (
    "[log]\nlevel = 1\n[smtp]\nhost = old\n",
    {"smtp": {"host": "new"}},
    [["smtp", "host"], ["smtp", "user"]],
)


@pytest.mark.parametrize(
    ("mistake", "harm"),
    [
        ({"merge": lambda text, tree, owns: "[smtp]\nhost = new\n"}, "lost or read differently"),
        ({"merge": lambda text, tree, owns: text + " [x]\n"}, "lost or read differently"),
        (
            {"merge": lambda text, tree, owns: text.replace("old", "other") or "[smtp]\nhost = new\n"},
            "as they are declared",
        ),
        ({"merge": lambda text, tree, owns: (text or "[smtp]\n") + "host = new\n"}, "with every run"),
        ({"remove": lambda text, owns, original: text}, "without a trace"),
    ],
)
def test_a_dialect_with_a_mistake_writes_nothing(
    mistake: dict[str, t.Any], harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_guard, "dialect", lambda name: _Broken(speech.dialect(name), **mistake))
    with pytest.raises(merge_guard.Harm, match=harm):
        merge_guard.merge("goini", INI, OURS, OWNS)


@pytest.mark.parametrize(
    ("mistake", "harm"),
    [
        ({"remove": lambda text, owns, original: "[smtp]\nhost = old\n"}, "lost or read differently"),
        ({"remove": lambda text, owns, original: text}, "could not be put back"),
    ],
)
def test_a_dialect_that_takes_out_wrongly_writes_nothing(
    mistake: dict[str, t.Any], harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = merge_guard.merge("goini", INI, OURS, OWNS)
    monkeypatch.setattr(merge_guard, "dialect", lambda name: _Broken(speech.dialect(name), **mistake))
    with pytest.raises(merge_guard.Harm, match=harm):
        merge_guard.remove("goini", merged, OWNS, INI)


def test_every_dialect_of_shared_files_can_be_guarded() -> None:
    shared = [name for name in speech.dialect_names() if speech.can_share(name)]
    assert len(shared) >= 12
    for name in shared:
        assert all(
            callable(getattr(speech.dialect(name), function)) for function in ("merge", "remove", "values", "alike")
        ), name
