# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package databases: which packages are installed, in which version of their program."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence import packages
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import safe_command

DPKG = """\
Package: postfix
Status: install ok installed
Priority: optional
Architecture: amd64
Version: 3.7.11-0+deb12u1
Description: High-performance mail transport agent
 Package: exim4-base

Package: nullmailer
Status: deinstall ok config-files
Version: 1:2.2-3

Package: zabbix-server-pgsql
Status: install ok installed
Version: 1:7.0.5-1+debian12
"""
APK = "C:Q1abc=\nP:postfix\nV:3.9.1-r0\nA:x86_64\n\nC:Q1def=\nP:gitea\nV:1.22.3-r2\nA:x86_64\n\n"


@pytest.fixture(autouse=True)
def no_database(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No database but what a test makes."""
    monkeypatch.setattr(packages, "DPKG", str(tmp_path / "status"))
    monkeypatch.setattr(packages, "APK", str(tmp_path / "installed"))


def test_dpkg(tmp_path: pathlib.Path) -> None:
    (tmp_path / "status").write_text(DPKG)
    found = packages.installed(
        ["postfix", "exim4-base", "nullmailer", "zabbix-server-pgsql", "absent", "not a name"], 5
    )
    assert found == ({"postfix": "3.7.11", "zabbix-server-pgsql": "7.0.5"}, ""), (
        "in a description, and removed, is not installed"
    )


def test_apk(tmp_path: pathlib.Path) -> None:
    (tmp_path / "installed").write_text(APK)
    assert packages.installed(["postfix", "gitea", "absent"], 5) == ({"postfix": "3.9.1", "gitea": "1.22.3"}, "")


def test_rpm_is_asked_once_for_all(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that prints what rpm 4.18 does for one package that is installed and one that is not."""
    program = tmp_path / "rpm"
    program.write_text("#!/bin/sh\nprintf 'package absent is not installed\\ngrafana\\t10.4.2\\n'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(safe_command, "find", lambda name: str(program))
    assert packages.installed(["grafana", "absent"], 5) == ({"grafana": "10.4.2"}, "")
    program.write_text("#!/bin/sh\necho 'error: cannot open Packages database' >&2\nexit 1\n")
    assert packages.installed(["grafana"], 5) == (
        {},
        "the package database could not be read: rpm does not answer for each name",
    )
    program.write_text("#!/bin/sh\nsleep 20\n")
    assert packages.installed(["grafana"], 0.2) == (
        {},
        "the package database could not be read: rpm did not end within 0.2 seconds",
    )


def test_a_host_without_any_database_has_no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_command, "find", lambda name: None)
    assert packages.installed(["postfix"], 5) == ({}, "") == packages.installed([], 5)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this host's own database, where it has one")
def test_this_hosts_own_database_is_read_as_dpkg_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "DPKG", "/var/lib/dpkg/status")
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    names = {line.split()[1] for line in listed.splitlines() if line.startswith("installed ")}
    assert set(packages.installed(names, 5)[0]) == names


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("2:1.4.6+dfsg-1~bpo12", "1.4.6"),
        ("16.7.0-ce.0", "16.7.0"),
        ("1.23.0~rc1", "1.23.0"),
        ("3.9.1-r0", "3.9.1"),
        ("20240101", "20240101"),
        ("none", ""),
    ],
)
def test_the_version_of_the_program_alone(full: str, short: str) -> None:
    assert packages.upstream(full) == short
