# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of an entry: text as it stands, or ``=expression`` in Jinja2 over the resolved relay. The only file that knows jinja2."""

from __future__ import annotations

import functools
import typing as t

import jinja2
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from ...module_utils._shared.secret import Secret
from . import sandbox

SECRET_NAMES = frozenset({"password", "client_secret", "refresh_token"})
_SHOWN = 200
#: Whether there is a secret, and whether an application can take it.
_HARMLESS_TESTS = ("ascii", "defined", "none", "undefined")
#: Filters whose value is never true, false or nothing.
_MAKE_TEXT = ("json", "percent", "shell", "replace", "join", "lower", "upper", "string", "trim", "urlencode")
#: Filters of Jinja2 that make nothing longer than what goes in, or nearly so.
_FILTERS = (
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "int",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
)


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
    """Every text in what a secret has gone into is a Secret. Raises ExpressionError for what could carry one, or a part of one, unseen."""
    if isinstance(result, (list, tuple)):
        return [_tainted(item, expression) for item in result]
    if isinstance(result, str):
        return Secret(result)
    if (result is None or isinstance(result, bool)) and not _tells(_parsed(expression).tree):
        return result
    raise ExpressionError(f"the expression {_shown(expression)} makes something else than text of a secret")


def _tells(node: jinja2.nodes.Node | None, asked: bool = False) -> bool:
    """Whether true, false or nothing as the value of this may say what a secret is, and not only that there is one.

    asked: it is taken for true or false here.
    """
    if isinstance(node, jinja2.nodes.Name):
        return False
    if isinstance(node, jinja2.nodes.Not) or isinstance(node, jinja2.nodes.Test) and node.name in _HARMLESS_TESTS:
        return _tells(node.node, True)
    if isinstance(node, (jinja2.nodes.And, jinja2.nodes.Or)):
        return _tells(node.left, True) or _tells(node.right, asked)
    if isinstance(node, jinja2.nodes.CondExpr):
        return _tells(node.test, True) or _tells(node.expr1, asked) or _tells(node.expr2, asked)
    if isinstance(node, (jinja2.nodes.List, jinja2.nodes.Tuple)):
        return any(map(_tells, node.items))
    is_text = isinstance(node, jinja2.nodes.Concat) or isinstance(node, jinja2.nodes.Filter) and node.name in _MAKE_TEXT
    return (
        node is not None
        and (asked or not is_text)
        and any(name.name in SECRET_NAMES for name in node.find_all(jinja2.nodes.Name))
    )


def is_expression(value: t.Any) -> bool:
    """Whether a value of an entry is to be evaluated."""
    return isinstance(value, str) and value.startswith("=")


def compute(expression: str, context: t.Mapping[str, t.Any]) -> t.Any:
    """The plain result of one expression. Raises ExpressionError."""
    values = {name: _reveal(context[name]) for name in names_in(expression) if name in context}
    try:
        result = _folded(expression, values)
        if not isinstance(result, jinja2.Undefined):
            sandbox.fits(result)
    except sandbox.TooMuch as error:
        raise ExpressionError(f"the expression {_shown(expression)} is not evaluated: {error}") from None
    except Exception as error:  # the text of an exception could hold a value
        raise ExpressionError(f"the expression {_shown(expression)} fails ({type(error).__name__})") from None
    if isinstance(result, jinja2.Undefined):
        raise ExpressionError(f"the expression {_shown(expression)} names something that is not there")
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


def _shown(expression: str) -> str:
    return repr(expression) if len(expression) <= _SHOWN else f"{expression[:_SHOWN]!r}..."


def _reveal(value: t.Any) -> t.Any:
    return value.reveal() if isinstance(value, Secret) else value


class _Parsed(t.NamedTuple):
    """An expression as Jinja2's tree, whose names look their values up in the evaluation."""

    tree: jinja2.nodes.Expr
    names: frozenset[str]


