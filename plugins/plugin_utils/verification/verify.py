# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is verified of one application: the login that its files hold, whether it works, and whether what runs can know of it."""

from __future__ import annotations

import dataclasses
import typing as t

from ..declaration.model import AppPlan, DeclaredCredential, FilePlan, Relay
from ..deployment.changes import Deployment, HostState
from ..dialects._registry import dialect
from ..problems import Problem
from ..rendering.readback import BY_HAND, NO_SECRET, read_back
from .probes import Joined
from .proof import Proof

Result = t.Dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Subject:
    """One application as it stands on a host.

    login: what to log in with, None where there is nothing to. source: ``file`` (read back), ``rendering`` (the files are exactly what
    this credential gives, though it cannot be read out of them), ``declaration`` (nothing was read). why: why it is not ``file``.
    """

    plan: AppPlan
    login: DeclaredCredential | None
    source: str
    why: str
    recorded: str | None
    as_declared: bool
    since: float | None
    known: tuple[DeclaredCredential, ...]

    @property
    def name(self) -> str:
        """Label of the application."""
        return self.plan.request.name

    @property
    def wanted(self) -> DeclaredCredential | None:
        """The credential that its files should hold."""
        return self.plan.relay.credential

    @property
    def activation(self) -> Result:
        """How it is activated, for ``smtp_activate``."""
        return {"app": self.name, **self.plan.activate}

    @property
    def flush(self) -> Result | None:
        """How mail that it kept is sent, for ``smtp_activate``; None for what keeps none."""
        queues = self.plan.application.entry.get("queues")
        command = [word.replace("{path}", self.plan.path) for word in queues["flush"]] if queues else []
        return {"app": self.name, "command": command} if queues else None


def subject(plan: AppPlan, declared: Relay, host: HostState | None) -> Subject:
    """One application by what stands on the host; without a host by the declaration alone. declared: its relay with both credentials."""
    wanted = plan.relay.credential if plan.relay.sends else None
    known = tuple(each for each in (declared.credential, declared.next) if each)
    if host is None:
        return Subject(plan, wanted, "declaration", "", None, True, None, known)
    texts = {file.path: host.text(file.path) for file in plan.files}
    noted = host.record.apps.get(plan.request.name)
    since = None if noted is None else noted.since
    as_declared = _as_declared(plan, host, texts)
    recorded = None if noted is None else noted.credential_id
    if wanted is None:
        return Subject(plan, None, "file", "", recorded, as_declared, since, known)
    found = read_back(plan, texts)
    if found.credential is not None:
        return Subject(plan, found.credential, "file", "", recorded, as_declared, since, known)
    nothing_to_read = as_declared and found.why != NO_SECRET
    return Subject(
        plan, wanted if nothing_to_read else None, "rendering", found.why, recorded, as_declared, since, known
    )


def _as_declared(plan: AppPlan, host: HostState, texts: t.Mapping[str, str | None]) -> bool:
    deployment = Deployment(host)
    return deployment.add(plan) and all(
        _same(file, deployment.texts.get(file.path), texts[file.path]) for file in plan.files
    )


def _same(file: FilePlan, wanted: str | None, text: str | None) -> bool:
    """Byte for byte in a file; what a tool prints is spelled as the tool likes."""
    if file.command is None or wanted is None or text is None:
        return wanted == text
    read = dialect(file.dialect).read
    return bool(read(wanted) == read(text))


class Logins:
    """The distinct logins of several applications: each is tried once, as a wrong password too often locks an account."""

    def __init__(self, subjects: t.Sequence[Subject], level: str, to: t.Sequence[str]) -> None:
        """level: as of ``smtp_verify``, empty for as far as each can be proven."""
        self._joined = Joined(level, to)
        for item in subjects:
            if item.login is not None or item.plan.relay.oauth2 is not None:
                self._joined.add(dataclasses.replace(item.plan.relay, credential=item.login), item.name)

    def options(self) -> list[Result]:
        """Options of ``smtp_probe``, one for each login, with its secret in the clear."""
        return self._joined.options()

    def by_subject(self, relays: t.Sequence[Result]) -> dict[str, Result]:
        """What came of each application's login, and of its sender."""
        return {name: login_of(result) for name, result in self._joined.by_user(relays).items()}


def login_of(result: t.Mapping[str, t.Any]) -> Result:
    """What of a probe's result is told of a login."""
    reply = result.get("reply") or {}
    return {
        "ok": result["ok"],
        "category": result["category"],
        "stage": result.get("stage", ""),
        "code": reply.get("code") or 0,
        "enhanced": reply.get("enhanced", ""),
        "diagnosis": result.get("diagnosis", ""),
        "level": result.get("level_reached", ""),
    }


