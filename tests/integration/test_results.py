# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every documented key of a result comes back, and what comes back is documented, for modules, action plugins and filters.

(That nothing undocumented comes back is looked at in every test of this suite that runs a task: see tasks.py.)
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.filter import smtp
from ansible_server.start import ansible_playbook
from integration.returned import PLUGINS, documented, every_key, keys, wrong
from integration.tasks import FILTERS

_SPEC = importlib.util.spec_from_file_location("demo_relay", PLUGINS.parent / "demo" / "relay.py")
assert _SPEC and _SPEC.loader
demo_relay = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(demo_relay)

Tasks = t.List[t.Tuple[str, t.Dict[str, t.Any]]]
PASSWORD = "a password"
# Documented for cases that take more than this machine: each has its own tests, all of which look for undocumented keys.
ELSEWHERE = {
    "smtp_config": {"generations.damaged"},
    "smtp_activate": {"problems", "activations.stale"},
    "smtp_probe": {"problems"},
    "smtp_deploy": {"problems", "drift", "applications", "generations.damaged"},
}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[t.Dict[str, t.Any]]:
    with demo_relay.EmbeddedRelay(tmp_path_factory.mktemp("relay") / "pki", "apps", PASSWORD) as running:
        yield {
            "host": "localhost",
            "port": running.tls_port,
            "security": "tls",
            "ca_path": str(running.ca),
            "username": "apps",
            "password": PASSWORD,
            "from": "noreply@example.com",
            "accept": ["no-ca-path"],
        }


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, relay: t.Dict[str, t.Any]
) -> t.Dict[str, t.List[t.Dict[str, t.Any]]]:
    """Results by module, of one run of everything that each can do."""
    folder = tmp_path_factory.mktemp("results")
    app: t.Dict[str, t.Any] = {"name": "gitea", "path": str(folder / "mailer.env"), "installed": True, "wired": True}
    plain = {key: value for key, value in app.items() if key in ("name", "path")}
    state = {"state_dir": str(folder / "state")}
    probe = {key: relay[key] for key in ("host", "port", "security", "ca_path", "username", "password", "from")}
    config = {"relay": relay, "apps": [plain], **state}
    activation = {"app": "gitea", "command": ["/bin/true"], "how": "restart"}
    tasks: Tasks = [
        ("smtp_config", {**config, "state": "planned"}),
        ("smtp_config", config),
        ("smtp_config", {"state": "query", **state}),
        ("smtp_verify", {**config, "fail": False}),
        ("smtp_verify", {"relay": {"host": "a b"}, "apps": [plain]}),
        ("smtp_config", {**config, "probe": "first"}),
        ("smtp_config", {**config, "state": "probed"}),
        ("smtp_verify", {**config, "whole": True, "fail": False}),
        ("smtp_report", {"scope": "host"}),
        ("smtp_config", {"state": "rolled_back", **state}),
        ("smtp_config", {"state": "committed", **state}),
        ("smtp_config", {**config, "dest": str(folder / "out")}),
        ("smtp_config", {"relay": {"host": "a b"}}),
        ("smtp_deploy", {"state": "query", "read": [{"path": str(folder / "none")}], "seal_key": "0" * 64, **state}),
        ("smtp_probe", probe),
        ("smtp_probe", {**probe, "password": "wrong"}),
        ("smtp_probe", {"relays": [probe]}),
        ("smtp_activate", {"activations": [activation], **state}),
        ("smtp_report", {"dest": str(folder / "report")}),
        ("smtp_config", {"state": "removed", **state}),
        ("smtp_config", {"state": "purged", **state}),
        ("smtp_deploy", {"state": "purged", **state}),
    ]
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                step
                for number, (module, options) in enumerate(tasks)
                for step in (
                    {f"smarthost.mail.{module}": options, "register": "found", "ignore_errors": True},
                    {
                        "ansible.builtin.debug": {"msg": "{{ found | to_json | kept_at(kept) }}"},
                        "vars": {"kept": str(folder / f"{number}.json")},
                        "no_log": True,
                    },
                )
            ],
        }
    ]
    (folder / "play.json").write_text(json.dumps(play))
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"site": variables}}}))
    done = subprocess.run(
        [ansible_playbook(), "-i", str(folder / "inventory.json"), str(folder / "play.json")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FILTER_PLUGINS": FILTERS},
    )
    found: t.Dict[str, t.List[t.Dict[str, t.Any]]] = {}
    for number, (module, _options) in enumerate(tasks):
        assert (folder / f"{number}.json").exists(), done.stdout[-3000:]
        found.setdefault(module, []).append(json.loads((folder / f"{number}.json").read_text()))
    return found


MODULES = ["smtp_activate", "smtp_config", "smtp_deploy", "smtp_probe", "smtp_report", "smtp_verify"]


@pytest.mark.parametrize("module", MODULES)
def test_what_comes_back_is_documented(module: str, results: t.Dict[str, t.List[t.Dict[str, t.Any]]]) -> None:
    assert (
        "\n".join(sorted({problem for result in results[module] for problem in wrong(result, documented(module))}))
        == ""
    )


@pytest.mark.parametrize("module", MODULES)
def test_what_is_documented_comes_back(module: str, results: t.Dict[str, t.List[t.Dict[str, t.Any]]]) -> None:
    about = documented(module)
    came = {key for result in results[module] for key in keys(result, about)}
    sometimes = {
        key
        for key in every_key(about)
        if about[key.partition(".")[0]].get("returned") in ("when it is so", "with O(detect)")
    }
    empty = {
        f"{key}.{inner}"
        for key, item in about.items()
        for inner in item.get("contains") or {}
        if not any(result.get(key) for result in results[module])
    }
    assert every_key(about) - came - sometimes - empty - ELSEWHERE.get(module, set()) == set()


RELAY = {"host": "smtp.example.com", "username": "u", "password": "p", "from": "a@example.com"}


@pytest.mark.parametrize("name", sorted(smtp.FilterModule().filters()))
def test_filters_return_what_they_document(name: str) -> None:
    about = yaml.safe_load((PLUGINS / "filter" / f"{name}.yml").read_text("utf-8"))["RETURN"]["_value"]
    value = smtp.FilterModule().filters()[name](RELAY, *([["gitea"]] if name == "smtp_probes" else ["gitea"]))
    assert type(value).__name__ == about["type"] and value
    if about.get("elements"):
        assert {type(item).__name__ for item in value} == {about["elements"]}
