# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ways to a file are walked and which are refused: layouts that administrators have, and tricks that users of a host try."""

from __future__ import annotations

import os
import pathlib
import resource
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.disk import snapshot
from ansible_collections.smarthost.mail.plugins.module_utils._shared import paths, regular_file

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Host

pytestmark = pytest.mark.usefixtures("as_root")

BOB, EVE = 54321, 54322
WWW = 33
#: One thing a line: path, owner, permissions of a folder (ending in a slash) or a file, or "-> target" of a link.
Layout = t.Tuple[t.Tuple[t.Any, ...], ...]

HONEST: t.Dict[str, t.Tuple[Layout, str, str]] = {
    "current release": (
        (
            ("app/", BOB, 0o755),
            ("app/releases/", BOB, 0o755),
            ("app/releases/7/", BOB, 0o755),
            ("app/releases/7/app.ini", BOB, 0o640),
            ("app/current", BOB, "-> releases/7"),
        ),
        "app/current/app.ini",
        "app/releases/7/app.ini",
    ),
    "current release, absolute": (
        (
            ("app/", BOB, 0o755),
            ("app/releases/", BOB, 0o755),
            ("app/releases/7/", BOB, 0o755),
            ("app/releases/7/app.ini", BOB, 0o640),
            ("app/current", BOB, "-> {root}/app/releases/7"),
        ),
        "app/current/app.ini",
        "app/releases/7/app.ini",
    ),
    "shared file of a deployment tool": (
        (
            ("app/", BOB, 0o755),
            ("app/shared/", BOB, 0o755),
            ("app/shared/app.ini", BOB, 0o600),
            ("app/releases/", BOB, 0o755),
            ("app/releases/7/", BOB, 0o755),
            ("app/releases/7/app.ini", BOB, "-> ../../shared/app.ini"),
            ("app/current", BOB, "-> releases/7"),
        ),
        "app/current/app.ini",
        "app/shared/app.ini",
    ),
    "snap": (
        (
            ("snap/", 0, 0o755),
            ("snap/x/", 0, 0o755),
            ("snap/x/42/", 0, 0o755),
            ("snap/x/42/app.ini", 0, 0o600),
            ("snap/x/current", 0, "-> 42"),
        ),
        "snap/x/current/app.ini",
        "snap/x/42/app.ini",
    ),
    "kubernetes": (
        (
            ("vol/", 0, 0o1777),
            ("vol/..2026/", 0, 0o755),
            ("vol/..2026/app.ini", 0, 0o644),
            ("vol/..data", 0, "-> ..2026"),
            ("vol/app.ini", 0, "-> ..data/app.ini"),
        ),
        "vol/app.ini",
        "vol/..2026/app.ini",
    ),
    "nixos": (
        (
            ("etc/", 0, 0o755),
            ("nix/", 0, 0o755),
            ("nix/store/", 0, 0o1775),
            ("nix/store/abc-etc/", 0, 0o555),
            ("nix/store/abc-etc/app.ini", 0, 0o444),
            ("etc/static", 0, "-> {root}/nix/store/abc-etc"),
            ("etc/app.ini", 0, "-> {root}/etc/static/app.ini"),
        ),
        "etc/app.ini",
        "nix/store/abc-etc/app.ini",
    ),
    "stow": (
        (
            ("local/", 0, 0o755),
            ("local/etc/", 0, 0o755),
            ("local/stow/", 0, 0o755),
            ("local/stow/app/", 0, 0o755),
            ("local/stow/app/app.ini", 0, 0o644),
            ("local/etc/app.ini", 0, "-> ../stow/app/app.ini"),
        ),
        "local/etc/app.ini",
        "local/stow/app/app.ini",
    ),
    "home on nfs": (
        (
            ("net/", 0, 0o755),
            ("net/bob/", BOB, 0o700),
            ("net/bob/app.ini", BOB, 0o600),
            ("home/", 0, 0o755),
            ("home/bob", 0, "-> {root}/net/bob"),
        ),
        "home/bob/app.ini",
        "net/bob/app.ini",
    ),
    "root's link in a folder of a group": (
        (
            ("srv/", 0, 0o775, WWW),
            ("srv/app.ini", 0, "-> ../etc/app.ini"),
            ("etc/", 0, 0o755),
            ("etc/app.ini", 0, 0o644),
        ),
        "srv/app.ini",
        "etc/app.ini",
    ),
    "root's link to a user's file": (
        (
            ("etc/", 0, 0o755),
            ("etc/app.ini", 0, "-> ../app/conf/app.ini"),
            ("app/", BOB, 0o755),
            ("app/conf/", BOB, 0o755),
            ("app/conf/app.ini", BOB, 0o600),
        ),
        "etc/app.ini",
        "app/conf/app.ini",
    ),
    "root's file in a user's folder": ((("app/", BOB, 0o755), ("app/app.ini", 0, 0o644)), "app/app.ini", "app/app.ini"),
    "a user's file in a folder of a group": (
        (("app/", 0, 0o2775, WWW), ("app/app.ini", BOB, 0o640)),
        "app/app.ini",
        "app/app.ini",
    ),
    "a file in a folder for all": ((("tmp/", 0, 0o1777), ("tmp/app.ini", BOB, 0o600)), "tmp/app.ini", "tmp/app.ini"),
    "up and down again": (
        (("a/", 0, 0o755), ("b/", 0, 0o755), ("b/app.ini", 0, 0o644)),
        "a/../b/./app.ini",
        "b/app.ini",
    ),
    "a new file behind a user's link": (
        (("app/", BOB, 0o755), ("app/conf.d/", BOB, 0o755), ("app/conf", BOB, "-> conf.d")),
        "app/conf/app.ini",
        "app/conf.d/app.ini",
    ),
}

