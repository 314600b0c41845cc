# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody stretches our time or memory, and no input ends in a traceback: declarations, entries, and files of a host."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.ownership import (
    OwnershipRecord,
    RecordedApp,
    UsedFile,
)
from ansible_collections.smarthost.mail.plugins.module_utils._shared import seal
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import (
    ExpressionError,
    compute,
    names_in,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue, load_entry
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, FilePlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment.changes import Deployment, HostState, Stands
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import difference as differences
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.difference import difference

KEY = seal.new_key()
RELAY = {"host": "h", "username": "u", "password": "hunter2-secret", "from": "a@example.com"}
BOMB = "a: &a [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1 or ''}, *a{n - 1 or ''}]\n" for n in range(1, 60))


def problems(relay: t.Any, apps: t.Any = ()) -> str:
    """Everything that is said about a declaration."""
    with pytest.raises(ProblemsError) as caught:
        resolve.load(relay, list(apps))
    return "\n".join(str(problem) for problem in caught.value.problems)


# -- declarations ---------------------------------------------------------------------------------


def _deep(levels: int) -> t.Any:
    value: t.Any = "x"
    for _level in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("deep", [_deep(900), _deep(100_000), [_deep(900)]])
def test_a_declaration_of_any_depth_is_a_problem_and_no_traceback(deep: t.Any) -> None:
    assert "out-of-range" in problems(deep) and "nested more than 50" in problems(deep)
    assert "out-of-range" in problems(RELAY, [deep])


def test_a_declaration_whose_aliases_explode_is_a_problem() -> None:
    assert "more than 1000000 values" in problems(yaml.safe_load(BOMB.replace("a59", "relays")))
    circle: dict[str, t.Any] = {"host": "h"}
    circle["relays"] = circle
    assert "nested more than" in problems(circle)


def test_a_number_of_any_length_is_a_problem() -> None:
    assert "smtp_relay.port: a whole number is expected here, not text" in problems({"host": "h", "port": 16**5000})
    assert problems({"host": "h", 16**5000: 1}) and problems({"host": 16**5000})


@pytest.mark.parametrize(
    "relay",
    [
        {"host": "h", "password": "p", "username": "u", "next": {"\x1b[31mid": "x", "password": "p2"}},
        {"host": "h", "\x1b[31mkey\u202e": "x"},
        {"default": "main", "relays": {"\x1b[31mmain": {"host": "h"}}},
        {"default": "\x1b[31m", "relays": {"main": {"host": "h"}}},
    ],
)
def test_what_cannot_be_seen_reaches_no_message(relay: t.Any) -> None:
    said = problems(relay)
    assert "\x1b" not in said and "\u202e" not in said


SECRET = "Sup3r-Secret/Value"


@pytest.mark.parametrize(
    "relay",
    [
        {"default": SECRET, "relays": {"main": {**RELAY, "password": SECRET}}},
        {"default": "main", "relays": {"main": {**RELAY, "password": SECRET}, "b": {"like": SECRET}}},
        {"default": "main", "relays": {"main": {**RELAY, "password": SECRET}, SECRET: {"security": "x"}}},
        {**RELAY, "password": SECRET, "security": SECRET},
        {**RELAY, "password": SECRET, "type": SECRET},
        {**RELAY, "password": SECRET, "port": SECRET},
        {**RELAY, "password": SECRET, "from": SECRET},
        {**RELAY, "password": SECRET, "host": f"x {SECRET} y"},
        {**RELAY, "password": SECRET, SECRET: 1},
        {**RELAY, "password": SECRET, "type": "local_mta", "via": SECRET},
        {**RELAY, "password": SECRET, "auth_mechanisms": [SECRET]},
        {**RELAY, "password": SECRET * 8, "security": SECRET * 8},
        {**RELAY, "next": {"id": SECRET, "password": SECRET}, "security": SECRET},
    ],
)
def test_a_secret_where_a_name_belongs_is_not_repeated(relay: t.Any) -> None:
    apps = (
        [{"name": "x", "app": SECRET, "relay": SECRET, "state": SECRET}]
        if SECRET in str(relay).replace(SECRET * 8, "")
        else []
    )
    assert "Secret" not in problems(relay, apps)


def test_a_secret_of_a_letter_tears_no_message() -> None:
    said = problems({**RELAY, "password": "s", "security": "s"})
    assert "is not a security mode" in said and '"s"' not in said


def test_very_many_applications_cost_no_more_than_their_number() -> None:
    """Function calls are counted, not seconds."""
    import cProfile
    import pstats

    def calls(number: int) -> int:
        apps = [
            {"name": f"gitea{n}", "app": "gitea", "form": "env", "path": f"/srv/{n}/mail.env"} for n in range(number)
        ]
        profile = cProfile.Profile()
        profile.enable()
        deployment = Deployment(HostState(OwnershipRecord(), {}, KEY))
        relay = {**RELAY, "credential_id": "1", "secret": "file", "next": {"id": "2", "password": "p2"}}
        planned = plan.plan_host(
            resolve.load(relay, apps), CATALOGUE, in_force={f"gitea{n}": "1" for n in range(number)}
        )
        for item in planned.apps:
            assert deployment.add(item)
        deployment.arguments(KEY)
        profile.disable()
        return t.cast(int, getattr(pstats.Stats(profile), "total_calls"))

    calls(10)
    few, many = calls(60), calls(240)
    assert many < few * 8, "four times as many applications cost more than eight times as much"


