# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of an entry: text as it stands, or ``=expression`` in Jinja2 over the resolved relay. The only file that knows jinja2."""

from __future__ import annotations

import functools
import json
import re
import typing as t
import urllib.parse

import jinja2
import jinja2.meta
import jinja2.sandbox

from .model import Secret

SECRET_NAMES = frozenset({"password", "client_secret", "refresh_token"})
_YAML_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


class ExpressionError(ValueError):
    """An entry's expression does not work. The text names the expression and never a value."""


def evaluate(value: t.Any, context: t.Mapping[str, t.Any]) -> t.Any:
    """A tree of settings with every expression replaced by its value; keys whose value is None are left out.

    A list or an inner mapping of which nothing is left is None as well: a table without entries, an option group without options.
    What comes out of an expression that names a secret is a Secret. Raises ExpressionError.
    """
    if isinstance(value, t.Mapping):
        done = {key: evaluate(item, context) for key, item in value.items()}
        return {key: item for key, item in done.items() if item is not None and (item != {} or value[key] == {})}
    if isinstance(value, list):
        return [item for item in (evaluate(item, context) for item in value) if item is not None] or None
    if not is_expression(value):
        return value
    result = compute(value[1:], context)
    return _tainted(result, value[1:]) if names_in(value[1:]) & SECRET_NAMES else result


def _tainted(result: t.Any, expression: str) -> t.Any:
    """Every text in what a secret has gone into is a Secret. Raises ExpressionError for what could carry one unseen."""
    if isinstance(result, (list, tuple)):
        return [_tainted(item, expression) for item in result]
    if result is None or isinstance(result, bool):
        return result
    if isinstance(result, str):
        return Secret(result)
    raise ExpressionError(f"the expression {expression!r} makes something else than text of a secret")


def is_expression(value: t.Any) -> bool:
    """Whether a value of an entry is to be evaluated."""
    return isinstance(value, str) and value.startswith("=")


def compute(expression: str, context: t.Mapping[str, t.Any]) -> t.Any:
    """The plain result of one expression. Raises ExpressionError."""
    try:
        result = _compiled(expression)(**{name: _reveal(context[name]) for name in names_in(expression) if name in context})
    except Exception as error:  # the text of an exception could hold a value
        raise ExpressionError(f"the expression {expression!r} fails ({type(error).__name__})") from None
    if isinstance(result, jinja2.Undefined):
        raise ExpressionError(f"the expression {expression!r} names something that is not there")
    return result


@functools.lru_cache(maxsize=None)
def names_in(expression: str) -> frozenset[str]:
    """The variables that an expression names. Raises ExpressionError when it does not parse."""
    try:
        return frozenset(jinja2.meta.find_undeclared_variables(_ENVIRONMENT.parse("{{ " + expression + " }}")))
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"the expression {expression!r} does not parse: {error.message}") from None


def names_in_tree(value: t.Any) -> frozenset[str]:
    """All variables that the expressions of a tree name."""
    if isinstance(value, t.Mapping):
        return frozenset().union(*map(names_in_tree, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(names_in_tree, value))
    return names_in(value[1:]) if is_expression(value) else frozenset()


def _reveal(value: t.Any) -> t.Any:
    return value.reveal() if isinstance(value, Secret) else value


def _percent(value: str) -> str:
    """Percent-encode for a URL's user part: only the unreserved characters of RFC 3986 section 2.3 stay."""
    return urllib.parse.quote(value, safe="")


def _json(value: str) -> str:
    """A text as a JSON string that YAML reads the same: what YAML takes for a line break is escaped, what is beyond U+FFFF is not."""
    return _YAML_BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))


@functools.lru_cache(maxsize=None)
def _compiled(expression: str) -> t.Callable[..., t.Any]:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


_ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
_ENVIRONMENT.filters["json"] = _json
_ENVIRONMENT.filters["percent"] = _percent
_ENVIRONMENT.tests["ascii"] = str.isascii
