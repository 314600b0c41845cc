# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What root starts as root, what as somebody else, and what not at all: with real programs, owners and links."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import activation
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import safe_command, tool_settings
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools.tool_command import ToolCommand
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError

OTHER = 54321  # a user that no system has
root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give files to others, and start programs as them"
)
WHO = '#!/bin/sh\nid -u; id -G; echo "$PATH $HOME ${SECRET_OF_ROOT-none}"\n'


@pytest.fixture
def place(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """A folder that everybody may enter and root alone may write, wherever pytest has made it."""
    folder = tmp_path / "place"
    folder.mkdir(mode=0o755)
    changed = [
        parent
        for parent in folder.parents
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001
    ]
    for parent in changed:
        parent.chmod(parent.stat().st_mode | 0o011)
    yield folder
    for parent in changed:
        parent.chmod(parent.stat().st_mode & ~0o011)


def program(path: pathlib.Path, text: str = WHO, mode: int = 0o755, owner: int = 0) -> pathlib.Path:
    """An executable file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, owner, owner)
    return path


def ran(path: pathlib.Path, *words: str) -> list[str]:
    output, why = safe_command.run([str(path), *words], 10, 4096)
    assert why == "" and output is not None, why
    return output.decode().splitlines()


@root_only
def test_what_is_roots_runs_as_root_with_a_path_of_roots_alone(
    place: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "evil").mkdir(mode=0o777)
    (place / "evil").chmod(0o777)
    monkeypatch.setenv("PATH", f"{place}/evil:relative:/nowhere:/usr/bin")
    said = ran(program(place / "who"))
    assert said[0] == "0" and said[2].split()[0].split(os.pathsep) == [
        "/usr/bin",
        *[folder for folder in safe_command.PATH if folder != "/usr/bin"],
    ]


@root_only
@pytest.mark.parametrize("where", ["program", "folder", "link", "link_in_folder", "interpreter", "argument"])
def test_what_somebody_else_owns_runs_as_that_user_in_a_clean_environment(
    place: pathlib.Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_ROOT", "hunter2")
    path, words = program(place / "bin" / "who"), []
    if where == "program":
        os.chown(path, OTHER, OTHER)
    elif where == "folder":
        os.chown(path.parent, OTHER, OTHER)
    elif where == "link":
        path = place / "link"
        path.symlink_to(place / "bin" / "who")
        os.chown(path, OTHER, OTHER, follow_symlinks=False)
    elif where == "link_in_folder":
        os.chown(path.parent, OTHER, OTHER)
        path = place / "link"
        path.symlink_to("bin/who")
    elif where == "interpreter":
        interpreter = program(place / "sh", "", owner=OTHER)
        interpreter.write_bytes(pathlib.Path("/bin/sh").read_bytes())
        path = program(place / "script", WHO.replace("/bin/sh", str(interpreter)))
    else:
        path, words = pathlib.Path("/bin/sh"), [str(program(place / "script", owner=OTHER))]
    said = ran(path, *words)
    assert said[0] == str(OTHER) and said[1].split() != ["0"] and "0" not in said[1].split()
    assert said[2] == f"{os.pathsep.join(safe_command.PATH)} / none"


@root_only
@pytest.mark.parametrize(
    ("folder_mode", "mode", "why"),
    [
        (0o777, 0o755, "others than root can write {folder}"),
        (0o1777, 0o755, "others than root can write {folder}"),
        (0o755, 0o777, "others than root can write {path}"),
    ],
)
def test_what_everybody_can_exchange_is_not_started(place: pathlib.Path, folder_mode: int, mode: int, why: str) -> None:
    path = program(place / "bin" / "who", mode=mode)
    path.parent.chmod(folder_mode)
    output, said = safe_command.run([str(path)], 10, 4096)
    assert output is None and said == f"{path} is not started: " + why.format(folder=path.parent, path=path)


@root_only
def test_a_group_of_others_that_can_write_is_everybody(place: pathlib.Path) -> None:
    path = program(place / "bin" / "who")
    os.chown(path.parent, 0, OTHER)
    path.parent.chmod(0o775)
    assert safe_command.run([str(path)], 10, 4096)[0] is None
    os.chown(path.parent, 0, 0)
    assert ran(path)[0] == "0"


@root_only
def test_a_sticky_folder_on_the_way_to_a_folder_of_roots_is_no_obstacle(place: pathlib.Path) -> None:
    path = program(place / "bin" / "who")
    place.chmod(0o1777)
    assert ran(path)[0] == "0"


@root_only
def test_names_are_found_in_folders_of_roots_alone(place: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(place / "smarthost-test-who")
    monkeypatch.setenv("PATH", str(place))
    assert safe_command.find("smarthost-test-who") == str(path) and ran(pathlib.Path("smarthost-test-who"))[0] == "0"
    for mode, owner in ((0o777, 0), (0o1777, 0), (0o755, OTHER)):
        place.chmod(mode)
        os.chown(place, owner, owner)
        assert safe_command.run(["smarthost-test-who"], 10, 4096) == (None, "there is no program smarthost-test-who")
    os.chown(place, 0, 0)
    (place / "link").symlink_to("smarthost-test-who")
    os.chown(place / "link", OTHER, OTHER, follow_symlinks=False)
    output, _why = safe_command.run(["link"], 10, 4096)
    assert output is not None and output.split()[0] == str(OTHER).encode(), "a link that another user can exchange"


@root_only
def test_a_folder_to_run_in_that_is_not_roots_decides_as_well(place: pathlib.Path) -> None:
    path, project = program(place / "bin" / "who"), place / "project"
    project.mkdir()
    os.chown(project, OTHER, OTHER)
    output, _why = safe_command.run([str(path)], 10, 4096, folder=str(project))
    assert output is not None and output.split()[0] == str(OTHER).encode()


@root_only
def test_links_in_a_circle_and_what_is_not_there_are_said(place: pathlib.Path) -> None:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    for name in ("a", "missing"):
        assert safe_command.run([str(place / name)], 10, 4096) == (None, f"there is no program {place / name}")
    with pytest.raises(safe_command.UnsafeCommandError, match="is one link too many"):
        safe_command.weakest(str(place / "a"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#!/bin/sh\nexit 3\n", "ended with status 3"),
        ("#!/bin/sh\nsleep 30\n", "did not end within 0.3 seconds"),
        ("#!/bin/sh\nhead -c 5000 /dev/zero\n", "printed more than 4096 bytes"),
        ("#!/no/such/interpreter\n", "could not be started (FileNotFoundError)"),
    ],
)
def test_what_goes_wrong_is_a_reason(place: pathlib.Path, text: str, why: str) -> None:
    path = place / "tool"
    path.write_text(text)
    path.chmod(0o755)
    assert safe_command.run([str(path)], 0.3 if "sleep" in text else 10, 4096) == (None, f"{path} {why}")


def test_a_user_who_is_not_root_starts_what_they_would_start_anyway(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = tmp_path / "smarthost-test-who"
    path.write_text("#!/bin/sh\necho mine\n")
    path.chmod(0o755)
    assert safe_command.run(["smarthost-test-who"], 10, 4096) == (b"mine\n", "")


# -- who uses it ----------------------------------------------------------------------------------


@root_only
def test_activation_starts_nothing_as_root_that_others_can_exchange(place: pathlib.Path) -> None:
    told = place / "told"
    path = program(place / "bin" / "reload", f"#!/bin/sh\nid -u >> {told}\n")
    path.parent.chmod(0o777)
    answer = activation.activate([Activation("wiki", command=(str(path),))], False, 20)
    (problem,) = answer["problems"]
    assert (
        problem["code"] == "unsafe-command"
        and f"others than root can write {path.parent}" in problem["what"]
        and not told.exists()
    )
    path.parent.chmod(0o755)
    os.chown(path.parent, OTHER, OTHER)
    told.touch()
    told.chmod(0o666)
    assert (
        "failed" not in activation.activate([Activation("wiki", command=(str(path),))], False, 20)
        and told.read_text() == f"{OTHER}\n"
    )
    path.write_text("#!/bin/sh\nexit 3\n")
    (problem,) = activation.activate([Activation("wiki", command=(str(path),))], False, 20)["problems"]
    assert f"ended with status 3. It ran as user {OTHER}, as {path.parent} belongs to user {OTHER}." in problem["what"]


@root_only
def test_a_compose_folder_that_is_not_roots_is_not_used_as_root(
    place: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = place / "told"
    told.touch()
    told.chmod(0o666)
    program(
        place / "bin" / "docker",
        f"#!/bin/sh\nid -u >> {told}\ncase $2 in ps) echo one;; --format) echo '\"2020-01-01T00:00:00Z\"';; esac\n",
    )
    monkeypatch.setenv("PATH", f"{place}/bin:/usr/bin:/bin")
    project = place / "project"
    project.mkdir()
    item = Activation("wiki", compose={"folder": str(project), "services": ["web"]})
    assert activation.activate([item], False, 20)["changed"] and set(told.read_text().split()) == {"0"}
    told.write_text("")
    os.chown(project, OTHER, OTHER)
    monkeypatch.setattr(safe_command, "PATH", (f"{place}/bin", "/usr/bin", "/bin"))
    assert activation.activate([item], False, 20)["changed"] and set(told.read_text().split()) == {str(OTHER)}
    os.chown(project, 0, 0)
    project.chmod(0o777)
    (problem,) = activation.activate([item], False, 20)["problems"]
    assert problem["code"] == "unsafe-command"


@root_only
def test_a_tool_that_another_user_owns_takes_settings_with_that_users_rights(place: pathlib.Path) -> None:
    store = place / "store"
    store.write_text('{"mail": {"host": "old"}}')
    os.chown(store, OTHER, OTHER)
    text = f"#!/bin/sh\nif [ $1 = read ]; then cat {store}; else cat > {store}; fi; id -u >> {store}.who\n"
    (place / "store.who").touch()
    (place / "store.who").chmod(0o666)
    path = program(place / "tool", text, owner=OTHER)
    command = ToolCommand((str(path),), ("read",), ("write",), (("mail", "host"),))
    tool_settings.make_so(command, b'{"mail": {"host": "new"}}')
    assert tool_settings.present_settings(command) == {"mail": {"host": "new"}}
    assert set((place / "store.who").read_text().split()) == {str(OTHER)}
    place.chmod(0o777)
    with pytest.raises(ProblemsError) as caught:
        tool_settings.present_settings(command)
    (problem,) = caught.value.problems
    assert problem.code == "unsafe-command" and problem.hint
