# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON Schema (draft 2020-12) in, problems in the user's words out. The only file that knows the jsonschema library."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import json
import pathlib
import re
import typing as t

from ...module_utils._shared.secret import SHOWN_SECRET
from ...module_utils._shared.visible import visible
from ..problems import Problem, ProblemsError, did_you_mean, one_of

try:
    from jsonschema import Draft202012Validator
except ImportError:  # missing, or older than 4.0; said in one line by _validator(), for whoever calls first
    Draft202012Validator = None  # type: ignore[assignment,misc]

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
MISSING = Problem(
    "",
    "The Python library jsonschema (4.0 or newer) is missing on the controller.",
    "missing-library",
    "Install it for the Python that runs Ansible: python3 -m pip install 'jsonschema>=4'",
)

_SECRETS: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("secrets", default=frozenset())
_TEARS = 4  # characters
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


@functools.lru_cache(maxsize=None)
def load_schema(name: str) -> dict[str, t.Any]:
    """The schema file of that name (``smtp_relay`` or ``app``), parsed."""
    schema: dict[str, t.Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return schema


def problems_of(value: t.Any, schema: str, definition: str, where: str) -> list[Problem]:
    """Everything that is wrong with ``value`` by ``#/$defs/<definition>`` of a schema, in the order of the document.

    ``where`` is what the user calls the value. Raises ProblemsError when the jsonschema library is missing.
    """
    errors = sorted(
        _validator(schema, definition).iter_errors(value), key=lambda error: _position(value, error.absolute_path)
    )
    found: list[Problem] = []
    for error in errors:
        found += _translate(error, where)
    return list(dict.fromkeys(found))


def _position(value: t.Any, path: t.Iterable[t.Any]) -> list[int]:
    """Where in the document a path is, as comparable numbers."""
    numbers = []
    for part in path:
        numbers.append(part if isinstance(part, int) else list(value).index(part))
        value = value[part]
    return numbers


def coerce(value: t.Any, schema: str, definition: str) -> t.Any:
    """The value with digits as numbers and true/false words as booleans where the schema wants those.

    Before ansible-core 2.19 a templated ``port: "{{ smtp_port }}"`` always arrives as text.
    """
    root = load_schema(schema)
    return _coerce(value, root["$defs"][definition], root)


def _coerce(value: t.Any, schema: t.Mapping[str, t.Any], root: t.Mapping[str, t.Any]) -> t.Any:
    while "$ref" in schema:
        schema = functools.reduce(lambda node, part: node[part], schema["$ref"][2:].split("/"), root)
    kinds = schema.get("type", ())
    if isinstance(value, str) and "string" not in kinds:
        if "integer" in kinds and re.fullmatch("[0-9]{1,9}", value):
            return int(value)
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return value.lower() == "true"
    elif isinstance(value, float) and "integer" in kinds and value.is_integer():
        return int(value)  # JSON Schema takes 587.0 for a whole number; a file must not say so
    elif isinstance(value, dict):
        inner, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: _coerce(item, inner.get(key, others), root) for key, item in value.items()}
    elif isinstance(value, list):
        return [_coerce(item, schema.get("items", {}), root) for item in value]
    return value


@functools.lru_cache(maxsize=None)
def _validator(schema: str, definition: str) -> t.Any:
    if Draft202012Validator is None:
        raise ProblemsError([MISSING])
    root = load_schema(schema)
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": root["$defs"]})


def _translate(error: t.Any, where: str) -> list[Problem]:
    path = where + "".join(f"[{part}]" if isinstance(part, int) else f".{short(part)}" for part in error.absolute_path)
    schema = error.schema
    if error.validator == "additionalProperties":
        return [_unknown(path, key, schema) for key in error.instance if key not in schema.get("properties", {})]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [Problem(path, f"{key} is missing.", "missing-key", _example(schema, key)) for key in missing]
    if "propertyNames" in [str(part) for part in error.absolute_schema_path]:
        return [_bad_name(path, error)]
    if error.validator == "type":
        return [
            Problem(
                path,
                f"{_expected(error.validator_value)} is expected here, not {_given(error.instance)}.",
                "wrong-type",
                _examples(schema),
            )
        ]
    if error.validator == "enum":
        return [_not_one_of(path, error)]
    if error.validator in ("pattern", "minimum", "maximum") and "x-what" in schema:
        return [Problem(path, f"{_shown(error)}{schema['x-what']}", schema["x-code"], schema["x-hint"])]
    return [
        Problem(
            path,
            _LIMITS.get(error.validator, "this is not valid here.").format(error.validator_value),
            "out-of-range",
            _examples(schema),
        )
    ]


