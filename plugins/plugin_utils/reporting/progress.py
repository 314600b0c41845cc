# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a run is, counted from the events of Ansible: hosts done, failed and left, rate and time left. Names and codes only."""

from __future__ import annotations

import re
import typing as t

Result = t.Mapping[str, t.Any]
#: The steps that are counted, by action, in the word that people see.
STEPS = {"smtp_config": "settings", "smtp_activate": "activation", "smtp_probe": "probe", "smtp_verify": "login"}
#: The steps that a host takes in each entry point of the role.
ENTRY_POINTS = {
    "main": ("smtp_config", "smtp_activate", "smtp_verify"),
    "verify": ("smtp_verify",),
    "rotate_begin": ("smtp_verify",),
    "rotate_batch": ("smtp_config", "smtp_activate", "smtp_verify"),
    "rotate_end": ("smtp_config",),
}
#: The steps that are skipped where the role leaves out one of its files.
INCLUDED = {"rotate_host.yml": ENTRY_POINTS["rotate_batch"]}
DONE, FAILED, UNREACHABLE, BACK = "done", "failed", "unreachable", "taken back"
_WORD = re.compile(r"[a-z0-9_.-]{1,60}\Z", re.IGNORECASE)


class Play:
    """One play of a run. ``steps``: the actions that each host takes; ``batches``: how many there are."""

    def __init__(self, hosts: t.Iterable[str], steps: t.Iterable[str], batches: int, now: float) -> None:
        self.hosts, self.steps, self.batches, self.batch = set(hosts), frozenset(steps), batches, 0
        self._started, self._now_at = now, ""
        self._members: set[str] = set()
        self._returned: set[str] = set()
        self._carried: set[str] = set()
        self._taken: dict[str, set[str]] = {}
        self._trouble: dict[str, str] = {}

    def begin(self, members: t.Iterable[str], lost: t.Mapping[str, str]) -> None:
        """The next batch. ``lost``: hosts that were in trouble in an earlier play; Ansible leaves them out, unless they were rescued."""
        self.end()
        self.batch += 1
        self._members = set(members) & self.hosts
        if self.batch == 1:
            self._trouble = {name: how for name, how in lost.items() if name in self.hosts}
            self._carried = set(self._trouble)
        self._now_at, self._returned = "", set()

    def at(self, action: str) -> None:
        """A task with this action begins."""
        if action in STEPS:
            self._now_at, self._returned = action, set()

    def took(self, host: str, action: str) -> None:
        """A host took a step. One that was in trouble in an earlier play was rescued there."""
        if host in self._carried:
            self._carried.remove(host)
            self._trouble.pop(host)
        self.skipped(host, action)

    def skipped(self, host: str, action: str) -> None:
        """A host had no need of a step."""
        if action in STEPS:
            self._taken.setdefault(host, set()).add(action)
            self._returned.add(host)

    def lost(self, host: str, how: str) -> None:
        """A host is in trouble, and stays so in this play; that it then fails is no news."""
        self._carried.discard(host)
        if how != FAILED or host not in self._trouble:
            self._trouble[host] = how

    def end(self) -> None:
        """The batch is over. Where nothing went wrong in it, every host has taken all steps that there were for it."""
        if not self._members & set(self._trouble):
            for name in self._members:
                self._taken[name] = set(self.steps)

    @property
    def everywhere(self) -> bool:
        """Whether the step that we are at has come back from every host of the batch."""
        return len(self._returned) == len(self._members)

    def named(self, how: str) -> list[str]:
        """The hosts in this state, sorted."""
        if how == DONE:
            return sorted(
                name
                for name, steps in self._taken.items()
                if steps >= self.steps and name not in self._trouble and name in self.hosts
            )
        return sorted(name for name, state in self._trouble.items() if state == how)

    @property
    def left(self) -> int:
        """Hosts of which nothing is known to be finished or lost."""
        return len(self.hosts) - len(self.named(DONE)) - len(self._trouble)

    @property
    def work(self) -> float:
        """What is behind us, in hosts: one with half of its steps is half a host, and nothing more comes of one in trouble."""
        steps = max(len(self.steps), 1)
        taken = sum(
            min(len(self._taken.get(name, set()) & self.steps) / steps, 1)
            for name in self.hosts
            if name not in self._trouble
        )
        return taken + len(self._trouble)

    def line(self, now: float, where: str = "") -> str:
        """Counts, rate, time left, and where we are, which begins with ``where``. now: by the clock that the play was made with, in seconds."""
        counted = [f"{len(self.named(DONE))}/{len(self.hosts)} hosts done", f"{len(self.named(FAILED))} failed"]
        counted += [f"{len(self.named(how))} {how}" for how in (UNREACHABLE, BACK) if self.named(how)]
        places = [where] if where else []
        places += [f"batch {self.batch}/{self.batches}"] if self.batches > 1 else []
        places += [f"{STEPS[self._now_at]} {len(self._returned)}/{len(self._members)}"] if self._now_at else []
        return (
            ", ".join(counted) + f", {self.left} left" + self._pace(now) + (f" ({', '.join(places)})" if places else "")
        )

    def _pace(self, now: float) -> str:
        elapsed, remaining = now - self._started, len(self.hosts) - self.work
        if elapsed < 1 or not self.work:
            return ""
        rate = self.work / elapsed
        shown = f"{rate:.1f} hosts/s" if rate >= 1 else f"{rate * 60:.1f} hosts/min"
        return f", {shown}" + (f", {clock(remaining / rate)} to go" if remaining > 0 else "")


def clock(seconds: float) -> str:
    """Seconds as ``0:41`` or ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def reasons(result: Result) -> list[str]:
    """What a failed task of ours says in names and codes: ``main (msmtp): auth_failed 535 5.7.8``. Its sentences are left where they are."""
    logins = [(each.get("name", ""), each, each.get("reply") or {}) for each in _mappings(result.get("relays"))]
    logins += [
        (each.get("name", ""), each["login"], each["login"])
        for each in _mappings(result.get("apps"))
        if isinstance(each.get("login"), dict)
    ]
    found = [_login(name, told, reply) for name, told, reply in logins if told.get("ok") is False]
    if not found:
        found = [
            f"{each.get('where') or 'this host'}: {_word(each.get('code'))}"
            for each in _mappings(result.get("problems"))
        ]
    if not found and result.get("category"):
        found = [_login("", result, result.get("reply") or {})]
    return list(dict.fromkeys(found))


def _login(name: str, told: Result, reply: Result) -> str:
    code = reply.get("code")
    words = [
        _word(told.get("category")),
        str(code) if isinstance(code, int) and code else "",
        _word(reply.get("enhanced")),
    ]
    return (f"{name}: " if name else "") + " ".join(filter(None, words))


def _word(value: t.Any) -> str:
    """A code, and nothing that is none."""
    return value if isinstance(value, str) and _WORD.match(value) else ""


def _mappings(value: t.Any) -> list[Result]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
