# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation over several hosts and a real relay."""

from __future__ import annotations

from rotation.fleet import NEW, OLD, Fleet, every


def test_a_rotation_reaches_every_host_and_the_old_bytes_are_removed(fleet: Fleet) -> None:
    assert fleet.users() == every(OLD)
    done = fleet.run("rotate")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Rotation complete: 4" in done.stdout
    assert fleet.users() == every(NEW) and fleet.send() == every(NEW)
    assert set(fleet.kept().values()) == {0}
