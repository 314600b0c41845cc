# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/ansible_server: a run by the server is as one by the real program, and whatever the server cannot do is a real start."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t
import zipfile
import zipimport

import ansible
import pytest
import yaml
from ansible.executor.module_common import _CachedModule
from ansible_server import cache, rules, run, start

Done = subprocess.CompletedProcess
GOOD = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: a module, ansible.builtin.command: {cmd: echo from the module}, register: said, check_mode: false}
    - {ansible.builtin.copy: {content: "{{ said.stdout }}", dest: "{{ playbook_dir }}/copied", mode: "0600"}, diff: true}
    - {smarthost.mail.smtp_deploy: {state: query, state_dir: "{{ playbook_dir }}/state", seal_key: "{{ '0' * 64 }}"}, register: found}
    - {ansible.builtin.debug: {msg: "{{ found.keys() | sort }} \\u00fc {{ lookup('env', 'HOME') }}"}}
"""
FAILING = "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.command: {cmd: ls /none}}, {ansible.builtin.debug: {}}]}]"
WRONG = "- hosts: all\n  tasks:\n    - debug: {msg: a\n"
UNKNOWN = "[{hosts: all, tasks: [{no_such_module: {}}]}]"
OPTIONS = {
    "good": (GOOD,),
    "at its most talkative": (GOOD, "-vvv", "--diff"),
    "check mode": (GOOD, "--check", "--diff"),
    "a task fails": (FAILING, "-v"),
    "not YAML": (WRONG,),
    "an unknown module": (UNKNOWN,),
    "an unknown option": (GOOD, "--no-such-option"),
    "version": (GOOD, "--version"),
}
# What a run knows of its process, through a filter.
FILTER = """
import os, sys
from ansible import constants
def found(value):
    mask = os.umask(0o77)
    os.umask(mask)
    return {"tmp": constants.DEFAULT_LOCAL_TMP, "zips": os.listdir(constants.DEFAULT_LOCAL_TMP + "/ansiballz_cache"), "cwd": os.getcwd(), "umask": mask,
            "argv": sys.argv, "path": sys.path, "python": sys.executable, "own": os.environ.get("OWN"), "environment": dict(os.environ)}
class FilterModule:
    def filters(self):
        return {"found": found}
"""
FOUND = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.ping: {}
    - ansible.builtin.debug: {msg: "{{ 1 | found | to_json }}"}
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with an inventory of this machine."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"site": variables}}}))
    return tmp_path


def play(
    folder: pathlib.Path, program: str, text: str, *options: str, before: t.Sequence[str] = (), **variables: str
) -> "Done[str]":
    """A playbook of this text, by this program."""
    (folder / "play.yml").write_text(text)
    command = [*before, program, "-i", str(folder / "hosts.json"), str(folder / "play.yml"), *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env={**os.environ, **variables}
    )


def served(folder: pathlib.Path, text: str, *options: str, **variables: str) -> "Done[str]":
    """By the server, and by nothing else."""
    before = start.real_starts()
    done = play(folder, start.ansible_playbook(), text, *options, **variables)
    assert start.real_starts() == before
    return done


def without_chance(text: str) -> str:
    """What a run says, without what is another in every run: times, numbers of processes, names of temporary files."""
    text = re.sub(r"ansible-(tmp|local)-?[-0-9.a-z_]+(/tmp[a-z0-9_]+)?", "TEMPORARY", text)
    text = re.sub(r"""(TEMPORARY/|")\.[a-z0-9_]{8}\b""", "TEMPORARY", text)
    text = re.sub(r'"tmp[a-z0-9_]{8}"', "TEMPORARY", text)
    return re.sub(
        r'[0-9]+:[0-9:.]{5,}|"(atime|mtime|ctime|inode|gid|uid)": [0-9.]+|20[0-9]{2}-[0-9]{2}-[0-9]{2}', "VARIES", text
    )


@pytest.mark.parametrize(("text", "options"), [(text, options) for text, *options in OPTIONS.values()], ids=OPTIONS)
def test_it_says_and_returns_the_same_as_the_real_program(
    text: str, options: t.List[str], folder: pathlib.Path
) -> None:
    real = play(folder, start.REAL, text, *options)
    (folder / "copied").unlink(missing_ok=True)
    done = served(folder, text, *options)
    assert done.returncode == real.returncode
    assert without_chance(done.stdout) == without_chance(real.stdout)
    assert without_chance(done.stderr) == without_chance(real.stderr)


