# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host on the page: its outcome in a line, and behind it its applications, its relays and the steps of each probe."""

from __future__ import annotations

import typing as t

from .gather import relay_of
from .lines import DONE
from .markup import NOTHING, Child, Markup, element, join, table
from .model import (
    ENDING_DAYS,
    App,
    Drift,
    ReportedCertificate,
    ReportedFailure,
    ReportedFinding,
    ReportedHost,
    ReportedRelay,
    ReportedStep,
)
from .summary import day_count

Look = t.Tuple[str, str, str]
# Outcome: (tone, symbol, word). The symbol and the word say it all; the tone only adds a colour.
LOOKS: dict[str, Look] = {
    "unreachable": ("bad", "∅", "unreachable"),
    "failed": ("bad", "✗", "failed"),
    "refused": ("bad", "⊘", "refused"),
    "differs": ("bad", "≠", "not as declared"),
    "drifted": ("warn", "≠", "changed by others"),
    "not_run": ("warn", "…", "not run yet"),
    "would_change": ("warn", "+", "would change"),
    "changed": ("good", "+", "changed"),
    "ok": ("good", "✓", "as declared"),
    "as_declared": ("good", "✓", "as declared"),
    "written": ("good", "+", "written"),
    "would_be_written": ("warn", "+", "would be written"),
    "taken_back": ("good", "−", "taken back"),
    "would_be_taken_back": ("warn", "−", "would be taken back"),
    "absent": ("plain", "○", "absent"),
    "unmanaged": ("plain", "○", "not managed"),
    "not_done": ("bad", "✗", "not done"),
    "left": ("bad", "⊘", "left unchanged"),
    "nothing": ("plain", "○", "nothing declared"),
}


def look(outcome: str) -> Look:
    """Tone, symbol and word of an outcome."""
    return LOOKS[outcome]


def look_of(outcome: str, green: bool) -> Look:
    """The same for what was done to a host or an application; good only where all of it was seen to work."""
    tone, symbol, word = LOOKS[outcome]
    return (
        (tone, symbol, word)
        if green or tone != "good" or outcome == "taken_back"
        else ("warn", "?", f"{word}, not all seen")
    )


def mark(tone: str, symbol: str, word: str) -> Markup:
    """An outcome to look at: a symbol for the eye and a word for everyone."""
    return element("span", element("span", symbol, aria_hidden="true"), f" {word}", class_=f"mark {tone}")


def host_section(host: ReportedHost, opened: bool, every_step: bool) -> Markup:
    """One host, folded away unless ``opened``. every_step: show the steps of relays that work, too."""
    head = element(
        "summary",
        mark(*look_of(host.outcome, host.green)),
        " ",
        element("b", host.name),
        " ",
        element("span", host.sentence, class_="said"),
    )
    return element(
        "details",
        head,
        _failure(host),
        _apps(host),
        _relays(host, every_step),
        element("p", f"What was replaced is kept as generation {host.generation}.") if host.generation else None,
        class_="host",
        open=opened,
        data_look=host.failed or not (host.green or host.outcome == "nothing"),
    )


def certificate_words(certificate: ReportedCertificate | None) -> Child:
    """How long a certificate still holds, in words."""
    if certificate is None:
        return NOTHING
    days = certificate.days_left
    if days is None:
        return "seen, end not known"
    until = f" ({certificate.not_after[:10]})"
    if days < 0:
        return join(mark("bad", "✗", "has ended"), until)
    if days < ENDING_DAYS:
        return join(mark("warn", "!", f"ends in {day_count(days)}"), until)
    return f"{day_count(days)} left{until}" + ("" if certificate.verified else ", not verified")


def _failure(host: ReportedHost) -> Markup | None:
    if host.failure is None:
        return None
    said = _findings(host.failure) if host.failure.findings else element("pre", host.failure.message)
    task = element("p", "The run ended here: ", element("b", host.failure.task)) if host.failure.task else None
    return element("div", task, said, class_="failure")


def _findings(failure: ReportedFailure) -> Markup:
    return element("ul", [element("li", finding_words(finding)) for finding in failure.findings])


def finding_words(finding: ReportedFinding) -> Markup:
    """One finding with its code and what to do."""
    where = (element("b", finding.where), ": ") if finding.where else None
    remedies = element("ul", [element("li", remedy) for remedy in finding.remedies]) if finding.remedies else None
    return join(where, finding.what, " ", element("code", finding.code), remedies)


# -- applications -----------------------------------------------------------------------------


def _apps(host: ReportedHost) -> Markup | None:
    if not host.apps:
        return None
    headings = ("Application", "Outcome", "Sends through", "Credential", "Settings", "Notes")
    return table(f"Applications of {host.name}", headings, [_app(app, host) for app in host.apps])


def _app(app: App, host: ReportedHost) -> tuple[Child, ...]:
    title = app.title or app.app
    label = app.name if title.lower() in ("", app.name.lower()) else join(app.name, element("small", title))
    return (
        label,
        mark(*look_of(app.outcome, app.green)),
        _through(app, host),
        app.credential_id or NOTHING,
        _settings(app),
        _notes(app),
    )