_LIMITS = {
    "minLength": "an empty text is not a value here.",
    "maxLength": "this is longer than {} characters.",
    "minItems": "an empty list is not a value here.",
    "minProperties": "at least one is needed.",
    "uniqueItems": "the same item stands here twice.",
}


def _unknown(path: str, key: t.Any, schema: t.Mapping[str, t.Any]) -> Problem:
    # Never its value: the key may be a misspelt "password".
    known = list(schema.get("properties", {}))
    elsewhere, meant = schema.get("x-elsewhere", {}).get(key, ""), did_you_mean(str(key), known)
    hint = elsewhere or ("" if meant else "Known keys: " + ", ".join(known) + ".")
    return Problem(f"{path}.{short(key)}", "unknown key." + ("" if elsewhere else meant), "unknown-key", hint)


def _bad_name(path: str, error: t.Any) -> Problem:
    """A key of the user's own choice that is no name, or (catalogue entries) not one of those that may stand there."""
    schema = error.schema
    if error.validator == "enum":
        meant = did_you_mean(str(error.instance), error.validator_value)
        return Problem(
            f"{path}.{short(error.instance)}", f"unknown key.{meant}", "unknown-key", one_of(error.validator_value)
        )
    return Problem(path, f'"{short(error.instance)}" {schema["x-what"]}', schema["x-code"], schema["x-hint"])


def _not_one_of(path: str, error: t.Any) -> Problem:
    schema = error.schema
    noun, values = schema.get("x-noun", "a value for this"), [str(value) for value in error.validator_value]
    if not isinstance(error.instance, str):
        return Problem(
            path, f"{_given(error.instance)} is not {noun}.", schema.get("x-code", "not-allowed"), one_of(values)
        )
    if schema.get("x-secret"):
        return Problem(path, f"this is not {noun}.", schema.get("x-code", "not-allowed"), one_of(values))
    meant = did_you_mean(error.instance, values)
    return Problem(
        path, f'"{short(error.instance)}" is not {noun}.{meant}', schema.get("x-code", "not-allowed"), one_of(values)
    )


def _shown(error: t.Any) -> str:
    # A value is repeated only where it can hold no secret and does not spoil the terminal.
    # An address of the shape smtp://user:password@host would be a secret at a path that is none.
    shown = error.instance if isinstance(error.instance, str) else short(error.instance)
    plain = isinstance(error.instance, (str, int)) and visible(shown) == shown and not re.search("://.*@|:.*@", shown)
    if error.schema.get("x-secret") or not plain or error.schema.get("x-code") == "control-character":
        return "this "
    return f'"{short(error.instance)}" '


def short(value: t.Any) -> str:
    """A value, or a key, as a message may repeat it: what can be seen of it, not too much, and no secret of the declaration."""
    try:
        text = str(value)
    except ValueError:
        return "a number of thousands of digits"
    text = visible(_hidden_in(text))
    return text if len(text) <= 60 else text[:57] + "..."


@contextlib.contextmanager
def hiding(secrets: frozenset[str]) -> t.Iterator[None]:
    """Within this no message repeats one of these: a secret may stand where a name belongs."""
    token = _SECRETS.set(secrets)
    try:
        yield
    finally:
        _SECRETS.reset(token)


def _hidden_in(text: str) -> str:
    """The text without secrets. One of a few characters is only hidden where it is all of the text: it would tear every word."""
    for secret in sorted(_SECRETS.get(), key=len, reverse=True):
        if text == secret or (len(secret) >= _TEARS and secret in text):
            text = text.replace(secret, SHOWN_SECRET)
    return text


def without_secrets(problem: Problem) -> Problem:
    """The same problem, in which no secret is repeated."""
    return Problem(_hidden_in(problem.where), _hidden_in(problem.what), problem.code, _hidden_in(problem.hint))


def _expected(kinds: t.Any) -> str:
    return " or ".join(_TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _given(value: t.Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "this")


def _examples(schema: t.Mapping[str, t.Any]) -> str:
    return "Such as: " + json.dumps(schema["examples"][0]) if schema.get("examples") else ""


def _example(schema: t.Mapping[str, t.Any], key: str) -> str:
    return _examples(schema.get("properties", {}).get(key, {}))