SHADOW = (("etc/", 0, 0o755), ("etc/shadow", 0, 0o600))
HOSTILE: t.Dict[str, t.Tuple[Layout, str, str]] = {
    "a link to root's file": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/app.ini", BOB, "-> {root}/etc/shadow")),
        "app/app.ini",
        "etc/shadow",
    ),
    "a relative one": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/app.ini", BOB, "-> ../etc/shadow")),
        "app/app.ini",
        "etc/shadow",
    ),
    "a link to root's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/conf", BOB, "-> ../etc")),
        "app/conf/shadow",
        "etc/shadow",
    ),
    "a new file in root's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/conf", BOB, "-> ../etc")),
        "app/conf/cron",
        "etc/cron",
    ),
    "a new folder in root's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/conf", BOB, "-> ../etc")),
        "app/conf/cron.d/x",
        "etc/cron.d/x",
    ),
    "a link to nothing in root's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/app.ini", BOB, "-> ../etc/cron")),
        "app/app.ini",
        "etc/cron",
    ),
    "a link to a link": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/one", BOB, "-> ../etc/shadow"), ("app/app.ini", BOB, "-> one")),
        "app/app.ini",
        "etc/shadow",
    ),
    "root's own link, in the user's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/app.ini", 0, "-> ../etc/shadow")),
        "app/app.ini",
        "etc/shadow",
    ),
    "root's own folder with root's own link, in the user's folder": (
        (*SHADOW, ("app/", BOB, 0o755), ("app/conf/", 0, 0o755), ("app/conf/app.ini", 0, "-> ../../etc/shadow")),
        "app/conf/app.ini",
        "etc/shadow",
    ),
    "a link to another user's file": (
        (
            ("eve/", EVE, 0o755),
            ("eve/app.ini", EVE, 0o600),
            ("app/", BOB, 0o755),
            ("app/app.ini", BOB, "-> ../eve/app.ini"),
        ),
        "app/app.ini",
        "eve/app.ini",
    ),
    "the user's own file in root's folder": (
        (("etc/", 0, 0o755), ("etc/bob", BOB, 0o600), ("app/", BOB, 0o755), ("app/app.ini", BOB, "-> ../etc/bob")),
        "app/app.ini",
        "etc/bob",
    ),
    "root's file in the user's own folder": (
        (("app/", BOB, 0o755), ("app/roots", 0, 0o600), ("app/app.ini", BOB, "-> roots")),
        "app/app.ini",
        "app/roots",
    ),
    "a link in a folder of a group": (
        (*SHADOW, ("srv/", 0, 0o775, WWW), ("srv/app.ini", WWW, "-> ../etc/shadow")),
        "srv/app.ini",
        "etc/shadow",
    ),
    "a link in a folder for all": (
        (*SHADOW, ("tmp/", 0, 0o1777), ("tmp/app.ini", EVE, "-> ../etc/shadow")),
        "tmp/app.ini",
        "etc/shadow",
    ),
    "a link of one user in a folder of another": (
        (("app/", BOB, 0o777), ("app/bobs", BOB, 0o600), ("app/app.ini", EVE, "-> bobs")),
        "app/app.ini",
        "app/bobs",
    ),
    "links of two users": (
        (
            ("tmp/", 0, 0o1777),
            ("tmp/app.ini", EVE, "-> two"),
            ("tmp/two", BOB, "-> ../app/app.ini"),
            ("app/", BOB, 0o755),
            ("app/app.ini", BOB, 0o600),
        ),
        "tmp/app.ini",
        "app/app.ini",
    ),
}