def _through(app: App, host: ReportedHost) -> Child:
    if not app.relay:
        return NOTHING
    words = f"{app.relay}, {app.security}" if app.security else app.relay
    relay = relay_of(app, host.relays)
    if relay is None:
        return join(words, element("small", "not tried"))
    if not relay.ok and app.proof != app.proof_wanted:
        return join(words, element("small", mark("bad", "✗", relay.category)))
    if app.proof_wanted and app.proof != app.proof_wanted:
        return join(words, element("small", mark("warn", "?", app.proof.replace("_", " "))))
    return join(words, element("small", mark("good", "✓", f"proven: {app.proof}" if app.proof_wanted else "works")))


def _settings(app: App) -> Child:
    if not app.paths:
        return NOTHING
    return join(
        [element("code", path) for path in app.paths], element("small", f"form {app.form}") if app.form else None
    )


def drift_words(drift: Drift) -> Markup:
    """What somebody else has changed, and what became of it."""
    keys = (": ", element("code", ", ".join(drift.keys))) if drift.keys else None
    done = DONE[drift.done][0] if drift.done in DONE else drift.done
    return join(drift.what, " by somebody else in ", element("code", drift.path), keys, "; ", done)


def _notes(app: App) -> Child:
    notes = [element("li", finding_words(refusal)) for refusal in app.refusals]
    notes += [element("li", drift_words(item)) for item in app.drift]
    notes += [element("li", item.what, " ", item.show) for item in app.unseen if item.code != "predicted"]
    notes += [element("li", "accepted ", element("code", gap.code)) for gap in app.accepted]
    if app.unexpressed:
        notes.append(element("li", f"has no setting for {', '.join(app.unexpressed)}"))
    if app.sender:
        notes.append(element("li", f"no sender declared (from), {app.sender}"))
    if app.activation is not None:
        how = {"restart": "restarted", "reload": "reloaded"}.get(app.activation.how, "activated")
        done = how if app.activation.activated else "not activated"
        notes.append(element("li", f"{done}: {app.activation.reason}" if app.activation.reason else done))
    if app.test:
        notes.append(element("li", "try it: ", element("code", app.test)))
    return element("ul", notes) if notes else NOTHING


# -- relays -----------------------------------------------------------------------------------


def _relays(host: ReportedHost, every_step: bool) -> Markup | None:
    if not host.relays:
        return None
    headings = ("Relay", "Outcome", "Address", "Certificate", "Login", "Took")
    rows = [_relay(relay) for relay in host.relays]
    return join(
        table(f"Relays, tried from {host.name}", headings, rows),
        [_steps(relay) for relay in host.relays if relay.steps and (every_step or not relay.ok)],
    )


def _relay(relay: ReportedRelay) -> tuple[Child, ...]:
    outcome = (
        mark("good", "✓", "works")
        if relay.ok
        else join(mark("bad", "✗", "fails"), " ", element("code", relay.category))
    )
    login = relay.mechanism or ("no login" if relay.ok else NOTHING)
    return (
        relay.name,
        outcome,
        f"{relay.host}:{relay.port}, {relay.security}",
        certificate_words(relay.certificate),
        login,
        f"{relay.ms:.0f} ms",
    )


def _steps(relay: ReportedRelay) -> Markup:
    """What was seen, folded away: the diagnosis, what they said and what it means, and every step with its reply."""
    reply = relay.reply
    said = " ".join(str(part) for part in (reply.code, reply.enhanced, reply.text) if part)
    facts = [
        ("Diagnosis", relay.diagnosis),
        ("They said", said),
        ("It means", reply.meaning if said else ""),
        ("Confirmed", relay.confirmed_by),
        ("What to do", "\n".join(relay.remedies)),
        ("Not seen", "\n".join(relay.blind_spots)),
        ("Certificate", _identity(relay.certificate)),
    ]
    words = [(element("dt", name), element("dd", text)) for name, text in facts if text]
    steps = table("Every step", ("Step", "Outcome", "They said", "It means", "Took"), map(_step, relay.steps))
    return element(
        "details", element("summary", f"{relay.name}: step by step"), element("dl", words), steps, class_="steps"
    )


def _identity(certificate: ReportedCertificate | None) -> str:
    if certificate is None:
        return ""
    parts = [
        certificate.subject,
        f"for {', '.join(certificate.names)}" if certificate.names else "",
        f"issued by {certificate.issuer}" if certificate.issuer else "",
        certificate.version,
        "verified" if certificate.verified else "not verified",
    ]
    return "; ".join(part for part in parts if part)


def _step(step: ReportedStep) -> tuple[Child, ...]:
    said = " ".join(str(part) for part in (step.reply.code, step.reply.enhanced, step.reply.text) if part)
    outcome = mark("good", "✓", "ok") if step.ok else mark("bad", "✗", "failed")
    return step.name, outcome, said or NOTHING, step.reply.meaning or NOTHING, f"{step.ms:.1f} ms"
