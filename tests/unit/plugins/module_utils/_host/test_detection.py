# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is seen of applications on a host, in which version, and whether they read our file; nothing of it is ever an error."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence import detection, packages
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence.wiring import Wiring
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import container_list, units
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import safe_command

INSPECTED = pathlib.Path(__file__).with_name("inspected.json")
NO_ENGINE = "there is neither docker nor podman on this host"


@pytest.fixture(autouse=True)
def host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A host with nothing on it, below a folder of the test's: no units, no packages, no program but those in /bin of it."""
    monkeypatch.setattr(units, "FOLDERS", tuple(str(tmp_path) + folder for folder in units.FOLDERS))
    monkeypatch.setattr(packages, "DPKG", str(tmp_path / "status"))
    monkeypatch.setattr(packages, "APK", str(tmp_path / "apk"))
    (tmp_path / "bin").mkdir(mode=0o755)
    monkeypatch.setattr(safe_command, "PATH", (str(tmp_path / "bin"),))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def write(path: pathlib.Path, text: str, mode: int = 0o644) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def seen(**option: t.Any) -> dict[str, t.Any]:
    [answer] = detection.detect([{"app": "x", **option}]).values()
    return answer


def test_nothing_of_it_is_there(host: pathlib.Path) -> None:
    looked = {"units": ["a"], "packages": ["a"], "commands": ["a"], "places": [str(host / "no")], "images": ["a/b"]}
    nothing: dict[str, t.Any] = {"seen": [], "unseen": [], "version": None, "version_why": "", "wiring": {}}
    assert seen(**looked, required=True) == {**nothing, "missing": True}
    assert seen(**looked, required=False) == {**nothing, "missing": False}
    assert detection.detect([]) == {}


def test_each_kind_of_evidence_is_named(host: pathlib.Path) -> None:
    write(host / "lib/systemd/system/gitea.service", "[Service]\nExecStart=/bin/true\n")
    write(host / "status", "Package: gitea\nStatus: install ok installed\nVersion: 1.22.3-1\n")
    write(host / "bin/gitea", "#!/bin/sh\n", 0o755)
    answer = seen(
        units=["gitea", "other"],
        packages=["gitea", "other"],
        commands=["gitea", "other"],
        places=[str(host / "bin"), "/no"],
        required=True,
    )
    assert (
        answer["seen"] == ["unit gitea.service", "package gitea", "command gitea", str(host / "bin")]
        and answer["missing"] is False
    )


def test_a_drop_in_needs_its_unit_whatever_else_is_there(host: pathlib.Path) -> None:
    write(host / "lib/systemd/system/gitea.service", "[Service]\nExecStart=/bin/true\n")
    write(host / "bin/gitea", "#!/bin/sh\n", 0o755)
    for unit, missing in (("gitea.service", False), ("gitae.service", True)):
        assert seen(units=[unit], commands=["gitea"], required=True, required_unit=unit)["missing"] is missing


def test_a_database_that_cannot_be_read_makes_nothing_missing(
    host: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(host / "bin/rpm", "#!/bin/sh\nexec /bin/sleep 60\n", 0o755)
    monkeypatch.setattr(detection, "_COMMAND_SECONDS", 0.2)
    answer = seen(packages=["a"], required=True)
    assert answer["missing"] is False and "the package database could not be read" in answer["unseen"][0]


VERSION_PHP = "<?php\n$OC_Version = array(29,0,4,1);\n$OC_VersionString = '29.0.4';\n"


def test_the_version_comes_from_a_database_then_a_file_then_a_command(host: pathlib.Path) -> None:
    find = "OC_VersionString = '([0-9.]+)'"
    version: dict[str, t.Any] = {
        "run": [str(write(host / "bin/nc", f'#!/bin/sh\necho "$0 {find.replace("([0-9.]+)", "3.0")}"\n', 0o755))],
        "find": find,
    }
    assert seen(version=version)["version"] == "3.0"
    version["file"] = str(write(host / "version.php", VERSION_PHP))
    assert seen(version=version)["version"] == "29.0.4"
    write(host / "status", "Package: nextcloud\nStatus: install ok installed\nVersion: 1:28.0.1+dfsg-1\n")
    assert seen(version={**version, "package": ["other", "nextcloud"]})["version"] == "28.0.1"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("version 1.22.3 built with", "1.22.3"),
        ("version 1.2-rc1", "1.2-rc1"),
        ("version \x1b[31m", None),
        ("version " + "9" * 100, None),
        ("nothing", None),
        ("version " + "a" * 5000, None),
        ("version ../../etc", None),
    ],
)
def test_only_what_looks_like_a_version_is_one(host: pathlib.Path, said: str, version: str | None) -> None:
    place = write(host / "VERSION", said)
    assert seen(version={"file": str(place), "find": "version ([^ ]+)"})["version"] == version


