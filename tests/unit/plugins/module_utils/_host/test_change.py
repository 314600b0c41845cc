# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What travels between the halves has one definition: what the controller sends is what the host reads, and what Ansible checks and documents."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.change import OPTIONS, Change
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.fields import DamagedError
from ansible_collections.smarthost.mail.plugins.modules import smtp_deploy

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

COMMAND = {
    "tool": ["occ"],
    "read": ["config:list"],
    "write": ["config:import"],
    "keys": [["system", "mail"]],
    "secrets": [],
    "masked": "***",
}
SEALED = {"seal_key", "content", "facts"}


def test_every_field_is_an_option_or_travels_sealed() -> None:
    assert {field.name for field in dataclasses.fields(Change)} == {*OPTIONS, *SEALED}
    assert t.cast(t.Any, smtp_deploy.ARGUMENTS)["changes"]["options"] is OPTIONS


def test_what_ansible_checks_is_what_is_documented() -> None:
    documented = yaml.safe_load(smtp_deploy.DOCUMENTATION)["options"]["changes"]["suboptions"]
    assert {
        name: {key: value for key, value in about.items() if key != "description"} for name, about in documented.items()
    } == {name: {key: value for key, value in spec.items() if key != "no_log"} for name, spec in OPTIONS.items()}


@pytest.mark.parametrize(
    "change",
    [
        Change("wiki", "/a"),
        Change("wiki", "/a", "restore"),
        Change(
            "wiki",
            "/a",
            owner="git",
            group="0",
            mode="0640",
            secret=True,
            shared=True,
            based_on="absent",
            release=True,
            drift="adopt",
        ),
        Change("wiki", "/a", readers=("group:git", "user:1000")),
        Change("chat", "occ", command=COMMAND),
    ],
)
def test_what_is_sent_is_what_is_read(change: Change) -> None:
    assert Change.from_option(json.loads(json.dumps(change.to_option()))) == change
    filled = {
        **dict.fromkeys(OPTIONS),
        **change.to_option(),
    }  # as Ansible hands it over: what was left out is null, or its default
    assert Change.from_option(filled) == change


@pytest.mark.parametrize(
    "value",
    [
        3,
        None,
        [],
        {},
        {"app": "wiki"},
        {"app": "wiki", "path": 3},
        {"app": "wiki", "path": "/a", "action": "remove"},
        {"app": "wiki", "path": "/a", "mode": 640},
        {"app": "wiki", "path": "/a", "readers": "git"},
        {"app": "wiki", "path": "/a", "content": "x"},
        {"app": "wiki", "path": "/a", "command": {}},
        {"app": "wiki", "path": "/a", "command": {**COMMAND, "tool": []}},
        {"app": "wiki", "path": "/a", "command": {**COMMAND, "shell": True}},
        {"app": "wiki", "path": "/a", "command": {**COMMAND, "token": "/t"}},
    ],
)
def test_what_is_none_is_refused_with_its_place(host: Host, value: t.Any) -> None:
    with pytest.raises(DamagedError):
        Change.from_option(value)
    answer = run(DeployCall("present", str(host.state_dir), changes=(value,)))
    assert codes(answer) == ["bad-option"] and answer["problems"][0]["where"] == "changes[0]"
    assert not host.state_dir.exists()
