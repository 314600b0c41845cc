# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the controller, too, nothing reaches a terminal, a result or a report that a terminal obeys or that cannot be seen."""

from __future__ import annotations

import json
import typing as t
import unicodedata

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import Problem, ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import shown
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import gather
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.exports import as_json, as_junit
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.model import Report, Run
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.page import page

EVIL = "a\x1b[31mb\u202ec\u200bd\u2028e\ufefff\U000e0041g\u2066h\x07i\u0600j\U000e0101"


def unseen(text: str) -> set[str]:
    return {
        char
        for char in text
        if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") or 0xE0000 <= ord(char) < 0xE1000
    } - {"\n", "\t"}


@pytest.mark.parametrize("where", [EVIL, "x\ud800", "x\ny"])
def test_a_problem_shows_all_of_what_it_names(where: str) -> None:
    problem = Problem(where, f"It is {where}.", "some-code", f"Write {EVIL}.\nOr nothing.")
    assert (
        not unseen(str(problem))
        and not unseen(json.dumps(problem.as_dict(), ensure_ascii=False))
        and not unseen(str(ProblemsError([problem])))
    )
    assert "\n" not in problem.as_dict()["where"] and problem.as_dict()["hint"].endswith(".\nOr nothing.")


@pytest.mark.parametrize(
    "given",
    [
        {"host": "smtp.example.com", "port": 465, EVIL: 1},
        {"host": EVIL},
        {"default": "a", "relays": {EVIL: {"host": "x"}}},
        {"host": "a.example", "security": EVIL},
        {"host": "smtp.example.com", "port": 465, "from": EVIL},
        {"host": "smtp.example.com", "port": 465, "message": {EVIL: EVIL}},
    ],
)
def test_keys_and_values_of_a_declaration_are_shown_as_they_are(given: dict[str, t.Any]) -> None:
    with pytest.raises(ProblemsError) as raised:
        resolve.load(given, [{"name": EVIL, EVIL: 2}, EVIL])
    assert not unseen(str(raised.value)) and raised.value.problems


def test_what_people_read_of_a_result_can_be_seen_and_the_rest_stays() -> None:
    result = {
        "msg": EVIL + "\n",
        "diff": [{"before": "\tx\n" + EVIL, "after_header": EVIL}],
        "problems": [{"where": EVIL}],
        "warnings": [EVIL],
        "path": EVIL,
    }
    made = shown(result)
    assert (
        not unseen(json.dumps({**made, "path": ""}, ensure_ascii=False))
        and made["path"] == EVIL
        and made["diff"][0]["before"].startswith("\tx\n")
    )


def test_no_part_of_a_report_holds_what_cannot_be_seen() -> None:
    app: dict[str, t.Any] = dict.fromkeys(
        ("name", "app", "title", "relay", "security", "credential_id", "form", "test"), EVIL
    )
    relay: dict[str, t.Any] = dict.fromkeys(
        ("name", "host", "security", "category", "level_reached", "diagnosis", "confirmed_by"), EVIL
    )
    steps = [{"name": EVIL, "ok": True, "ms": float("inf"), "code": float("nan"), "text": EVIL}]
    relay.update(
        steps=steps,
        reply={"text": EVIL, "code": 10**400},
        tls={"subject": EVIL, "names": [EVIL]},
        remedies=[EVIL],
        port="25",
    )
    failure = {"task": EVIL, "msg": EVIL, "problems": [{"where": EVIL, "what": EVIL, "hint": EVIL, "code": EVIL}]}
    facts = {"apps": [{**app, "paths": [EVIL], "unexpressed": [EVIL]}], "relays": [relay], "failure": failure}
    facts["drift"] = [{"name": EVIL, "path": EVIL, "keys": [EVIL]}]
    run = Run("apply", False, "2026-11-28T00:00:00Z")
    report = Report(run, (gather.host(EVIL, facts, run, Redactor()), gather.silent(EVIL, False)))
    for text in (as_json(report), as_junit(report), page(report)):
        assert not unseen(text) and "⟨U+202E⟩" in text
