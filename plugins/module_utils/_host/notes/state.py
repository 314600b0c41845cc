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
import os
import stat
import time
import typing as t

from ..._shared.paths import private_folder
from ..._shared.problem import OTHER_STATE_DIR, Problem, ProblemsError
from ..disk.durable import make_folder, remove_file, sync_folder, write_new
from . import fields, stored_json
from .manifest import Journal, Manifest
from .ownership import GENERATION, OwnershipRecord

_POLL_SECONDS = 0.05
KEY_BYTES = 32
_FOLDERS = ("originals", "generations")
_WRITTEN = ("record.json.next", *(name + ".new" for name in ("record.json", "journal.json", "key", "activated.json")))
_COPY = "Restore it from a backup. Without one, make a copy of the folder {folder}, then delete this file: "


class State:
    """The state folder of one host. Making one touches nothing."""

    def __init__(self, folder: str) -> None:
        self.folder = folder = os.path.abspath(folder)
        self.journal = os.path.join(folder, "journal.json")
        self.record = os.path.join(folder, "record.json")
        self.record_next = self.record + ".next"
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
        except FileNotFoundError:
            return self._unsafe()
        except NotADirectoryError:
            return [
                Problem(
                    self.folder,
                    "The state folder lies below something that is not a folder.",
                    "state-dir",
                    f"Name {OTHER_STATE_DIR}.",
                )
            ]
        if not stat.S_ISDIR(status.st_mode):
            return [Problem(self.folder, "The state folder is not a folder.", "state-dir", f"Name {OTHER_STATE_DIR}.")]
        if status.st_uid != os.geteuid():
            hint = f"Use become (-b), run as its owner, or name {OTHER_STATE_DIR}."
            return [Problem(self.folder, "The state folder belongs to another user.", "state-dir", hint)]
        return self._unsafe()

    def _unsafe(self) -> list[Problem]:
        """Who can exchange the folder, or something in it, could make us write and read anywhere."""
        problem = private_folder(self.folder)
        return [problem] if problem is not None else self._misplaced()

    def _misplaced(self) -> list[Problem]:
        """Folders of ours that are something else (a link to one, which no file can be moved to), and folders where we write files."""
        try:
            with os.scandir(self.folder) as found:
                folders = {item.name: item.is_dir(follow_symlinks=False) for item in found}
        except FileNotFoundError:
            return []
        wrong = [name for name, is_folder in sorted(folders.items()) if name in (_WRITTEN if is_folder else _FOLDERS)]
        return [_not_a("file" if name in _WRITTEN else "folder", os.path.join(self.folder, name)) for name in wrong]

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

    def load_record(self) -> OwnershipRecord:
        """The ownership record; empty on a host that has none. Raises ProblemsError when damaged."""
        hint = "every file that is here then counts as the user's own, and what stood in its place before us is no longer known."
        record = stored_json.load(self.record, stored_json.RECORD_BYTES, OwnershipRecord.from_json, self._copy(hint))
        return OwnershipRecord() if record is None else record

    def load_journal(self) -> t.Optional[Journal]:
        """What a killed run left, None without one. Raises ProblemsError when damaged: then nobody can settle it but people."""
        hint = f"what the killed run has replaced is lost then, so look for it first in {self.generations} and beside the files."
        return stored_json.load(self.journal, stored_json.JOURNAL_BYTES, Journal.from_json, self._copy(hint))

    def load_manifest(self, name: str) -> Manifest:
        """That of a finished generation. Raises ProblemsError when damaged; all other generations can be used."""
        path = self.manifest(name)
        hint = f"Restore it from a backup, or delete the folder {self.generation(name)}: what that run replaced cannot be brought back then."
        manifest = stored_json.load(
            path, stored_json.JOURNAL_BYTES, lambda value: Manifest.from_json(value, name), hint
        )
        if manifest is None:
            raise ProblemsError([stored_json.damaged(path, fields.DamagedError("it is gone"), hint)])
        return manifest

    def load_key(self) -> t.Optional[bytes]:
        """The host's key for fingerprints, None before there is one. Raises ProblemsError when damaged."""
        try:
            key = stored_json.content(self.key, stored_json.MIB)
            if key is not None and len(key) != KEY_BYTES:
                raise fields.DamagedError(f"it has not {KEY_BYTES} bytes")
        except fields.DamagedError as error:
            hint = "a new one is made, and what somebody else has changed in our files until then is not noticed."
            raise ProblemsError([stored_json.damaged(self.key, error, self._copy(hint))]) from None
        return key

    def load_blob(self, path: str) -> bytes:
        """Bytes that we keep. Raises ProblemsError when they are gone, or another thing is in their place."""
        try:
            data = stored_json.content(path, stored_json.BLOB_BYTES)
            if data is None:
                raise fields.DamagedError("the bytes that we kept are gone")
        except fields.DamagedError as error:
            hint = "Restore it from a backup of the state folder. Without one, remove or restore the file by hand that it belongs to."
            raise ProblemsError([stored_json.damaged(path, error, hint)]) from None
        return data

    def load_original(self, name: str) -> bytes:
        """One original. Raises ProblemsError when it is gone."""
        return self.load_blob(self.original(name))

    def size_of_original(self, name: str) -> int:
        """In bytes; 0 when it is gone."""
        try:
            return os.stat(self.original(name)).st_size
        except OSError:
            return 0

    def _copy(self, hint: str) -> str:
        return _COPY.format(folder=self.folder) + hint

    def make_key(self, key: bytes) -> None:
        """Keep the host's key. Only under the lock, where there is none."""
        temp = self.key + ".new"
        remove_file(temp)
        write_new(temp, key)
        os.rename(temp, self.key)
        sync_folder(self.folder)

    def finished(self) -> t.List[str]:
        """Ids of the finished generations, oldest first."""
        return sorted((name for name in self._begun() if os.path.exists(self.manifest(name))), key=sort_key)

    def next_id(self, record: OwnershipRecord) -> str:
        """An id that no generation ever had: it sorts after every other, also when the clock was set back, and after those that are gone."""
        stamp, number = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), 1
        known = [
            *self._begun(),
            *_named_by([*_list(self.originals), *record.blobs]),
            *([record.last] if record.last else []),
        ]
        last = max(map(sort_key, known), default=("", 0))
        if last[0] >= stamp:
            stamp, number = last[0], last[1] + 1
        return f"{stamp}-{number}"

    def _begun(self) -> t.List[str]:
        return [name for name in _list(self.generations) if GENERATION.fullmatch(name)]

    def drop_generation(self, name: str) -> None:
        """Remove a generation with its bytes. The manifest goes first: what is left without one is never rolled back to."""
        folder = self.generation(name)
        if not os.path.lexists(folder):
            return
        if os.path.islink(folder) or not os.path.isdir(folder):
            raise ProblemsError([_not_a("folder", folder)])
        _remove(self.manifest(name))
        sync_folder(folder)
        for blob in os.listdir(folder):
            _remove(os.path.join(folder, blob))
        os.rmdir(folder)
        sync_folder(self.generations)

    def sweep(self, record: t.Optional[OwnershipRecord] = None) -> None:
        """Remove bytes that nothing refers to any more. Only without a journal, under the lock. record: where it is read already."""
        finished = self.finished()
        for name in self._begun():
            if name not in finished:
                self.drop_generation(name)
        left = set(_list(self.originals)) - (self.load_record() if record is None else record).blobs
        for name in left - self._kept_for(finished) if left else ():
            _remove(self.original(name))

    def _kept_for(self, generations: t.Iterable[str]) -> t.Set[str]:
        """The originals that rolling back would need; all of them, where that cannot be known."""
        try:
            return {blob for name in generations for blob in self.load_manifest(name).record_before.blobs}
        except ProblemsError:
            return set(os.listdir(self.originals))

    @contextlib.contextmanager
    def locked(self, timeout: float) -> t.Iterator[None]:
        """One run at a time. Raises ProblemsError (``locked``) after ``timeout`` seconds of waiting."""
        with open(self._open_lock(), "ab") as lock:
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

    def _open_lock(self) -> int:
        path = os.path.join(self.folder, "lock")
        try:
            return stored_json.open_file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except fields.DamagedError as error:
            raise ProblemsError(
                [stored_json.damaged(path, error, "Delete it while no run is at work: nothing is kept in it.")]
            ) from None

    def _locked(self, timeout: float) -> Problem:
        what = f"Another run is at work on this host; waited {timeout:g} seconds for it."
        return Problem(self.folder, what, "locked", "Wait for it to end, or give a larger lock_timeout.")


def sort_key(name: str) -> tuple[str, int]:
    """By time, then by number (10 after 9)."""
    stamp, _dash, number = name.partition("-")
    return stamp, int(number)


def _not_a(kind: str, path: str) -> Problem:
    return stored_json.damaged(
        path, fields.DamagedError(f"it is not a {kind}"), "Find out who put it there, and move it away."
    )


def _remove(path: str) -> None:
    """A file of ours. Raises ProblemsError for a folder, which is not."""
    try:
        remove_file(path)
    except (IsADirectoryError, PermissionError):  # PermissionError: for a folder, outside Linux
        if not os.path.isdir(path):
            raise
        raise ProblemsError([_not_a("file", path)]) from None


def _list(folder: str) -> t.List[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _named_by(blobs: t.Iterable[str]) -> t.List[str]:
    """The generations that these originals are named by."""
    found = [GENERATION.match(name) for name in blobs]
    return [match.group() for match in found if match]
