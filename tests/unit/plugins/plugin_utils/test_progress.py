# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of a run: what each event of Ansible means for hosts done, failed, left, rate and time left."""

from __future__ import annotations

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import progress
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.progress import (
    BACK,
    DONE,
    FAILED,
    UNREACHABLE,
    Play,
)

STEPS = ("smtp_config", "smtp_probe")


def begun(*hosts: str, batches: int = 1) -> Play:
    play = Play(hosts, STEPS, batches, 100.0)
    play.begin(hosts if batches == 1 else hosts[:2], {})
    return play


def test_a_host_is_done_with_its_last_step_and_half_done_with_half_of_them() -> None:
    play = begun("a", "b", "c", "d")
    play.at("smtp_config")
    play.took("a", "smtp_config")
    play.skipped("b", "smtp_config")
    assert (play.work, play.named(DONE), play.left) == (1.0, [], 4)
    assert play.line(110.0) == "0/4 hosts done, 0 failed, 4 left, 6.0 hosts/min, 0:30 to go (settings 2/4)"
    play.at("smtp_probe")
    play.took("b", "smtp_probe")
    assert (play.work, play.named(DONE), play.left) == (1.5, ["b"], 3)
    assert play.line(100.5) == "1/4 hosts done, 0 failed, 3 left (probe 1/4)", "no pace is told from half a second"
    play.end()
    assert play.named(DONE) == ["a", "b", "c", "d"] and play.line(102.0).endswith("0 left, 2.0 hosts/s (probe 1/4)")


def test_a_step_is_at_its_end_when_every_host_of_the_batch_has_come_back() -> None:
    play = begun("a", "b", "c", "d", batches=2)
    play.at("smtp_config")
    play.took("a", "smtp_config")
    assert not play.everywhere
    play.skipped("b", "smtp_config")
    assert play.everywhere


def test_trouble_is_kept_and_unreachable_or_taken_back_says_more_than_failed() -> None:
    play = begun("a", "b", "c", "d")
    play.lost("a", UNREACHABLE)
    play.lost("a", FAILED)
    play.lost("b", FAILED)
    play.lost("b", BACK)
    play.took("b", "smtp_config")
    play.took("b", "smtp_probe")
    play.lost("c", FAILED)
    assert [play.named(how) for how in (DONE, FAILED, UNREACHABLE, BACK)] == [[], ["c"], ["a"], ["b"]]
    assert play.line(100.0) == "0/4 hosts done, 1 failed, 1 unreachable, 1 taken back, 1 left"


def test_where_one_of_a_batch_is_in_trouble_the_others_are_done_only_with_every_step() -> None:
    play = begun("a", "b", "c", "d", batches=2)
    play.lost("a", FAILED)
    play.took("b", "smtp_config")
    play.begin(["c", "d"], {})
    assert play.line(100.0, "play 3/4") == "0/4 hosts done, 1 failed, 3 left (play 3/4, batch 2/2)"
    play.end()
    assert (play.named(DONE), play.left) == (["c", "d"], 1)


def test_who_was_in_trouble_in_an_earlier_play_is_out_until_a_step_of_this_one() -> None:
    play = Play(["a", "b", "c"], STEPS, 1, 0.0)
    play.begin(["a", "b", "c"], {"a": FAILED, "b": UNREACHABLE, "elsewhere": FAILED})
    play.skipped("b", "smtp_config")
    assert (play.named(FAILED), play.named(UNREACHABLE), play.left) == (["a"], ["b"], 1)
    play.took("a", "smtp_config")
    assert (play.named(FAILED), play.left) == ([], 2)


def test_steps_of_others_are_not_counted() -> None:
    play = begun("a")
    play.at("debug")
    play.took("a", "debug")
    assert play.work == 0 and play.line(100.0) == "0/1 hosts done, 0 failed, 1 left"


@pytest.mark.parametrize("seconds, shown", [(0.4, "0:00"), (41, "0:41"), (3723, "1:02:03")])
def test_a_time_is_short(seconds: float, shown: str) -> None:
    assert progress.clock(seconds) == shown


def test_reasons_are_names_and_codes_and_never_a_sentence() -> None:
    login = {
        "name": "main",
        "ok": False,
        "category": "auth_failed",
        "diagnosis": "a sentence",
        "reply": {"code": 535, "enhanced": "5.7.8", "text": "no"},
    }
    problem = {"where": "smtp_relay.hots", "code": "unknown-key", "what": "a sentence"}
    app = {"name": "gitea", "login": {"ok": False, "category": "connect_timeout", "code": 0, "enhanced": ""}}
    assert progress.reasons({"relays": [login, {"name": "other", "ok": True}], "msg": "a sentence"}) == [
        "main: auth_failed 535 5.7.8"
    ]
    assert progress.reasons({"apps": [app, {"name": "wiki", "login": {}}]}) == ["gitea: connect_timeout"]
    assert progress.reasons({"problems": [problem, problem, {"code": "a sentence"}]}) == [
        "smtp_relay.hots: unknown-key",
        "this host: ",
    ]
    assert progress.reasons({"category": "dns_failure", "reply": {}}) == ["dns_failure"]
    assert progress.reasons({"msg": "a sentence", "relays": "odd"}) == []
