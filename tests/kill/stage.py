# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of files on a host in a folder, put back to its beginning before each try; and strace, which strikes at one system call."""

from __future__ import annotations

import collections
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key, seal_contents

Answer = t.Dict[str, t.Any]
COLLECTIONS = str(Path(sys.executable).parents[1] / "collections")
#: Every system call with which this process could change a file system.
CHANGING = (
    "openat",
    "open",
    "creat",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "fsetxattr",
    "removexattr",
    "fremovexattr",
    "truncate",
    "ftruncate",
    "utimensat",
)
_CALL = re.compile(r"^(\w+)\(")


class Point(t.NamedTuple):
    """The n-th time that a system call is made in one run."""

    call: str
    number: int


class Set:
    """``size`` files: replaced ones, one behind a link, new ones in a new folder, and one that is given back."""

    def __init__(self, folder: Path, size: int, state: str = "present") -> None:
        self.folder, self.root, self.state_dir = folder, folder / "root", folder / "state"
        self.root.mkdir()
        self.key, self.options = new_key(), folder / "options.json"
        self._lay_out(size)
        if state == "present":
            self._ask(self._newer())
        else:
            assert "failed" not in run(self._request(self._newer()))
            self._ask({"state": state})
        self.old = self.facts()
        self._copy(".", "saved-")
        assert self.again()["changed"]
        self.new = self.facts()
        assert self.old != self.new
        self.reset()

    def _lay_out(self, size: int) -> None:
        """Three kinds in turn; what stands there was written by an earlier run, whose generation the next one ends."""
        self.replaced = [f"app {number}/ä.ini" for number in range((size + 2) // 3)]
        self.linked = [f"link-{number}.conf" for number in range((size + 1) // 3)]
        self.made = [f"made/for us/{number}.env" for number in range(size // 3)]
        for name in self.replaced + self.linked:
            place = self.root / (name if name in self.replaced else f"real-{name}")
            place.parent.mkdir(exist_ok=True)
            place.write_text("theirs\n")
        for name in self.linked:
            (self.root / name).symlink_to(f"real-{name}")
        texts = {name: f"PASSWORD=old {name}\n" for name in self.replaced + self.linked}
        assert "failed" not in run(self._request({"texts": texts}))

    def _newer(self) -> Answer:
        texts = {name: f"PASSWORD=new {name}\n" for name in self.replaced + self.linked[1:] + self.made}
        return {"texts": texts, "restore": self.linked[:1]}

    def _request(self, wanted: Answer) -> DeployCall:
        options = self._options(wanted)
        return DeployCall(**{**options, "changes": tuple(options["changes"])})

    def _ask(self, wanted: Answer) -> None:
        self.options.write_text(json.dumps(self._options(wanted)))

    def _options(self, wanted: Answer) -> Answer:
        texts = {str(self.root / name): text for name, text in wanted.get("texts", {}).items()}
        changes = [{"app": "wiki", "path": path, "action": "write", "secret": True} for path in texts]
        changes += [
            {"app": "wiki", "path": str(self.root / name), "action": "restore"} for name in wanted.get("restore", ())
        ]
        contents = seal_contents(self.key, {path: text.encode() for path, text in texts.items()})
        record = {"apps": {"wiki": {"credential_id": str(len(changes))}}}
        return {
            "state": wanted.get("state", "present"),
            "state_dir": str(self.state_dir),
            "changes": changes,
            "contents": contents,
            "seal_key": self.key,
            "record": record,
            "keep": 1,
        }

    def again(self) -> Answer:
        """The same run, undisturbed."""
        options = json.loads(self.options.read_text())
        return run(DeployCall(**{**options, "changes": tuple(options["changes"])}))

    def query(self) -> Answer:
        """The next run on this host, which settles what was left."""
        return run(DeployCall("query", str(self.state_dir), seal_key=self.key))

    def facts(self) -> t.Tuple[t.Any, ...]:
        """All that applications can see, and what we say is ours."""
        record = json.loads((self.state_dir / "record.json").read_text())
        for entry in record["apps"].values():
            entry.pop("since")
        record.pop("last")  # the name of the latest generation
        return {str(path.relative_to(self.root)): _shape(path) for path in sorted(self.root.rglob("*"))}, record

    def reset(self) -> None:
        for part in ("root", "state"):
            shutil.rmtree(self.folder / part)
        self._copy("saved-", ".")

    def _copy(self, source: str, target: str) -> None:
        for part in ("root", "state"):
            names = [part if prefix == "." else prefix + part for prefix in (source, target)]
            shutil.copytree(self.folder / names[0], self.folder / names[1], symlinks=True)

    # -- strace -----------------------------------------------------------------------------------

    def strace(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """The real thing in a process of its own, under strace with these options."""
        process = [sys.executable, "-B", "-s", str(Path(__file__).with_name("process.py")), str(self.options)]
        command = ["strace", "-qq", "-y", "-o", str(self.folder / "calls"), *options, "--", *process]
        # No site-packages: what runs on the host needs none.
        environment = {**os.environ, "PYTHONPATH": COLLECTIONS, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    def points(self) -> t.List[Point]:
        """Every system call of one run that changes something below the folder, in order."""
        done = self.strace("-s", "4096", "--trace=" + ",".join(f"?{call}" for call in CHANGING))
        assert done.returncode == 0 and json.loads(done.stdout)["changed"], done.stderr[-2000:]
        counted: t.Counter[str] = collections.Counter()
        found = []
        for line in (self.folder / "calls").read_text(encoding="utf-8", errors="replace").splitlines():
            called = _CALL.match(line)
            if called:
                counted[called[1]] += 1
                opens = called[1] in ("open", "openat")
                answer = line.startswith("write(1<")
                if (
                    str(self.folder) in line
                    and not answer
                    and (not opens or re.search("O_CREAT|O_WRONLY|O_RDWR", line))
                ):
                    found.append(Point(called[1], counted[called[1]]))
        self.reset()
        return found

    def strike(self, point: Point, what: str) -> "subprocess.CompletedProcess[str]":
        """One run with a signal or an error injected at the point (strace's words)."""
        return self.strace(f"--trace={point.call}", f"--inject={point.call}:{what}:when={point.number}")


def killed(done: "subprocess.CompletedProcess[str]") -> bool:
    return done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def _shape(path: Path) -> t.Tuple[t.Any, ...]:
    status = path.lstat()
    body = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else None
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, body