def holds(item: Subject) -> str:
    """Which of the declared credentials the files hold: its id, ``neither``, or ``unknown``."""
    login = item.login
    if login is None or item.source == "rendering":
        return item.wanted.id if item.wanted and item.as_declared and item.why != BY_HAND else "unknown"
    same = [known.id for known in item.known if known[1:] == login[1:]]
    return same[0] if same else "neither"


def told(item: Subject, login: Result | None, process: Result | None) -> Result:
    """One application in the task's result; no secret is in it."""
    return {
        "name": item.name,
        "app": item.plan.request.app,
        "relay": item.plan.relay.name,
        "recorded": item.recorded,
        "holds": holds(item),
        "credential_id": item.wanted.id if item.wanted else "",
        "rotates": item.plan.relay.next is not None,
        "as_declared": item.as_declared,
        "source": item.source,
        "why": item.why,
        "login": login or {},
        "process": process_of(process),
        "next": bool(item.wanted and item.plan.relay.next and item.wanted == item.plan.relay.next),
        "changed": False,
        "title": item.plan.application.title,
        "form": item.plan.form,
        "security": item.plan.security,
        "paths": [file.path for file in item.plan.files],
    }


def process_of(process: Result | None) -> Result:
    """What was seen of what runs."""
    return {key: process[key] for key in ("stale", "reason", "how", "down") if key in process} if process else {}


def wrong(item: Subject, login: Result | None, process: Result | None) -> list[Problem]:
    """Everything that is not as it should be about one application."""
    found = []
    name = item.name
    if not item.as_declared:
        what = "Its files are not as declared." if item.recorded is not None else "Its files were never written here."
        found.append(
            Problem(
                name,
                what,
                "not-as-declared",
                "Look with smarthost.mail.apply --check --diff, then run smarthost.mail.apply.",
            )
        )
    if login is not None and not login["ok"]:
        code = f" ({login['code']} {login['enhanced']})".replace(" )", ")") if login["code"] else ""
        found.append(
            Problem(
                name,
                f"The login in its files fails: {login['category']}{code}. {login['diagnosis']}".strip(),
                "login-fails",
            )
        )
    if process is not None and process.get("stale"):
        found.append(
            Problem(
                name,
                "What runs is older than its files, and may not know of them.",
                "process-stale",
                "Restart it, then verify again.",
            )
        )
    return found


def with_login(item: Subject) -> AppPlan:
    """The plan with the login that the application's own files hold in the place of the declared one."""
    return (
        item.plan._replace(relay=dataclasses.replace(item.plan.relay, credential=item.login))
        if item.login
        else item.plan
    )


APPLY = "Run smarthost.mail.apply, with --check --diff first."


def against(
    item: Subject, changed: bool, drift: t.Sequence[t.Mapping[str, t.Any]], shown: Proof, process: Result | None
) -> list[Problem]:
    """Everything that is not as it should be about one application, each with what ends it."""
    found, name = [], item.name
    for each in drift:
        keys = f" ({', '.join(each['keys'])})" if each["keys"] else ""
        hint = "Say drift: enforce for the application to have it written again, or drift: adopt to take it as ours; then run smarthost.mail.apply."
        hint = APPLY if each["done"] != "left" else hint
        found.append(
            Problem(name, f"Somebody else has {each['what']} {each['path']}{keys}.", "changed-by-others", hint)
        )
    if changed and not drift:
        what = "Its files are not as declared." if item.recorded is not None else "Its files were never written here."
        found.append(Problem(name, what, "not-as-declared", APPLY))
    why = f"It was not shown to work: {shown.why.rstrip('.')}."
    if shown.refused:
        found.append(Problem(name, why, "login-fails"))
    elif not shown.reached and not changed:
        found.append(Problem(name, why, "not-proven"))
    if process is not None and process.get("stale"):
        hint = "Run smarthost.mail.apply: it activates it."
        found.append(
            Problem(name, "What runs is older than its files, and may not know of them.", "process-stale", hint)
        )
    return found


def not_taken_back(name: str) -> Problem:
    """What is declared to be absent and is there."""
    return Problem(
        name, "It is declared to be absent, and what was written for it still stands.", "not-as-declared", APPLY
    )


def undo(subjects: t.Sequence[Subject], generations: t.Sequence[Result]) -> str:
    """The generation before which every application that holds the next credential now held the one before it; empty if there is none."""
    moved = [item for item in subjects if item.plan.relay.next is not None and item.recorded == item.plan.relay.next.id]
    for generation in reversed(generations):
        before = generation.get("credentials", {})
        if moved and all(before.get(item.name, item.recorded) != item.recorded for item in moved):
            return str(generation["id"])
    return ""