def lay_out(root: pathlib.Path, layout: Layout) -> None:
    root.chmod(0o755)
    for name, owner, what, *group in layout:
        path = root / name
        if isinstance(what, str):
            path.symlink_to(what[3:].format(root=root))
        elif name.endswith("/"):
            path.mkdir()
        else:
            path.write_text("old\n", encoding="utf-8")
        os.chown(path, owner, group[0] if group else owner, follow_symlinks=False)
        if not isinstance(what, str):
            path.chmod(what)


@pytest.mark.parametrize("name", HONEST)
def test_layouts_that_administrators_have_are_walked(host: Host, name: str) -> None:
    layout, path, real = HONEST[name]
    lay_out(host.root, layout)
    seen = snapshot.look(host.path(path))
    assert (seen.unsafe, seen.real) == (None, host.path(real))
    assert seen.kind == (snapshot.FILE if (host.root / real).exists() else snapshot.MISSING)
    links = {name: shape for name, shape in host.tree().items() if shape[0] == "link"}
    change = host.change(path) if seen.meta else host.change(path, owner=str(BOB))
    assert host.deploy({path: "new\n"}, change)["changed"] and not host.deploy({path: "new\n"}, change)["changed"]
    assert (host.root / real).read_text() == "new\n"
    assert {name: shape for name, shape in host.tree().items() if shape[0] == "link"} == links
    assert host.deploy(state="rolled_back")["changed"]


@pytest.mark.parametrize("name", HOSTILE)
def test_tricks_are_refused_and_leave_everything_alone(host: Host, name: str) -> None:
    layout, path, real = HOSTILE[name]
    lay_out(host.root, layout)
    before = host.tree()
    for change in (host.change(path), host.change(path, owner=str(BOB), shared=True), host.change(path, "delete")):
        answer = host.deploy({path: "new\n"}, change)
        assert codes(answer) == ["unsafe-path"], answer
        problem = answer["problems"][0]
        assert str(BOB) in problem["what"] or str(EVE) in problem["what"] or "www-data" in problem["what"]
        assert problem["hint"].endswith(f"give the resolved path: {host.path(real)}.")
    assert host.tree() == before and not host.state_dir.exists()
    assert host.query(path)["read"][host.path(path)]["content"] is None


@pytest.mark.parametrize(
    "name", ["a link of one user in a folder of another", "root's own link, in the user's folder", "links of two users"]
)
def test_who_follows_the_advice_is_done(host: Host, name: str) -> None:
    layout, path, _real = HOSTILE[name]
    lay_out(host.root, layout)
    advised = host.deploy({path: "new\n"})["problems"][0]["hint"].rpartition(": ")[2].rstrip(".")
    assert host.deploy({advised[len(str(host.root)) + 1 :]: "new\n"})["changed"]
    assert pathlib.Path(advised).read_text() == "new\n"


def test_what_a_group_may_write_is_open_to_others_and_a_users_own_group_is_not(host: Host) -> None:
    rows = [
        (0, 0, 0o755, False),
        (0, 0, 0o775, False),
        (0, WWW, 0o775, True),
        (0, 0, 0o1777, True),
        (BOB, BOB, 0o700, True),
    ]
    for owner, group, mode, expected in rows:
        os.chown(host.root, owner, group)
        host.root.chmod(mode)
        assert paths.walk(str(host.root)).folder.open_to_others is expected, (owner, group, oct(mode))


