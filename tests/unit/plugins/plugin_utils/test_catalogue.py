# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: where entries are found, and how a broken one of the user's is named: file, key and reason."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import (
    SHIPPED,
    Catalogue,
    flattened,
    load_entry,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError

ENTRY = """\
title: Mine
homepage: https://mine.example.com
docs: https://mine.example.com/docs
sources: [by hand]
evidence: documented
forms:
  env: {dialect: docker_env, path: /etc/mine.env}
  ini: {dialect: phpdotenv, path: /etc/mine.ini, shared: true, flatten: "X_{section}_{KEY}"}
security: {none: plain, opportunistic: may, starttls: must, tls: wrap}
lacks:
  verify: {why: it does not look}
settings: {mail: {host: =host, password: =password}}
activate: {how: none, reason: read anew}
environment: {SSL_CERT_FILE: =ca_path}
test: send something
"""


def write(folder: pathlib.Path, name: str, text: str) -> pathlib.Path:
    """One entry in a folder of the user's."""
    path = folder / name / "app.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def test_the_users_folder_comes_first(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "gitea", ENTRY)
    assert Catalogue([str(tmp_path)]).find("gitea", "x").title == "Mine"
    assert Catalogue().find("gitea", "x").title == "Gitea"
    assert set(Catalogue([str(tmp_path)]).names()) == {path.parent.name for path in SHIPPED.glob("*/app.yml")}


def test_a_folder_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(
        ProblemsError, match=r"nowhere: this folder of the catalogue is not there.   \[catalogue-folder\]"
    ):
        Catalogue([str(tmp_path / "nowhere")])


def test_a_shipped_entry_is_right_beyond_the_schema_too() -> None:
    paths = sorted(SHIPPED.glob("*/app.yml"))
    assert len(paths) >= 5
    for path in paths:
        load_entry(path)


BROKEN = [
    ("title: Mine\n", "", "entry: title is missing.   [missing-key]"),
    ("title: Mine", "titel: Mine\ntitle: Mine", 'entry.titel: unknown key. Did you mean "title"?   [unknown-key]'),
    (
        "title: Mine",
        "title: [Mine",
        "this is not valid YAML: line 2 did not find expected ',' or ']'.   [entry-invalid]",
    ),
    ("evidence: documented", "evidence: seen", 'entry.evidence: "seen" is not a value for this.   [not-allowed]'),
    ("  env: {", "  Env!: {", 'entry.forms: "Env!" is not the name of a form.   [not-a-name]'),
    (
        "verify: {why: it does not look}",
        "verfy: it does not look",
        'entry.lacks.verfy: unknown key. Did you mean "verify"?   [unknown-key]',
    ),
    (
        "verify: {why: it does not look}",
        "starttls: {why: no, instead: none}",
        'entry.lacks.starttls.instead: "none" is not a value for this.   [not-allowed]',
    ),
    (
        "dialect: docker_env",
        "dialect: docker_emv",
        'forms.env.dialect: there is no dialect "docker_emv". Did you mean "docker_env"?   [entry-invalid]',
    ),
    ("dialect: docker_env", "dialect: base", 'forms.env.dialect: there is no dialect "base".   [entry-invalid]'),
    ("dialect: docker_env, ", "", "forms.env.dialect: dialect is missing.   [missing-key]"),
    (
        "dialect: docker_env",
        "shared: true, dialect: docker_env",
        "forms.env.shared: files of dialect docker_env are always ours alone.   [entry-invalid]",
    ),
    (
        "  env: {",
        "  tool: {dialect: json, shared: true, path: /x, command: {tool: [x], read: [y], write: [z], depth: 1}}\n  env: {",
        "forms.tool: a tool is handed the keys of dialect json, of which nothing is shared.   [entry-invalid]",
    ),
    (
        "  env: {",
        "  tool: {dialect: json, path: /x, command: {tool: ['{path}'], read: ['{password}'], write: [z], depth: 1}}\n  env: {",
        'forms.tool.command.read: "{password}" names something that is not there.   [entry-invalid]\n    One of: {path}, {object}.',
    ),
    (
        "  env: {",
        "  api: {dialect: json, path: /x, command: {token: '{path}', tool: [x], read: [y], write: [z], depth: 1}}\n  env: {",
        "forms.api.command: for an API these are an address; a method, a key and a value; a method and a key.   [entry-invalid]",
    ),
    (
        "{section}_{KEY}",
        "{part}",
        "forms.ini.flatten: the pattern names something else than section and key.   [entry-invalid]",
    ),
    (
        "{section}_{KEY}",
        "{section.x}",
        "forms.ini.flatten: the pattern names something else than section and key.   [entry-invalid]",
    ),
    (
        "{section}_{KEY}",
        "{",
        "forms.ini.flatten: the pattern names something else than section and key.   [entry-invalid]",
    ),
    (
        "settings: {mail: {host: =host, password: =password}}",
        "settings: =password",
        "forms.ini.flatten: only settings with keys can be flattened.   [entry-invalid]",
    ),
    (
        "settings: {mail: {host: =host, password: =password}}",
        "settings: {mail: {host: =host, password: =password}}\nmail_off: =host",
        "forms.ini.flatten: only mail_off with keys can be flattened.   [entry-invalid]",
    ),
    (
        "settings: {mail: {host: =host, password: =password}}",
        "settings: {mail: =host, password: =password}\nsecret_file: {mail: {host: null}}",
        "forms.ini.secret_file: it has keys where the settings have none.   [entry-invalid]",
    ),
    (
        "host: =host",
        "host: =hots",
        'forms.env.settings.mail.host: expressions know no "hots". Did you mean "host"?   [entry-invalid]',
    ),
    ("host: =host", "host: =host +", "forms.env.settings.mail.host: the expression 'host +' does not parse: "),
    (
        "host: =host",
        "on: =host",
        "forms.env.settings.mail.True: YAML reads this key as something else than text.   [entry-invalid]",
    ),
    (
        "SSL_CERT_FILE: =ca_path",
        "PASSWORD: =password",
        "forms.env.environment: a secret is named, but the environment is only reported.   [entry-invalid]",
    ),
    (
        "opportunistic: may, starttls: must, tls: wrap}\nlacks:",
        "tls: wrap}\nlacks:\n  starttls: {why: it cannot, instead: opportunistic}",
        "forms.env.lacks.starttls.instead: there is no word for opportunistic under security.   [entry-invalid]",
    ),
    (
        "test: send",
        "refuse: [{when: prot == 1, code: port-security, why: it cannot, forms: [emv]}]\ntest: send",
        'refuse[0].when: expressions know no "prot". Did you mean "port"?   [entry-invalid]',
    ),
    (
        "test: send",
        "refuse: [{when: port == 1, code: port-security, why: it cannot, forms: [emv]}]\ntest: send",
        'refuse[0].forms: there is no form "emv". Did you mean "env"?   [entry-invalid]',
    ),
    (
        "{dialect: docker_env, path: /etc/mine.env}",
        '{dialect: goini, path: /etc/mine.env, flatten: "{KEY}"}',
        "forms.env.settings: dialect goini cannot write settings of this shape.   [entry-invalid]",
    ),
]


