# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are only read: a process id, a token, a CA, a key, a receipt. The same ways to them are refused, and no pipe holds a run up."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation, activate
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.staleness import Notes
from ansible_collections.smarthost.mail.plugins.module_utils._shared import regular_file
from ansible_collections.smarthost.mail.plugins.module_utils._shared.paths import UnsafePathError
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network import tls
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.receipts import Receipts

pytestmark = pytest.mark.usefixtures("as_root")
BOB = 54321


@pytest.fixture
def app(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of a user of the host."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "app"
    folder.mkdir()
    os.chown(folder, BOB, BOB)
    return folder


def bobs(path: pathlib.Path, text: str) -> pathlib.Path:
    path.write_text(text, encoding="ascii")
    os.chown(path, BOB, BOB)
    return path


def bobs_link(path: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    path.symlink_to(target)
    os.chown(path, BOB, BOB, follow_symlinks=False)
    return path


def sleeper(uid: int) -> "subprocess.Popen[bytes]":
    def become() -> None:  # the option ``user`` came with Python 3.9
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)

    return subprocess.Popen(["sleep", "60"], preexec_fn=become)


@pytest.mark.parametrize(("uid", "dies"), [(BOB, True), (0, False)])
def test_a_users_pid_file_names_that_users_processes_only(app: pathlib.Path, uid: int, dies: bool) -> None:
    with sleeper(uid) as process:
        path = bobs(app / "app.pid", f"{process.pid}\n")
        answer = activate([Activation("wiki", signal={"pid_file": str(path), "signal": "TERM"})], False, 10)
        if not dies:
            assert process.poll() is None
            process.kill()
        assert process.wait(10) == (-signal.SIGTERM if dies else -signal.SIGKILL)
    assert [problem["code"] for problem in answer.get("problems", [])] == ([] if dies else ["unsafe-path"])


def test_roots_pid_file_names_any_process(app: pathlib.Path) -> None:
    with sleeper(BOB) as process:
        path = app.parent / "app.pid"
        path.write_text(f"{process.pid}\n", encoding="ascii")
        assert "problems" not in activate(
            [Activation("wiki", signal={"pid_file": str(path), "signal": "TERM"})], False, 10
        )
        assert process.wait(10) == -signal.SIGTERM


def hostile(folder: pathlib.Path) -> t.Dict[str, pathlib.Path]:
    """By kind what stands where a file is to be read."""
    secret = folder.parent / "secret"
    secret.write_text("TOPSECRET", encoding="ascii")
    made = {
        "link": bobs_link(folder / "link", secret),
        "pipe": folder / "pipe",
        "sparse": bobs(folder / "sparse", ""),
        "hard": folder / "hard",
    }
    os.mkfifo(made["pipe"])
    os.truncate(made["sparse"], 10 << 30)
    os.link(secret, made["hard"])
    return made


@pytest.mark.parametrize("kind", ["link", "pipe", "sparse", "hard"])
def test_no_trick_is_read(app: pathlib.Path, kind: str) -> None:
    path = str(hostile(app)[kind])
    with pytest.raises(OSError if kind == "pipe" else UnsafePathError):
        regular_file.read_file(path)
    with pytest.raises(OSError if kind == "pipe" else UnsafePathError):
        regular_file.Passed(path)
    for settings in ({"ca_path": path}, {"ca_path": "", "client": tls.ClientCertificate(path, path, Secret(""))}):
        given: dict[str, t.Any] = {
            "verify": True,
            "server_name": "",
            "min_version": "1.2",
            "fingerprints": (),
            **settings,
        }
        with pytest.raises(ProblemsError) as caught:
            tls.context(tls.TlsSettings(**given))
        assert "TOPSECRET" not in str(caught.value) and (
            "Not a regular file" if kind == "pipe" else "[unsafe-path]"
        ) in str(caught.value)


def test_a_state_folder_that_others_can_exchange_holds_no_receipt_and_no_notes(app: pathlib.Path) -> None:
    state = app / "state"
    state.mkdir(mode=0o700)
    acts: tuple[t.Callable[[], t.Any], ...] = (Receipts(str(state)).prepare, lambda: Receipts(str(state)).find({}))
    for act in acts:
        with pytest.raises(ProblemsError) as caught:
            act()
        assert "unsafe-path" in str(caught.value)
    with pytest.raises(ProblemsError) as told:
        Notes(str(state))
    assert told.value.problems[0].code == "unsafe-path" and list(state.iterdir()) == []
