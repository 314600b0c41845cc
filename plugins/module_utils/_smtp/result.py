# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what happened to what the module returns: the same keys on success and on failure, and no secret in any."""

from __future__ import annotations

import typing as t

from .._shared.light import NamedTuple
from .._shared.secret import Redactor
from .._shared.security import PORT_OF
from .._shared.visible import visible_all
from .diagnosis.blind_spots import blind_spots
from .diagnosis.categories import explain
from .diagnosis.classify import Classification, classify
from .diagnosis.enhanced_codes import meaning, remedy
from .network.route import at
from .options.target import RelayTarget
from .protocol.answer import HttpAnswer
from .protocol.bounds import both_ends, listed, shorten
from .protocol.log import ConversationLog, LoggedStep
from .protocol.reply import Capabilities, Reply

if t.TYPE_CHECKING:
    from .followup.second_connection import FollowUpFinding

# Words of ours, which a password that happens to be the same word must not garble.
OURS = ("category", "observed", "stage", "level", "level_reached", "security", "family")

# And sentences of ours, in which a short one would be found everywhere. What they repeat of others was cleaned before.
SENTENCES = (
    "diagnosis",
    "remedies",
    "meaning",
    "confirmed_by",
    "expect_unmet",
    "blind_spots",
    "notices",
    "problems",
    "detail",
    "error",
)

# What of TLS is for other stages, not for people.
BYTES = ("chain",)


class ProbeOutcome(NamedTuple):
    """One probed relay: the record and what was found out besides."""

    relay: RelayTarget
    record: ConversationLog
    finding: t.Optional[FollowUpFinding]
    changed: bool
    sent: bool
    message_id: str
    ms: float


def build(outcome: ProbeOutcome, redactor: Redactor) -> dict[str, t.Any]:
    """The return value for one relay; see RETURN of the module for its keys."""
    relay, record = outcome.relay, outcome.record
    verdict, facts = _verdict(outcome)
    seen = _seen(outcome, verdict, redactor)
    category, unmet = _against_expectation(outcome, seen, facts)
    ok = not unmet and category in ("ok", relay.expect.get("category", "ok"))
    facts.update((key, redactor.clean(facts[key])) for key in ("detail", "names", "offered", "has") if key in facts)
    sentence, remedies = explain(category, facts)
    if category == verdict.category:
        own = (outcome.finding.remedies if outcome.finding else ()) or facts.get("remedies", ())
        remedies = list(dict.fromkeys(list(own) + list(verdict.remedies) + ([] if own else remedies)))
    value: dict[str, t.Any] = {
        "name": relay.name,
        "host": relay.host,
        "port": relay.port,
        "security": relay.security,
        "level": relay.level,
        "level_reached": "message" if outcome.sent else record.reached,
        "ok": ok,
        "changed": outcome.changed,
        "category": category,
        "observed": verdict.category,
        "confidence": verdict.confidence if category == verdict.category else "certain",
        "stage": seen["stage"] or ("tls" if category == "cert_expiring" else ""),
        "reply": seen["reply"],
        "diagnosis": "{} {}.".format(facts.get("where") or at(relay.host, relay.port), sentence),
        "remedies": remedies,
        "provider": verdict.provider,
        "confirmed_by": outcome.finding.confirmed_by if outcome.finding else "",
        "expect_unmet": unmet,
        "blind_spots": _untested(record)
        + list(record.unseen)
        + blind_spots("message" if outcome.sent else record.reached, verdict.provider),
        "steps": [_step(step) for step in record.steps],
        "tls": seen["tls"],
        "capabilities": seen["capabilities"],
        "auth": seen["auth"],
        "addresses": [address._asdict() for address in record.addresses],
        **_envelope(relay, record),
        "dane": dict(record.dane),
        "mta_sts": dict(record.mta_sts),
        "notices": _notices(outcome),
        "message": {"sent": outcome.sent, "message_id": outcome.message_id},
        "receipt": {},
        "changes_since": [],
        "timings_ms": _timings(record, outcome.ms),
    }
    return _finished(value, record, redactor)


def _finished(value: dict[str, t.Any], record: ConversationLog, redactor: Redactor) -> dict[str, t.Any]:
    """With the transcript, as it leaves this host: without secrets, with nothing that cannot be seen, within bounds."""
    lines, left_out = both_ends(redactor.transcript(record.transcript), record.lines)
    value = shorten(visible_all(dict(redactor.clean(value, OURS, SENTENCES), transcript=lines)), left_out)
    value["msg"] = message(value)
    return value


