# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schemas themselves, and what goes in at every one of their paths: control characters, canaries, examples."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
import pathlib
import re
import subprocess
import sys
import typing as t

import jsonschema
import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue import loader
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import app_requests, resolve, validation
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import gaps, refusal, status
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError

ROOT = pathlib.Path(__file__).resolve().parents[4]
SCHEMAS = {name: validation.load_schema(name) for name in ("smtp_relay", "app")}
RELAY, CANARY = SCHEMAS["smtp_relay"], "hunter2-canary"
WAYS = {"relay": "smtp_relay", "named_relay": "smtp_relay.relays.main", "application": "smtp_relay_apps[0]"}


def resolved(schema: dict[str, t.Any]) -> dict[str, t.Any]:
    """A part of the declaration's schema without references."""
    while "$ref" in schema:
        node: t.Any = RELAY
        for part in schema["$ref"][2:].split("/"):
            node = node[part]
        schema = node
    return schema


def leaves(
    schema: dict[str, t.Any], above: tuple[str | int, ...] = ()
) -> t.Iterator[tuple[tuple[str | int, ...], dict[str, t.Any]]]:
    """Every path at which a user can write something, with its schema; lists count as their first item."""
    schema = resolved(schema)
    if above:
        yield above, schema
    for key, inner in schema.get("properties", {}).items():
        yield from leaves(inner, (*above, key))
    if "items" in schema:
        yield from leaves(schema["items"], (*above, 0))


def at(path: tuple[str | int, ...], value: t.Any) -> t.Any:
    """A document with the value at that path and nothing beside it."""
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    return value


def declare(definition: str, part: dict[str, t.Any]) -> str:
    """Load a declaration with ``part`` as the relay, named relay or application; its problems as they are shown."""
    relay: t.Any = (
        {"host": "h", **part}
        if definition == "relay"
        else {"default": "main", "relays": {"main": part if definition == "named_relay" else {"host": "h"}}}
    )
    apps = [{"name": "gitea", **part}] if definition == "application" else []
    try:
        resolve.load(relay, apps)
    except ProblemsError as error:
        return str(error)
    return ""


def every_path() -> list[tuple[str, tuple[str | int, ...], dict[str, t.Any]]]:
    """Definition, path and schema of everything that can be written."""
    return [(definition, path, schema) for definition in WAYS for path, schema in leaves(RELAY["$defs"][definition])]


