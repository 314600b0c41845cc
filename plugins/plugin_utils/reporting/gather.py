# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the facts that a host left behind to its part of the report. Facts come from hosts and relays: nothing in them is trusted."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...module_utils._shared.secret import Redactor
from . import green
from .model import (
    AcceptedGap,
    App,
    AppOutcome,
    Drift,
    HostOutcome,
    ReportedActivation,
    ReportedCertificate,
    ReportedFailure,
    ReportedFinding,
    ReportedHost,
    ReportedRelay,
    ReportedReply,
    ReportedStep,
    Run,
)
from .values import Facts, items, mapping, number, shown, texts


def host(name: str, facts: Facts, run: Run, redactor: Redactor) -> ReportedHost:
    """One host from what the role recorded as ``smtp_relay_report``."""
    failure = _failure(facts.get("failure"), redactor)
    unreachable = bool(mapping(facts.get("failure")).get("unreachable"))
    relays = tuple(_relay(item) for item in items(facts.get("relays")))
    apps = _through([_judged(app, relays, run) for app in _apps(facts, run, failed=failure is not None)])
    outcome = _outcome(failure, unreachable, apps, run)
    failed = failure is not None or outcome == "differs" or any(item.wrong for app in apps for item in app.unseen)
    sentence = _sentence(outcome, apps, relays, run)
    there = [app for app in apps if app.outcome not in ("absent", "unmanaged", "taken_back")]
    seen = bool(apps) and not failed and all(app.green for app in there)
    return ReportedHost(
        name=shown(name),
        outcome=outcome,
        failed=failed,
        sentence=sentence,
        failure=failure,
        generation=shown(facts.get("generation")),
        apps=apps,
        relays=relays,
        green=seen,
        undeclared=tuple(shown(item.get("name")) for item in items(facts.get("undeclared"))),
    )


def _view(facts: Facts, run: Run) -> str:
    """What the run did with the files of this host: only what was written may be said to be."""
    if run.run == "verify" or facts.get("view") == "looked":
        return "looked"
    return "predicted" if run.check_mode or facts.get("view") == "predicted" else "written"


def _judged(app: App, relays: t.Sequence[ReportedRelay], run: Run) -> App:
    relay = relay_of(app, relays)
    judged = dataclasses.replace(app, unseen=green.unseen(app, run, relay is not None and not relay.ok))
    return dataclasses.replace(judged, green=green.is_green(judged))


def _through(apps: t.Sequence[App]) -> tuple[App, ...]:
    """The applications, none of them green whose mail goes through a mail server of this host that is not."""
    green_here = {app.name: app.green for app in apps}
    found = []
    for app in apps:
        if app.green and not green_here.get(app.forwarder, True):
            app = dataclasses.replace(app, green=False, unseen=(*app.unseen, green.not_forwarded(app)))
        found.append(app)
    return tuple(found)


def silent(name: str, still_to_come: bool) -> ReportedHost:
    """A host that recorded nothing: its turn has not come, or it was lost on the way."""
    if still_to_come:
        return ReportedHost(shown(name), "not_run", False, "Its turn has not come.")
    what = "It could not be reached, or was lost before anything was recorded."
    return ReportedHost(shown(name), "unreachable", True, what, ReportedFailure("", what, ()))


def _outcome(failure: ReportedFailure | None, unreachable: bool, apps: t.Sequence[App], run: Run) -> HostOutcome:
    found = {app.outcome for app in apps}
    if unreachable:
        return "unreachable"
    if "refused" in found:
        return "refused"
    if failure is not None or any(item.wrong for app in apps for item in app.unseen):
        return "failed"
    if "differs" in found:
        return "differs"
    if found & {"would_be_written", "would_be_taken_back"}:
        return "would_change"
    if "drifted" in found:
        return "drifted"
    if not apps:
        return "nothing"
    if found == {"not_done"}:
        return "not_run"
    return "changed" if found & {"written", "taken_back"} else "ok"


def _sentence(outcome: HostOutcome, apps: t.Sequence[App], relays: t.Sequence[ReportedRelay], run: Run) -> str:
    if outcome == "unreachable":
        return "The host could not be reached."
    counted = {word: sum(app.outcome == word for app in apps) for word in {app.outcome for app in apps}}
    words = [
        ("refused", "refused"),
        ("left", "left unchanged"),
        ("differs", "not as declared"),
        ("drifted", "changed by somebody else"),
        ("not_done", "not done"),
        ("written", "written"),
        ("would_be_written", "would be written"),
        ("as_declared", "as declared"),
        ("taken_back", "taken back"),
        ("would_be_taken_back", "would be taken back"),
        ("absent", "absent"),
        ("unmanaged", "not managed"),
    ]
    parts = [f"{counted[word]} {said}" for word, said in words if word in counted]
    if parts:
        number, _blank, said = parts[0].partition(" ")
        parts[0] = f"{number} {'application' if number == '1' else 'applications'} {said}"
    head = f"{', '.join(parts)}." if parts else "No application is declared."
    return " ".join(filter(None, [head, _of_relays(apps, relays), _not_seen(apps)]))