def extend(result: dict[str, t.Any], more: dict[str, t.Any], redactor: Redactor) -> None:
    """Put ``more`` into a finished result, in the same state."""
    found = shorten(visible_all(redactor.clean(more)))
    result["truncated"] = result["truncated"] + found.pop("truncated")
    result.update(found)


def _verdict(outcome: ProbeOutcome) -> tuple[Classification, dict[str, t.Any]]:
    relay, record = outcome.relay, outcome.record
    facts: dict[str, t.Any] = {
        "host": relay.host,
        "port": relay.port,
        "security": relay.security,
        "server_name": relay.tls.server_name,
        "username": relay.credential.username if relay.credential else "",
        "mechanism": record.tried[-1] if record.tried else "",
        "offered": listed(record.capabilities.auth),
        "sender": relay.sender,
        "timeout": relay.timeout,
        "helo": relay.helo,
        "stage": record.failure.stage if record.failure else "",
        "usual_port": PORT_OF[relay.security] if relay.port != PORT_OF[relay.security] else "",
        "on_this_host": bool(record.addresses)
        and all(address.ip.startswith("127.") or address.ip == "::1" for address in record.addresses),
    }
    certificate = _tls(outcome)
    if certificate:
        facts.update(names=listed(certificate["names"]), days_left=certificate["days_left"])
    greeting = str(record.greeting or "")
    if record.failure is None:
        return classify("ok", "", None, relay.host, greeting), facts
    failure = record.failure
    facts.update(failure.facts, detail=failure.detail)
    verdict = classify(failure.category, failure.stage, failure.reply, relay.host, greeting)
    if "wrong" in failure.facts and failure.reply is not None:
        # The code's own advice is about a password, and there was none.
        about_passwords = remedy(failure.reply.enhanced)
        verdict = verdict._replace(remedies=tuple(advice for advice in verdict.remedies if advice != about_passwords))
    if record.remarks and verdict.meaning:
        verdict = verdict._replace(meaning="; ".join([verdict.meaning] + record.remarks))
    if outcome.finding is not None and outcome.finding.category:
        verdict = verdict._replace(category=outcome.finding.category, confidence="certain")
    return verdict, facts


def _against_expectation(
    outcome: ProbeOutcome, seen: t.Mapping[str, t.Any], facts: dict[str, t.Any]
) -> tuple[str, list[str]]:
    """The category in the light of ``expect``, and what of it was not met, in words. May add facts for the sentence."""
    expect, category = outcome.relay.expect, seen["category"]
    days, left = max(expect.get("min_cert_days", 0), outcome.relay.min_cert_days), facts.get("days_left")
    unmet = _unmet(expect, seen) if expect else []
    if (
        category == "ok"
        and days
        and left is not None
        and left < days
        and all(text.startswith("min_cert_days") for text in unmet)
    ):
        facts["wanted_days"] = days
        return "cert_expiring", unmet
    if unmet and (category == "ok" or expect.get("category", "ok") != "ok"):
        facts["detail"] = "; ".join(unmet)
        return "expect_unmet", unmet
    return category, unmet


def _unmet(expect: dict[str, t.Any], seen: t.Mapping[str, t.Any]) -> list[str]:
    # Imported here: most probes expect nothing but that all is well.
    from .options import expectation

    return expectation.unmet(expect, seen)


def _seen(outcome: ProbeOutcome, verdict: Classification, redactor: Redactor) -> dict[str, t.Any]:
    """The part of the result that expectations look at."""
    relay, record, failure = outcome.relay, outcome.record, outcome.record.failure
    return {
        "security": relay.security,
        "category": verdict.category,
        "stage": failure.stage if failure else "",
        "reply": _reply(failure.reply if failure else record.accepted or record.reply, verdict),
        "tls": _tls(outcome),
        "capabilities": {
            "before_tls": _words(record.before_tls, redactor),
            "after_tls": _words(record.after_tls, redactor),
        },
        "auth": {
            "offered": list(record.capabilities.auth),
            "tried": list(record.tried),
            "used": record.mechanism,
            "token": record.token,
        },
    }


def _reply(reply: Reply | HttpAnswer | None, verdict: Classification | None = None) -> dict[str, t.Any]:
    if reply is None:
        return {"code": None, "enhanced": "", "text": "", "meaning": ""}
    own = reply.meaning if isinstance(reply, HttpAnswer) else meaning(reply.code, reply.enhanced)
    words = verdict.meaning if verdict and verdict.meaning else own
    return {"code": reply.code, "enhanced": reply.enhanced, "text": reply.text, "meaning": words}


