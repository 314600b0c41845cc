# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host tries a login first: what the hosts of one run have found out about each relay and credential, on the controller.

Each host is a process of its own there, so what is known stands in files of the folder that Ansible makes for one run, under a lock that
the host which tries first holds. Where it is refused as a login, nobody else of this run tries: a wrong password must not become
a thousand refused logins, which lock the account. Where it works, all others go on at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import typing as t

Options = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]
Refusal = t.Mapping[str, t.Any]

#: How often a first try that said nothing of the login (a timeout, a relay that is down) is repeated by another host, one after another.
FIRST_TRIES = 2
_LOGIN = ("host", "port", "type", "graph_url", "username", "password", "oauth2", "auth_domain", "client_cert")
_NO_LOGIN = (
    "auth_failed",
    "auth_app_password_required",
    "auth_basic_disabled",
    "auth_tenant_disabled",
    "auth_policy_blocked",
    "auth_account_blocked",
)
_TOKEN_REFUSED = (400, 401, 403)


def refused_as_a_login(result: Options) -> bool:
    """Whether the relay, or who gives out tokens, has refused this credential itself."""
    category, reply = result.get("category", ""), result.get("reply") or {}
    return category in _NO_LOGIN or (
        category in ("token_error", "token_wrong_scope") and reply.get("code") in _TOKEN_REFUSED
    )


def logs_in(options: Options) -> bool:
    """Whether a probe with these options tries a login."""
    return options.get("level") not in ("connect", "tls") and bool({"username", "oauth2"} & options.keys())


class Tries:
    """What is known of each login in one run. A context manager: it holds the locks of the logins that this host is the first to try."""

    def __init__(self, folder: str, host: str) -> None:
        """folder: of this run alone, and closed to others. host: who tries."""
        self._folder, self._host = folder, host
        self._held: dict[str, int] = {}
        self._told: dict[str, dict[str, t.Any]] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Tries:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._held.clear()

    def in_turn(self, probes: t.Sequence[Options]) -> list[list[int]]:
        """The numbers of the probes in one or two parts: the first with each login and those without one, then the others."""
        names = [self._name(options) if logs_in(options) else "" for options in probes]
        first = [number for number, name in enumerate(names) if not name or names.index(name) == number]
        rest = [number for number in range(len(names)) if number not in first]
        return [part for part in (first, rest) if part]

    def ask(self, probes: t.Sequence[Options]) -> list[Refusal | None]:
        """For each probe why it must not be tried, or None. Waits while another host is the first to try one of these logins."""
        names = [self._name(options) if logs_in(options) else "" for options in probes]
        # Always in the same order, so that no two hosts wait for each other.
        for name in sorted({name for name in names if name}):
            self._look(name)
        return [self._told[name].get("refused") if name else None for name in names]

    def tell(self, probes: t.Sequence[Options], results: t.Sequence[Options]) -> None:
        """What came of the probes that were tried, for the hosts that wait."""
        for options, result in zip(probes, results):
            if not logs_in(options):
                continue
            name = self._name(options)
            known = self._told.get(name, {})
            if refused_as_a_login(result):
                known = {"refused": {**_said(result), "host": self._host}}
            elif result.get("ok") or (result.get("auth") or {}).get("used"):
                known = {"works": True}
            else:
                known = {"tries": known.get("tries", 0) + 1}
            self._write(name, known)

    def _look(self, name: str) -> None:
        if name in self._told:
            return
        handle = os.open(os.path.join(self._folder, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._stack.callback(os.close, handle)  # which also lets the lock go
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._told[name] = _read(handle)
        if self._told[name] and self._told[name].get("tries", FIRST_TRIES) >= FIRST_TRIES:
            fcntl.flock(handle, fcntl.LOCK_UN)
        else:
            self._held[name] = handle

    def _write(self, name: str, known: dict[str, t.Any]) -> None:
        self._told[name] = known
        handle = self._held.get(name)
        if handle is None:
            if "refused" not in known:
                return  # others may have found out more meanwhile, and know that it can be tried
            handle = os.open(os.path.join(self._folder, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(known).encode(), 0)
        fcntl.flock(handle, fcntl.LOCK_UN)
        self._held.pop(name, None)

    def _name(self, options: Options) -> str:
        """The file of a login. Its name tells nothing about the secret to whom does not know this run's key."""
        login = json.dumps({key: options[key] for key in _LOGIN if key in options}, sort_keys=True, default=str)
        return "login-" + hmac.new(self._key(), login.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        """The key of this run: whoever comes first makes it."""
        path = os.path.join(self._folder, "logins.key")
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            return file.read()
        new = f"{path}.{os.getpid()}"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
        os.unlink(new)
        with open(path, "rb") as file:
            return file.read()


def _read(handle: int) -> dict[str, t.Any]:
    text = os.pread(handle, os.fstat(handle).st_size, 0)
    known: dict[str, t.Any] = json.loads(text) if text else {}
    return known


def _said(result: Options) -> dict[str, t.Any]:
    """What a host was told, for the others; redacted as every result is."""
    return {key: result[key] for key in ("category", "stage", "reply", "diagnosis", "remedies") if key in result}