def _of_relays(apps: t.Sequence[App], relays: t.Sequence[ReportedRelay]) -> str:
    bad = sum(not relay.ok for relay in relays)
    if not relays:
        return "No relay was tried." if apps else ""
    every = "The relay works" if len(relays) == 1 else f"All {len(relays)} relays work"
    some = "The relay fails" if len(relays) == 1 else f"{bad} of {len(relays)} relays {'fails' if bad == 1 else 'fail'}"
    return f"{some if bad else every}."


def _not_seen(apps: t.Sequence[App]) -> str:
    """What was not seen, in the same line."""
    codes: dict[str, list[str]] = {}
    for app in apps:
        for item in app.unseen:
            if not item.wrong:
                codes.setdefault(SAID_OF.get(item.code, item.code), []).append(app.name)
    return (
        "Not seen: " + "; ".join(f"{said} ({', '.join(names)})" for said, names in codes.items()) + "." if codes else ""
    )


#: What of an application was not seen, by its code.
SAID_OF = {
    "unknown": "that it reads its file",
    "not-wired": "that it reads its file",
    "not-installed": "that it is there",
    "not-tested": "that it can send",
    "not-proven": "that it can send as declared",
    "not-activated": "that it runs with its new settings",
    "not-running": "that it runs",
    "not-forwarded": "that the mail server of its host forwards its mail",
    "predicted": "what comes of writing",
}


# -- applications -----------------------------------------------------------------------------


def _apps(facts: Facts, run: Run, failed: bool) -> tuple[App, ...]:
    refusals = _refusals(facts)
    activations = {shown(item.get("app")): item for item in items(facts.get("activated"))}
    accepted, view = items(facts.get("accepted")), _view(facts, run)
    untouched = failed or facts.get("view") == "nothing"
    found = {}
    for item in items(facts.get("apps")):
        name = shown(item.get("name"))
        gaps = tuple(
            AcceptedGap(shown(gap.get("code")), shown(gap.get("why")))
            for gap in accepted
            if shown(gap.get("name")) == name
        )
        found[name] = _app(item, view, gaps, activations.get(name))
    for name, findings in refusals.items():
        found[name] = App(name, "refused", refusals=tuple(findings))
    # Of applications that are not there any more, those to be activated are those that lost something in this run.
    lost = [shown(item.get("app")) for item in items(facts.get("activations"))]
    found.update(
        {
            name: App(name, _taken_back(view), activation=_activation(activations.get(name)))
            for name in lost
            if name not in found
        }
    )
    found.update(
        {
            name: App(name, "not_done" if untouched else "absent")
            for name in texts(facts.get("absent"))
            if name not in found
        }
    )
    found.update({name: App(name, "unmanaged") for name in texts(facts.get("unmanaged")) if name not in found})
    undone = [name for name in texts(facts.get("declared")) if name not in found and untouched]
    found.update({name: App(name, "not_done", activation=_activation(activations.get(name))) for name in undone})
    drift = _drift(facts)
    return tuple(_drifted(app, drift[app.name], view) if app.name in drift else app for app in found.values())


def _drift(facts: Facts) -> dict[str, tuple[Drift, ...]]:
    """Application to what somebody else has changed of it."""
    found: dict[str, tuple[Drift, ...]] = {}
    for item in items(facts.get("drift")):
        one = Drift(shown(item.get("path")), texts(item.get("keys")), shown(item.get("what")), shown(item.get("done")))
        found[shown(item.get("name"))] = (*found.get(shown(item.get("name")), ()), one)
    return found


def _drifted(app: App, drift: tuple[Drift, ...], view: str) -> App:
    """To verify is to find it; in other runs what is not as declared is what was left."""
    outcome: AppOutcome = app.outcome
    if view == "looked":
        outcome = "differs"
    elif any(item.done == "left" for item in drift):
        outcome = "drifted"
    return dataclasses.replace(app, outcome=outcome, drift=drift)


def _taken_back(view: str) -> AppOutcome:
    return "differs" if view == "looked" else "would_be_taken_back" if view == "predicted" else "taken_back"


def relay_of(app: App, relays: t.Iterable[ReportedRelay]) -> ReportedRelay | None:
    """The probe that stands for an application: one with its name in the brackets, else its relay's without any; one that fails first."""
    found = []
    for relay in relays:
        name, _bracket, users = relay.name.partition(" (")
        if app.relay and (app.name in users.rstrip(")").split(", ") if users else name == app.relay):
            found.append(relay)
    return min(found, key=lambda relay: relay.ok, default=None)


