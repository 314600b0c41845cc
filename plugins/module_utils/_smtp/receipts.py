# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers on the host which settings have been proved by a message, and what the relay was like then.

No password is in a receipt or in its name, not even as a digest: whoever reads a digest and its salt can try words
until one fits. A new password under the same user name is therefore the same settings, unless ``credential_id`` says
otherwise; every probe logs in anyhow, so that it is proved without a message.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import typing as t

from .._shared.problem import Problem, ProblemsError

_LONGEST = 1 << 20


def _unusable(what: str, exc: OSError) -> ProblemsError:
    return ProblemsError([Problem("state_dir", f"{what}: {exc.strerror}.", "state-dir")])


class Receipts:
    """One file per proved set of settings, in a folder that only root (or the caller) can open."""

    def __init__(self, state_dir: str) -> None:
        self._folder = os.path.join(state_dir, "receipts")

    def prepare(self) -> None:
        """Make the folder where there is none, and see that it can be written. Raises :class:`ProblemsError`."""
        self._refuse_unsafe()
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            tempfile.TemporaryFile(dir=self._folder).close()
        except OSError as exc:
            raise _unusable(f"{self._folder} cannot be written", exc) from exc

    def find(self, settings: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        """What was noted when a message went out with exactly these settings; None if none did. Changes nothing."""
        self._refuse_unsafe()
        try:
            fd = os.open(self._path(settings), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(fd, "rb") as handle:
                found: object = json.loads(handle.read(_LONGEST).decode("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise _unusable(f"{self._folder} cannot be read", exc) from exc
        except (ValueError, RecursionError):
            found = None
        # Damaged, or of another release: as good as none. The next message proves the settings once more, and writes it again.
        return found if isinstance(found, dict) and _is_receipt(found) else None

    def remember(self, settings: t.Mapping[str, t.Any], noted: t.Mapping[str, t.Any]) -> None:
        """Note that the message went out. Whole or not at all, readable by the owner only."""
        try:
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(noted, sort_keys=True, indent=1).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(settings))
        except OSError as exc:
            raise _unusable(f"{self._folder} cannot be written", exc) from exc

    def _refuse_unsafe(self) -> None:
        """Who can exchange the folder could have us write anywhere. Raises :class:`ProblemsError`."""
        from ansible_collections.smarthost.mail.plugins.module_utils._shared.paths import private_folder

        try:
            problem = private_folder(os.path.abspath(self._folder))
        except OSError as exc:
            raise _unusable(f"{self._folder} cannot be read", exc) from exc
        if problem is not None:
            raise ProblemsError([problem._replace(where="state_dir")])

    def _path(self, settings: t.Mapping[str, t.Any]) -> str:
        text = json.dumps(settings, sort_keys=True).encode("utf-8")
        return os.path.join(self._folder, hashlib.sha256(text).hexdigest() + ".json")


def _is_receipt(found: dict[str, t.Any]) -> bool:
    """Whether this is what ``remember`` wrote: nothing less proves that a message went out."""
    relay = found.get("relay")
    if set(found) != {"sent", "message_id", "relay"} or not isinstance(relay, dict):
        return False
    items = [item for value in relay.values() for item in (value if isinstance(value, list) else [value])]
    return all(isinstance(item, (str, int, float)) for item in [found["sent"], found["message_id"], *items])
