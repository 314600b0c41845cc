# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report holds: hosts, their applications and relays, frozen and without any secret. The JSON file is this, key by key."""

from __future__ import annotations

import dataclasses
import typing as t

VERSION = 1
RUNS = ("apply", "verify", "rotate")
# A certificate that is renewed by a machine is renewed a month before its end: with so few days left, that has failed.
ENDING_DAYS = 14

HostOutcome = t.Literal[
    "unreachable", "failed", "refused", "differs", "not_run", "drifted", "would_change", "changed", "ok", "nothing"
]
AppOutcome = t.Literal[
    "as_declared",
    "written",
    "would_be_written",
    "differs",
    "drifted",
    "refused",
    "taken_back",
    "would_be_taken_back",
    "absent",
    "unmanaged",
    "not_done",
    "left",
]
# Worst first: the order in which a report shows hosts.
HOST_OUTCOMES: tuple[HostOutcome, ...] = (
    "unreachable",
    "failed",
    "refused",
    "differs",
    "not_run",
    "drifted",
    "would_change",
    "changed",
    "ok",
    "nothing",
)


@dataclasses.dataclass(frozen=True)
class ReportedFinding:
    """One thing that is wrong. remedies: what to do, most likely first."""

    where: str
    what: str
    code: str
    remedies: tuple[str, ...] = ()

    def line(self, hosts: str = "") -> str:
        """All of it in one line. hosts: where it was found."""
        what = f"{self.what} [{self.code}]{f' on {hosts}.' if hosts else ''}"
        return " ".join([f"{self.where}: {what}" if self.where else what, *self.remedies])


@dataclasses.dataclass(frozen=True)
class ReportedFailure:
    """The task that ended a host's run, and everything it named."""

    task: str
    message: str
    findings: tuple[ReportedFinding, ...] = ()


@dataclasses.dataclass(frozen=True)
class AcceptedGap:
    """A gap that the user took by its code."""

    code: str
    why: str


@dataclasses.dataclass(frozen=True)
class Drift:
    """What somebody else has changed of what was written; never a value. keys: none for a file of our own. done: what became of it."""

    path: str
    keys: tuple[str, ...]
    what: str
    done: str


@dataclasses.dataclass(frozen=True)
class ReportedActivation:
    """How an application took up its changed settings. reason: why it did not, or with which other application it did.

    missing: there was nothing to act on, such as no unit of that name.
    """

    activated: bool
    how: str
    reason: str
    missing: bool = False


@dataclasses.dataclass(frozen=True)
class Unseen:
    """What keeps an application from being green. show: what would make it visible, or right. wrong: it was seen to be so."""

    what: str
    code: str
    show: str
    wrong: bool


@dataclasses.dataclass(frozen=True)
class App:
    """One application of a host. credential_id is a label; unexpressed are preferences that it has no setting for.

    status: whether it is there and reads its file. proof: how far it was shown to work, of proof_wanted. green: all of it was seen.
    sender: what it uses where none is declared.
    """

    name: str
    outcome: AppOutcome
    app: str = ""
    title: str = ""
    relay: str = ""
    security: str = ""
    credential_id: str = ""
    form: str = ""
    paths: tuple[str, ...] = ()
    unexpressed: tuple[str, ...] = ()
    accepted: tuple[AcceptedGap, ...] = ()
    refusals: tuple[ReportedFinding, ...] = ()
    activation: ReportedActivation | None = None
    test: str = ""
    drift: tuple[Drift, ...] = ()
    status: str = ""
    status_why: str = ""
    version: str = ""
    proof: str = ""
    proof_wanted: str = ""
    proof_why: str = ""
    stale: bool = False
    down: bool = False
    forwarder: str = ""
    sender: str = ""
    activates: bool = False
    green: bool = False
    unseen: tuple[Unseen, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReportedCertificate:
    """What the relay showed. days_left is negative once it has ended, None when it is not known."""

    days_left: int | None
    not_after: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    verified: bool
    version: str


@dataclasses.dataclass(frozen=True)
class ReportedReply:
    """A reply of a relay and its meaning. code 0: there was none."""

    code: int
    enhanced: str
    text: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class ReportedStep:
    """One step of a probe. ms: milliseconds."""

    name: str
    ok: bool
    ms: float
    reply: ReportedReply


@dataclasses.dataclass(frozen=True)
class ReportedRelay:
    """One probed relay, as a host sees it. name ends with the applications that use it in brackets; reply is the decisive one."""

    name: str
    host: str
    port: int
    security: str
    ok: bool
    category: str
    level_reached: str
    diagnosis: str
    remedies: tuple[str, ...]
    confirmed_by: str
    blind_spots: tuple[str, ...]
    mechanism: str
    reply: ReportedReply
    certificate: ReportedCertificate | None
    steps: tuple[ReportedStep, ...]
    ms: float


@dataclasses.dataclass(frozen=True)
class ReportedHost:
    """One host. failed: whether something is wrong with it; generation: what the run replaced, for a roll-back.

    green: it has applications, and every one that is declared to be there was seen to work. undeclared: what is ours there, and is not declared
    any more.
    """

    name: str
    outcome: HostOutcome
    failed: bool
    sentence: str
    failure: ReportedFailure | None = None
    generation: str = ""
    apps: tuple[App, ...] = ()
    relays: tuple[ReportedRelay, ...] = ()
    green: bool = False
    undeclared: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Run:
    """Which run the report is of. at: UTC, as 2026-11-21T05:17:00Z."""

    run: str
    check_mode: bool
    at: str


@dataclasses.dataclass(frozen=True)
class Report:
    """A run and its hosts, those that need a look first."""

    run: Run
    hosts: tuple[ReportedHost, ...]