@functools.lru_cache(maxsize=None)
def _parsed(expression: str) -> _Parsed:
    """The tree of an expression. Raises ExpressionError."""
    if len(expression) > sandbox.EXPRESSION:
        raise ExpressionError(f"the expression {_shown(expression)} is longer than {sandbox.EXPRESSION} characters")
    try:
        parser = jinja2.parser.Parser(_ENVIRONMENT, expression, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise jinja2.TemplateSyntaxError("something stands after the expression", 1)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"the expression {_shown(expression)} does not parse: {error.message}") from None
    except RecursionError:
        raise ExpressionError(f"the expression {_shown(expression)} is nested too deeply") from None
    why = _forbidden(tree)
    if why:
        raise ExpressionError(f"the expression {_shown(expression)} is not allowed: {why}")
    names = set()
    todo: list[t.Any] = [tree]
    while todo:
        node = todo.pop()
        todo += node.iter_child_nodes()
        if isinstance(node, jinja2.nodes.Name):
            names.add(node.name)
            node.as_const = functools.partial(_look_up, node.name)  # type: ignore[method-assign]
        elif isinstance(node, jinja2.nodes.Call):
            node.as_const = functools.partial(_call, node)  # type: ignore[method-assign]
    return _Parsed(tree, frozenset(names))


def _look_up(name: str, evaluation: _Evaluation) -> t.Any:
    if name not in evaluation.values:
        raise jinja2.nodes.Impossible
    return evaluation.values[name]


def _call(node: jinja2.nodes.Call, evaluation: _Evaluation) -> t.Any:
    method = t.cast(jinja2.nodes.Getattr, node.node)  # _forbidden saw to it
    target = method.node.as_const(evaluation)
    given, named = jinja2.nodes.args_as_const(node, evaluation)
    return sandbox.call(target, method.attr, given, named)


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


def _forbidden(tree: jinja2.nodes.Node) -> str | None:
    """What an expression does that none may do, whatever the values are; None for one that is fine."""
    todo: list[tuple[jinja2.nodes.Node, int]] = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > sandbox.DEEPEST:
            return "it is nested too deeply"
        todo += [(inner, depth + 1) for inner in node.iter_child_nodes()]
        why = _forbidden_node(node)
        if why:
            return why
    return None


def _forbidden_node(node: jinja2.nodes.Node) -> str | None:
    if isinstance(node, jinja2.nodes.Pow):
        return "** is not used here"
    if isinstance(node, jinja2.nodes.Mul) and (_text_in(node.left) is not None or _text_in(node.right) is not None):
        return "text cannot be multiplied"
    if isinstance(node, jinja2.nodes.Mod) and sandbox.WIDE.search(_text_in(node.left) or ""):
        return "a width of more than two digits is not used here"
    if isinstance(node, jinja2.nodes.Filter) and node.name not in _ENVIRONMENT.filters:
        return f"there is no filter {node.name} here"
    if isinstance(node, jinja2.nodes.Call) and not (
        isinstance(node.node, jinja2.nodes.Getattr) and node.node.attr in sandbox.ANY_METHOD
    ):
        return "it calls something else than a method that is known here"
    if (
        isinstance(node, jinja2.nodes.Call)
        and isinstance(node.node, jinja2.nodes.Getattr)
        and node.node.attr == "format"
    ):
        return None if sandbox.is_plain_format(_text_in(node.node.node) or "") else sandbox.PLAIN_FORMAT
    return None


def _text_in(node: jinja2.nodes.Node) -> str | None:
    return node.value if isinstance(node, jinja2.nodes.Const) and isinstance(node.value, str) else None


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "%"})

    def call_binop(self, context: t.Any, operator: str, left: t.Any, right: t.Any) -> t.Any:
        if operator == "*":
            sandbox.multiplied(left, right)
        elif isinstance(left, str) and sandbox.WIDE.search(left):
            raise sandbox.TooMuch("a width of more than two digits is not used here")
        return sandbox.fitting(super().call_binop(context, operator, left, right))

    def call(*given: t.Any, **named: t.Any) -> t.Any:  # pylint: disable=no-self-argument,no-method-argument
        """Of the compiled expressions: a method, as in ``_call``."""
        function = getattr(given[2], "__wrapped__", given[2])
        return sandbox.call(getattr(function, "__self__", None), getattr(function, "__name__", ""), given[3:], named)


def _environment() -> _Environment:
    made = _Environment(undefined=jinja2.StrictUndefined)
    made.globals.clear()
    known = {name: sandbox.bounded(work) for name, work in made.filters.items() if name in _FILTERS}
    made.filters = {**known, **sandbox.OWN_FILTERS}
    made.tests["ascii"] = str.isascii
    return made


_ENVIRONMENT = _environment()