def found(done: "Done[str]") -> t.Dict[str, t.Any]:
    """What the filter has told."""
    assert done.returncode == 0, done.stdout + done.stderr
    value: t.Dict[str, t.Any] = json.loads(json.loads(re.sub(r"(?s).*=> (\{.*?\n\}).*", r"\1", done.stdout))["msg"])
    return value


@pytest.fixture
def filters(folder: pathlib.Path) -> t.Dict[str, str]:
    """The variable with which Ansible finds the filter."""
    (folder / "own").mkdir()
    (folder / "own" / "found.py").write_text(FILTER)
    return {"ANSIBLE_FILTER_PLUGINS": str(folder / "own"), "OWN": "é"}


def test_the_process_is_as_that_of_a_real_start(folder: pathlib.Path, filters: t.Dict[str, str]) -> None:
    before = ("sh", "-c", 'umask 027; exec "$@"', "sh")
    real, done = (
        found(play(folder, program, FOUND, before=before, **filters))
        for program in (start.REAL, start.ansible_playbook())
    )
    assert real["own"] == "é" and real["umask"] == 0o027
    for value in (real, done):
        assert not pathlib.Path(value.pop("tmp")).exists(), "every run removes its folder"
        value.pop("zips")
    assert done == real


def test_runs_share_the_zip_files_of_modules_and_no_folder(folder: pathlib.Path, filters: t.Dict[str, str]) -> None:
    first, second = (found(served(folder, FOUND, **filters)) for _time in range(2))
    assert first["tmp"] != second["tmp"]
    assert [name for name in second["zips"] if "ping" in name and not name.endswith(cache.NOT_MODULES)]
    kept = list((start.server() / "private").glob("modules-*/*ping*"))
    assert kept and all(path.is_file() for path in kept)
    assert list((start.server() / "private").glob("modules-*-collections/*")), (
        "and what was made of the plugins of collections"
    )


