# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all hosts have in common: what to do, what was taken knowingly, each relay once, and the sentence above all."""

from __future__ import annotations

import dataclasses
import typing as t

from .gather import relay_of
from .lines import DONE
from .model import (
    ENDING_DAYS,
    HOST_OUTCOMES,
    AcceptedGap,
    App,
    Drift,
    Report,
    ReportedCertificate,
    ReportedFinding,
    ReportedHost,
    ReportedRelay,
    Unseen,
)


class Todo(t.NamedTuple):
    """One finding and the hosts that have it. urgent: False for what only wants attention."""

    finding: ReportedFinding
    hosts: tuple[str, ...]
    urgent: bool


class Taken(t.NamedTuple):
    """One gap taken by name and the applications, as ``host: application``, that have it."""

    gap: AcceptedGap
    users: tuple[str, ...]


class RelaySummary(t.NamedTuple):
    """One relay, seen from all hosts: from how many it works, the certificate that ends first, credentials in force."""

    name: str
    address: str
    security: str
    works: int
    tried: int
    certificate: ReportedCertificate | None
    credential_ids: tuple[str, ...]
    categories: tuple[str, ...]


def outcome(report: Report) -> t.Literal["failed", "attention", "ok"]:
    """One word for the whole run."""
    if any(host.failed for host in report.hosts):
        return "failed"
    return "attention" if todos(report) or not any(host.green for host in report.hosts) else "ok"


def sentence(report: Report) -> str:
    """One sentence for the whole run."""
    total, bad = len(report.hosts), sum(host.failed for host in report.hosts)
    hosts = "1 host" if total == 1 else f"{total} hosts"
    if bad:
        return f"{bad} of {hosts} {'needs' if bad == 1 else 'need'} work."
    used = [host for host in report.hosts if host.outcome != "nothing"]
    if not used:
        return f"No application is declared on {'this host' if total == 1 else 'any of these hosts'} ({hosts})."
    if all(host.outcome == "not_run" for host in used):
        return f"Nothing was looked at ({hosts})."
    if report.run.check_mode:
        return f"Nothing was seen to stand in the way ({hosts})." + _and_not_seen(used)
    if todos(report) or not all(host.green for host in used):
        seen = all(host.green for host in used)
        wants = ", and something wants attention" if seen else " as far as it was seen, and not all of it was seen"
        return (
            f"{'It' if total == 1 else 'All'} went well{wants} ({hosts})."
            + _and_not_seen(used)
            + _and_not_written(used)
        )
    done = {"apply": "has its mail settings", "verify": "is as declared", "rotate": "has its credential"}[
        report.run.run
    ]
    every = "Every host" if len(used) == total else f"Every host with an application ({len(used)} of {total})"
    return f"{every} {done}, and every relay in use was proven from it ({hosts})."


def _and_not_written(hosts: t.Sequence[ReportedHost]) -> str:
    """What was left as it was, so that nobody takes it for done."""
    why = {"refused": "refused", "drifted": "left as somebody else has changed it"}
    numbers = {word: sum(app.outcome == word for host in hosts for app in host.apps) for word in why}
    said = [
        f"{number} {'application is' if number == 1 else 'applications are'} {why[word]}"
        for word, number in numbers.items()
        if number
    ]
    return f" Not as declared: {', '.join(said)}." if said else ""


def _and_not_seen(hosts: t.Sequence[ReportedHost]) -> str:
    open_ = [host.name for host in hosts if not host.green]
    if not open_ or len(open_) == len(hosts):
        return ""
    return f" Seen to work on {len(hosts) - len(open_)} of {len(hosts)}."


def counts(report: Report) -> dict[str, int]:
    """Hosts by outcome, worst first, those that did not occur left out."""
    return {word: number for word in HOST_OUTCOMES if (number := sum(host.outcome == word for host in report.hosts))}


def todos(report: Report) -> list[Todo]:
    """Every finding once, with its hosts; urgent ones first, then by the number of hosts."""
    grouped: dict[tuple[ReportedFinding, bool], list[str]] = {}
    for host in report.hosts:
        for key in dict.fromkeys(_findings(host)):
            grouped.setdefault(key, []).append(host.name)
    found = [Todo(finding, tuple(hosts), urgent) for (finding, urgent), hosts in grouped.items()]
    return sorted(found, key=lambda todo: (not todo.urgent, -len(todo.hosts)))


