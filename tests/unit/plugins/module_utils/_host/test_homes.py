# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders that change hands under a run, or between a killed run and the one that settles it."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host import deploy

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

pytestmark = pytest.mark.usefixtures("as_root")
BOB = 54321
NEW = {"bob/app/bob.ini": "new\n", "other/other.ini": "new\n"}
#: Before which rename a run dies: of the journal that decides, or of the first file.
PHASES = {"undone": "journal.json.new", "finished": ".smarthost-"}


@pytest.fixture
def two(host: Host) -> Host:
    """A file of BOB's, in a folder that BOB can exchange, and one of root's."""
    host.root.chmod(0o755)
    for name in ("bob/app/bob.ini", "other/other.ini", "etc/bob.ini"):
        host.put(name, "old\n")
    for name in ("bob", "bob/app", "bob/app/bob.ini"):
        os.chown(host.path(name), BOB, BOB)
    return host


def died(host: Host, phase: str) -> None:
    pid = os.fork()
    if pid == 0:
        seen = [0]

        def hook(event: str, arguments: t.Tuple[t.Any, ...]) -> None:
            if event == "os.rename" and PHASES[phase] in str(arguments[0]):
                seen[0] += 1
                if seen[0] == (2 if phase == "undone" else 1):
                    os._exit(9)

        sys.addaudithook(hook)
        deploy.run(host.request(NEW))
        os._exit(0)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 9


def to_link(app: pathlib.Path) -> None:
    app.symlink_to("../etc")
    os.chown(app, BOB, BOB, follow_symlinks=False)


def to_folder(app: pathlib.Path) -> None:
    app.mkdir()
    (app / "bob.ini").write_text("another\n", encoding="ascii")
    for path in (app, app / "bob.ini"):
        os.chown(path, BOB, BOB)


def to_roots(app: pathlib.Path) -> None:
    app.mkdir(mode=0o755)
    (app / "bob.ini").write_text("root's\n", encoding="ascii")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("exchange", [to_link, to_folder, to_roots])
def test_a_folder_exchanged_after_a_kill_is_left_alone_and_all_else_is_settled(
    two: Host, phase: str, exchange: t.Callable[[pathlib.Path], None]
) -> None:
    died(two, phase)
    (two.root / "bob/app").rename(two.root / "bob/moved")
    exchange(two.root / "bob/app")
    before = {name: shape for name, shape in two.tree().items() if not name.startswith("other")}
    answer = two.query()
    assert (
        codes(answer) == ["unsafe-path"]
        and answer["problems"][0]["where"] == two.path("bob/app/bob.ini")
        and phase in answer["msg"]
    )
    assert {name: shape for name, shape in two.tree().items() if not name.startswith("other")} == before
    assert sorted(name for name in two.tree() if name.startswith("other")) == ["other", "other/other.ini"]
    assert two.tree()["other/other.ini"][3] == (b"new\n" if phase == "finished" else b"old\n")
    assert "failed" not in two.query()  # once, and not for ever
    assert "failed" not in two.deploy({"other/other.ini": "newer\n"})


@pytest.mark.parametrize("phase", PHASES)
def test_a_folder_that_is_gone_after_a_kill_has_nothing_left_to_settle(two: Host, phase: str) -> None:
    died(two, phase)
    (two.root / "bob/app").rename(two.root / "bob/moved")
    assert two.query()["recovered"] == phase and two.tree()["other/other.ini"][3] == (
        b"new\n" if phase == "finished" else b"old\n"
    )


@pytest.mark.parametrize("phase", PHASES)
def test_what_somebody_wrote_after_a_kill_is_not_overwritten(two: Host, phase: str) -> None:
    died(two, phase)
    two.put("bob/app/bob.ini", "edited since\n")
    assert two.query()["recovered"] == "undone"
    assert (two.tree()["bob/app/bob.ini"][3], two.tree()["other/other.ini"][3]) == (b"edited since\n", b"old\n")


def during(host: Host, event: str, act: t.Callable[[], None]) -> t.List[str]:
    """The codes of a run during which something happens right after a call of this kind in BOB's folder."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        armed = [True]

        def hook(name: str, arguments: t.Tuple[t.Any, ...]) -> None:
            if armed[0] and name == event and arguments[0] == "made":
                armed[0] = False
                os.mkdir(arguments[0], 0o755, dir_fd=arguments[2])
                act()

        sys.addaudithook(hook)
        answer = deploy.run(host.request({"bob/app/made/new.env": "A=1\n"}))
        os.write(writing, " ".join(codes({"problems": [], **answer})).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="ascii") as told:
        found = told.read().split()
    os.waitpid(pid, 0)
    return found


def test_a_folder_that_somebody_makes_first_is_not_taken_for_ours(two: Host) -> None:
    before = two.tree()
    assert during(two, "os.mkdir", lambda: None) == ["file-changed"]
    assert {name: shape for name, shape in two.tree().items() if name != "bob/app/made"} == before
    assert "failed" not in two.query()