def _step(step: LoggedStep) -> dict[str, t.Any]:
    return dict({"name": step.name, "ok": step.ok, "ms": step.ms}, **_reply(step.reply))


def _tls(outcome: ProbeOutcome) -> dict[str, t.Any]:
    """What is known of TLS; empty where there was none. A certificate that failed was seen by the finding, or by the pin."""
    failure, finding = outcome.record.failure, outcome.finding
    info = outcome.record.tls or (finding.tls if finding else None) or (failure.facts.get("tls") if failure else None)
    if info is None:
        return {}
    known = info._asdict()
    return {key: list(item) if key == "names" else item for key, item in known.items() if key not in BYTES}


def _envelope(relay: RelayTarget, record: ConversationLog) -> dict[str, t.Any]:
    return {
        "senders": _senders(relay, record),
        "recipients": _recipients(relay, record),
        "recipient": _recipient(relay, record),
    }


def _senders(relay: RelayTarget, record: ConversationLog) -> list[dict[str, t.Any]]:
    """What became of each sender whose envelope was tried."""
    found = []
    for address, failure in record.senders.items():
        verdict = (
            Classification("ok")
            if failure is None
            else classify(failure.category, failure.stage, failure.reply, relay.host, str(record.greeting or ""))
        )
        said = _reply(failure.reply if failure else None, verdict)
        found.append(dict({"address": address, "ok": failure is None, "category": verdict.category}, **said))
    return found


def _recipients(relay: RelayTarget, record: ConversationLog) -> list[dict[str, t.Any]]:
    """What became of each recipient: at RCPT, and with LMTP of the message for each (RFC 2033 4.2)."""
    found: dict[str, LoggedStep] = {}
    for name in ("rcpt", "message") if relay.route.protocol == "lmtp" else ("rcpt",):
        found.update(zip(relay.recipients, [step for step in record.steps if step.name == name]))
    return [dict({"address": address, "ok": step.ok}, **_reply(step.reply)) for address, step in found.items()]


def _recipient(relay: RelayTarget, record: ConversationLog) -> str:
    """Whether a recipient was proven: one of our own choice proves nothing when it is refused or put off."""
    asked = any(step.name == "rcpt" for step in record.steps)
    return "" if not asked else "not_tested" if relay.own_recipient and record.untested is not None else "tested"


def _untested(record: ConversationLog) -> list[str]:
    """The recipient among what was not seen, with what was said to it."""
    if record.untested is None:
        return []
    said = f"{record.untested.code} {record.untested.text}"
    return [
        f"whether it takes mail to anybody: to the sender's own address, tried because to: names none, it said {said.strip()}"
    ]


def _notices(outcome: ProbeOutcome) -> list[str]:
    """What did not fail the probe and will fail somebody."""
    known = _tls(outcome)
    strict = known.get("would_pass_strict") is False
    text = "the certificate chain would not pass the strict checks that are the default of Python 3.13 and later: %s"
    return list(outcome.record.warnings) + ([text % known["strict_problem"]] if strict else [])


def _words(capabilities: Capabilities, redactor: Redactor) -> dict[str, str]:
    """A secret may be spread over several of them."""
    flat = redactor.texts([text for pair in capabilities.words.items() for text in pair])
    return dict(zip(flat[::2], flat[1::2]))


def _timings(record: ConversationLog, total: float) -> dict[str, float]:
    timings: dict[str, float] = {}
    for step in record.steps:
        timings[step.name] = round(timings.get(step.name, 0) + step.ms, 1)
    return dict(timings, total=total)


def message(value: t.Mapping[str, t.Any]) -> str:
    """The block for people: where, what, what they said, what it means, what to do."""
    lines = ["{}{} [{}]".format(value["stage"] + ": " if value["stage"] else "", value["diagnosis"], value["category"])]
    reply = value["reply"]
    if reply["code"] and value["category"] != "ok":
        lines.append(
            "    They said: {}".format(
                " ".join(str(part) for part in (reply["code"], reply["enhanced"], reply["text"]) if part)
            )
        )
        lines.append("    It means: {}.".format(reply["meaning"]))
    if value["confirmed_by"]:
        lines.append("    Confirmed: {}.".format(value["confirmed_by"]))
    lines += [f"    - {remedy}" for remedy in value["remedies"]]
    return "\n".join(lines)
