# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dialects against files that nobody thought of: any text in, and the same text with our keys comes out, or a refusal."""

from __future__ import annotations

import configparser
import importlib
import json
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import can_share, dialect, dialect_names
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import CannotCarry, NotValid
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import merge_guard
from catalogue.hostile import HOSTILE
from fuzz.effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INI = (
    "[m]",
    "[x]",
    "  [x]",
    "[m] ; note",
    "a = 1",
    "  a = 2",
    " b: 3",
    "b = `x\ny`",
    "c = \\",
    "d = d\\ ",
    "# c",
    "; x",
    "",
    "   ",
    "a=",
    "\ta = 1",
    "  more",
    "[m",
    "DEFAULT",
    "[DEFAULT]",
    'a = """',
    "x = `",
    '"a" = 1',
    "=",
    "a = b # c `",
    "\td: x",
    "    [deep]",
    "e = %(a)s",
)
ENV = (
    "A=1",
    "A=",
    "A = 1",
    "B='x'",
    "B='x",
    'B="a',
    'b"',
    "export A=2",
    "# A=1",
    "",
    "  ",
    "A",
    "A==1",
    "B==2",
    'C="\\""',
    "X=a b",
    "X=$A",
    'X="$(a)"',
    "A=1 # c",
    "A='x' # y",
    "A 1",
    "B",
    "A 1#x",
    " A=1",
    "\tB = 2",
    "  cont",
    "c \\",
    "\\",
    "A = x\\",
    "D = $myhostname",
    'E="a\\\\"',
)
YAML = (
    "m:",
    "m: {}",
    "m: ~ # x",
    "  a: 1",
    "  b: |",
    "    text",
    "   a: 1",
    "x: !s y",
    "y: &z 1",
    "w: *z",
    "- a",
    "---",
    "...",
    "<<: *z",
    "  <<: *z",
    "m: &z",
    "  a: &q 1",
    "k: *q",
    "  b: >-",
    "",
    "# c",
    "  # c",
    "? [a, b]",
    ": c",
    "k: =",
    "k: 2001-99-99",
    "  c:",
    "    d: 1",
    "'m': 1",
    "m: 'x",
    "  y'",
    "m: *z",
    "  a:",
    "  a: [1,",
    "2]",
    "    deep",
    '"m":',
    '  b: "x',
    "m:  ",
    "  b: !t",
    "%YAML 1.1",
    "  a: |+",
    "  - b",
    "x: <%= 1 %>",
)
JSON = (
    "{",
    "}",
    '{"m":',
    '"a"',
    ":",
    ",",
    "1",
    "null",
    "[",
    "]",
    '"m"',
    "{}",
    "true",
    '"b"',
    "-1e5",
    " ",
    "\n",
    '"x\\n"',
    '"m":{"a":1}',
    "00",
    "NaN",
    "{\n",
    '"m": {"a": "old", "z": [1]}',
    '{"m": null}',
    "9" * 4400,
)
LINES = {"goini": INI, "grafana_ini": INI, "rawconfigparser": INI, "yaml": YAML, "erb_yaml": YAML, "json": JSON}
SHARED = sorted(name for name in dialect_names() if can_share(name))
SECRETS = st.one_of(
    st.sampled_from(sorted(HOSTILE.values())),
    st.text(max_size=8),
    st.sampled_from(["=1", "==1", "1", "\\", "a\\", "'", "x\n[m]"]),
)
MANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


def files(name: str) -> st.SearchStrategy[str]:
    """Files as users have them, files of pieces that mean something, and any text."""
    pieces = st.lists(st.sampled_from(LINES.get(name, ENV)), max_size=10)
    joint = "" if name == "json" else "\n"
    composed = st.builds(
        lambda lines, end, mark, crlf: mark + (joint.join(lines) + end).replace("\n", "\r\n" if crlf else "\n"),
        pieces,
        st.sampled_from(["", "\n", "\n\n"]),
        st.sampled_from(["", "", "", "\ufeff"]),
        st.booleans(),
    )
    texts: list[st.SearchStrategy[str]] = [composed, composed, st.text(max_size=60)]
    if name == "json":
        values: t.Any = st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["m", "a", "b", "z", '"']), inner),
            max_leaves=8,
        )
        texts.append(
            st.builds(
                json.dumps,
                st.dictionaries(st.sampled_from(["m", "n", "a"]), values),
                indent=st.sampled_from([None, 0, 2]),
            )
        )
    if name in ("yaml", "erb_yaml"):
        keys = st.sampled_from(["m", "n", "a", "b", "yes", "1", "a: b"])
        values = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
            max_leaves=8,
        )
        texts.append(
            st.builds(
                yaml.safe_dump,
                st.dictionaries(keys, values),
                default_flow_style=st.just(False),
                indent=st.sampled_from([2, 4]),
            )
        )
    return st.one_of(texts)


