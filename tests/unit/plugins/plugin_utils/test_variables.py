# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A variable that is nearly called as one of the role's is told; one of somebody else's is not."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification.misspelt_variables import (
    OURS,
    PUBLIC,
    misspelt,
)

ROOT = pathlib.Path(__file__).resolve().parents[4]
ONLY_OF_PLAYBOOKS = {"smtp_relay_dest", "smtp_relay_hosts", "smtp_relay_serial"}


def test_the_public_ones_are_those_of_the_roles_documentation() -> None:
    specs = yaml.safe_load((ROOT / "roles/smtp_relay/meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]
    assert set(PUBLIC) == {name for entry in specs.values() for name in entry["options"]} | ONLY_OF_PLAYBOOKS


def test_what_our_own_tasks_leave_behind_is_no_misspelling() -> None:
    files = [*ROOT.glob("roles/smtp_relay/**/*.yml"), *ROOT.glob("playbooks/*.yml")]
    left = {
        name
        for path in files
        for name in re.findall(r"(?:register: |^ {4,8}|^)(smtp_relay_[a-z_]+)\b", path.read_text("utf-8"), re.M)
    }
    assert left and misspelt(left) == []
    assert set(OURS).isdisjoint(PUBLIC)


@pytest.mark.parametrize(
    "name, meant",
    [
        ("smtp_relay_app", "smtp_relay_apps"),
        ("smtp_relays", "smtp_relay"),
        ("smtp_realy", "smtp_relay"),
        ("smtp_relay_prob", "smtp_relay_probe"),
        ("smpt_relay_apps", "smtp_relay_apps"),
        ("smtp_relay_faill_on", "smtp_relay_fail_on"),
        ("SMTP_relay_host", "smtp_relay_hosts"),
        ("smtp_relay_probe_levels", "smtp_relay_probe_level"),
    ],
)
def test_a_close_misspelling_is_told_with_what_was_meant(name: str, meant: str) -> None:
    assert misspelt([name, "ansible_host"]) == [f'The variable {name} has no effect here. Did you mean "{meant}"?']


@pytest.mark.parametrize(
    "name",
    [
        "smtp_relay_apps_wiki",
        "__smtp_relay_app",
        "_smtp_relay_app",
        "vault_smtp_password",
        "smtp_relay_password",
        "smtp_host",
        "ansible_port",
        *PUBLIC,
    ],
)
def test_a_variable_of_somebody_elses_is_not(name: str) -> None:
    assert misspelt([name]) == []
