# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that stands in the way is found before anything is written, and told at once."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host import deploy
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import fingerprint
from leave_out import need_program

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

NOBODY = 65534


def test_every_bad_path_is_named_at_once_and_nothing_is_written(host: Host) -> None:
    host.put("good.ini", "old")
    (host.root / "folder").mkdir()
    (host.root / "dangling").symlink_to("nowhere")
    (host.root / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(host.root)  # a socket's address is 107 bytes at most, and the folder's own name may be longer
        server.bind("socket")
        os.chdir(here)
        os.mkfifo(host.path("pipe"))
        before = host.tree()
        texts = dict.fromkeys(["good.ini", "folder", "dangling", "loop", "socket", "pipe", "good.ini/below"], "new")
        changes = [
            host.change("who.env", owner="nobody-has-this-name", group="nor-this", mode="rw-r--r--"),
            host.change("empty.env"),
            host.change("shared.ini", shared=True),
            host.change("theirs.ini", "restore"),
        ]
        texts.update({"who.env": "new", "shared.ini": "new"})
        for check in (True, False):
            answer = host.deploy(texts, *changes, check=check)
            assert [(os.path.basename(problem["where"]), problem["code"]) for problem in answer["problems"]] == [
                ("folder", "target-is-folder"),
                ("dangling", "dangling-link"),
                ("loop", "dangling-link"),
                ("socket", "not-a-file"),
                ("pipe", "not-a-file"),
                ("below", "parent-not-folder"),
                ("who.env", "no-such-owner"),
                ("who.env", "no-such-group"),
                ("who.env", "bad-mode"),
                ("empty.env", "no-content"),
                ("shared.ini", "shared-file-missing"),
                ("theirs.ini", "not-ours"),
            ]
            assert answer["failed"] and all(problem["what"] in answer["msg"] for problem in answer["problems"])
    assert host.tree() == before and not host.state_dir.exists()


def test_a_query_tells_what_kind_of_thing_stands_at_each_path(host: Host) -> None:
    host.put("file", "x", 0o640)
    (host.root / "folder").mkdir()
    (host.root / "dangling").symlink_to("nowhere")
    os.mkfifo(host.path("pipe"))
    read = host.query("file", "folder", "dangling", "pipe", "none", "file/below")["read"]
    assert [told["kind"] for told in read.values()] == [
        "file",
        "folder",
        "dangling_link",
        "other",
        "missing",
        "missing",
    ]
    assert (read[host.path("file")]["fingerprint"], read[host.path("file")]["mode"]) == (
        fingerprint(host.key, b"x"),
        "0640",
    )
    assert {told["content"] for told in list(read.values())[1:]} == {None}
    assert not host.state_dir.exists()


def test_a_file_that_is_not_what_the_merge_was_based_on_is_left_alone(host: Host) -> None:
    host.put("app.ini", "edited since")
    based_on = fingerprint(host.key, b"as it was read")
    assert codes(host.deploy({"app.ini": "merged"}, host.change("app.ini", shared=True, based_on=based_on))) == [
        "file-changed"
    ]
    assert codes(host.deploy({"app.ini": "merged"}, host.change("app.ini", shared=True, based_on="absent"))) == [
        "file-changed"
    ]
    assert host.tree()["app.ini"][3] == b"edited since"
    based_on = fingerprint(host.key, b"edited since")
    assert host.deploy({"app.ini": "merged"}, host.change("app.ini", shared=True, based_on=based_on))["changed"]


def test_a_shared_file_may_be_created_only_when_its_absence_was_seen(host: Host) -> None:
    assert codes(host.deploy({"app.ini": "new"}, host.change("app.ini", shared=True))) == ["shared-file-missing"]
    assert host.deploy({"app.ini": "new"}, host.change("app.ini", shared=True, based_on="absent"))["changed"]


def test_a_file_that_somebody_edits_during_the_run_is_not_overwritten(host: Host) -> None:
    host.put("app.ini", "old")
    pid = os.fork()
    if pid == 0:

        def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
            if event == "open" and ".smarthost-" in str(arguments[0]):
                with open(os.open(host.path("app.ini"), os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
                    file.write("edited during the run")

        sys.addaudithook(hook)
        os._exit(0 if codes(host.deploy({"app.ini": "new", "made/new.env": "n"})) == ["file-changed"] else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert set(host.tree()) == {"app.ini"} and host.tree()["app.ini"][3] == b"edited during the run"
    assert host.query()["recovered"] is None


def test_two_paths_to_one_file_are_refused(host: Host) -> None:
    host.put("app.ini", "old")
    (host.root / "link.ini").symlink_to("app.ini")
    answer = host.deploy({"app.ini": "one", "link.ini": "two"})
    assert codes(answer) == ["same-file"] and host.path("app.ini") in answer["msg"]


def test_a_path_that_is_not_absolute_is_refused(host: Host) -> None:
    assert codes(host.deploy({}, {"app": "wiki", "path": "etc/app.ini", "action": "delete"})) == ["not-absolute"]


def test_only_what_is_ours_is_deleted(host: Host) -> None:
    host.put("theirs.ini", "x")
    assert codes(host.deploy({}, host.change("theirs.ini", "delete"))) == ["not-ours"]
    assert host.tree()["theirs.ini"][3] == b"x"


def test_a_state_folder_that_is_a_file_is_refused(host: Host) -> None:
    host.state_dir.write_text("x")
    assert codes(host.deploy({"a.env": "1"})) == ["state-dir"]


# -- as another user, and what only root can prepare ------------------------------------------------------------------


def as_nobody(host: Host, request: deploy.DeployCall) -> list[str]:
    """The codes that a process of user nobody is given."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, " ".join(codes({"problems": [], **deploy.run(request)})).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as answer:
        found = answer.read().split()
    os.waitpid(pid, 0)
    return found


@pytest.fixture
def open_to_all(host: Host, as_root: None) -> t.Iterator[Host]:
    """Every user may come in and make files, as long as the test lasts."""
    folders = [folder for folder in (host.root, *host.root.parents) if "pytest" in str(folder)]
    modes = {folder: folder.stat().st_mode & 0o7777 for folder in folders}
    for folder in folders:
        folder.chmod(0o777 if folder == host.root else 0o1777 if folder == host.root.parent else 0o755)
    yield host
    for folder, mode in modes.items():
        folder.chmod(mode)


def test_another_user_is_told_what_it_may_not_do(open_to_all: Host) -> None:
    host = open_to_all
    host.put("closed.ini", "x", 0o600)
    host.put("roots.ini", "x", 0o644)
    host.put("folder/a.ini", "x", 0o644)
    assert as_nobody(host, host.request({"closed.ini": "n"})) == ["not-readable"]
    assert as_nobody(host, host.request({"roots.ini": "n"})) == ["not-permitted"]
    assert as_nobody(host, host.request({"mine.ini": "n"}, host.change("mine.ini", group="root"))) == ["not-permitted"]
    assert as_nobody(host, host.request({"folder/b.ini": "n"})) == ["not-writable"]
    host.root.chmod(0o1777)
    given = host.change("roots.ini", owner="nobody", group=str(NOBODY))
    assert as_nobody(host, host.request({"roots.ini": "n"}, given)) == ["not-writable"]
    host.state_dir.parent.chmod(0o755)
    assert as_nobody(host, host.request({"mine.ini": "n"})) == ["not-writable"]
    host.state_dir.mkdir()
    assert as_nobody(host, host.request({"mine.ini": "n"})) == ["state-dir"]
    os.chown(host.state_dir, NOBODY, NOBODY)
    assert as_nobody(host, host.request({"mine.ini": "n"})) == []
    assert host.tree()["mine.ini"][:2] == (0o644, NOBODY)


def test_owner_and_group_are_kept_or_set_and_come_back(host: Host, as_root: None) -> None:
    host.put("kept.ini", "old", 0o640)
    os.chown(host.path("kept.ini"), NOBODY, 1234)
    host.put("set.ini", "old", 0o640)
    before = host.tree()
    answer = host.deploy({"kept.ini": "new", "set.ini": "new"}, host.change("set.ini", owner="nobody", group="4321"))
    assert host.tree()["kept.ini"][:3] == (0o640, NOBODY, 1234)
    assert host.tree()["set.ini"][:3] == (0o640, NOBODY, 4321)
    assert {(file["owner"], file["group"]) for file in answer["files"]} == {("nobody", "1234"), ("nobody", "4321")}
    host.deploy(state="rolled_back")
    assert host.tree() == before


def test_access_lists_and_labels_are_kept_and_come_back(host: Host, as_root: None) -> None:
    path = host.put("app.ini", "old", 0o640)
    acl = base64.b64decode("AgAAAAEABgD/////AgAEAP7/AAAEAAQA/////xAABAD/////IAAAAP////8=")  # user 65534 may read
    os.setxattr(path, "system.posix_acl_access", acl)
    os.setxattr(path, "security.selinux", b"system_u:object_r:etc_t:s0\0")
    wanted = {name: os.getxattr(path, name) for name in ("system.posix_acl_access", "security.selinux")}

    def found() -> dict[str, bytes]:
        return {name: os.getxattr(path, name) for name in wanted}

    host.deploy({"app.ini": "new"}, host.change("app.ini", secret=True))
    assert (host.tree()["app.ini"][3], found()) == (b"new", wanted)
    os.removexattr(path, "system.posix_acl_access")
    host.deploy({"app.ini": "newer"})
    assert "system.posix_acl_access" not in os.listxattr(path)
    host.deploy(state="rolled_back")
    host.deploy(state="rolled_back")
    assert (host.tree()["app.ini"][3], found()) == (b"old", wanted)


def test_a_file_without_an_access_list_gets_none_from_its_folder(host: Host, as_root: None) -> None:
    path = host.put("app.ini", "old", 0o640)
    need_program("setfacl", "acl")
    subprocess.run(["setfacl", "-d", "-m", "u:65534:r", str(host.root)], check=True)
    host.deploy({"app.ini": "new"})
    assert "system.posix_acl_access" not in os.listxattr(path) and host.tree()["app.ini"][0] == 0o640


@pytest.mark.parametrize("flag", ["i", "a"])
@pytest.mark.parametrize("name", ["app.ini", "."])
def test_what_is_marked_immutable_or_append_only_is_found_beforehand(
    host: Host, as_root: None, flag: str, name: str
) -> None:
    host.put("app.ini", "old")
    subprocess.run(["chattr", "+" + flag, host.path(name)], check=True)
    try:
        answer = host.deploy({"app.ini": "new", "../other.env": "n"})
    finally:
        subprocess.run(["chattr", "-" + flag, host.path(name)], check=True)
    assert codes(answer) == ["not-writable"] and "chattr -ia" in answer["problems"][0]["hint"], (
        "more rights take no mark off"
    )
    assert host.tree()["app.ini"][3] == b"old" and not (host.root.parent / "other.env").exists()


def test_a_file_that_cannot_be_read_is_named_and_not_the_state_folder(host: Host) -> None:
    """A process's own memory opens, and gives an input/output error at its beginning as a broken disk does."""
    (host.root / "app.ini").symlink_to("/proc/self/mem")
    for answer in (host.query("app.ini"), host.deploy({"app.ini": "new"})):
        assert codes(answer) == ["write-failed"] and answer["problems"][0]["where"] == host.path("app.ini")


IN_A_NAMESPACE = """
import json, os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key, seal_contents
for command in json.loads(sys.argv[2]):
    subprocess.run(command, check=True)
key, contents = new_key(), {path: text.encode() * times for path, text, times in json.loads(sys.argv[4])}
changes = tuple({"app": "wiki", "path": path, "action": "write"} for path in contents)
answer = run(DeployCall("present", sys.argv[3], changes=changes, seal_key=key, contents=seal_contents(key, contents)))
sizes = {path: os.path.exists(path) and os.path.getsize(path) for path in contents}
print(json.dumps([answer, sizes, os.listdir(os.path.dirname(list(contents)[0]))]))
"""


def in_a_namespace(host: Host, mounts: list[list[str]], *files: tuple[str, str, int]) -> t.Any:
    """Deploy where these mounts are seen by nobody else."""
    root = next(path for path in sys.path if os.path.isdir(os.path.join(path, "ansible_collections", "smarthost")))
    ended = subprocess.run(
        [
            "unshare",
            "--mount",
            sys.executable,
            "-c",
            IN_A_NAMESPACE,
            root,
            json.dumps(mounts),
            str(host.state_dir),
            json.dumps(files),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return json.loads(ended.stdout)


def test_a_read_only_mount_and_a_mounted_file_are_found_beforehand(host: Host, as_root: None) -> None:
    host.put("ro/app.ini", "old")
    host.put("mounted.ini", "old")
    mounts = [
        ["mount", "--bind", host.path("ro"), host.path("ro")],
        ["mount", "-o", "remount,bind,ro", host.path("ro")],
        ["mount", "--bind", host.path("mounted.ini"), host.path("mounted.ini")],
    ]
    files = [
        (host.path("ro/app.ini"), "new", 1),
        (host.path("ro/new/a.env"), "new", 1),
        (host.path("mounted.ini"), "new", 1),
    ]
    answer, _sizes, _names = in_a_namespace(host, mounts, *files)
    assert codes(answer) == ["not-writable"] * 3
    assert answer["msg"].count("read-only") == 2 and "mount point" in answer["msg"]
    assert not host.state_dir.exists()


def test_a_full_disk_is_found_beforehand(host: Host, as_root: None) -> None:
    (host.root / "small").mkdir()
    mounts = [["mount", "-t", "tmpfs", "-o", "size=64k", "none", host.path("small")]]
    answer, sizes, names = in_a_namespace(
        host, mounts, (host.path("small/a.env"), "A", 10), (host.path("small/b.env"), "B", 100_000)
    )
    assert codes(answer) == ["no-space"] and not any(sizes.values()) and names == []


def test_a_disk_without_inodes_says_that(host: Host, as_root: None) -> None:
    (host.root / "small").mkdir()
    mounts = [["mount", "-t", "tmpfs", "-o", "nr_inodes=1,size=1m", "none", host.path("small")]]
    answer, _sizes, names = in_a_namespace(host, mounts, (host.path("small/a.env"), "A", 1))
    assert (
        codes(answer) == ["no-space"] and "no inodes left" in answer["msg"] and "bytes are needed" not in answer["msg"]
    )
    assert names == []


def test_a_disk_that_fills_up_during_the_run_undoes_everything_and_names_the_file(host: Host, as_root: None) -> None:
    (host.root / "small").mkdir()
    host.put("other.env", "old")
    # Room for the folder and two files: no sum of sizes foresees the third.
    mounts = [["mount", "-t", "tmpfs", "-o", "nr_inodes=3", "none", host.path("small")]]
    files = [(host.path(name), "N", 1) for name in ("small/a.env", "small/b.env", "small/c.env", "other.env")]
    answer, sizes, names = in_a_namespace(host, mounts, *files)
    assert codes(answer) == ["no-space"] and answer["problems"][0]["where"] == host.path("small/c.env")
    assert answer["problems"][0]["what"] == "No space left on device. Nothing was changed."
    assert names == [] and sizes[host.path("other.env")] == 3
    assert host.query()["recovered"] is None and host.query()["generations"] == []