def sender_lines(report: Report) -> list[str]:
    """Who sends as whom where no sender is declared, in one line over all hosts; none where each has one. It is no fault."""
    used = dict.fromkeys(f"{app.name}: {app.sender}" for host in report.hosts for app in host.apps if app.sender)
    return [f"No sender (from) is declared. {'; '.join(used)}."] if used else []


def host_lines(host: ReportedHost) -> list[str]:
    """What keeps a host from being green, and what to do, in a line for each reason: once, with the applications that have it."""
    grouped: dict[ReportedFinding, list[str]] = {}
    for finding, _urgent in _findings(host):
        grouped.setdefault(dataclasses.replace(finding, where=""), []).append(finding.where)
    return [
        dataclasses.replace(finding, where=", ".join(dict.fromkeys(filter(None, names)))).line()
        for finding, names in grouped.items()
    ]


def _findings(host: ReportedHost) -> t.Iterator[tuple[ReportedFinding, bool]]:
    """(finding, urgent) of one host. A refusal's place is left out: the same sentence holds on other hosts at other places."""
    if host.outcome == "unreachable":
        remedy = "See that it is up and that Ansible can log in, then run again with --limit."
        yield ReportedFinding("", "The host could not be reached.", "unreachable", (remedy,)), True
        return
    if host.outcome == "not_run":
        yield _of_not_run(host), False
    for app in host.apps:
        yield from (
            (ReportedFinding(app.name, refusal.what, refusal.code, refusal.remedies), host.failed)
            for refusal in app.refusals
        )
        differs = app.outcome == "differs"
        yield from ((_of_drift(app, drift), differs) for drift in app.drift if differs or drift.done == "left")
        yield from ((_of_unseen(app, item), item.wrong) for item in app.unseen if not _told_elsewhere(item, app, host))
        if differs and not app.drift:
            what = "Its files are not as declared."
            yield (
                ReportedFinding(
                    app.name,
                    what,
                    "differs",
                    ("Look with smarthost.mail.apply --check --diff, then run smarthost.mail.apply.",),
                ),
                True,
            )
    if host.undeclared:
        yield _of_undeclared(host), False
    yield from _of_left(host)
    yield from _of_relays(host.relays)
    yield from _of_failure(host)


def _of_not_run(host: ReportedHost) -> ReportedFinding:
    """It was not reached yet, or all that was asked for leaves its applications out."""
    if host.apps:
        remedy = "Run smarthost.mail.apply or smarthost.mail.verify without --tags or --skip-tags, and without smtp_relay_configure: false."
        return ReportedFinding("", "This run has looked at none of its applications.", "not-run", (remedy,))
    return ReportedFinding(
        "", "The host's turn has not come.", "not-run", ("Run again: hosts that are done stay as they are.",)
    )


def _of_unseen(app: App, item: Unseen) -> ReportedFinding:
    return ReportedFinding(app.name, item.what, item.code, (item.show,) if item.show else ())


def _of_undeclared(host: ReportedHost) -> ReportedFinding:
    one = len(host.undeclared) == 1
    what = f"What was written for {'it' if one else 'them'} is still on the host, and {'it is' if one else 'they are'} not declared any more."
    remedies = (
        "Take it back: smarthost.mail.apply -e smtp_relay_prune=true, or list it with state: absent.",
        "Or list it again.",
    )
    return ReportedFinding(", ".join(host.undeclared), what, "not-declared", remedies)


def _of_left(host: ReportedHost) -> t.Iterator[tuple[ReportedFinding, bool]]:
    """What a relay that fails has kept from being written, in one line: why is told of the relay, once."""
    names = [
        app.name for app in host.apps for item in app.unseen if item.code == "left" and _told_elsewhere(item, app, host)
    ]
    if names:
        what = f"{'Its' if len(names) == 1 else 'Their'} files were left as they are, as the relay fails."
        yield ReportedFinding(", ".join(names), what, "left", ("Once that is mended: run smarthost.mail.apply.",)), True