def test_a_folder_is_open_to_whom_its_access_list_names(host: Host) -> None:
    acl = b"\x02\0\0\0" + b"".join(
        tag + perms + who
        for tag, perms, who in (
            (b"\x01\0", b"\x07\0", b"\xff" * 4),
            (b"\x02\0", b"\x07\0", BOB.to_bytes(4, "little")),
            (b"\x04\0", b"\x05\0", b"\xff" * 4),
            (b"\x10\0", b"\x07\0", b"\xff" * 4),
            (b"\x20\0", b"\x05\0", b"\xff" * 4),
        )
    )
    os.setxattr(host.root, "system.posix_acl_access", acl)
    assert paths.walk(str(host.root)).folder.open_to_others


def test_a_file_with_two_names_or_of_no_plausible_size_is_refused_before_it_is_read(host: Host) -> None:
    host.put("two.ini", "x")
    os.link(host.path("two.ini"), host.path("other"))
    host.put("sparse.ini", "")
    os.truncate(host.path("sparse.ini"), 10 << 30)
    host.put("large.ini", "x" * regular_file.MAX_BYTES)
    answer = host.deploy(dict.fromkeys(("two.ini", "sparse.ini", "large.ini"), "new"))
    assert codes(answer) == ["unsafe-path"] * 2
    assert "2 names" in answer["msg"] and str(10 << 30) in answer["msg"]
    os.unlink(host.path("other"))
    assert host.deploy({"two.ini": "new", "large.ini": "new"})["changed"]


def test_behind_a_users_link_everything_is_and_stays_that_users(host: Host) -> None:
    lay_out(
        host.root,
        (
            ("app/", BOB, 0o755),
            ("app/conf.d/", BOB, 0o755),
            ("app/conf", BOB, "-> conf.d"),
            ("app/conf.d/old.ini", BOB, 0o600),
        ),
    )
    bobs = {"owner": str(BOB), "group": str(BOB)}
    for name, options in (
        ("app/conf/new.ini", {}),
        ("app/conf/old.ini", {"owner": "root"}),
        ("app/conf/sub/new.ini", bobs),
    ):
        answer = host.deploy({name: "new"}, host.change(name, **options))
        assert codes(answer) == ["unsafe-path"]
        advised = name.replace("conf/", "conf.d/")
        assert answer["problems"][0]["hint"].endswith(f"{host.path(advised)}.")
        assert host.deploy({advised: "new"}, host.change(advised, **options))["changed"]
    assert host.deploy({"app/conf/last.ini": "new"}, host.change("app/conf/last.ini", **bobs))["changed"]


ROOTS = (("app/", BOB, 0o755), ("app/app.ini", 0, 0o600))


def test_bytes_of_roots_file_in_a_users_folder_are_not_given_to_the_user(host: Host) -> None:
    """The user cannot read the file, but can rename it to what we are about to merge into."""
    lay_out(host.root, ROOTS)
    for options in ({"owner": str(BOB)}, {"group": str(BOB), "mode": "0640"}, {"mode": "0644"}):
        change = host.change("app/app.ini", shared=True, **options)
        assert codes(host.deploy({"app/app.ini": "merged"}, change)) == ["unsafe-path"]
    assert host.deploy({"app/app.ini": "merged"}, host.change("app/app.ini", shared=True))["changed"]
    os.chown(host.path("app/app.ini"), BOB, BOB)  # the advice
    assert host.deploy({"app/app.ini": "again"}, host.change("app/app.ini", shared=True, owner=str(BOB)))["changed"]


@pytest.mark.parametrize("folder", [("srv/", 0, 0o755), ("srv/", 0, 0o775, WWW), ("srv/", BOB, 0o755)])
def test_what_the_user_can_read_already_may_be_given_to_it(host: Host, folder: t.Tuple[t.Any, ...]) -> None:
    lay_out(host.root, (folder, ("srv/app.ini", 0, 0o640, WWW)))
    assert host.deploy(
        {"srv/app.ini": "merged"}, host.change("srv/app.ini", shared=True, owner=str(WWW), group=str(WWW))
    )["changed"]