@pytest.mark.parametrize(("good", "bad", "said"), BROKEN, ids=[row[2][:60] for row in BROKEN])
def test_a_broken_entry_is_named_by_file_key_and_reason(tmp_path: pathlib.Path, good: str, bad: str, said: str) -> None:
    assert good in ENTRY
    path = write(tmp_path, "mine", ENTRY.replace(good, bad, 1))
    with pytest.raises(ProblemsError) as caught:
        load_entry(path)
    assert f"{path}: {said}" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"\xff\xfe\x00", b"just text"])
def test_a_file_that_is_no_entry_at_all_is_named(tmp_path: pathlib.Path, content: bytes) -> None:
    path = write(tmp_path, "mine", "")
    path.write_bytes(content)
    with pytest.raises(ProblemsError) as caught:
        load_entry(path)
    assert str(path) in str(caught.value)


def test_a_whole_entry_is_right(tmp_path: pathlib.Path) -> None:
    entry = load_entry(write(tmp_path, "mine", ENTRY))
    assert (entry.name, list(entry.forms), entry.forms["env"].lacks["verify"].code) == (
        "mine",
        ["env", "ini"],
        "no-verify",
    )
    assert entry.forms["ini"].files[0].settings == {"X_mail_HOST": "=host", "X_mail_PASSWORD": "=password"}


def test_a_broken_entry_concerns_only_those_who_ask_for_it(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "mine", "title: [")
    catalogue = Catalogue([str(tmp_path)])
    assert plan.plan_host(resolve.load({"host": "h"}, ["gitea"]), catalogue).apps
    with pytest.raises(ProblemsError) as caught:
        plan.plan_host(resolve.load({"host": "h"}, ["mine", "gitea", {"name": "two", "app": "no_such"}]), catalogue)
    assert [problem.code for problem in caught.value.problems] == ["entry-invalid", "unknown-application"]


def test_an_expression_that_fails_only_when_it_runs_is_named_without_a_value(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "mine", ENTRY.replace("host: =host", "host: =password + 1"))
    with pytest.raises(ProblemsError) as caught:
        plan.plan_host(
            resolve.load({"host": "h", "username": "u", "password": "hunter2", "accept": ["no-verify"]}, ["mine"]),
            Catalogue([str(tmp_path)]),
        )
    assert str(caught.value) == (
        "mine/app.yml: the expression 'password + 1' fails (TypeError).   [entry-invalid]\n    It is needed for smtp_relay_apps[0] (mine)."
    )


def test_sections_and_keys_flatten_to_one_level() -> None:
    assert flattened({"mail": {"host": 1, "port": 2}, "top": 3}, "{SECTION}__{key}") == {
        "MAIL__host": 1,
        "MAIL__port": 2,
        "TOP__top": 3,
    }