CATALOGUE = Catalogue()


# -- entries --------------------------------------------------------------------------------------

ENTRY = pathlib.Path(plan.__file__).parent.parent / "apps" / "gitea" / "app.yml"


def _entry(tmp_path: pathlib.Path, **changes: t.Any) -> str:
    raw = yaml.safe_load(ENTRY.read_text("utf-8"))
    raw.pop("notes", None)
    for name in ("secret_file", "mail_off"):
        raw.pop(name, None)
    raw.update(changes)
    return _load(tmp_path, yaml.safe_dump(raw, sort_keys=False))


def _load(tmp_path: pathlib.Path, text: str) -> str:
    path = tmp_path / "gitea" / "app.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        load_entry(path)
    assert {problem.code for problem in caught.value.problems} <= {
        "entry-invalid",
        "wrong-type",
        "unknown-key",
        "missing-key",
        "out-of-range",
    }
    return "\n".join(str(problem) for problem in caught.value.problems)


HUNGRY = [
    "'a' * 10**9",
    "'a' * 1000000000",
    "1000000000 * 'a'",
    "'a'.ljust(10**9)",
    "'a'.ljust(1000000000)",
    "'%999999999d' % 1",
    "'%*d' % (999999999, 1)",
    "'%.999999999f' % 1",
    "10**10**10",
    "'a' | center(1000000000)",
    "'a' | indent(1000000000)",
    "'{:>999999999}'.format(1)",
    "['a'] | batch(9, 'x') | list",
    "'a'.zfill(1000000000)",
    "'a'.expandtabs(1000000000)",
    "range(100000) | list",
    "lipsum(n=10000)",
    "(" * 300 + "host" + ")" * 300,
    "[" * 300 + "]" * 300,
    "not " * 3000 + "host",
    "host ~ " * 2000 + "host",
    "'a' | format(1)",
    "'{:>999}' | format(1)",
    "1.5 | round(1000000000, 'ceil')",
]


@pytest.mark.parametrize("expression", HUNGRY, ids=range(len(HUNGRY)))
def test_an_entry_with_a_hungry_expression_is_refused_when_it_is_loaded(
    expression: str, tmp_path: pathlib.Path
) -> None:
    said = _entry(tmp_path, settings={"mailer": {"ENABLED": f"={expression}"}})
    assert "entry-invalid" in said and len(said) < 20_000


@pytest.mark.parametrize(
    "expression",
    [
        "username * 1000000000",
        "names * 1000000000",
        "(port * 10) * username",
        "wide % 1",
        "'x'.join(long)",
        "long | join(username)",
        "long_text.replace('a', long_text)",
        "long_text | replace('a', long_text)",
        "username | json" + " | json" * 60,
        "username | percent" + " | percent" * 900,
        "(username ~ '{:>999999999}').format(1)",
        "port * port * port * port * port * port * port * port",
    ],
)
def test_what_only_a_value_makes_large_is_stopped_where_it_happens(expression: str) -> None:
    values = {
        "username": '"\\%',
        "port": 10**6,
        "names": ["a"],
        "wide": "%999999999d",
        "long": ["a"] * 10_000,
        "long_text": "a" * 100_000,
    }
    values["long"] = ["a" * 1000] * 10_000 if "join" in expression else values["long"]
    with pytest.raises(ExpressionError) as caught:
        compute(expression, values)
    assert len(str(caught.value)) < 500


def test_no_message_repeats_a_long_expression() -> None:
    with pytest.raises(ExpressionError) as caught:
        names_in("x" * 100_000)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("key", ["A\nB", "A\rB", "A=B", "", " A", "#A", "A\x1b[31m", "A\x00"])
def test_keys_of_an_entry_are_read_as_they_are_written(key: str, tmp_path: pathlib.Path) -> None:
    forms = {"env": {"dialect": "docker_env", "path": "/etc/x.env"}}
    said = _entry(tmp_path, forms=forms, settings={key: "=host"})
    assert "entry-invalid" in said and "\x1b" not in said


@pytest.mark.parametrize(
    "pattern",
    [
        "{section:>999999999}",
        "{section!r}",
        "{section!s}_{key}",
        "{key:{section}}",
        "{0}",
        "{section",
        "{section.__class__}",
    ],
)
def test_a_pattern_of_an_entry_names_and_does_nothing_else(pattern: str, tmp_path: pathlib.Path) -> None:
    assert "entry-invalid" in _entry(
        tmp_path, forms={"env": {"dialect": "docker_env", "path": "/etc/x.env", "flatten": pattern}}
    )


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "settings: *a59\n",
        "a: &a\n  b: *a\n",
        "[" * 900 + "]" * 900,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 500)),
        "x" * 300_000,
        "- a\n",
        "",
        "title: x\nforms: 2001-99-99\n",
        "? [a]\n: b\n",
        "k: !!python/object:os.system x\n",
        "title: &t [*t]\n",
        "null\n",
        "title: " + "9" * 5000 + "\n",
    ],
)
def test_an_entry_that_is_any_yaml_is_refused_with_a_code(text: str, tmp_path: pathlib.Path) -> None:
    assert len(_load(tmp_path, text)) < 5_000


