# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose projects are given new containers, and told apart from those that need none; with a stand-in for docker and podman.

What the stand-in answers is what their documentation says they do; neither of them is started here.
"""

from __future__ import annotations

import os
import pathlib
import sys
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import activation, compose
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import safe_command

#: A container of each service in the folder "running", made when its file was last changed.
DOCKER = f"""#!{sys.executable}
import datetime, json, os, sys
words = sys.argv[1:]
with open("calls", "a") as calls:
    calls.write(" ".join([os.path.basename(sys.argv[0]), *words]) + chr(10))
if os.path.exists("broken"):
    sys.exit("no configuration file provided: not found")
services = [word for word in words if os.path.exists("running/" + word)]
if "ps" in words:
    print(*services, sep=chr(10))
elif "inspect" in words:
    for name in services:
        made = datetime.datetime.fromtimestamp(os.stat("running/" + name).st_mtime, datetime.timezone(datetime.timedelta(hours=2)))
        print(json.dumps(made.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789+02:00"))
elif "up" in words:
    for name in services:
        os.utime("running/" + name)
"""


class Site(t.NamedTuple):
    """A project's folder, and what docker or podman was asked to do in it."""

    folder: pathlib.Path

    def item(self, *services: str, app: str = "wiki", since: t.Optional[float] = None, **more: t.Any) -> Activation:
        return Activation(
            app,
            compose={"folder": str(self.folder), "services": services, **more},
            since=since,
            only_if_stale=since is not None,
        )

    def activate(self, *items: Activation, check: bool = False) -> t.Any:
        answer = activation.activate(items, check, 20, str(self.folder))
        return (
            [(item["activated"], item["reason"]) for item in answer["activations"]]
            if "problems" not in answer
            else answer["problems"]
        )

    def calls(self) -> t.List[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if " up " in line]


@pytest.fixture
def site(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    (tmp_path / "bin").mkdir()
    (tmp_path / "project" / "running").mkdir(parents=True)
    for name in ("docker", "podman"):
        program = tmp_path / "bin" / name
        program.write_text(DOCKER)
        program.chmod(0o755)
    for name in ("web", "worker"):
        (tmp_path / "project" / "running" / name).touch()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Site(tmp_path / "project")


def test_services_get_new_containers_once_and_what_they_depend_on_is_left_alone(site: Site) -> None:
    items = (site.item("web", "worker"), site.item("web", "worker", app="shop"))
    assert site.activate(*items, check=True) == [(True, ""), (True, "together with wiki")] and site.calls() == []
    assert site.activate(*items) == [(True, ""), (True, "together with wiki")]
    assert site.calls() == ["docker compose up --detach --no-deps --force-recreate web worker"]


def test_the_files_of_a_project_and_podman_are_taken_as_they_are_given(site: Site) -> None:
    assert site.activate(site.item("web", files=["a.yml", "/etc/b c.yml"], program="podman")) == [(True, "")]
    assert site.calls() == [
        "podman compose --file a.yml --file /etc/b c.yml up --detach --no-deps --force-recreate web"
    ]


def test_containers_that_were_made_before_their_settings_are_made_anew_though_no_file_changed(site: Site) -> None:
    written = time.time() - 60
    os.utime(site.folder / "running" / "worker", (written - 1, written - 1))
    assert site.activate(site.item("web", "worker", since=written)) == [(True, "")]
    for path in (site.folder / "running").iterdir():
        os.utime(path, (written + 1, written + 1))
    (site.folder / "activated.json").unlink()
    assert site.activate(site.item("web", "worker", since=written)) == [
        (False, "its process is younger than its settings")
    ]
    assert len(site.calls()) == 1


def test_what_is_not_there_or_does_not_run_is_told_and_no_failure(site: Site) -> None:
    assert site.activate(site.item("other")) == [
        (False, "no container of other is running; it reads its settings when it is made")
    ]
    gone = Activation("wiki", compose={"folder": "/nowhere/at all", "services": ["web"]})
    assert site.activate(gone) == [(False, "there is no folder /nowhere/at all on this host")]


def test_what_compose_complains_about_is_passed_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.folder / "broken").touch()
    (problem,) = site.activate(site.item("web"))
    assert (problem["what"], problem["hint"], problem["code"]) == (
        "Could not be activated: docker compose ps web ended with status 1.",
        "no configuration file provided: not found",
        "activation-failed",
    )
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(safe_command, "PATH", ())
    (problem,) = site.activate(site.item("web"))
    assert problem["what"] == "Cannot be activated: there is no program docker."


@pytest.mark.parametrize(
    "written, known",
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.5Z", 10.5),
        ("1970-01-01T02:00:10.123456789+02:00", 10.123456789),
        ("2 days ago", 0.0),
        ("0001-01-01", 0.0),
    ],
)
def test_a_time_is_read_as_docker_or_podman_writes_it(written: str, known: float) -> None:
    assert compose.seconds(written) == known