def _told_elsewhere(item: Unseen, app: App, host: ReportedHost) -> bool:
    """The relay that fails is a finding of its own, for all of its applications; a prediction is none."""
    relay = relay_of(app, host.relays)
    return item.code == "predicted" or (
        item.code in ("left", "not-proven", "not-tested") and relay is not None and not relay.ok
    )


def _of_drift(app: App, drift: Drift) -> ReportedFinding:
    keys = f" ({', '.join(drift.keys)})" if drift.keys else ""
    done, more = DONE.get(drift.done, (drift.done, ""))
    what = f"Somebody else has {drift.what} {drift.path}{keys}; {done}."
    remedy = f"Declare it so, or say so for the application: {more}; then run smarthost.mail.apply."
    return ReportedFinding(app.name, what, "drift", (remedy,) if drift.done == "left" else ())


def _of_relays(relays: t.Iterable[ReportedRelay]) -> t.Iterator[tuple[ReportedFinding, bool]]:
    for relay in relays:
        days = relay.certificate.days_left if relay.certificate else None
        if not relay.ok:
            yield ReportedFinding("", relay.diagnosis, relay.category, relay.remedies), True
        elif days is not None and days < ENDING_DAYS:
            what = f"The certificate of {relay.host}:{relay.port} {'has ended' if days < 0 else f'ends in {day_count(days)}'}."
            yield (
                ReportedFinding(
                    "", what, "certificate-ending", ("Have it renewed; if a machine renews it, see why it did not.",)
                ),
                False,
            )


def _of_failure(host: ReportedHost) -> t.Iterator[tuple[ReportedFinding, bool]]:
    """What ended the run, unless a refusal or a relay has already said so."""
    if host.failure is None:
        return
    refused = {(refusal.what, refusal.code) for app in host.apps for refusal in app.refusals}
    for finding in host.failure.findings:
        if (finding.what, finding.code) not in refused:
            yield finding, True
    if not host.failure.findings and not refused and all(relay.ok for relay in host.relays):
        yield ReportedFinding(host.failure.task, host.failure.message, "task-failed"), True


def taken(report: Report) -> list[Taken]:
    """Gaps taken by name, each once."""
    grouped: dict[AcceptedGap, list[str]] = {}
    for host in report.hosts:
        for app in host.apps:
            for gap in app.accepted:
                grouped.setdefault(gap, []).append(f"{host.name}: {app.name}")
    return [Taken(gap, tuple(users)) for gap, users in grouped.items()]


def endpoints(report: Report) -> list[RelaySummary]:
    """Each relay once, those that fail first."""
    grouped: dict[tuple[str, str, str], list[tuple[ReportedRelay, ReportedHost]]] = {}
    for host in report.hosts:
        for relay in host.relays:
            key = (relay.name.partition(" (")[0], f"{relay.host}:{relay.port}", relay.security)
            grouped.setdefault(key, []).append((relay, host))
    found = [_endpoint(key, seen) for key, seen in grouped.items()]
    return sorted(found, key=lambda item: (item.works == item.tried, item.name))


def _endpoint(key: tuple[str, str, str], seen: t.Sequence[tuple[ReportedRelay, ReportedHost]]) -> RelaySummary:
    certificates = [
        relay.certificate for relay, host in seen if relay.certificate and relay.certificate.days_left is not None
    ]
    first = min(certificates, key=lambda certificate: t.cast(int, certificate.days_left), default=None)
    ids = {
        app.credential_id for relay, host in seen for app in host.apps if app.credential_id and relay_of(app, (relay,))
    }
    categories = tuple(sorted({relay.category for relay, host in seen if not relay.ok}))
    # A host may probe one relay in two ways; it counts as working where all of them do.
    hosts: dict[str, bool] = {}
    for relay, host in seen:
        hosts[host.name] = hosts.get(host.name, True) and relay.ok
    return RelaySummary(*key, sum(hosts.values()), len(hosts), first, tuple(sorted(ids)), categories)


def day_count(days: int) -> str:
    """``1 day``, ``9 days``."""
    return "1 day" if days == 1 else f"{days} days"