# -- files of a host ------------------------------------------------------------------------------


def _file(name: str, owns: t.Sequence[t.Tuple[str, ...]], tree: t.Any = None, shared: bool = True) -> FilePlan:
    item = plan.plan_host(resolve.load(RELAY, [{"name": "gitea", "form": "env"}]), CATALOGUE).apps[0].files[0]
    return item._replace(
        path="/etc/x", dialect=name, shared=shared, tree=tree or {}, owns=tuple(owns), secrets=frozenset()
    )


def test_a_diff_of_a_hostile_file_is_short_and_can_be_seen() -> None:
    hostile = {
        "yaml": BOMB + "smtp: *a59\n",
        "json": '{"smtp": "' + "x" * 100_000 + '"}',
        "docker_env": "".join(f"A{n}=x\n" for n in range(5000)),
        "goini": "[smtp]\nhost = \x1b[31m\u202e\n",
    }
    for name, text in hostile.items():
        file = _file(name, [("smtp",)] if name != "goini" else [("smtp", "host")], shared=name != "docker_env")
        shown = difference(file, text, None)["before"]
        assert len(shown) < 60_000 and "\x1b" not in shown and "\u202e" not in shown
        assert name != "docker_env" or "(4000 more settings)" in shown
        assert name != "json" or re.search(r"\.\.\. \([0-9]+ more characters\)", shown)
    assert differences.MOST == 1000


def test_a_deep_file_of_our_own_is_shown_without_end_of_our_stack() -> None:
    text = '{"a": ' + '{"a":' * 300 + "1" + "}" * 300 + "}"
    assert "(not shown)" in difference(_file("json", [], shared=False), text, None)["before"]


def _plan(name: str, tree: t.Any, owns: t.Sequence[t.Tuple[str, ...]]) -> AppPlan:
    found = plan.plan_host(resolve.load(RELAY, [{"name": "gitea", "form": "env"}]), CATALOGUE).apps[0]
    return found._replace(files=(_file(name, owns, tree),))


def _host(
    content: str, original: t.Optional[str], dialect: str, owns: t.Sequence[t.Tuple[str, ...]], path: str = "/etc/x"
) -> HostState:
    sealed = seal.seal(KEY, seal.read_label(path), content.encode())
    before = None if original is None else seal.seal(KEY, seal.original_label(path), original.encode())
    record = RecordedApp("gitea", "x", "default", "", {}, (UsedFile(path, dialect, True, tuple(owns), None, False),))
    return HostState(OwnershipRecord(apps={"gitea": record}), {path: Stands(sealed, before, "f" * 8)}, KEY)


OWNS = [("smtp", "host"), ("smtp", "user")]


@pytest.mark.parametrize("content", ['{"smtp": {"host": "h"}}', '{"smtp": {"host": "h"}, "z": 1}', "", " \n"])
@pytest.mark.parametrize("original", [None, "", '{"z": 1}'])
def test_a_shared_json_file_is_left_in_peace_when_the_application_goes(content: str, original: t.Optional[str]) -> None:
    deployment = Deployment(_host(content, original, "json", OWNS))
    deployment.take_back("gitea")
    assert (deployment.problems, deployment.removed) == ([], ["gitea"])


@pytest.mark.parametrize("content", ["{", "[]", "nonsense", '{"smtp": 5}'])
def test_a_file_that_cannot_be_read_is_the_trouble_of_its_application_alone(content: str) -> None:
    deployment = Deployment(_host(content, None, "json", OWNS))
    assert not deployment.add(_plan("json", {"smtp": {"host": "h"}}, OWNS))
    assert [problem.code for problem in deployment.problems] == ["file-not-valid"] and "/etc/x" in str(
        deployment.problems[0]
    )
    assert (deployment.changes, deployment.texts, deployment.facts, deployment.apps) == ([], {}, {}, {})


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("hunter2"),
        ValueError("hunter2"),
        KeyError("hunter2"),
        AssertionError("hunter2"),
        MemoryError("hunter2"),
    ],
)
def test_whatever_a_dialect_raises_is_a_problem_that_names_the_file_and_shows_nothing_of_it(error: Exception) -> None:
    found = render.not_valid("smtp_relay_apps[0] (x)", "/etc/x", "goini", error)
    assert (found.code, "hunter2" in str(found), "/etc/x" in str(found)) == ("file-not-valid", False, True)


def test_an_application_whose_old_file_cannot_be_freed_keeps_its_record() -> None:
    deployment = Deployment(_host("[broken\n", None, "goini", OWNS, "/etc/old"))
    assert not deployment.add(_plan("goini", {"smtp": {"host": "h"}}, OWNS))
    assert (deployment.changes, deployment.apps) == ([], {})
