# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the state folders beside this file were made: by the code of the commit that their folder is named after, which is not to be run again.

    git worktree add /tmp/then b9b82410 && cd /tmp/then && make .venv/ready-tests
    .venv/bin/python .../states/make.py .../states/b9b82410

Each JSON file is one host: ``tree`` is everything below PLACE before a run of today (root/ is what applications see, state/ is ours), ``then`` is
what the code of that commit made of it in a query, and in ``rolled_back`` of the named generations. PLACE is the same when the tests run, as the
fingerprints in the record are made with the path. No secret in it is real.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pathlib
import shutil
import signal
import stat
import sys
import typing as t

PLACE = pathlib.Path("/tmp/smarthost-state-of-an-older-version")
EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
KEY = "00" * 32

#: A chat server's command line tool that shows stars in place of the password.
TOOL = """\
import json, pathlib, sys
store = pathlib.Path(__file__).with_name("chat.json")
has = json.loads(store.read_text())
if sys.argv[1] == "read":
    print(json.dumps({**has, "password": "*" * 8}))
else:
    given = json.loads(sys.stdin.read())
    store.write_text(json.dumps({**has, **{key: value for key, value in given.items() if value != "*" * 8}}))
"""


def snapshot() -> t.Dict[str, t.List[t.Any]]:
    """Every path below PLACE: its mode with what is in it, or the target of a link."""
    found: t.Dict[str, t.List[t.Any]] = {}
    for path in sorted(PLACE.rglob("*")):
        name, status = str(path.relative_to(PLACE)), path.lstat()
        if path.is_symlink():
            found[name] = ["link", os.readlink(path)]
        elif path.is_dir():
            found[name] = ["folder", f"{stat.S_IMODE(status.st_mode):04o}"]
        else:
            data = path.read_bytes()
            try:
                found[name] = ["file", f"{stat.S_IMODE(status.st_mode):04o}", data.decode("utf-8")]
            except UnicodeDecodeError:
                found[name] = ["bytes", f"{stat.S_IMODE(status.st_mode):04o}", base64.b64encode(data).decode("ascii")]
    return found


def applications() -> t.Dict[str, t.List[t.Any]]:
    """The part of it that applications see."""
    return {name: shape for name, shape in snapshot().items() if name.startswith("root/")}