def test_what_somebody_else_made_of_our_file_is_left_with_its_owner_and_mode(host: Host) -> None:
    lay_out(host.root, (("app/", BOB, 0o755),))
    ours = host.change("app/app.env", owner=str(BOB), group=str(BOB), secret=True)
    host.deploy({"app/app.env": "A=1"}, ours)
    os.rename(host.path("app/app.env"), host.path("app/mine"))
    host.put("app/app.env", "root's\n", 0o644)
    os.setxattr(host.path("app/app.env"), "user.any", b"1")
    before = host.tree()
    for drift in ("report", "adopt", "report"):
        answer = host.deploy({"app/app.env": "A=1"}, {**ours, "drift": drift})
        assert "failed" not in answer and host.tree() == before
    assert host.deploy({"app/app.env": "A=2"}, ours)["changed"]
    host.deploy({}, host.change("app/app.env", "restore"))
    assert "app/app.env" not in host.tree()


def test_set_user_id_and_the_like_are_never_carried_over(host: Host) -> None:
    host.put("app.ini", "old", 0o6755)
    host.deploy({"app.ini": "new"}, host.change("app.ini", owner=str(BOB)))
    assert host.tree()["app.ini"][:2] == (0o755, BOB)
    host.deploy(state="rolled_back")
    assert host.tree()["app.ini"] == (0o755, 0, 0, b"old")


def test_set_user_id_of_a_file_that_is_not_changed_is_left_alone(host: Host) -> None:
    host.put("app.ini", "same", 0o6755)
    assert not host.deploy({"app.ini": "same"})["files"][0]["changed"] and host.tree()["app.ini"][0] == 0o6755


@pytest.mark.parametrize(
    "number", ["99999999999999", "4294967295", "4294967296", "9" * 5000, "²", "-1", "\ud800", "a\0b"]
)
def test_numbers_and_names_that_no_user_and_no_group_has_are_problems(host: Host, number: str) -> None:
    answer = host.deploy({"app.ini": "new"}, host.change("app.ini", owner=number, group=number))
    assert codes(answer) == ["no-such-owner", "no-such-group"]
    assert host.tree() == {}


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_path_that_no_file_can_have_is_a_problem_of_its_own(host: Host, name: str) -> None:
    assert codes(host.deploy({}, host.change(name))) == ["path-not-valid"]
    unsafe = snapshot.look(host.path(name)).unsafe
    assert unsafe is not None and unsafe.code == "path-not-valid"


def test_a_state_folder_that_others_can_exchange_is_refused(host: Host) -> None:
    lay_out(
        host.root,
        (
            ("bob/", BOB, 0o755),
            ("bob/state/", 0, 0o700),
            ("open/", 0, 0o777),
            ("sticky/", 0, 0o1777),
            ("link", 0, "-> sticky"),
        ),
    )
    for name, expected in (
        ("bob/state", ["unsafe-path"]),
        ("bob/new", ["unsafe-path"]),
        ("open/new", ["unsafe-path"]),
        ("sticky/new", []),
        ("link/new", []),
    ):
        host.state_dir = host.root / name
        assert codes({"problems": [], **host.deploy({"app.env": name})}) == expected
        if expected:
            assert codes({"problems": [], **host.query()}) == expected


def test_no_descriptor_is_left_and_a_shared_folder_is_held_once(host: Host) -> None:
    names = [f"deep/er/{number}.env" for number in range(30)]
    for name in names:
        host.put(name, "x")
    before = len(os.listdir("/proc/self/fd"))
    held = [snapshot.look(host.path(name)) for name in names]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del held
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_set_may_have_more_folders_than_a_process_may_have_files_open(host: Host) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, before[1]))
    try:
        assert host.deploy({f"app{number}/a.env": "A=1" for number in range(500)})["changed"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(host.tree()) == 1000


WITHOUT = "import os, sys; del os.O_PATH; import pytest; sys.exit(pytest.main(['-q', '-k', 'walked or refused', *sys.argv[1:]]))"


def test_the_same_ways_are_walked_and_refused_where_there_is_no_o_path(tmp_path: pathlib.Path) -> None:
    """As on BSD and macOS."""
    if not hasattr(os, "O_PATH"):
        return
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, __file__, f"--basetemp={tmp_path / 'b'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-3000:]
