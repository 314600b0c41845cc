# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An old credential is proven dead by a login that the relay refuses, and by nothing else."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import DeclaredCredential
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.resolve import load
from ansible_collections.smarthost.mail.plugins.plugin_utils.rotation.revocation import Old, verdict
from rotation.fleet import NEW, PASSWORDS, Fleet

# A credential that was in force once: its id is in no host's record any more.
RETIRED = {"username": NEW, "password": PASSWORDS[NEW], "id": "2026-05"}


def check(fleet: Fleet, fails: bool = True, rotating: bool = False) -> str:
    """What the playbook says."""
    done = fleet.run("revoke_check", rotating=rotating)
    assert (done.returncode != 0) == fails, done.stdout[-4000:]
    assert [secret for secret in PASSWORDS.values() if secret in done.stdout] == []
    return done.stdout


def test_a_credential_that_still_logs_in_is_a_loud_failure_and_one_that_is_refused_is_dead(fleet: Fleet) -> None:
    fleet.variables["web1"]["smtp_relay_revoked"] = RETIRED
    said = check(fleet)
    assert "NOT REVOKED: the old credential still logs in" in said and "(235 2.7.0)" in said, (
        "the code of the login, not that of QUIT"
    )
    before = fleet.relay.log().count("authentication failed")
    fleet.relay.revoke(NEW)
    assert "Revoked: the old credential is refused as a login" in check(fleet, fails=False)
    assert fleet.relay.log().count("authentication failed") == before + 1, "exactly one login"


def test_no_answer_is_no_proof(fleet: Fleet) -> None:
    fleet.variables["web1"]["smtp_relay_revoked"] = RETIRED
    fleet.declared.update(port=1, timeout=2)
    said = check(fleet)
    assert "UNKNOWN" in said and "-e smtp_relay_revoked_from=HOST" in said


def test_a_record_without_an_id_may_be_of_the_old_credential(fleet: Fleet) -> None:
    first = Fleet(fleet.folder, fleet.relay)
    del first.declared["credential_id"]
    assert first.run("apply", rotating=False).returncode == 0
    said = check(fleet, rotating=True)
    assert (
        "web1, web2, web3: gitea, msmtp: the old credential may be in force here: the host's record has no id" in said
        and "[still-in-force]" in said
    )


def test_while_a_host_has_it_in_force_no_login_is_tried(fleet: Fleet) -> None:
    before = fleet.relay.log().count("sasl_username")
    said = check(fleet, rotating=True)
    assert "web1, web2, web3: gitea, msmtp: the old credential is in force here" in said and "[still-in-force]" in said
    assert fleet.relay.log().count("sasl_username") == before


def test_a_record_that_only_root_may_read_names_become(fleet: Fleet) -> None:
    state = fleet.folder / "web1/state"
    owner = state.stat().st_uid
    os.chown(state, 65534, -1)
    try:
        said = check(fleet, rotating=True)
    finally:
        os.chown(state, owner, -1)
    assert (
        "The state folder belongs to another user." in said
        and "Use become (-b)" in said
        and "when the host is back" not in said
    )


def _probed(code: int, enhanced: str, category: str, stage: str = "auth") -> t.Dict[str, t.Any]:
    return {"ok": category == "ok", "category": category, "stage": stage, "reply": {"code": code, "enhanced": enhanced}}


@pytest.mark.parametrize(
    "login, nonsense, word",
    [
        (_probed(535, "5.7.8", "auth_failed"), None, "revoked"),
        (_probed(535, "", "auth_failed"), None, "revoked"),
        (_probed(550, "5.7.8", "auth_failed"), None, "revoked"),
        (_probed(535, "5.7.139", "auth_basic_disabled"), None, "unknown"),
        (_probed(454, "4.7.0", "auth_temporary"), None, "unknown"),
        (_probed(421, "4.7.0", "rate_limited", "greeting"), None, "unknown"),
        (_probed(0, "", "connect_timeout", "connect"), None, "unknown"),
        (_probed(235, "2.7.0", "ok"), _probed(535, "5.7.8", "auth_failed"), "not_revoked"),
        (_probed(235, "2.7.0", "ok"), _probed(235, "2.7.0", "ok"), "open"),
    ],
)
def test_only_a_login_refused_for_good_is_revoked(login: t.Any, nonsense: t.Any, word: str) -> None:
    relay = load({"host": "smtp.example.com"}, []).relays["default"]
    assert verdict(Old(relay, DeclaredCredential("", "apps", Secret("x")), None), login, nonsense).word == word
