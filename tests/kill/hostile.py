# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host whose user BOB owns an application's folder and exchanges what lies in it; what we do there; and what BOB must not gain by it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import seal_contents

BOB = 54321
KEY = "5e" * 32
SECRET = "TOPSECRET of root\n"
Answer = t.Dict[str, t.Any]

#: By kind of exchange the two names in BOB's folder. A name with a star: the first that is there, if any.
#: A folder of root's can be renamed by BOB within the folder that it is in, but not be moved into another one.
KINDS: t.Dict[str, t.Tuple[str, str]] = {
    "a link for the file": ("conf/app.ini", "link"),
    "a link for the folder": ("conf", "folder-link"),
    "a hard link for the file": ("conf/app.ini", "hard"),
    "root's file for the file": ("conf/app.ini", "roots.ini"),
    "root's folder for the folder": ("conf", "roots"),
    "a pipe for the file": ("conf/app.ini", "pipe"),
    "a link for the new file": ("conf/fresh.env", "link"),
    "root's file for the new file": ("conf/fresh.env", "roots.ini"),
    "a link for a new folder": ("conf/made", "conf/folder-link"),
    "root's folder for a new folder": ("conf/made", "conf/roots"),
    "a link for a temporary file": ("conf/.smarthost-*", "link"),
    "a hard link for a temporary file": ("conf/.smarthost-*", "hard"),
    "a pipe for a temporary file": ("conf/.smarthost-*", "pipe"),
    "a link to a folder for the file": ("conf/app.ini", "folder-link"),
}
#: What a run does, and what was done before it.
ACTS = ("present", "unchanged", "absent", "rolled_back", "finish", "undo")