def test_a_version_file_that_is_a_pipe_or_a_flood_is_none(host: pathlib.Path) -> None:
    os.mkfifo(host / "pipe")
    assert seen(version={"file": str(host / "pipe"), "find": "(.+)"})["version"] is None
    assert seen(version={"file": "/dev/zero", "find": "(.+)"})["version"] is None
    place = write(host / "long", "a" * (1 << 20))
    assert seen(version={"file": str(place), "find": "([0-9a-z]+)$"})["version"] is None, (
        "a line is cut before it is searched"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_a_command_that_others_can_change_is_not_run_as_root(host: pathlib.Path) -> None:
    told = host / "told"
    path = write(host / "bin/gitea", f"#!/bin/sh\necho run as $(/usr/bin/id -u) >> {told}\necho version 1.2\n", 0o755)
    version = {"run": ["gitea"], "find": "version ([0-9.]+)"}
    assert (seen(version=version)["version"], told.read_text()) == ("1.2", "run as 0\n")
    path.chmod(0o757)
    answer = seen(version=version, commands=["gitea"])
    assert answer["seen"] == ["command gitea"] and answer["version"] is None
    assert answer["version_why"] == f"its version is not known: gitea is not started: others than root can write {path}"
    assert told.read_text() == "run as 0\n"


# -- wiring ---------------------------------------------------------------------------------------


def wired(**ways: t.Any) -> dict[str, t.Any]:
    return {way: verdict["seen"] for way, verdict in seen(wiring=ways)["wiring"].items()}


def test_a_units_environment_file(host: pathlib.Path) -> None:
    assert wired(path="/m", unit="gitea") == {"unit": None}
    write(host / "lib/systemd/system/gitea.service", "[Service]\nExecStart=/bin/true --config /etc/a.ini\n")
    assert wired(path="/m", unit="gitea") == {"unit": False}
    assert wired(path="/etc/a.ini", argument="gitea") == {"argument": True} and wired(path="/m", argument="gitea") == {
        "argument": None
    }
    assert wired(path="/srv/a.ini", argument="gitea") == {"argument": False}, "it names another file of that name"
    assert wired(path="/m", argument="other") == {"argument": None}
    more = {f"{host}/etc/systemd/system/gitea.service.d/smarthost-mail.conf": "[Service]\nEnvironmentFile=/m\n"}
    assert wired(path="/m", unit="gitea", more=more) == {"unit": True}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("from_file '/m'\n", True),
        ("  from_file   '/m'   \n", True),
        ("# from_file '/m'\n", False),
        ("//from_file '/m'\n", False),
        ("from_file '/other'\n", False),
        ("", False),
        ('require_once( "/m" );\n', True),
    ],
)
def test_a_line_in_another_file(host: pathlib.Path, text: str, verdict: bool) -> None:
    place = write(host / "gitlab.rb", "x = 1\n" + text)
    line = {"file": str(place), "add": "from_file '/m'", "find": "require_once\\(\\s*.\\/m"}
    assert wired(path="/m", line=line) == {"line": verdict}
    assert wired(path="/m", line={"file": "/no", "add": "x"}) == {"line": None}


def test_what_stands_beside_it(host: pathlib.Path) -> None:
    place = str(write(host / "version.php", VERSION_PHP))
    assert wired(path="/m", beside=[place]) == {"beside": True} and wired(path="/m", beside=[place, "/no"]) == {
        "beside": None
    }


# -- containers -----------------------------------------------------------------------------------


def engine(host: pathlib.Path, program: str = "docker", inspect: str | None = None) -> None:
    """A stand-in that answers as docker does: what it prints for `inspect` is kept beside this file."""
    inspect = inspect or f"cat {INSPECTED}"
    text = "#!/bin/sh\nPATH=/usr/bin:/bin\ncase \"$*\" in\n  'ps --quiet --no-trunc') echo one; echo two ;;\n"
    text += f"  'container inspect one two') {inspect} ;;\n"
    write(host / "bin" / program, text + '  *) echo unexpected: "$*" >&2; exit 9 ;;\nesac\n', 0o755)


def test_a_container_that_has_the_values_reads_the_file(host: pathlib.Path) -> None:
    place = write(host / "mailer.env", "# ours\nGITEA__mailer__ENABLED=true\nGITEA__mailer__PASSWD=p=w d\n")
    ways = {"path": str(place), "container": True}
    assert seen(images=["gitea/gitea"], wiring=ways)["wiring"] == {"container": {"seen": None, "why": NO_ENGINE}}
    engine(host)
    answer = seen(images=["gitea/gitea", "grafana/grafana"], wiring=ways)
    assert answer["seen"] == ["a container of gitea/gitea"] and answer["wiring"]["container"]["seen"] is True
    write(place, "GITEA__mailer__ENABLED=true\nGITEA__mailer__PASSWD=another\n")
    assert wired(**ways) == {"container": None}, "made with other values"
    place.unlink()
    assert wired(**ways) == {"container": None}, "a file that is not there is read by nobody"


