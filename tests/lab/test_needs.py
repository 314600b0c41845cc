# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab says everything that it lacks, at once and before it touches anything."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from lab import needs
from lab.places import RUN

FOLDER = pathlib.Path(__file__).parent


def test_a_user_who_is_not_root_is_told_so() -> None:
    done = subprocess.run(
        ["unshare", "--user", sys.executable, str(FOLDER), "--name", "nobodys", "up", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode, "needs root" in done.stdout, (RUN / "nobodys").exists()) == (1, True, False)


def test_missing_packages_are_named_all_at_once(tmp_path: pathlib.Path) -> None:
    with pytest.raises(needs.Missing) as raised:
        needs.check(path=str(tmp_path))
    assert (
        "dovecot-core iproute2 msmtp openssh-client openssh-server openssl postfix procps sudo systemd-container util-linux"
        in str(raised.value)
    )


def test_what_the_lab_looks_for_is_what_its_package_list_installs() -> None:
    listed = {
        line
        for line in (FOLDER / "packages.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    assert set(needs.PROGRAMS.values()) <= listed