def test_a_kept_module_has_its_compiled_code_with_it_and_another_python_reads_the_source(
    folder: pathlib.Path, filters: t.Dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(served(folder, FOUND, **filters))
    kept = list((start.server() / "private").glob("modules-*/*ping*"))
    names = {
        name
        for path in kept
        for name in zipfile.ZipFile(io.BytesIO(base64.b64decode(_CachedModule.load(str(path)).zip_data))).namelist()
    }
    sources = {name for name in names if name.endswith(".py")}
    assert len(sources) > 9 and {name + "c" for name in sources} == names - sources
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as file:
        file.writestr("simple.py", "")
    for magic, read in ((importlib.util.MAGIC_NUMBER, "simple.pyc"), (b"????", "simple.py")):
        monkeypatch.setattr(importlib.util, "MAGIC_NUMBER", magic)
        (folder / read).write_bytes(cache.compiled(plain.getvalue()))
        found_there = zipimport.zipimporter(str(folder / read)).find_spec("simple")
        assert found_there is not None and found_there.origin == str(folder / read / read)


def test_settings_are_those_of_the_run(folder: pathlib.Path) -> None:
    assert "\x1b[" not in served(folder, FAILING).stdout
    assert "\x1b[" in served(folder, FAILING, ANSIBLE_FORCE_COLOR="1").stdout
    assert "\x1b[" not in served(folder, FAILING).stdout


def processes(word: str) -> t.List[int]:
    """The processes that have this among their arguments."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [int(path.parent.name)] if word.encode() in path.read_bytes().split(b"\0") else []
        except OSError:
            pass
    return found


def eventually(true: t.Callable[[], object]) -> bool:
    """Whether something becomes true within seconds."""
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(true())


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_who_ends_the_client_ends_all_that_it_has_started(sent: signal.Signals, folder: pathlib.Path) -> None:
    seconds = f"10{os.getpid()}.{sent.value}"
    (folder / "play.yml").write_text(
        f"[{{hosts: all, gather_facts: false, tasks: [{{ansible.builtin.command: sleep {seconds}}}]}}]"
    )
    command = [start.ansible_playbook(), "-i", str(folder / "hosts.json"), str(folder / "play.yml")]
    before = start.real_starts()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        assert eventually(lambda: processes(seconds))
        client.send_signal(sent)
        assert client.stdout and client.stdout.read() is not None, "and nobody has its output open"
    assert start.real_starts() == before
    assert client.returncode == -sent and eventually(lambda: not processes(seconds))


def test_a_run_that_is_killed_ends_the_client_by_the_same_signal(folder: pathlib.Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "kill.py").write_text(
        "import os\nclass FilterModule:\n    def filters(self):\n        return {'kill': lambda _value: os.kill(os.getpgid(os.getppid()), 9)}\n"
    )
    text = "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: '{{ 1 | kill }}'}}]}]"
    real, done = (
        play(folder, program, text, ANSIBLE_FILTER_PLUGINS=str(folder / "own"), before=("setsid", "-w"))
        for program in (start.REAL, start.ansible_playbook())
    )
    assert done.returncode == real.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("before", "variables", "reason"),
    [
        (("prlimit", "--nofile=500"), {}, "another user, other rights, limits, signals or namespaces"),
        ((), {"PYTHONUTF8": "1"}, "other variables that Python reads when it starts"),
        ((), {"ANSIBLE_LOG_PATH": "/dev/null"}, "variables that name files of one run"),
    ],
)
def test_what_the_server_cannot_do_is_a_real_start(
    before: t.Sequence[str], variables: t.Dict[str, str], reason: str, folder: pathlib.Path
) -> None:
    known = start.real_starts()
    done = play(folder, start.ansible_playbook(), FAILING, before=before, **variables)
    assert done.returncode == 2 and "No such file" in done.stdout
    *before_this, last = start.real_starts()
    assert before_this == known and last.startswith(reason)


def test_without_a_server_it_is_a_real_start(folder: pathlib.Path) -> None:
    alone = folder / "alone"
    (alone / "private").mkdir(parents=True)
    shutil.copy(start.server() / "settings", alone)
    program = alone / "ansible-playbook"
    program.write_text((start.server() / "ansible-playbook").read_text().replace(str(start.server()), str(alone)))
    program.chmod(0o755)
    assert play(folder, str(program), FAILING).returncode == 2
    assert "no server" in (alone / "private" / "real-starts").read_text()


def why(arguments: t.Sequence[str] = (), **variables: t.Optional[str]) -> str:
    """The rules' answer for a server that was started as this process was; a variable that is None is missing."""
    environment = {name: value for name, value in {**os.environ, **variables}.items() if value is not None}
    server = {"identity": rules.identity(), "at_start": rules.chosen(os.environ, rules.AT_START)}
    return rules.why_real(server, arguments, environment)


@pytest.fixture
def no_terminal() -> t.Iterator[None]:
    """Output and errors that are a file, also with `pytest -s`."""
    kept = [os.dup(1), os.dup(2)]
    with open(os.devnull, "w") as nowhere:
        for number in (1, 2):
            os.dup2(nowhere.fileno(), number)
    yield
    for number, file in zip((1, 2), kept):
        os.dup2(file, number)
        os.close(file)


@pytest.mark.usefixtures("no_terminal")
def test_each_rule_has_its_reason(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "play.yml").write_text("[]")
    assert why() == why(["play.yml", "smarthost.mail.apply"]) == ""
    assert "ANSIBLE_CONFIG" in why(ANSIBLE_CONFIG=None) and "ANSIBLE_CONFIG" in why(ANSIBLE_CONFIG="/none")
    assert "Python" in why(LC_ALL="de_DE.UTF-8") and "one run" in why(ANSIBLE_LOCAL_TEMP="/tmp")
    assert "current folder" in why(ANSIBLE_ROLES_PATH="/roles:.") and why(ANSIBLE_CALLBACKS_ENABLED="profile") == ""
    assert "own" in why(["-M", "/modules"]) and "own" in why(["--module-path=x"])
    (folder / "filter_plugins").mkdir()
    assert "own" in why(["play.yml"])
    (folder / "home" / "plugins").mkdir(parents=True)
    assert "user" in why(ANSIBLE_HOME=str(folder / "home"))


def test_a_terminal_is_a_real_start() -> None:
    ours, theirs = pty.openpty()
    kept = os.dup(2)
    os.dup2(theirs, 2)
    try:
        assert why() == "a terminal"
    finally:
        os.dup2(kept, 2)
        for file in (kept, ours, theirs):
            os.close(file)


def test_every_variable_that_ansible_reads_at_import_is_known() -> None:
    known = yaml.safe_load((pathlib.Path(ansible.__file__).parent / "config" / "base.yml").read_text("utf-8"))
    names = {entry["name"] for setting in known.values() for entry in setting.get("env", ())}
    assert len(names) > 100 and set(rules.chosen(dict.fromkeys(names, ""), rules.AT_IMPORT)) == names


def test_real_starts_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTHOST_REAL_START", "1")
    assert start.ansible_playbook() == start.REAL


def test_the_children_of_children_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"], stdout=subprocess.DEVNULL) as shell:
        assert eventually(lambda: len(run.descendants(shell.pid)) == 1)
        assert set(run.descendants(os.getpid())) >= {shell.pid, *run.descendants(shell.pid)}
        for process in run.descendants(shell.pid):
            os.kill(process, signal.SIGKILL)
