# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input, given to the real thing by ansible-playbook: each is a clear error, and nothing is written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_server.start import ansible_playbook
from leave_out import leave_out

RELAY = {
    "host": "smtp.example.com",
    "username": "apps",
    "password": "canary-of-a-secret",
    "from": "noreply@example.com",
}
GITEA_INI = "; mine\n[server]\nHTTP_PORT = 3000\n"


def config(
    folder: Path, relay: t.Any, apps: t.Any, *options: str, **variables: t.Any
) -> "subprocess.CompletedProcess[str]":
    """Run one smtp_config task against this machine."""
    # Ansible reads JSON as YAML; the task takes the values as variables, as a play would.
    inventory = {
        "all": {
            "hosts": {
                "site": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": sys.executable,
                    "smtp_relay": relay,
                    "smtp_relay_apps": apps,
                    **variables,
                }
            }
        }
    }
    (folder / "inventory.json").write_text(json.dumps(inventory))
    task = {
        "smarthost.mail.smtp_config": {
            "relay": "{{ smtp_relay }}",
            "apps": "{{ smtp_relay_apps }}",
            "state_dir": str(folder / "state"),
        }
    }
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    command = [ansible_playbook(), "-i", str(folder / "inventory.json"), str(folder / "play.json"), *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    )


def snapshot(folder: Path) -> t.Dict[str, t.Any]:
    """Every path below a folder with what it holds, but for what `config` itself puts there."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
        if path.name not in ("inventory.json", "play.json", "lock")
    }


def refused(folder: Path, relay: t.Any, apps: t.Any, code: str, *words: str, **variables: t.Any) -> None:
    """The task fails with `code` and says `words`; nothing on disk is any different, and no secret is shown."""
    before = snapshot(folder)
    done = config(folder, relay, apps, "-vvv", "--diff", **variables)
    assert done.returncode == 2, done.stdout[-3000:]
    assert f"[{code}]" in done.stdout, done.stdout[-3000:]
    for word in words:
        assert word in done.stdout, done.stdout[-3000:]
    assert snapshot(folder) == before
    assert "canary-of-a-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "relay, apps, code, words",
    [
        ({**RELAY, "hots": "x"}, [], "unknown-key", ['Did you mean "host"?']),
        ({**RELAY, "passwrd": "canary-of-a-secret"}, [], "unknown-key", ['Did you mean "password"?']),
        ({**RELAY, "port": "many"}, [], "wrong-type", ["a whole number"]),
        ({**RELAY, "enabled": "perhaps"}, [], "wrong-type", ["true or false"]),
        (["a list"], [], "no-relay", ["a mapping"]),
        (RELAY, "gitea", "wrong-type", ["a list"]),
        (RELAY, ["gitee"], "unknown-application", ['Did you mean "gitea"?']),
        ({"relays": {"main": RELAY}}, [], "missing-key", ["default is missing"]),
        (
            {"default": ["main", "other"], "relays": {"main": RELAY, "other": RELAY}},
            [],
            "wrong-type",
            ["smtp_relay.default"],
        ),
        ({"default": "mian", "relays": {"main": RELAY}}, [], "unknown-relay", ['Did you mean "main"?']),
        (RELAY, [{"name": "gitea", "relay": "alerts"}], "unknown-relay", ['no relay "alerts"']),
        ({**RELAY, "from": "a@example.com\r\nBcc: b@example.com"}, [], "not-an-address", ["smtp_relay.from"]),
        ({**RELAY, "helo": "a\nb"}, [], "not-a-host", ["smtp_relay.helo"]),
        ({**RELAY, "username": "a\x00b"}, [], "control-character", ["smtp_relay.username"]),
        ({**RELAY, "security": "none"}, [], "plaintext-auth", ["clear text"]),
    ],
)
def test_a_wrong_declaration_is_refused(
    relay: t.Any, apps: t.Any, code: str, words: t.List[str], tmp_path: Path
) -> None:
    refused(tmp_path, relay, apps, code, *words)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    done = config(
        tmp_path, {**RELAY, "security": "startls", "hots": "x", "port": 70000}, [{"name": "gitea", "stat": "absent"}]
    )
    for code in ("security-mode", "unknown-key", "port-range"):
        assert f"[{code}]" in done.stdout, done.stdout
    assert "smtp_relay_apps[0].stat" in done.stdout


def a_folder(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make, code, word",
    [
        (a_folder, "target-is-folder", "a folder"),
        (a_dangling_link, "dangling-link", "symbolic link"),
        (a_pipe, "not-a-file", "mailer.env"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_a_target_that_is_no_file_is_refused(
    make: t.Callable[[Path], None], code: str, word: str, tmp_path: Path
) -> None:
    make(tmp_path / "mailer.env")
    apps = [
        {"name": "gitea", "path": str(tmp_path / "mailer.env")},
        {"name": "good", "app": "gitea", "path": str(tmp_path / "good.env")},
    ]
    refused(tmp_path, RELAY, apps, code, word)


@pytest.mark.parametrize(
    "name, form, text",
    [
        ("gitea", "ini", "[server\nHTTP_PORT = 3000\n"),
        ("alertmanager", "yaml", "route: [unclosed\n"),
        ("mattermost", "json", '{"EmailSettings": {"SMTPServer": \n'),
    ],
)
def test_a_file_that_is_not_valid_in_its_dialect_is_named_and_left_untouched(
    name: str, form: str, text: str, tmp_path: Path
) -> None:
    target = tmp_path / "theirs.conf"
    target.write_text(text)
    item = {"name": name, "form": form, "path": str(target), "owner": "root", "group": "root", "accept": ["no-ca-path"]}
    refused(tmp_path, RELAY, [item], "file-not-valid", str(target), "It was left as it is")


def test_a_shared_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(
        tmp_path,
        RELAY,
        [{"name": "gitea", "form": "ini", "path": str(tmp_path / "app.ini")}],
        "shared-file-missing",
        "app.ini",
    )


@pytest.mark.parametrize("mode, code", [(0o000, "not-readable"), (0o444, "not-writable")])
def test_a_file_that_may_not_be_read_or_written_is_refused(mode: int, code: str, site: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("setfacl"):
        leave_out("to become another user this needs root and the Debian package acl")
    (site / "state").mkdir(mode=0o700)
    shutil.chown(site / "state", "nobody")
    target = site / "app.ini"
    target.write_text(GITEA_INI)
    target.chmod(mode)
    item = {"name": "gitea", "form": "ini", "path": str(target), "owner": "nobody", "group": "nogroup"}
    refused(
        site,
        RELAY,
        [item],
        code,
        str(target),
        ansible_become=True,
        ansible_become_method="ansible.builtin.su",
        ansible_become_user="nobody",
        ansible_become_flags="-s /bin/sh",
        ansible_python_interpreter="/usr/bin/python3",
    )


def test_a_python_too_old_on_the_host_is_named(tmp_path: Path) -> None:
    old = next(filter(None, map(old_python, ("3.7", "3.6"))), None)
    if old is None:
        pytest.skip("no Python older than 3.8 is on this machine, and none can be had from Debian or PyPI")
    refused(
        tmp_path,
        RELAY,
        [{"name": "gitea", "path": str(tmp_path / "mailer.env")}],
        "python-too-old",
        "3.8 or newer",
        ansible_python_interpreter=old,
    )


def old_python(version: str) -> t.Optional[str]:
    """A Python of that version that runs: a real one, not pyenv's shim that only looks like one."""
    found = [shutil.which(f"python{version}"), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    return next(
        (
            path
            for path in found
            if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        ),
        None,
    )


def test_missing_jsonschema_on_the_controller_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    # A folder that comes first on the path, where importing jsonschema fails as it does where it is not installed.
    (tmp_path / "jsonschema.py").write_text("raise ImportError('not here')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        done = config(tmp_path, RELAY, ["gitea"])
    assert done.returncode == 2
    assert "python3 -m pip install 'jsonschema" in done.stdout.replace('"', "'"), done.stdout[-3000:]
    assert "[missing-library]" in done.stdout


@pytest.mark.parametrize(
    "where",
    [
        {"port": "{{ secret }}"},
        {"security": "{{ secret }}"},
        {"relays": [{"host": "h", "password": "{{ secret }}", "port": "{{ secret }}"}]},
    ],
)
def test_a_secret_where_another_option_belongs_is_not_repeated(tmp_path: Path, where: t.Dict[str, t.Any]) -> None:
    """Ansible's own words about an option repeat its value."""
    secret = RELAY["password"]
    options = (
        where if "relays" in where else {"host": "127.0.0.1", "username": "apps", "password": "{{ secret }}", **where}
    )
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": ["vault.json"],
        "tasks": [{"smarthost.mail.smtp_probe": options}],
    }
    (tmp_path / "vault.json").write_text(json.dumps({"secret": secret}))
    (tmp_path / "play.json").write_text(json.dumps([play]))
    done = subprocess.run(
        [ansible_playbook(), "-vvv", str(tmp_path / "play.json")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and "********" in done.stdout
    assert secret not in done.stdout + done.stderr
