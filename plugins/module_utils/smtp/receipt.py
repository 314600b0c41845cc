# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers on the host which settings have been proved by a message, without anything that a secret can be guessed from."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
import typing as t

from .failure import OptionError

# The password is one of the settings, so a reader of salt and receipt could try words; each try costs this many rounds.
ROUNDS = 100_000


def _unusable(what: str, exc: OSError) -> OptionError:
    return OptionError(["state_dir: %s: %s. [state-dir]" % (what, exc.strerror)])


class Receipts:
    """One empty-handed file per proved set of settings, in a folder that only root (or the caller) can open."""

    def __init__(self, state_dir: str) -> None:
        self._folder = os.path.join(state_dir, "receipts")
        self._salt_path = os.path.join(self._folder, "salt")

    def prepare(self) -> None:
        """Make folder and salt where there are none. Raises :class:`OptionError`."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if not os.path.exists(self._salt_path):
                _write_new(self._salt_path, secrets.token_bytes(32))
        except OSError as exc:
            raise _unusable("%s cannot be written" % self._folder, exc) from exc

    def known(self, settings: t.Mapping[str, t.Any]) -> bool:
        """Whether a message has already gone out with exactly these settings. Changes nothing."""
        try:
            return os.path.exists(self._path(settings))
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise _unusable("%s cannot be read" % self._salt_path, exc) from exc

    def remember(self, settings: t.Mapping[str, t.Any], message_id: str, sent: str) -> None:
        """Note that the message went out."""
        try:
            _write_new(self._path(settings), json.dumps({"message_id": message_id, "sent": sent}).encode("utf-8"))
        except OSError as exc:
            raise _unusable("%s cannot be written" % self._folder, exc) from exc

    def _path(self, settings: t.Mapping[str, t.Any]) -> str:
        with open(self._salt_path, "rb") as handle:
            salt = handle.read()
        text = json.dumps(settings, sort_keys=True).encode("utf-8")
        return os.path.join(self._folder, hashlib.pbkdf2_hmac("sha256", text, salt, ROUNDS).hex() + ".json")


def _write_new(path: str, data: bytes) -> None:
    """Whole or not at all, readable by the owner only; if two come at once the first one stays."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)
