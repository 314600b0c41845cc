# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State: what we keep on a host (record, originals, generations, journal, lock), and nothing about how it is used.

    lock                          held by one run at a time (flock)
    record.json                   what is ours; never secret
    key                           random, made once; what the fingerprints in the record are keyed with
    originals/<generation>-<n>    bytes that stood at a path before it became ours
    originals/<generation>-<n>-kept    what we last wrote by a tool that does not show secrets
    generations/<id>/manifest.json, 0, 1, ...    one finished run and the bytes it replaced
    journal.json                  exists only while a run is at work, or was killed

A generation is finished when, and only when, it has a manifest: the journal itself is renamed to it as the last step.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
import time
import typing as t

from .durable import make_folder, read_json, remove_file, sync_folder, write_new
from .problems import Problem, ProblemsError

_ID = re.compile(r"^(\d{8}T\d{6}Z)-(\d+)$")
_POLL_SECONDS = 0.05
KEY_BYTES = 32

#: {"apps": {name: dict}, "files": {path: dict}}
Record = t.Dict[str, t.Dict[str, t.Any]]


class State:
    """The state folder of one host. Making one touches nothing."""

    def __init__(self, folder: str) -> None:
        self.folder = folder = os.path.abspath(folder)
        self.journal = os.path.join(folder, "journal.json")
        self.record = os.path.join(folder, "record.json")
        self.key = os.path.join(folder, "key")
        self.originals = os.path.join(folder, "originals")
        self.generations = os.path.join(folder, "generations")

    def generation(self, name: str) -> str:
        """Folder of one generation."""
        return os.path.join(self.generations, name)

    def manifest(self, name: str) -> str:
        """What makes the folder a finished generation."""
        return os.path.join(self.generation(name), "manifest.json")

    def original(self, name: str) -> str:
        """Blob of one original."""
        return os.path.join(self.originals, name)

    def problems(self) -> list[Problem]:
        """Why this folder cannot be used; empty when it is fine or can be made."""
        try:
            status = os.stat(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        if not stat.S_ISDIR(status.st_mode):
            return [Problem(self.folder, "The state folder is not a folder.", "state-dir", "Name another state_dir.")]
        if status.st_uid != os.geteuid():
            hint = "Run as its owner, or name another state_dir."
            return [Problem(self.folder, "The state folder belongs to another user.", "state-dir", hint)]
        return []

    def create(self) -> None:
        """The folder and its parts, 0700 whatever the umask, also where an older one was more open."""
        if os.path.isdir(self.generations) and stat.S_IMODE(os.stat(self.folder).st_mode) == 0o700:
            return
        os.makedirs(os.path.dirname(self.folder), 0o755, exist_ok=True)
        make_folder(self.folder, 0o700)
        os.chmod(self.folder, 0o700)
        make_folder(self.originals, 0o700)
        make_folder(self.generations, 0o700)  # last: its presence says that all is there
        sync_folder(self.folder)

    def load_record(self) -> Record:
        """The ownership record; empty on a host that has none. ValueError when damaged."""
        return read_json(self.record) or {"apps": {}, "files": {}}

    def load_key(self) -> t.Optional[bytes]:
        """The host's key for fingerprints, None before there is one. ValueError when damaged."""
        try:
            with open(self.key, "rb") as file:
                key = file.read()
        except FileNotFoundError:
            return None
        if len(key) != KEY_BYTES:
            raise ValueError(f"{self.key} is damaged")
        return key

    def make_key(self, key: bytes) -> None:
        """Keep the host's key. Only under the lock, where there is none."""
        temp = self.key + ".new"
        remove_file(temp)
        write_new(temp, key)
        os.rename(temp, self.key)
        sync_folder(self.folder)

    def finished(self) -> list[str]:
        """Ids of the finished generations, oldest first."""
        names = os.listdir(self.generations) if os.path.isdir(self.generations) else []
        return sorted((name for name in names if _ID.match(name) and os.path.exists(self.manifest(name))), key=sort_key)

    def next_id(self) -> str:
        """An id that sorts after every other, also when the clock was set back."""
        stamp, number = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), 1
        names = os.listdir(self.generations) if os.path.isdir(self.generations) else []
        last = max((sort_key(name) for name in names if _ID.match(name)), default=("", 0))
        if last[0] >= stamp:
            stamp, number = last[0], last[1] + 1
        return f"{stamp}-{number}"

    def drop_generation(self, name: str) -> None:
        """Remove a generation with its bytes. The manifest goes first: what is left without one is never rolled back to."""
        folder = self.generation(name)
        if not os.path.isdir(folder):
            return
        remove_file(self.manifest(name))
        sync_folder(folder)
        for blob in os.listdir(folder):
            remove_file(os.path.join(folder, blob))
        os.rmdir(folder)
        sync_folder(self.generations)

    def sweep(self) -> None:
        """Remove bytes that nothing refers to any more. Only without a journal, under the lock."""
        finished = self.finished()
        for name in os.listdir(self.generations):
            if name not in finished:
                self.drop_generation(name)
        records = [self.load_record()] + [read_json(self.manifest(name))["record_before"] for name in finished]
        wanted = {entry.get(part) for record in records for entry in record["files"].values() for part in ("original", "kept")}
        for name in os.listdir(self.originals):
            if name not in wanted:
                remove_file(self.original(name))

    @contextlib.contextmanager
    def locked(self, timeout: float) -> t.Iterator[None]:
        """One run at a time. Raises ProblemsError (``locked``) after ``timeout`` seconds of waiting."""
        with open(os.path.join(self.folder, "lock"), "ab", opener=_private) as lock:
            deadline = time.monotonic() + timeout
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise ProblemsError([self._locked(timeout)]) from None
                time.sleep(_POLL_SECONDS)
            yield

    def _locked(self, timeout: float) -> Problem:
        what = f"Another run is at work on this host; waited {timeout:g} seconds for it."
        return Problem(self.folder, what, "locked", "Wait for it to end, or give a larger lock_timeout.")


def sort_key(name: str) -> tuple[str, int]:
    """By time, then by number (10 after 9)."""
    stamp, _dash, number = name.partition("-")
    return stamp, int(number)


def copy_record(record: Record) -> Record:
    """A record that can be changed without changing the first one."""
    return json.loads(json.dumps(record))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
