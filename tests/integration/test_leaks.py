# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role at its most talkative, with everything kept that can be kept: no secret is in any of it, in any spelling."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from ansible_server.start import REAL
from integration.test_role import as_yaml

# Not asked here: ansible_failed_task, in which Ansible itself keeps the arguments that the user wrote, of any module.

OLD, NEW, HOSTILE = "first-of-the-secrets", "second/of+the=secrets", "p@ss w\"o'r\\d $HOME #;%s`{{x}} ü"
SECRETS = (OLD, NEW, HOSTILE)
GITEA_INI = "[server]\nHTTP_PORT = 3000\n\n[mailer]\nPASSWD = `their own`\n"
#: A callback as an operator might have one: every result, whole, as JSON.
CALLBACK = """
import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_NAME = "everything"

    def _keep(self, result, *_more, **_named):
        with open(os.environ["EVERYTHING"], "a") as file:
            file.write(json.dumps(result._result, default=str) + "\\n")

    v2_runner_on_ok = v2_runner_on_failed = v2_on_file_diff = v2_runner_item_on_ok = v2_runner_on_unreachable = _keep
"""
PLAY = """
- hosts: all
  gather_facts: false
  # A relay that does not answer only warns in the role; here it has to fail, for the rescue.
  vars: {smtp_relay_fail_on: unseen}
  tasks:
    - block:
        - ansible.builtin.include_role: {name: smarthost.mail.smtp_relay}
      rescue:
        - ansible.builtin.debug: {var: ansible_failed_result}
"""


class Heard(t.NamedTuple):
    """Everything that two runs left behind, by where it was found."""

    folder: Path
    texts: t.Dict[str, str]
    said: str
    commands: int


def spellings(secret: str) -> t.Set[str]:
    """How a secret may be written, one layer deep or two; base64 also as a part of something longer."""
    raw = secret.encode()
    found = {secret, raw.hex(), repr(secret)[1:-1]}
    found |= {urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), urllib.parse.quote(secret)}
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        # As a Python literal, single-quoted: what Ansible's wrapper of a module holds its arguments in.
        found |= {
            once,
            twice,
            repr(once)[1:-1],
            *(text.replace("\\", "\\\\").replace("'", "\\'") for text in (secret, once, twice)),
        }
    for before in range(3):
        whole = base64.b64encode(b"x" * before + raw + b"x" * (-(before + len(raw)) % 3)).decode()
        inner = whole[4 if before else 0 : len(whole) - (4 if (before + len(raw)) % 3 else 0)]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {spelling for spelling in found if len(spelling) > 7}


def hits(texts: t.Mapping[str, str]) -> t.List[str]:
    """Where which secret (by number) stands."""
    known = [spellings(secret) for secret in SECRETS]
    return sorted(
        f"{where}: {number}"
        for where, text in texts.items()
        for number, found in enumerate(known)
        if any(spelling in text for spelling in found)
    )


@contextlib.contextmanager
def syslog(heard: t.List[str]) -> t.Iterator[None]:
    """Listens where the modules' own log goes, if nobody does."""
    if os.geteuid() != 0 or os.path.lexists("/dev/log"):
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("/dev/log")
        listener.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    heard.append(listener.recv(1 << 20).decode("utf-8", "replace"))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            os.unlink("/dev/log")


@contextlib.contextmanager
def commands(seen: t.Set[str]) -> t.Iterator[None]:
    """Looks at the arguments of every process on this machine, over and over; at those of one that stays as it is, less often."""
    over = threading.Event()

    def look() -> None:
        looks: t.Dict[str, int] = {}
        while not over.is_set():
            looks = {entry: looks.get(entry, 0) + 1 for entry in os.listdir("/proc") if entry.isdigit()}
            for entry, number in looks.items():
                if number < 20 or number % 20 == 0:
                    with contextlib.suppress(OSError):
                        seen.add(
                            Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                        )
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run(folder: Path, password: str) -> str:
    """One run; the relay is not there, so that the probe fails and the rescue tells all."""
    server = {"host": "127.0.0.1", "port": closed_port(), "security": "tls"}
    relay = {**server, "username": "apps", "password": password, "from": "a@example.com"}
    apps = [
        {"name": "msmtp", "path": str(folder / "site" / "msmtprc")},
        {
            "name": "gitea",
            "form": "ini",
            "path": str(folder / "site" / "app.ini"),
            "group": "root",
            "activate": {"command": ["hostname"]},
        },
    ]
    variables = {
        "smtp_relay": relay,
        "smtp_relay_apps": apps,
        "smtp_relay_state_dir": str(folder / "state"),
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_remote_tmp": str(folder / "remote"),
    }
    (folder / "inventory.yml").write_text(as_yaml({"all": {"hosts": {"site": variables}}}))
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOG_PATH": str(folder / "log"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_CALLBACK_PLUGINS": str(folder / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "everything",
        "EVERYTHING": str(folder / "everything"),
    }
    command = [REAL, "-i", str(folder / "inventory.yml"), str(folder / "play.yml"), "-vvvvv", "--diff"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    return done.stdout + done.stderr


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Heard:
    folder = tmp_path_factory.mktemp("leaks")
    for name in ("site", "callbacks"):
        (folder / name).mkdir()
    (folder / "callbacks" / "everything.py").write_text(CALLBACK)
    (folder / "play.yml").write_text(PLAY)
    (folder / "site" / "app.ini").write_text(GITEA_INI)
    logged: t.List[str] = []
    seen: t.Set[str] = set()
    with syslog(logged), commands(seen):
        said = "".join(run(folder, secret) for secret in SECRETS)
    texts = {"output": said, "syslog": "\n".join(logged), "commands": "\n".join(seen)}
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        # Where secrets belong: the inventory, the applications' files, and the replaced bytes until they are committed.
        belongs = place.parts[0] in ("inventory.yml", "site") or place.parts[:2] in (
            ("state", "generations"),
            ("state", "originals"),
        )
        if path.is_file() and (not belongs or place.name == "manifest.json"):
            texts[str(place)] = path.read_bytes().decode("utf-8", "replace")
    return Heard(folder, texts, said, len(seen))


def test_the_search_finds_every_spelling() -> None:
    for number, secret in enumerate(SECRETS):
        for before in ("", "a", "ab", "abc"):
            text = base64.b64encode(f"{before}{secret}{before}".encode()).decode()
            assert hits({"here": text}) == [f"here: {number}"]
        for text in (json.dumps({"a": json.dumps([secret])}), f"x={urllib.parse.quote_plus(secret)}&", repr([secret])):
            assert hits({"here": text}) == [f"here: {number}"]


def test_there_was_something_to_hear(heard: Heard) -> None:
    for words in ("(secret) (changed)", "ansible_failed_result", "connect_refused"):
        assert words in heard.said, heard.said[-3000:]
    assert heard.commands > 10 and any(name.startswith("remote/") and "smtp_deploy" in name for name in heard.texts)
    assert "smtp_deploy" in heard.texts["everything"] or "generation" in heard.texts["everything"]
    assert os.geteuid() != 0 or os.path.lexists("/dev/log") or "Invoked with" in heard.texts["syslog"]


def test_no_secret_is_anywhere(heard: Heard) -> None:
    """Zero hits, the modules' kept payloads included: those of the probe hold the login that it was given."""
    assert any(name.startswith("remote/") and "AnsiballZ_smtp_probe.py" in name for name in heard.texts)
    assert hits(heard.texts) == []


def test_kept_payloads_are_closed_to_others(heard: Heard) -> None:
    kept = [path for path in (heard.folder / "remote").iterdir() if path.is_dir()]
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept)
