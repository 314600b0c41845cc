# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state folder goes when nothing is ours any more, and takes nothing along that is not ours."""

from __future__ import annotations

import typing as t

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

APPS = {"apps": {"wiki": {"relay": "main"}}}


def test_nothing_is_removed_while_something_is_recorded(host: Host) -> None:
    host.deploy({"app.env": "A=1\n"}, record=APPS)
    before = host.notes()
    for check in (True, False):
        answer = host.deploy(state="purged", check=check)
        assert codes(answer) == ["still-recorded"] and "wiki" in answer["msg"] and host.notes() == before


def test_everything_of_ours_goes_once_nothing_is_recorded_and_a_second_time_there_is_nothing_to_do(host: Host) -> None:
    host.put("app.env", "mine\n")
    host.deploy({"app.env": "A=1\n"}, record=APPS)
    host.deploy(None, host.change("app.env", "restore"), record={"remove": ["wiki"]})
    (host.state_dir / "receipts").mkdir()
    (host.state_dir / "receipts" / "1.json").write_text("{}")
    (host.state_dir / "activated.json").write_text("{}")
    assert host.deploy(state="purged", check=True)["changed"] and host.state_dir.is_dir()
    answer = host.deploy(state="purged")
    assert (answer["changed"], answer["left"], host.state_dir.exists()) == (True, [], False)
    assert (host.root / "app.env").read_text() == "mine\n"
    assert not host.deploy(state="purged")["changed"]


def test_what_somebody_else_has_put_there_stays_and_is_named(host: Host) -> None:
    host.deploy({"app.env": "A=1\n"}, record=APPS)
    host.deploy(None, host.change("app.env", "restore"), record={"remove": ["wiki"]})
    theirs = host.state_dir / "notes.txt"
    theirs.write_text("keep me")
    answer = host.deploy(state="purged")
    assert answer["left"] == [str(theirs)] and [path.name for path in host.state_dir.iterdir()] == ["notes.txt"]


def test_a_link_in_the_place_of_a_folder_of_ours_is_not_followed(host: Host) -> None:
    host.deploy({"app.env": "A=1\n"}, record=APPS)
    host.deploy(None, host.change("app.env", "restore"), record={"remove": ["wiki"]})
    host.put("elsewhere/1.json", "theirs")
    (host.state_dir / "receipts").symlink_to(host.root / "elsewhere")
    answer = host.deploy(state="purged")
    assert answer.get("failed") and (host.root / "elsewhere" / "1.json").read_text() == "theirs"
