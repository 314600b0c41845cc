# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values between the stages cannot print a secret, and a problem reads the same everywhere."""

from __future__ import annotations

import copy
import json
import pickle
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import plain_values, resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import Mailbox
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import (
    Problem,
    ProblemsError,
    did_you_mean,
    one_of,
)

DECLARED = resolve.load(
    {
        "host": "h",
        "username": "u",
        "password": "hunter2",
        "next": {"id": "2", "password": "hunter3"},
        "oauth2": {"client_id": "c", "client_secret": "hunter4", "refresh_token": "hunter5"},
    },
    ["gitea"],
)


@pytest.mark.parametrize(
    "show", [repr, str, lambda value: f"{value}", lambda value: f"{value!r}", lambda value: f"{value} {value!r}"]
)
def test_nothing_of_a_declaration_prints_a_secret(show: t.Callable[[object], str]) -> None:
    for value in (
        DECLARED,
        DECLARED.relays,
        DECLARED.relays["default"],
        DECLARED.relays["default"].credential,
        DECLARED.relays["default"].oauth2,
        Secret("hunter2"),
    ):
        assert "hunter" not in show(value)
        assert "hunter" not in show({"in": [value]})


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, json.dumps])
def test_a_secret_is_not_written_out_by_a_library(write: t.Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        write(Secret("hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_secret_is_given_back_when_asked_for() -> None:
    assert Secret("hunter2").reveal() == "hunter2"
    assert (Secret("a") == Secret("a"), Secret("a") == "a", len({Secret("a"), Secret("a")})) == (True, False, 1)


@pytest.mark.parametrize(
    ("box", "text"),
    [
        (Mailbox("a@example.com"), "a@example.com"),
        (Mailbox("a@example.com", "Ann"), "Ann <a@example.com>"),
        (Mailbox("a@example.com", "Ann, B."), '"Ann, B." <a@example.com>'),
        (Mailbox("a@example.com", 'Ann "B" C'), '"Ann \\"B\\" C" <a@example.com>'),
        (Mailbox("a@example.com", "Ännchen"), "Ännchen <a@example.com>"),
    ],
)
def test_a_mailbox_is_quoted_where_rfc_5322_demands_it(box: Mailbox, text: str) -> None:
    assert (box.mailbox, box.local, box.domain) == (text, "a", "example.com")


def test_a_problem_is_one_line_and_its_hint_below() -> None:
    problem = Problem("a.b", "this is wrong.", "some-code", "Write that.\nOr that.")
    assert str(problem) == "a.b: this is wrong.   [some-code]\n    Write that.\n    Or that."
    assert str(Problem("", "This is wrong.", "some-code")) == "This is wrong.   [some-code]"
    assert problem.as_dict() == {
        "where": "a.b",
        "what": "this is wrong.",
        "hint": "Write that.\nOr that.",
        "code": "some-code",
    }


def test_problems_are_shown_all_at_once() -> None:
    error = ProblemsError([Problem("a", "one.", "x"), Problem("b", "two.", "y")])
    assert str(error) == "a: one.   [x]\nb: two.   [y]"


def test_a_word_far_from_all_is_met_with_no_guess() -> None:
    assert (did_you_mean("startls", ["starttls", "tls"]), did_you_mean("zzz", ["starttls"]), one_of(["a", "b"])) == (
        ' Did you mean "starttls"?',
        "",
        "One of: a, b.",
    )


class Tagged(str):
    """Text of a subclass, as ansible-core tags it."""


def test_tagged_text_and_numbers_become_plain_ones() -> None:
    class Number(int):
        """A number of a subclass."""

    plain = plain_values.plain({Tagged("a"): [Tagged("b"), Number(5), (Tagged("c"), None, True, 1.5)]})
    assert plain == {"a": ["b", 5, ["c", None, True, 1.5]]}
    kinds = [type(value) for value in (next(iter(plain)), plain["a"][0], plain["a"][1], plain["a"][2][0])]
    assert kinds == [str, str, int, str]