class Hostile:
    """The host, laid out again for each try. ``folder`` is below a folder of root's."""

    user = BOB

    def __init__(self, folder: Path, act: str, kind: str) -> None:
        self.base, self.act, self.kind = folder, act, kind
        self.app, self.etc, self.state = folder / "app", folder / "etc", folder / "state"

    def lay_out(self) -> None:
        for child in list(self.base.iterdir()):
            shutil.rmtree(child)
        self.base.chmod(0o755)
        conf, roots = self.app / "conf", (self.app / "roots", self.app / "conf" / "roots")
        for path, owner, mode in (
            (self.etc, 0, 0o755),
            (self.app, BOB, 0o755),
            (conf, BOB, 0o755),
            *((path, 0, 0o700) for path in roots),
        ):
            path.mkdir()
            path.chmod(mode)
            os.chown(path, owner, owner)
        own = [self.app / "roots.ini", *(path / name for path in roots for name in ("app.ini", "new.env"))]
        for path in (self.etc / "shadow", self.etc / "app.ini", self.etc / "new.env", *own):
            _file(path, SECRET, 0, 0o600)
        _file(conf / "app.ini", "theirs\n", BOB, 0o640)
        for name, target in (("link", self.etc / "shadow"), ("folder-link", self.etc), ("conf/folder-link", self.etc)):
            (self.app / name).symlink_to(target)
            os.chown(self.app / name, BOB, BOB, follow_symlinks=False)
        os.mkfifo(self.app / "pipe", 0o644)
        os.chown(self.app / "pipe", BOB, BOB)
        if "hard" in self.kind:
            os.link(self.etc / "shadow", self.app / "hard")
        self._before()
        self.roots = _facts(self.etc)
        self.own = [_identity(path) for path in own]

    def _before(self) -> None:
        if self.act == "present":
            return
        if self.act in ("finish", "undo"):
            self._killed()
            return
        answer = run(self._request("present"))
        assert "failed" not in answer, answer

    def _killed(self) -> None:
        """By a run that ends right before the first file has its place, or right before that is decided."""
        pid = os.fork()
        if pid == 0:
            decided = [0]

            def hook(event: str, arguments: t.Tuple[t.Any, ...]) -> None:
                if event == "os.rename":
                    decided[0] += str(arguments[1]).endswith("journal.json")
                    if decided[0] == 2 and self.act == "undo" or ".smarthost-" in str(arguments[0]):
                        os._exit(9)

            sys.addaudithook(hook)
            run(self._request("present"))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9

    def _request(self, act: str) -> DeployCall:
        ini, env, fresh = (str(self.app / "conf" / name) for name in ("app.ini", "made/new.env", "fresh.env"))
        owner = {"owner": str(BOB), "group": str(BOB)}
        changes: t.List[Answer] = [{"app": "wiki", "path": path, "secret": True, **owner} for path in (env, fresh)]
        changes.insert(0, {"app": "wiki", "path": ini, "shared": True, **owner})
        record: Answer = {"apps": {"wiki": {}}}
        if act == "absent":
            changes, record = (
                [{"app": "wiki", "path": path, "action": "restore"} for path in (ini, env, fresh)],
                {"remove": ["wiki"]},
            )
        if act in ("rolled_back", "finish", "undo"):
            changes, record = [], {}
        contents = (
            {ini: b"theirs, and ours\n", env: b"PASSWORD=ours\n", fresh: b"A=1\n"}
            if changes and act != "absent"
            else {}
        )
        state = {"rolled_back": "rolled_back", "finish": "query", "undo": "query"}.get(act, "present")
        return DeployCall(
            state,
            str(self.state),
            changes=tuple(changes),
            seal_key=KEY,
            contents=seal_contents(KEY, contents) if contents else "",
            record=record,
        )

    def run(self) -> Answer:
        answer = run(self._request(self.act))
        return {
            "failed": bool(answer.get("failed")),
            "codes": [problem["code"] for problem in answer.get("problems", ())],
            "msg": answer.get("msg", ""),
        }

    def exchange(self) -> bool:
        """As BOB does it, who may be refused; whether it was done."""
        names = self._names()
        if None in names:
            return False
        uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
        if uid != 0:
            return exchange(*t.cast(t.List[str], names))
        os.setgroups([])
        os.setegid(BOB)
        os.seteuid(BOB)
        try:
            return exchange(*t.cast(t.List[str], names))
        finally:
            os.seteuid(uid)
            os.setegid(gid)
            os.setgroups(groups)

    def can_exchange(self) -> bool:
        """Whether both names stand for something at this moment, or could."""
        return None not in self._names()

    def _names(self) -> t.List[t.Optional[str]]:
        return [self._named(name) for name in KINDS[self.kind]]

    def _named(self, name: str) -> t.Optional[str]:
        if "*" not in name:
            return str(self.app / name)
        return next((str(path) for path in sorted((self.app / "conf").glob(name.partition("/")[2]))), None)

    def harm(self) -> str:
        """What BOB has gained; empty when nothing."""
        if _facts(self.etc) != self.roots:
            return f"root's folder has changed: {sorted(_facts(self.etc).items() ^ self.roots.items())}"
        for where, folders, names in os.walk(self.app):
            for path in (os.path.join(where, name) for name in names):
                status = os.lstat(path)
                if not stat.S_ISREG(status.st_mode):
                    continue
                text = Path(path).read_text(encoding="utf-8")
                if SECRET in text and (status.st_uid != 0 or status.st_mode & 0o077):
                    return f"root's bytes can be read by BOB in {path}: uid {status.st_uid}, mode {status.st_mode:o}"
                if (status.st_ino, 0, 0o600, SECRET) not in self.own and status.st_ino in [one[0] for one in self.own]:
                    return f"root's file {path} has changed: uid {status.st_uid}, mode {status.st_mode:o}, {text!r}"
        left = (
            [path for path in self.state.rglob("*") if path.lstat().st_uid or path.lstat().st_mode & 0o077]
            if self.state.exists()
            else []
        )
        return f"our notes can be read by others: {left}" if left else ""


def exchange(one: str, other: str) -> bool:
    """renameat2(RENAME_EXCHANGE), or a plain one where one of the two is not there."""
    if _libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0:
        return True
    if ctypes.get_errno() != errno.ENOENT:
        return False
    source, target = (other, one) if os.path.lexists(other) else (one, other)
    try:
        os.rename(source, target)
    except OSError:
        return False
    return True


def base() -> t.Any:
    """A folder of root's, in memory where there is such a file system: there are many tries."""
    return tempfile.TemporaryDirectory(prefix="hostile-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


def _file(path: Path, text: str, owner: int, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    os.chown(path, owner, owner)


def _identity(path: Path) -> t.Tuple[t.Any, ...]:
    status = path.lstat()
    return (
        status.st_ino,
        status.st_uid,
        stat.S_IMODE(status.st_mode),
        path.read_text(encoding="utf-8") if path.is_file() else "",
    )


def _facts(folder: Path) -> t.Dict[str, t.Tuple[t.Any, ...]]:
    return {path.name: _identity(path) for path in folder.iterdir()}


_libc = ctypes.CDLL(None, use_errno=True)
