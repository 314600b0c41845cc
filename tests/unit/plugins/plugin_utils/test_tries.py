# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host tries a login first: real processes, as hosts are, over one folder."""

from __future__ import annotations

import multiprocessing
import pathlib
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.proof import (
    PASSED,
    REFUSED,
    TEMPORARY,
    verdict,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.tries import FIRST_TRIES, Tries, logs_in

LOGIN: t.Dict[str, t.Any] = {
    "name": "main",
    "host": "h",
    "port": 465,
    "username": "u",
    "password": "hunter2 and more",
    "level": "auth",
}
REFUSES = {
    "ok": False,
    "category": "auth_failed",
    "stage": "auth",
    "reply": {"code": 535, "enhanced": "5.7.8", "text": "no"},
    "diagnosis": "no",
}
WORKS = {"ok": True, "category": "ok", "auth": {"used": "PLAIN"}}
IS_DOWN = {"ok": False, "category": "connect_refused", "stage": "connect", "reply": {}}


def host(
    folder: str, name: str, result: t.Dict[str, t.Any], found: "multiprocessing.Queue[t.Tuple[str, bool]]"
) -> None:
    """One host: tries where it may, and says whether it did."""
    with Tries(folder, name) as tries:
        (refused,) = tries.ask([LOGIN])
        if refused is None:
            time.sleep(0.1)
            tries.tell([LOGIN], [result])
        found.put((name, refused is None))


def fleet(folder: pathlib.Path, result: t.Dict[str, t.Any], hosts: int = 8) -> t.List[bool]:
    """Which of so many hosts at once have tried."""
    found: "multiprocessing.Queue[t.Tuple[str, bool]]" = multiprocessing.Queue()
    running = [
        multiprocessing.Process(target=host, args=(str(folder), f"web{number}", result, found))
        for number in range(hosts)
    ]
    for process in running:
        process.start()
    tried = [found.get(timeout=60)[1] for _process in running]
    for process in running:
        process.join(60)
    return tried


def test_a_login_that_is_refused_to_one_host_is_tried_by_no_other(tmp_path: pathlib.Path) -> None:
    assert sum(fleet(tmp_path, REFUSES)) == 1
    with Tries(str(tmp_path), "late") as tries:
        (known,) = tries.ask([LOGIN])
        assert known is not None and known["reply"]["code"] == 535 and known["host"].startswith("web")
        assert tries.ask([{**LOGIN, "password": "another one"}]) == [None], "another credential is another login"


@pytest.mark.parametrize("result", [WORKS, IS_DOWN])
def test_all_hosts_try_a_login_that_works_or_of_which_nothing_is_known(
    result: t.Dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    assert all(fleet(tmp_path, result))


def test_a_relay_that_is_down_does_not_keep_the_others_waiting_for_long(tmp_path: pathlib.Path) -> None:
    for number in range(FIRST_TRIES):
        with Tries(str(tmp_path), f"web{number}") as tries:
            tries.ask([LOGIN])
            tries.tell([LOGIN], [IS_DOWN])
    with Tries(str(tmp_path), "a") as one, Tries(str(tmp_path), "b") as other:
        assert one.ask([LOGIN]) == other.ask([LOGIN]) == [None], "both at the same time"


def test_one_host_tries_a_login_once_where_it_has_several_probes_with_it(tmp_path: pathlib.Path) -> None:
    probes = [LOGIN, {**LOGIN, "helo": "other"}, {"name": "queue", "host": "127.0.0.1", "level": "envelope"}]
    with Tries(str(tmp_path), "web1") as tries:
        assert tries.in_turn(probes) == [[0, 2], [1]]


def test_what_is_kept_holds_no_secret_in_name_or_content(tmp_path: pathlib.Path) -> None:
    with Tries(str(tmp_path), "web1") as tries:
        tries.ask([LOGIN])
        tries.tell([LOGIN], [REFUSES])
    for path in tmp_path.iterdir():
        assert b"hunter2" not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_only_what_logs_in_waits() -> None:
    assert logs_in(LOGIN) and not logs_in({**LOGIN, "level": "tls"}) and not logs_in({"host": "h", "level": "envelope"})


@pytest.mark.parametrize(
    "category, code, stage, word",
    [
        ("ok", 250, "", PASSED),
        ("auth_failed", 535, "auth", REFUSED),
        ("auth_failed", 401, "auth", REFUSED),
        ("auth_temporary", 454, "auth", TEMPORARY),
        ("sender_rejected", 550, "mail", REFUSED),
        ("sender_rejected", 451, "mail", TEMPORARY),
        ("starttls_not_offered", None, "starttls", REFUSED),
        ("starttls_refused", 454, "starttls", TEMPORARY),
        ("cert_expired", None, "tls", REFUSED),
        ("dns_failure", None, "resolve", TEMPORARY),
        ("connect_timeout", None, "connect", TEMPORARY),
        ("token_wrong_scope", 403, "token", REFUSED),
        ("recipient_rejected", 550, "rcpt", TEMPORARY),
        ("tls_handshake_closed", None, "tls", TEMPORARY),
        ("greeting_rejected", 554, "greeting", TEMPORARY),
    ],
)
def test_only_a_definite_refusal_of_tls_login_or_sender_is_one(
    category: str, code: t.Any, stage: str, word: str
) -> None:
    assert verdict({"ok": category == "ok", "category": category, "reply": {"code": code}, "stage": stage}) == word