def restore(tree: t.Mapping[str, t.Sequence[t.Any]]) -> None:
    """The same, back on disk, for whoever runs this: files were root's."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(0o700)
    uid, gid = os.geteuid(), os.getegid()
    for name, (kind, first, *rest) in tree.items():
        path = PLACE / name
        if kind == "link":
            path.symlink_to(first)
        elif kind == "folder":
            path.mkdir()
            path.chmod(int(first, 8))
        else:
            data = base64.b64decode(rest[0]) if kind == "bytes" else rest[0].encode("utf-8")
            if name.startswith("state/") and name.endswith(".json"):
                data = data.replace(b'"uid": 0', b'"uid": %d' % uid).replace(b'"gid": 0', b'"gid": %d' % gid)
            path.write_bytes(data)
            path.chmod(int(first, 8))


class alone:
    """One at a time, however many processes run the tests."""

    def __enter__(self) -> None:
        self._lock = open(__file__, "rb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __exit__(self, *_error: t.Any) -> None:
        shutil.rmtree(PLACE, ignore_errors=True)
        self._lock.close()


if __name__ == "__main__":
    from ansible_collections.smarthost.mail.plugins.module_utils._host import deploy
    from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import seal_contents, seal_facts

    def path(name: str) -> str:
        return str(PLACE / "root" / name)

    def put(name: str, text: str, mode: int = 0o644) -> None:
        (PLACE / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (PLACE / "root" / name).write_text(text)
        (PLACE / "root" / name).chmod(mode)

    def change(name: str, action: str = "write", **options: t.Any) -> t.Dict[str, t.Any]:
        return {"app": "wiki", "path": name if name == "chat" else path(name), "action": action, **options}

    def request(
        texts: t.Mapping[str, str], *changes: t.Dict[str, t.Any], state: str = "present", **options: t.Any
    ) -> t.Any:
        contents = {name if name == "chat" else path(name): text.encode() for name, text in texts.items()}
        return deploy.DeployCall(
            state, str(PLACE / "state"), changes=changes, seal_key=KEY, contents=seal_contents(KEY, contents), **options
        )

    def app(
        name: str, *files: t.Dict[str, t.Any], credential: str = "2026-08", **activate: t.Any
    ) -> t.Dict[str, t.Any]:
        """As the controller of that commit writes it (plugin_utils/deployment/changes.py)."""
        return {
            "app": name,
            "form": "ini",
            "relay": "main",
            "credential_id": credential,
            "activate": activate,
            "files": list(files),
        }

    def file(name: str, shared: bool = False, **more: t.Any) -> t.Dict[str, t.Any]:
        owns = [["mailer", "PASSWD"]] if shared else []
        return {
            "path": name if name == "chat" else path(name),
            "dialect": "goini",
            "shared": shared,
            "owns": owns,
            **more,
        }

    def done(asked: t.Any) -> t.Any:
        answer = deploy.run(asked)
        assert not answer.get("failed"), answer
        return answer

    COMMAND = {
        "tool": ["/usr/bin/env", "python3", path("tool.py")],
        "read": ["read"],
        "write": ["write"],
        "keys": [["host"], ["password"]],
        "secrets": [["password"]],
        "masked": "********",
    }
    READERS = {"common": [f"group:{os.getegid()}"]}

    def begin() -> None:
        shutil.rmtree(PLACE, ignore_errors=True)
        (PLACE / "root").mkdir(0o755, parents=True)
        PLACE.chmod(0o700)
        put("app.ini", "[mailer]\nPASSWD = theirs\n; grüße\n", 0o640)
        put("real.conf", "relay old\n", 0o600)
        (PLACE / "root/link.conf").symlink_to("real.conf")
        put("tool.py", TOOL)
        put("chat.json", json.dumps({"host": "old.example.com", "password": "theirs", "port": 25}), 0o600)

    def first() -> t.Any:
        """A shared file, a file of our own with a secret, one that is a link, a common secret, a tool."""
        files = [file("app.ini", shared=True), file("made/for us/mail.env"), file("link.conf")]
        secret = file("secrets/main", readers=READERS["common"], live=False)
        apps = {
            "wiki": app("wiki", *files, secret, systemd="wiki", how="restart"),
            "chat": app("chat", file("chat"), how="none", reason="at once"),
        }
        texts = {
            "app.ini": "[mailer]\nPASSWD = ours-one\n; grüße\n",
            "made/for us/mail.env": "PASSWORD=ours-one\n",
            "link.conf": "relay one\n",
            "secrets/main": "ours-one\n",
            "chat": json.dumps({"host": "one.example.com", "password": "ours-one"}),
        }
        facts = {path("app.ini"): {"wanted": {"mailer.PASSWD": '"ours-one"'}, "present": {"mailer.PASSWD": '"theirs"'}}}
        return request(
            texts,
            change("app.ini", shared=True, secret=True),
            change("made/for us/mail.env", secret=True, mode="0600"),
            change("link.conf"),
            change("secrets/main", secret=True, readers=READERS["common"]),
            {**change("chat", secret=True, command=COMMAND), "app": "chat"},
            record={"apps": apps, "remove": []},
            facts=seal_facts(KEY, facts),
        )

    def second(word: str = "two", **options: t.Any) -> t.Any:
        files = [file("app.ini", shared=True), file("made/for us/mail.env"), file("link.conf")]
        apps = {
            "wiki": app("wiki", *files, credential="2026-11", signal={"pid_file": "/run/wiki.pid", "signal": "HUP"})
        }
        texts = {
            "app.ini": f"[mailer]\nPASSWD = ours-{word}\n; grüße\n",
            "made/for us/mail.env": f"PASSWORD=ours-{word}\n",
            "link.conf": f"relay {word}\n",
        }
        facts = {
            path("app.ini"): {"wanted": {"mailer.PASSWD": f'"ours-{word}"'}, "present": {"mailer.PASSWD": '"ours-one"'}}
        }
        return request(
            texts,
            change("app.ini", shared=True, secret=True),
            change("made/for us/mail.env", secret=True, mode="0600"),
            change("link.conf"),
            record={"apps": apps, "remove": []},
            facts=seal_facts(KEY, facts),
            **options,
        )

    def taken_back() -> t.Any:
        """Everything of the wiki's; it has not been activated since, so it is noted under ``gone``."""
        changes = [change(name, "restore") for name in ("app.ini", "made/for us/mail.env", "link.conf")]
        return request({}, *changes, record={"apps": {}, "remove": ["wiki"]})

    def killed(asked: t.Any, number: int, obstruct: bool = False) -> bool:
        pid = os.fork()
        if pid == 0:
            left, armed = [number], [obstruct]

            def hook(event: str, arguments: t.Tuple[t.Any, ...]) -> None:
                if armed[0]:
                    if event == "os.rename" and "smarthost-2" in str(arguments[0]) and "link" not in str(arguments[1]):
                        armed[0] = False
                        os.unlink(path("real.conf"))
                        os.makedirs(path("real.conf/taken"))
                    return
                if event in EVENTS or (
                    event == "open"
                    and isinstance(arguments[2], int)
                    and arguments[2] & WRITING
                    and "smarthost" in str(arguments[0])
                ):
                    left[0] -= 1
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            try:
                deploy.run(asked)
            finally:
                os._exit(0)
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

    def keep(name: str) -> None:
        tree = snapshot()
        restore(tree)
        query = deploy.run(deploy.DeployCall("query", str(PLACE / "state"), seal_key=KEY))
        assert not query.get("failed"), (name, query)
        then = {
            "recovered": query["recovered"],
            "record": query["record"],
            "generations": query["generations"],
            "tree": applications(),
            "rolled_back": {},
        }
        settled = snapshot()
        for item in [] if name.startswith("killed") else query["generations"]:
            restore(settled)
            back = deploy.run(deploy.DeployCall("rolled_back", str(PLACE / "state"), generation=item["id"]))
            assert not back.get("failed"), (name, back)
            record = deploy.run(deploy.DeployCall("query", str(PLACE / "state"), seal_key=KEY))["record"]
            then["rolled_back"][item["id"]] = {"tree": applications(), "record": record}
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(
            json.dumps({"tree": tree, "then": then}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        )
        restore(tree)

    def phases(name: str, prepare: t.Callable[[], None], asked: t.Callable[[], t.Any], obstruct: bool = False) -> None:
        """One state for each phase of the journal, and for each number of files that had their place by then."""
        seen, number = set(), 1
        while True:
            prepare()
            if not killed(asked(), number, obstruct):
                break
            journal = PLACE / "state/journal.json"
            if journal.exists():
                there = json.loads(journal.read_text())
                left = sum(1 for entry in there["entries"] if entry["temp"] and os.path.lexists(entry["temp"]))
                mark = (there["phase"], left, os.path.lexists(there["record_temp"]))
                if mark not in seen and (left in (0, 1, len(there["entries"]) - 1)):
                    seen.add(mark)
                    keep(
                        "-".join(
                            [
                                name,
                                there["phase"],
                                str(left),
                                *(["record"] if not mark[2] and there["phase"] != "prepared" else []),
                            ]
                        )
                    )
            number += 1

    def begun() -> None:
        begin()
        done(first())

    os.umask(0o022)
    with alone():
        begun()
        keep("one-generation")
        done(second())
        keep("two-generations")
        (PLACE / "state/generations/20260101T000000Z-1").mkdir(0o700)
        (PLACE / "state/generations/20260101T000000Z-1/0").write_text("of a run that was killed before its journal")
        keep("unfinished-generation")
        done(request({}, state="committed"))
        keep("committed")
        done(taken_back())
        keep("taken-back")
        phases("killed-first", begin, first)
        phases("killed-second", begun, second)
        phases("killed-undone", begun, second, obstruct=True)
        phases("killed-roll-back", begun, lambda: request({}, state="rolled_back"))
