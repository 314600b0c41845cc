# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose process 1 is systemd: the same lab, for whoever activates units."""

from __future__ import annotations

import os
import typing as t

import pytest

from lab import laboratory
from lab.faults import broken
from lab.laboratory import Lab
from lab.processes import Process


@pytest.fixture
def lab() -> t.Iterator[Lab]:
    """A lab of one such host."""
    started = laboratory.up(1, "systemd-%d" % os.getpid(), owner=Process.of(os.getpid()), systemd=True)
    yield started
    started.down()


def test_systemd_starts_the_services_restarts_them_and_reports_one_that_does_not_start(lab: Lab) -> None:
    host = lab.hosts[0]
    assert host.run("systemctl", "is-system-running", "--wait").stdout == "running\n"
    main = host.run("systemctl", "show", "--property=MainPID", "notifier").stdout
    host.run("systemctl", "restart", "notifier")
    assert host.run("systemctl", "show", "--property=MainPID", "notifier").stdout != main
    host.run("systemctl", "reload", "postfix")
    with broken(lab, "no-restart", "h001", "postfix"):
        assert host.run("systemctl", "reload", "postfix", check=False).returncode != 0
        assert host.run("systemctl", "restart", "postfix", check=False).returncode != 0
        assert host.run("systemctl", "is-active", "postfix", check=False).stdout == "failed\n"
    host.run("systemctl", "restart", "postfix")
    assert host.run("systemctl", "is-active", "postfix").stdout == "active\n"
