# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server, a program: server.py FOLDER PROGRAM. It ends when its standard input does, with the pytest process that started it."""

from __future__ import annotations

import atexit
import contextlib
import gc
import hashlib
import importlib
import json
import marshal
import os
import select
import shutil
import socket
import sys
import tempfile
import traceback
import typing as t

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from ansible_server import cache, rules, run, wire  # noqa: E402  needs the path above

MOST = 8  # sets of variables for which Ansible is imported; each is some 60 MB
# What Ansible and this collection import, and what reads none of the variables.
LIBRARIES = (
    "yaml",
    "jinja2",
    "jsonschema",
    "cryptography.hazmat.primitives.ciphers",
    "multiprocessing.queues",
    "logging.handlers",
    "tempfile",
    "uuid",
)
# What a run imports beyond that, of every version the modules that it has.
EXECUTOR = (
    "executor.process.worker",
    "executor.task_executor",
    "playbook.handler_task_include",
    "playbook.included_file",
    "playbook.role_include",
)
# The plugins of Ansible that a run loads, for which it reads their documentation: by the name of their loader.
PLUGINS = {
    "become": ("runas", "su", "sudo"),
    "callback": ("default", "junit", "minimal", "oneline", "tree"),
    "cache": ("memory",),
    "connection": ("local", "psrp", "ssh", "winrm"),
    "inventory": ("auto", "host_list", "ini", "script", "toml", "yaml"),
    "shell": ("cmd", "powershell", "sh"),
    "strategy": ("linear",),
    "vars": ("host_group_vars",),
}


class Imported:
    """The processes that have imported Ansible, each for one set of variables."""

    def __init__(self, folder: str, program: str, lifeline: int) -> None:
        self.folder, self.program, self.lifeline = folder, program, lifeline
        self._sets: t.List[t.Any] = []

    def path(self, key: t.Any, environment: t.Dict[str, str], close: socket.socket) -> str:
        """The socket for this set, "" if there are too many; who connects at once waits there while Ansible is imported."""
        if key not in self._sets and len(self._sets) == MOST:
            return ""
        new = key not in self._sets
        self._sets += [key] if new else []
        path = os.path.join(self.folder, "private", str(self._sets.index(key)))
        if new:
            listener = wire.listening(path)
            if os.fork() == 0:
                close.close()
                self._serve(listener, environment)
            listener.close()
        return path

    def _serve(self, listener: socket.socket, environment: t.Dict[str, str]) -> t.NoReturn:
        try:
            kept = self._kept(environment)
            if import_ansible(environment):
                cache.keep_plugins(kept)
                gc.collect()
                gc.freeze()  # what is here now is never looked at again by the forks' garbage collectors, so they need no copies of it
                serve(
                    listener,
                    self.lifeline,
                    lambda connection: fork_guard(connection, listener, self.lifeline, self.program, kept),
                )
            listener.close()
            wait_for_all()
            atexit._run_exitfuncs()
        except BaseException:  # nothing may get back to the code of which this is a copy
            traceback.print_exc()
        finally:
            os._exit(0)

    def _kept(self, environment: t.Dict[str, str]) -> str:
        """The folder for the zip files of modules, by all that decides which modules are found."""
        finds = json.dumps(rules.chosen(environment, rules.OF_MODULES)).encode()
        return os.path.join(self.folder, "private", "modules-" + hashlib.sha256(finds).hexdigest()[:16])


def import_ansible(environment: t.Dict[str, str]) -> bool:
    """Imports Ansible with this environment; False if it said anything or failed, which only a real start does where it is seen."""
    os.environ.clear()
    os.environ.update(environment)
    errors = os.dup(2)
    with tempfile.TemporaryFile() as said:
        for number in (1, 2):
            os.dup2(said.fileno(), number)
        try:
            importlib.import_module("ansible.cli.playbook")
            import_more()
        except BaseException:
            return False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            quiet(1)
            os.dup2(errors, 2)
            os.close(errors)
        return os.fstat(said.fileno()).st_size == 0


def import_more() -> None:
    """Imports what a run would import anyway, and gives Ansible's configuration what it then reads in the documentation of its own plugins."""
    from ansible.plugins import loader

    for name in EXECUTOR:
        with contextlib.suppress(ImportError):
            importlib.import_module("ansible." + name)
    for kind, names in PLUGINS.items():
        for name in names:
            with contextlib.suppress(ImportError, AttributeError):
                plugin = importlib.import_module(f"ansible.plugins.{kind}.{name}")
                if f"ANSIBLE_{kind.upper()}_PLUGINS" not in os.environ:  # where there may be others of these names
                    getattr(loader, kind + "_loader")._load_config_defs(name, plugin, plugin.__file__)


def fork_guard(connection: socket.socket, listener: socket.socket, lifeline: int, program: str, kept: str) -> None:
    """Forks the guard of one run."""
    if os.fork() == 0:
        try:
            listener.close()
            os.close(lifeline)
            run.guard(connection, program, kept)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)


def serve(listener: socket.socket, lifeline: int, answer: t.Callable[[socket.socket], None]) -> None:
    """Answers one connection after the other until the lifeline ends."""
    poll = select.poll()
    for file in (listener.fileno(), lifeline):
        poll.register(file, select.POLLIN)
    while lifeline not in dict(poll.poll()):
        connection = listener.accept()[0]
        with connection, contextlib.suppress(OSError, EOFError):
            answer(connection)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def wait_for_all() -> None:
    """Waits for all that this process has forked."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def quiet(*files: int) -> None:
    """Makes these go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for file in files:
        os.dup2(nowhere, file)
    os.close(nowhere)


def main() -> None:
    """Serves until the standard input ends, and removes the folder."""
    folder, program = sys.argv[1:]
    lifeline = os.dup(0)
    quiet(0)
    sys.path[0] = os.path.dirname(os.path.realpath(program))  # as it is for a script; ours is imported already
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    listener = wire.listening(os.path.join(folder, "private", "server"))
    own = {"program": program, "identity": rules.identity(), "at_start": rules.chosen(os.environ, rules.AT_START)}
    with open(os.path.join(folder, "settings"), "wb") as file:
        marshal.dump(own, file)
    print("ready", flush=True)
    quiet(1)
    imported = Imported(folder, program, lifeline)

    def answer(connection: socket.socket) -> None:
        key, environment = wire.receive(connection)[0]
        wire.send(connection, imported.path(key, environment, listener))

    serve(listener, lifeline, answer)
    wait_for_all()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