def subschemas(node: t.Any, path: str) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Every property of a schema file, with a readable path."""
    if isinstance(node, dict):
        for name, inner in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
            yield f"{path}.{name}", inner
        for name, inner in node.get("$defs", {}).items():
            yield f"{path}/{name}", inner
        for key, inner in node.items():
            if isinstance(inner, dict):
                yield from subschemas(inner, f"{path}/{key}" if key != "properties" else path)


# -- the schemas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_by_draft_2020_12(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_has_a_title_a_description_and_an_example(name: str) -> None:
    lacking = [
        f"{path}: {word}"
        for path, schema in subschemas(SCHEMAS[name], name)
        if "$ref" not in schema
        for word in ("title", "description", "examples")
        if not schema.get(word)
    ]
    assert lacking == []


@pytest.mark.parametrize(("definition", "path", "schema"), every_path(), ids=lambda value: str(value)[:40])
def test_every_example_is_valid_where_it_stands(
    definition: str, path: tuple[str | int, ...], schema: dict[str, t.Any]
) -> None:
    validator = jsonschema.Draft202012Validator({**schema, "$defs": RELAY["$defs"]})
    assert [error.message for example in schema["examples"] for error in validator.iter_errors(example)] == []


def test_a_definitions_examples_are_valid() -> None:
    for name, schema in RELAY["$defs"].items():
        for example in schema["examples"]:
            assert validation.problems_of(example, "smtp_relay", name, "example") == []


def test_the_whole_schema_takes_a_variables_file_of_either_shape() -> None:
    validator = jsonschema.Draft202012Validator(RELAY)
    for relay in ({"host": "h"}, {"default": "a", "relays": {"a": {"host": "h"}}}):
        assert list(validator.iter_errors({"smtp_relay": relay, "smtp_relay_apps": ["gitea"], "another": 1})) == []
    assert list(validator.iter_errors({"smtp_relay": {"hst": "h"}}))
    assert list(validator.iter_errors({"smtp_relay": {"relays": {"a": {}}}}))


def test_a_relay_of_a_set_may_say_all_that_one_relay_says_and_like() -> None:
    one, named = (RELAY["$defs"][name]["properties"] for name in ("relay", "named_relay"))
    assert set(named) - {"like"} == set(one)


def test_what_an_application_may_override_is_what_the_code_overrides() -> None:
    own = {
        "name",
        "app",
        "relay",
        "form",
        "path",
        "tool",
        "object",
        "owner",
        "group",
        "mode",
        "state",
        "accept",
        "activate",
        "drift",
        "unit",
        "installed",
        "wired",
        "version",
        *app_requests.PLATFORMS,
    }
    assert set(RELAY["$defs"]["application"]["properties"]) - own == set(app_requests.OVERRIDES)


# What is refused for what else is, or is not, on the host: no entry has it.
OF_THE_HOST = {"local-mta-not-forwarding"}


def test_every_code_that_can_be_accepted_is_one_that_an_entry_can_have() -> None:
    can = set(resolved(RELAY["$defs"]["relay"]["properties"]["accept"])["items"]["enum"]) - {
        status.CODE
    }  # which a host has, not an entry
    for kind in ("gap", "rule"):
        assert can - OF_THE_HOST | {"value-not-carried"} == set(
            SCHEMAS["app"]["$defs"][kind]["properties"]["code"]["enum"]
        )
    assert set(loader.CODES.values()) <= can
    assert not can & set(refusal.NEVER_ACCEPTED)


def test_every_capability_has_a_code_a_sentence_and_a_way_out() -> None:
    assert set(loader.CODES) == set(refusal.CANNOT) == set(refusal.WAYS_OUT)
    named = set(SCHEMAS["app"]["$defs"]["form"]["properties"]["lacks"]["propertyNames"]["enum"])
    assert named == set(loader.CODES) | set(gaps.PREFERENCES) | {"description"}


def test_codes_are_lower_case_with_dashes() -> None:
    plugin_utils = ROOT / "plugins" / "plugin_utils"
    in_code = {
        code
        for path in plugin_utils.rglob("*.py")
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text("utf-8"))
    }
    in_schema = {
        str(schema["x-code"])
        for name in SCHEMAS
        for _path, schema in subschemas(SCHEMAS[name], name)
        if "x-code" in schema
    }
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in in_code | in_schema)
    assert {"missing-key", "wrong-type", "same-file", "entry-invalid"} <= in_code


def test_a_code_of_the_schema_has_one_meaning() -> None:
    meanings: dict[str, set[str]] = {}
    for _path, schema in subschemas(RELAY, ""):
        if "x-code" in schema and ("x-what" in schema or "x-noun" in schema):
            meanings.setdefault(schema["x-code"], set()).add(schema.get("x-noun") or schema["x-what"])
    allowed = {
        "out-of-range": 2,
        "not-a-name": 2,
    }  # a number of seconds or of megabytes; the name of something or of an application
    assert {code: len(found) for code, found in meanings.items() if len(found) > allowed.get(code, 1)} == {}


def test_the_published_copies_are_the_schemas(tmp_path: pathlib.Path) -> None:
    spec = importlib.util.spec_from_file_location("schemas_tool", ROOT / "tools" / "schemas.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.stale() == []
    (tmp_path / "old.json").write_text("{}")
    assert tool.stale(tmp_path) == ["app.schema.json", "old.json", "smtp_relay.schema.json"]
    tool.write(tmp_path)
    assert tool.stale(tmp_path) == [] and not (tmp_path / "old.json").exists()


# -- at every path --------------------------------------------------------------------------------

CONTROLS = [*map(chr, (*range(0x00, 0x20), 0x7F, *range(0x80, 0xA0))), "\u2028", "\u2029", "\ud800"]
STRINGS = [
    (definition, path, schema) for definition, path, schema in every_path() if "string" in schema.get("type", ())
]


def test_there_are_strings_to_try() -> None:
    assert len(STRINGS) > 60


@pytest.mark.parametrize(
    ("definition", "path", "schema"),
    STRINGS,
    ids=[f"{definition}-{'.'.join(map(str, path))}" for definition, path, _schema in STRINGS],
)
def test_no_string_takes_a_control_character_anywhere_in_it(
    definition: str, path: tuple[str | int, ...], schema: dict[str, t.Any]
) -> None:
    example = next(example for example in schema["examples"] if isinstance(example, str))
    for char, place in itertools.product(CONTROLS, ("{0}{1}", "{1}{0}", "{1}{0}{1}")):
        written = place.format(char, example)
        said = declare(definition, at(path, written))
        assert said, f"{char!r} is let through in {place}"
        assert char == "\n" or char not in said, f"{char!r} is repeated"


@pytest.mark.parametrize(
    ("definition", "path", "schema"),
    every_path(),
    ids=[f"{definition}-{'.'.join(map(str, path))}" for definition, path, _schema in every_path()],
)
def test_neither_a_secret_nor_what_stands_under_an_unknown_key_is_ever_shown(
    definition: str, path: tuple[str | int, ...], schema: dict[str, t.Any]
) -> None:
    for value in (CANARY + "\n", [CANARY], {CANARY[:7]: CANARY}, {"password": CANARY, "x": [CANARY]}, 7):
        if schema.get("x-secret"):
            assert CANARY not in declare(definition, at(path, value))
    for wrong in ("pasword", "zzz", "a" * 80):
        part = copy.deepcopy(at(path, {wrong: CANARY, "x": [CANARY + "\n"]}))
        assert CANARY not in declare(definition, part)
        assert CANARY not in declare(definition, {wrong: at(path, CANARY + "\n")})


def test_a_number_where_a_secret_belongs_is_not_shown() -> None:
    assert "8675309" not in declare("relay", {"username": "u", "password": 8675309})


# -- without the library --------------------------------------------------------------------------

BLOCKED = """
import importlib.abc, sys
sys.path.insert(0, {collections!r})
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jsonschema":
            raise ImportError(name)
sys.meta_path.insert(0, Without())
from ansible_collections.smarthost.mail.plugins.plugin_utils import problems
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
try:
    resolve.load({{"host": "h"}}, [])
except problems.ProblemsError as error:
    print(error)
"""


def test_a_missing_jsonschema_is_one_line_that_says_what_to_install() -> None:
    program = BLOCKED.format(collections=str(ROOT / ".venv" / "collections"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == (
        "The Python library jsonschema (4.0 or newer) is missing on the controller.   [missing-library]\n"
        "    Install it for the Python that runs Ansible: python3 -m pip install 'jsonschema>=4'\n"
    )


def test_schemas_are_plain_json_with_an_indent_of_two() -> None:
    for name, schema in SCHEMAS.items():
        assert (validation.SCHEMAS / f"{name}.schema.json").read_text("utf-8") == json.dumps(schema, indent=2) + "\n"
