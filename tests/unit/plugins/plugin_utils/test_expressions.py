# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expressions of an entry: what goes in, what comes out, and that a secret stays one."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue import expressions
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import (
    ExpressionError,
    evaluate,
    names_in_tree,
)
from catalogue.hostile import HOSTILE

CONTEXT = {
    "host": "smtp.example.com",
    "port": 465,
    "helo": None,
    "username": "ann",
    "password": Secret("hunter2 %"),
    "client_secret": None,
    "files": {"a": "/etc/a"},
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain text", "plain text"),
        ("a = b", "a = b"),
        (7, 7),
        ("=host", "smtp.example.com"),
        ("=port", 465),
        ("=port == 465", True),
        ("=host ~ ':' ~ port", "smtp.example.com:465"),
        ("=files.a", "/etc/a"),
        ("={true: 'yes', false: 'no'}[port == 465]", "yes"),
        ({"a": "=helo", "b": {"c": "=helo"}, "d": ["=helo", "=port"]}, {"d": [465]}),
    ],
)
def test_an_expression_is_a_value_and_no_value_leaves_the_key_out(written: object, value: object) -> None:
    assert evaluate(written, CONTEXT) == value


@pytest.mark.parametrize(
    "written",
    [
        "=password",
        "=username ~ password",
        "=password | percent",
        "=password[:3]",
        "='x' if password else 'y'",
        "=password | upper",
    ],
)
def test_what_a_secret_goes_into_is_a_secret(written: str) -> None:
    result = evaluate(written, CONTEXT)
    assert isinstance(result, Secret)
    assert repr(result) == str(result) == f"{result}" == "(secret)"


def test_a_list_that_a_secret_goes_into_is_of_secrets() -> None:
    assert evaluate("=[username, password]", CONTEXT) == [Secret("ann"), Secret("hunter2 %")]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("=password is ascii", True),
        ("=client_secret", None),
        ("=not password", False),
        ("=password and port == 465", True),
        ("=password is none", False),
        ("=none if password else 'x'", None),
        ("=client_secret | json if client_secret else none", None),
        ("=(client_secret or password) is defined", True),
        ("=[client_secret, not password]", [None, False]),
    ],
)
def test_whether_there_is_a_secret_is_no_secret(written: str, value: object) -> None:
    assert evaluate(written, CONTEXT) == value


@pytest.mark.parametrize(
    "written",
    [
        "=password == 'hunter2 %'",
        "=password != 'x'",
        "=password in ['x']",
        "='x' in password",
        "=password.startswith('h')",
        "=not password.isdigit()",
        "=password > 'a' > username",
        "=password and password < 'z'",
        "=true if password == 'x' else false",
        "=none if password[0] == 'h' else host",
        "={'hunter2 %': true}[password]",
        "={'x': 1}.get(password)",
        "=[password == 'x']",
        "=not (password | replace('h', ''))",
        "=(password ~ '') == ''",
        "=password is eq('x')",
        "=true and (password == 'x' or false)",
        "=(password | select('eq', 'h') | first) == 'h'",
        "=(password | replace('h', 'ü')) is ascii",
    ],
)
def test_what_a_secret_is_is_told_by_no_true_false_or_nothing(written: str) -> None:
    """They would stand in clear text in a difference; a rule may ask, as it only refuses."""
    with pytest.raises(ExpressionError, match="makes something else than text of a secret"):
        evaluate(written, CONTEXT)
    expressions.compute(written[1:], CONTEXT)


@pytest.mark.parametrize(
    "written",
    [
        "=host.upper",
        "=host.count",
        "=self",
        "=files.get",
        "=[host.upper]",
        "={'a': host.split}",
        "={host.upper: 1}",
        "=host | map('upper')",
        "=[host] | map(attribute='x') | list",
        "=files.items()",
        "=1e308 + 1e308",
        "='nan' | float",
        "=password | map('upper')",
    ],
)
def test_what_no_setting_holds_is_no_value(written: str) -> None:
    with pytest.raises(ExpressionError, match="that no setting holds"):
        evaluate(written, CONTEXT)


def test_what_is_escaped_for_html_is_plain_text_all_the_same() -> None:
    value = evaluate("=('<' | e).replace('&', 'a&b')", CONTEXT)
    assert type(value) is str and value == "a&blt;"


