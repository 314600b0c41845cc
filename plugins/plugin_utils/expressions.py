# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of an entry: text as it stands, or ``=expression`` in Jinja2 over the resolved relay. The only file that knows jinja2."""

from __future__ import annotations

import functools
import json
import re
import shlex
import typing as t
import urllib.parse

import jinja2
import jinja2.nodes
import jinja2.parser
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
    if isinstance(value, dict):
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
    values = {name: _reveal(context[name]) for name in names_in(expression) if name in context}
    try:
        result = _folded(expression, values)
    except Exception as error:  # the text of an exception could hold a value
        raise ExpressionError(f"the expression {expression!r} fails ({type(error).__name__})") from None
    if isinstance(result, jinja2.Undefined):
        raise ExpressionError(f"the expression {expression!r} names something that is not there")
    return result


def names_in(expression: str) -> frozenset[str]:
    """The variables that an expression names. Raises ExpressionError when it does not parse."""
    return _parsed(expression).names


def names_in_tree(value: t.Any) -> frozenset[str]:
    """All variables that the expressions of a tree name."""
    found: set[str] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, (dict, list)):
            todo += item.values() if isinstance(item, dict) else item
        elif is_expression(item):
            found |= names_in(item[1:])
    return frozenset(found)


def _reveal(value: t.Any) -> t.Any:
    return value.reveal() if isinstance(value, Secret) else value


def _percent(value: str) -> str:
    """Percent-encode for a URL's user part: only the unreserved characters of RFC 3986 section 2.3 stay."""
    return urllib.parse.quote(value, safe="")


def _json(value: str) -> str:
    """A text as a JSON string that YAML reads the same: what YAML takes for a line break is escaped, what is beyond U+FFFF is not."""
    return _YAML_BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))


class _Parsed(t.NamedTuple):
    """An expression as Jinja2's tree, whose names look their values up in the evaluation."""

    tree: jinja2.nodes.Expr
    names: frozenset[str]


@functools.lru_cache(maxsize=None)
def _parsed(expression: str) -> _Parsed:
    """The tree of an expression. Raises ExpressionError."""
    try:
        parser = jinja2.parser.Parser(_ENVIRONMENT, expression, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise jinja2.TemplateSyntaxError("something stands after the expression", 1)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"the expression {expression!r} does not parse: {error.message}") from None
    names = set()
    todo: list[t.Any] = [tree]
    while todo:
        node = todo.pop()
        todo += node.iter_child_nodes()
        if isinstance(node, jinja2.nodes.Name):
            names.add(node.name)
            node.as_const = functools.partial(_look_up, node.name)
        elif isinstance(node, jinja2.nodes.Call):
            node.as_const = functools.partial(_call, node)
    return _Parsed(tree, frozenset(names))


def _look_up(name: str, evaluation: _Evaluation) -> t.Any:
    if name not in evaluation.values:
        raise jinja2.nodes.Impossible
    return evaluation.values[name]


def _call(node: jinja2.nodes.Call, evaluation: _Evaluation) -> t.Any:
    function = node.node.as_const(evaluation)
    if not _ENVIRONMENT.is_safe_callable(function):
        raise jinja2.nodes.Impossible
    given, named = jinja2.nodes.args_as_const(node, evaluation)
    return function(*given, **named)


class _Evaluation(jinja2.nodes.EvalContext):
    """One evaluation: what the names stand for."""

    def __init__(self, values: t.Mapping[str, t.Any]) -> None:
        super().__init__(_ENVIRONMENT)
        self.values = values


def _folded(expression: str, values: t.Mapping[str, t.Any]) -> t.Any:
    """By Jinja2's folding of constants, which is many times as fast as its compiler; that one does what cannot be folded, and what fails."""
    try:
        return _parsed(expression).tree.as_const(_Evaluation(values))
    except jinja2.nodes.Impossible:
        return _compiled(expression)(**values)


@functools.lru_cache(maxsize=None)
def _compiled(expression: str) -> t.Callable[..., t.Any]:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


_ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
_ENVIRONMENT.filters["json"] = _json
_ENVIRONMENT.filters["percent"] = _percent
_ENVIRONMENT.filters["shell"] = shlex.quote
_ENVIRONMENT.tests["ascii"] = str.isascii
