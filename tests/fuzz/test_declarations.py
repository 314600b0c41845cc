# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declarations and catalogue entries of any shape: problems with a code, never a traceback, and never a secret in one."""

from __future__ import annotations

import pathlib
import tempfile
import typing as t

import yaml
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import ExpressionError, compute
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import SHIPPED, Catalogue, load_entry
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import plain_values, resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan, refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from fuzz.effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MANY = settings(deadline=None, suppress_health_check=list(HealthCheck))
SECRET = "zWq8-Secret_9!"
CATALOGUE = Catalogue()
KEYS = (
    "host",
    "port",
    "security",
    "username",
    "password",
    "next",
    "id",
    "from",
    "address",
    "name",
    "relays",
    "default",
    "like",
    "type",
    "via",
    "oauth2",
    "client_secret",
    "client_id",
    "message",
    "timeout",
    "helo",
    "accept",
    "auth_mechanisms",
    "ca_path",
    "secret",
    "enabled",
    "app",
    "form",
    "path",
    "relay",
    "state",
    "mode",
    "activate",
    "how",
    "pasword",
    "main",
    "\x1b[31m",
    "",
)
WORDS = (
    SECRET,
    "smtp.example.com",
    "a@example.com",
    "tls",
    "starttls",
    "none",
    "smtp",
    "local_mta",
    "ms_graph",
    "main",
    "gitea",
    "nextcloud",
    "absent",
    "env",
    "ini",
    "/etc/x",
    "0600",
    "file",
    "x\ny",
    "\x1b[31m",
    "\u202e",
    "{{ x }}",
    "true",
    "465",
    "",
    "ü",
    "\ud800",
)
VALUES = st.recursive(
    st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4) | st.integers(), inner, max_size=5)
    ),
    max_leaves=12,
)


def _nearly(valid: t.Any) -> st.SearchStrategy[t.Any]:
    """A valid value with something else at some of its keys."""
    changes = st.dictionaries(st.sampled_from(KEYS), VALUES | st.sampled_from(WORDS), max_size=3)
    return changes.map(lambda given_: {**valid, **given_})


RELAY = {"host": "smtp.example.com", "username": "u", "password": SECRET, "from": "a@example.com"}
RELAYS = st.one_of(
    VALUES,
    _nearly(RELAY),
    _nearly({"type": "local_mta"}),
    _nearly({"default": "main", "relays": {"main": RELAY}}),
    _nearly(RELAY).map(lambda relay: {"default": "main", "relays": {"main": RELAY, "other": relay}}),
)
APPS = VALUES | st.lists(
    st.sampled_from(["gitea", "nextcloud", SECRET]) | _nearly({"name": "gitea", "form": "ini"}) | VALUES, max_size=3
)


@settings(MANY, max_examples=examples(250))
@given(RELAYS, APPS)
def test_a_declaration_is_valid_or_a_list_of_problems_without_a_secret(relay: t.Any, apps: t.Any) -> None:
    try:
        planned = plan.plan_host(resolve.load(relay, apps), CATALOGUE)
        said = [str(refusal.problem(item)) for item in planned.refusals]
    except ProblemsError as error:
        assert error.problems and all(problem.code for problem in error.problems)
        said = [str(problem) for problem in error.problems]
    told = "\n".join(said)
    assert "\x1b" not in told and "\u202e" not in told
    if SECRET in plain_values.secrets_in(plain_values.plain([relay, apps])):
        assert SECRET not in told and SECRET[:8] not in told


# -- entries --------------------------------------------------------------------------------------

GITEA = yaml.safe_load((SHIPPED / "gitea" / "app.yml").read_text("utf-8"))
ENTRY_KEYS = (
    *sorted(GITEA),
    "settings",
    "forms",
    "flatten",
    "dialect",
    "path",
    "mail_off",
    "secret_file",
    "refuse",
    "when",
    "command",
    "lacks",
    "owner",
    "x\ny",
)
ENTRY_WORDS = (
    "=host",
    "=password",
    "=password ~ host",
    "=[",
    "='a' * 10**9",
    "={x",
    "goini",
    "json",
    "docker_env",
    "php",
    "yaml",
    "sheet",
    "{section}_{key}",
    "{section!r}",
    "/etc/x",
    "x\ny",
    "=port",
    "=host.__class__",
    "=" + "(" * 400,
    "tls",
)
ENTRY_VALUES = st.recursive(
    st.sampled_from(ENTRY_WORDS) | st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(ENTRY_KEYS) | st.text(max_size=4) | st.integers(), inner, max_size=4)
    ),
    max_leaves=8,
)


def _changed(entry: dict[str, t.Any], changes: dict[str, t.Any], forms: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**entry, **changes, **({"forms": {"env": {**GITEA["forms"]["env"], **forms}}} if forms else {})}


@settings(MANY, max_examples=examples(150))
@given(
    st.builds(
        _changed,
        st.just(GITEA),
        st.dictionaries(st.sampled_from(ENTRY_KEYS), ENTRY_VALUES, max_size=2),
        st.dictionaries(st.sampled_from(ENTRY_KEYS), ENTRY_VALUES, max_size=2),
    ).map(lambda entry: yaml.safe_dump(entry, allow_unicode=True))
    | st.text(max_size=40)
    | ENTRY_VALUES.map(yaml.safe_dump)
)
def test_an_entry_is_loaded_or_a_list_of_problems(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "gitea" / "app.yml"
        path.parent.mkdir()
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            load_entry(path)
            plan.plan_host(resolve.load(RELAY, [{"name": "gitea"}]), Catalogue([folder]))
        except ProblemsError as error:
            assert all(problem.code for problem in error.problems)
            assert "\x1b" not in str(error.problems)


PIECES = (
    "host",
    "port",
    "password",
    "'a'",
    "1",
    "10**9",
    "*",
    "+",
    "~",
    "%",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ".",
    ",",
    "|",
    "join",
    "json",
    "replace",
    "format",
    "ljust",
    "if",
    "else",
    "not",
    "and",
    "in",
    "is",
    "ascii",
    "'%9999d'",
    "'{:>999}'",
    "map",
    "upper",
    "split",
    "lower",
    "==",
    ":",
    "'",
    "range",
    "x",
    "2",
    "-",
    "/",
)


@settings(MANY, max_examples=examples(400))
@given(st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.text(max_size=20))
def test_an_expression_is_a_value_of_some_size_or_an_error_without_one(expression: str) -> None:
    try:
        value = compute(expression, {"host": "smtp.example.com", "port": 465, "password": SECRET, "x": ["a"] * 50})
    except ExpressionError as error:
        assert SECRET not in str(error) and len(str(error)) < 1_000
    else:
        assert len(str(value)) < 2_000_000