def test_nothing_of_what_inspect_prints_is_answered(host: pathlib.Path) -> None:
    engine(host)
    place = write(host / "mailer.env", "GITEA__mailer__ENABLED=true\n")
    answer = json.dumps(
        detection.detect([{"app": "x", "images": ["gitea/gitea"], "wiring": {"path": str(place), "container": True}}])
    )
    assert not [word for word in ("p=w d", "hunter2", "DB_PASSWD", "sha256") if word in answer]


def test_a_compose_project_is_known_by_its_labels(host: pathlib.Path) -> None:
    engine(host, "podman")
    place = write(host / "mailer.env", "GITEA__mailer__ENABLED=true\n")
    ways = {"path": str(place), "container": True}
    answer = seen(compose={"folder": "/srv/gitea/", "services": ["server"]}, wiring=ways)
    assert answer["seen"] == ["a container in /srv/gitea/"] and answer["wiring"]["container"]["seen"] is True
    other = seen(compose={"folder": "/srv/gitea", "services": ["db"]}, wiring=ways)
    assert other["wiring"]["container"]["seen"] is None, "the variables of another service are not its own"
    assert wired(path="/srv/gitea/mail.yml", compose_file=True) == {"compose_file": True}
    assert wired(path="/srv/gitea/other.yml", compose_file=True) == {"compose_file": None}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("    env_file: mail.env\n", True),
        ("    env_file: [a.env, './mail.env']\n", True),
        ('    env_file:\n      - "PLACE"  # ours\n', True),
        ("    env_file:\n      - path: PLACE\n        required: true\n", True),
        ("    # env_file: mail.env\n", None),
        ("    env_file: other.env\n", None),
        ("    volumes:\n      - ./mail.env:/mail.env\n", None),
        ("", None),
    ],
)
def test_a_project_whose_compose_file_names_it_reads_it_when_its_container_is_made(
    host: pathlib.Path, text: str, verdict: bool | None
) -> None:
    folder = host / "project"
    place = folder / "mail.env"
    write(folder / "compose.yml", "services:\n  web:\n    image: x\n" + text.replace("PLACE", str(place)))
    assert wired(path=str(place), container=True, project={"folder": str(folder), "files": []}) == {
        "container": verdict
    }


def test_a_container_that_was_made_before_its_compose_file_named_the_file_does_not_read_it(host: pathlib.Path) -> None:
    engine(host)
    folder = host / "project"
    place = write(folder / "mail.env", "GITEA__mailer__ENABLED=true\nGITEA__mailer__NEW=1\n")
    write(folder / "compose.yml", "services:\n  server:\n    image: x\n    env_file: mail.env\n")
    ways = {"path": str(place), "container": True, "project": {"folder": str(folder), "files": []}}
    found = seen(images=["gitea/gitea"], wiring=ways)["wiring"]["container"]
    assert (found["seen"], found["remedy"]) == (False, "Create the container again.")
    write(place, "GITEA__mailer__ENABLED='true'\n")
    assert wired(**ways) == {"container": True}, "Compose takes off the quotation marks"
    assert wired(path=str(place), container=True, project={"folder": str(folder), "files": ["other.yml"]}) == {
        "container": None
    }


@pytest.mark.parametrize(
    ("inspect", "why"),
    [
        ("echo nonsense", "no container that runs here has what stands in"),
        ("exit 1", "no container that runs here has what stands in"),
        ("echo '[[[['", "no container"),
        ('echo \'[1, {}, {"Config": {"Env": 3, "Labels": null}}]\'', "no container"),
        ("exec sleep 60", "docker did not end within"),
        ("python3 -c 'print(\"[\" * 200000)'", "no container"),
    ],
)
def test_an_engine_that_answers_nonsense_is_not_seen(
    host: pathlib.Path, inspect: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "_COMMAND_SECONDS", 0.5 if "sleep" in inspect else 10)
    engine(host, inspect=inspect)
    place = write(host / "mailer.env", "A=1\n")
    [verdict] = seen(wiring={"path": str(place), "container": True})["wiring"].values()
    assert verdict["seen"] is None and why in verdict["why"]


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("gitea/gitea:1.22.3", "gitea/gitea"),
        ("docker.io/gitea/gitea", "gitea/gitea"),
        ("docker.io/library/nextcloud:29-apache", "nextcloud"),
        ("nextcloud", "nextcloud"),
        ("localhost:5000/team/app:v1@sha256:0123", "team/app"),
        ("ghcr.io/dani-garcia/vaultwarden@sha256:ab", "dani-garcia/vaultwarden"),
        ("registry:5000/x", "x"),
    ],
)
def test_the_repository_of_an_image(image: str, repository: str) -> None:
    assert container_list.Container(image, {}, {}).repository == repository


def test_a_variable_without_a_value_in_the_file_is_compared_as_it_stands() -> None:
    assert not container_list.Container("x", {}, {"A": "1"}).has({}) and container_list.Container(
        "x", {}, {"A": "", "B": "2"}
    ).has({"A": ""})


def test_a_wiring_without_any_way_says_nothing() -> None:
    assert Wiring("/m").verdicts((), "", units.Loader()) == {}