def trees(name: str) -> st.SearchStrategy[t.Any]:
    """Some of our settings."""
    keys = st.sampled_from(["a", "b", "c"] if name in LINES else ["A", "B", "C"])
    flat = st.dictionaries(keys, SECRETS, min_size=1)
    return flat.map(lambda values: {"m": values}) if name in LINES else flat


def owns(name: str) -> list[list[str]]:
    """All of our settings."""
    return [["m", key] for key in "abc"] if name in LINES else [[key] for key in "ABC"]


@pytest.mark.parametrize("name", SHARED)
def test_a_file_keeps_all_that_is_not_ours_or_is_left_alone(name: str) -> None:
    @settings(MANY, max_examples=examples(60))
    @given(files(name), trees(name), trees(name))
    def run(text: str, first: t.Any, second: t.Any) -> None:
        try:
            merged = merge_guard.merge(name, text, first, owns(name))
        except (NotValid, CannotCarry, merge_guard.Harm) as error:
            assert not any(
                secret in str(error)
                for values in [first.get("m", first)]
                for secret in values.values()
                if len(secret) > 6
            )
            return
        assert merge_guard.remove(name, merged, owns(name), text) == text
        assert _others(name, merged) == _others(name, text)
        try:
            again = merge_guard.merge(name, merged, second, owns(name))
        except CannotCarry:
            return
        assert merge_guard.remove(name, again, owns(name), text) == text
        assert _others(name, again) == _others(name, text)

    run()


def _others(name: str, text: str) -> t.Any:
    """What a reader that shares no code with the dialect finds beside our settings; nothing where there is no such reader."""
    if name == "rawconfigparser":
        return {
            key: value
            for key, value in _configparser(text).items()
            if not (key[0] == "m" and key[1] in ("a", "b", "c"))
        }
    if name == "json":
        tree = json.loads(text, parse_int=str) if text.strip() else {}
        ours = tree.pop("m", None)
        return tree, {key: value for key, value in (ours or {}).items() if key not in "abc"}
    return None


def _configparser(text: str) -> dict[tuple[str, str], str]:
    parser = configparser.RawConfigParser(strict=False, default_section="nowhere at all")
    parser.read_string(text.removeprefix("\ufeff"))
    return {(section, key): value for section in parser.sections() for key, value in parser[section].items()}


@settings(MANY, max_examples=examples(300))
@given(files("rawconfigparser"))
def test_an_ini_file_is_read_as_python_reads_it(text: str) -> None:
    try:
        wanted = _configparser(text.replace("\r\n", "\n"))
    except configparser.Error:
        wanted = None
    try:
        read = dialect("rawconfigparser").read(text)
    except NotValid:
        assert wanted is None or "\r" in text.replace("\r\n", "\n")
        return
    assert {(section, key): value for section, keys in read.items() for key, value in keys.items()} == wanted


@pytest.mark.parametrize("name", sorted(dialect_names()))
def test_any_text_is_read_or_refused(name: str) -> None:
    @settings(MANY, max_examples=examples(80))
    @given(files(name))
    def run(text: str) -> None:
        try:
            dialect(name).read(text)
        except NotValid as error:
            assert error.why

    run()


@pytest.mark.parametrize("piece", ["x ", "- ", "\\\n", "-", "(", "[", "{", "not ", '{"a":', "A = (", "A = -"])
@pytest.mark.parametrize("name", sorted(dialect_names()))
def test_a_text_nested_without_end_is_read_or_refused(name: str, piece: str) -> None:
    for start in ("", "A = "):
        try:
            dialect(name).read(start + piece * 5000)
        except NotValid as error:
            assert error.why


def test_every_reader_is_tried() -> None:
    assert {"rawconfigparser", "json"} < set(SHARED) and len(SHARED) >= 12
    assert importlib.util.find_spec("hypothesis") is not None