@pytest.mark.parametrize("written", ["=password | length", "={'a': password}", "={password: 1}"])
def test_what_could_carry_a_secret_unseen_is_an_error(written: str) -> None:
    with pytest.raises(ExpressionError, match="makes something else than text of a secret"):
        evaluate(written, CONTEXT)


@pytest.mark.parametrize(
    "written",
    [
        "=password.nothing",
        "=password | int(base='x')",
        "=nothing",
        "=password | nothing",
        "=host +",
        "=password + 1",
        "=1 / 0",
        "=password }}{{ host",
    ],
)
def test_an_error_names_the_expression_and_never_a_value(written: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(written, CONTEXT)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"
    assert repr(written[1:]) in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        "=().__class__",
        "=host.__class__.__mro__",
        "=files.update({'b': 1})",
        "=''.format.__globals__",
        "='{0.__class__}'.format(host)",
        "=cycler.__init__.__globals__",
        "=self._TemplateReference__context",
        "=range(99999999999) | list",
        "=host | attr('__class__')",
    ],
)
def test_an_expression_does_not_get_out_of_its_box(written: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(written, CONTEXT)
    assert CONTEXT["files"] == {"a": "/etc/a"}


def test_names_are_found_wherever_they_are_said() -> None:
    assert names_in_tree({"a": ["=host", {"b": "=username ~ (password if port else helo)"}], "c": "host"}) == {
        "host",
        "username",
        "password",
        "port",
        "helo",
    }


def test_percent_leaves_only_what_a_url_may_hold() -> None:
    assert evaluate("=x | percent", {"x": "a/b:c@d ü~"}) == "a%2Fb%3Ac%40d%20%C3%BC~"


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_json_is_a_string_that_json_and_yaml_read_the_same(value: str) -> None:
    written = evaluate("=password | json", {"password": Secret(value)})
    assert isinstance(written, Secret)
    assert json.loads(written.reveal()) == yaml.safe_load(f"password: {written.reveal()}\n")["password"] == value


# -- the short way and Jinja2's own ---------------------------------------------------------------

VALUES = {
    "mode": "tls",
    "security": {"tls": True, "level": "may"},
    "host": "2001:db8::25",
    "port": 465,
    "login": True,
    "username": "ann",
    "auth_mechanisms": ["SCRAM-SHA-256-PLUS"],
    "path": "/etc/a",
    "validate_certs": True,
    "from": "Team <a@example.com>",
    "nothing": None,
}


@pytest.mark.parametrize(
    "expression",
    [
        "port",
        "security.tls",
        "not login",
        "nothing or 'x'",
        "'[' ~ host ~ ']' if ':' in host else host",
        "login and auth_mechanisms[0].endswith('-PLUS')",
        "{'tls': 'TLS12'}.get(mode)",
        "path.rpartition('/')[2]",
        "auth_mechanisms | map('lower') | join(', ')",
        "username | percent | upper",
        "[username, nothing or ''] | join('/')",
        "port in (25, 465) and mode != 'none'",
        "'%s' % username",
        "host[:4]",
        "username is ascii",
        "(port / 5) | int",
        "'{0}'.format(username)",
        "from.split('<')[0] | trim",
        "-port",
        "1 < 2 < port",
    ],
)
def test_an_expression_gives_what_jinja2_gives(expression: str) -> None:
    wanted = expressions._ENVIRONMENT.compile_expression(expression)(**VALUES)
    assert expressions.compute(expression, VALUES) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "login.missing",
        "security.missing.more",
        "port ~ missing",
        "username.__class__",
        "().__class__.__bases__",
        "1 / 0",
        "port()",
        "'a' + 1",
    ],
)
def test_an_expression_that_fails_says_so_and_shows_no_value(expression: str) -> None:
    with pytest.raises(ExpressionError) as error:
        expressions.compute(expression, VALUES)
    assert "ann" not in str(error.value)


@pytest.mark.parametrize("expression", ["port 465", "a ==", "", "a }} b"])
def test_what_does_not_parse_is_no_expression(expression: str) -> None:
    with pytest.raises(ExpressionError, match="does not parse"):
        expressions.names_in(expression)