def _activation(item: Facts | None) -> ReportedActivation | None:
    if not item:
        return None
    how, reason = shown(item.get("how")), shown(item.get("reason"))
    return ReportedActivation(bool(item.get("activated")), how, reason, bool(item.get("missing")))


def _app(item: Facts, view: str, gaps: tuple[AcceptedGap, ...], activated: Facts | None) -> App:
    outcome: AppOutcome = "left" if item.get("left") else "as_declared"
    if item.get("changed"):
        outcome = "differs" if view == "looked" else "would_be_written" if view == "predicted" else "written"
    name, app, title, relay, security, credential, form, test = (
        shown(item.get(key)) for key in ("name", "app", "title", "relay", "security", "credential_id", "form", "test")
    )
    status, why, version, proof, wanted, proof_why = (
        shown(item.get(key)) for key in ("status", "status_why", "version", "proof", "proof_wanted", "proof_why")
    )
    process, by = mapping(item.get("process")), mapping(item.get("activate"))
    return App(
        name,
        outcome,
        app,
        title,
        relay,
        security,
        credential,
        form,
        texts(item.get("paths")),
        texts(item.get("unexpressed")),
        gaps,
        (),
        _activation(activated),
        test,
        status=status or green.UNKNOWN,
        status_why=why,
        version=version,
        proof=proof or green.NOT_TESTED,
        proof_wanted=wanted,
        proof_why=proof_why,
        stale=bool(process.get("stale")) and not (activated or {}).get("activated"),
        down=bool((activated or process).get("down")),
        forwarder=shown(item.get("forwarder")),
        sender=shown(item.get("sender")),
        activates=bool(by) and by.get("how") != "none",
    )


def _refusals(facts: Facts) -> dict[str, list[ReportedFinding]]:
    """Application to what it cannot express. A refusal's place ends with the application's name in brackets."""
    found: dict[str, list[ReportedFinding]] = {}
    for item in [*items(facts.get("refusals")), *items(mapping(facts.get("failure")).get("refusals"))]:
        finding = _finding(item)
        named = re.search(r"\((.+)\)\Z", finding.where)
        found.setdefault(named.group(1) if named else finding.where, []).append(finding)
    return {name: list(dict.fromkeys(items)) for name, items in found.items()}


# -- relays -----------------------------------------------------------------------------------


def _relay(item: Facts) -> ReportedRelay:
    name, address, security, category, level, diagnosis, confirmed = (
        shown(item.get(key))
        for key in ("name", "host", "security", "category", "level_reached", "diagnosis", "confirmed_by")
    )
    return ReportedRelay(
        name=name,
        host=address,
        port=int(number(item.get("port"))),
        security=security,
        ok=bool(item.get("ok")),
        category=category,
        level_reached=level,
        diagnosis=diagnosis,
        remedies=texts(item.get("remedies")),
        confirmed_by=confirmed,
        blind_spots=texts(item.get("blind_spots")),
        mechanism=shown(mapping(item.get("auth")).get("used")),
        reply=_reply(mapping(item.get("reply"))),
        certificate=_certificate(mapping(item.get("tls"))),
        steps=tuple(_step(step) for step in items(item.get("steps"))),
        ms=number(mapping(item.get("timings_ms")).get("total")),
    )


def _certificate(tls: Facts) -> ReportedCertificate | None:
    if not tls:
        return None
    days = tls.get("days_left")
    return ReportedCertificate(
        int(number(days)) if isinstance(days, (int, float)) else None,
        shown(tls.get("not_after")),
        shown(tls.get("subject")),
        shown(tls.get("issuer")),
        texts(tls.get("names")),
        bool(tls.get("verified")),
        shown(tls.get("version")),
    )


def _step(item: Facts) -> ReportedStep:
    return ReportedStep(shown(item.get("name")), bool(item.get("ok")), number(item.get("ms")), _reply(item))


def _reply(item: Facts) -> ReportedReply:
    return ReportedReply(
        int(number(item.get("code"))), shown(item.get("enhanced")), shown(item.get("text")), shown(item.get("meaning"))
    )


# -- failures ---------------------------------------------------------------------------------


def _failure(value: t.Any, redactor: Redactor) -> ReportedFailure | None:
    """What ended the run. A task of anyone's may have failed, so known secrets are taken out of what it said."""
    facts = mapping(value)
    if not facts:
        return None
    message = shown(redactor.text(str(facts.get("msg") or "It failed without a word.")))
    findings = tuple(_finding(redactor.clean(dict(item))) for item in items(facts.get("problems")))
    return ReportedFailure(shown(facts.get("task")), message, findings)


def _finding(item: Facts) -> ReportedFinding:
    hint = shown(item.get("hint"))
    return ReportedFinding(
        shown(item.get("where")),
        shown(item.get("what")),
        shown(item.get("code")),
        tuple(line for line in hint.splitlines() if line.strip()),
    )


# -- values of any kind -----------------------------------------------------------------------
