# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Status of an application on a host, by what was seen there: a word of a fixed set, and one sentence that says why (DESIGN section 3)."""

from __future__ import annotations

import typing as t

from ...module_utils._host.notes import fields
from ...module_utils._host.notes.fields import Fields
from ...module_utils._host.services.units import full_name
from ..catalogue.presence import question
from ..declaration.model import AppPlan, Gap, Presence, Refusal

ACTIVE, NOT_WIRED, NOT_INSTALLED, UNKNOWN = "active", "not_wired", "not_installed", "unknown"
STATUSES = (ACTIVE, NOT_WIRED, NOT_INSTALLED, UNKNOWN)
CODE = "not-installed"

_LONGEST = 400  # characters of one text of a host's


class WiringVerdict(t.NamedTuple):
    """Whether one way of wiring was seen: True, False, or None where nothing shows it; why; and what ends it, where no line is to be added."""

    seen: bool | None
    why: str
    remedy: str = ""

    @classmethod
    def from_answer(cls, value: object, place: str) -> WiringVerdict:
        """Raises DamagedError."""
        found = Fields(value, place)
        return cls(found.optional("seen", fields.flag), found.take("why", _said), found.optional("remedy", _said) or "")


class Facts(t.NamedTuple):
    """What a host answered about one application (see module_utils/_host/presence/detection.py)."""

    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    version: str | None = None
    wiring: t.Mapping[str, WiringVerdict] = {}

    @classmethod
    def from_answer(cls, value: object, place: str) -> Facts:
        """Raises DamagedError."""
        found = Fields(value, place)
        seen, unseen = (found.take(name, fields.tuple_of(_said)) for name in ("seen", "unseen"))
        return cls(
            seen,
            unseen,
            found.optional("version", _said),
            found.take("wiring", fields.mapping_of(WiringVerdict.from_answer)),
        )


def facts_of(answer: t.Mapping[str, t.Any]) -> dict[str, Facts]:
    """By application what a host answered; {} where it was not asked. Raises DamagedError."""
    return fields.mapping_of(Facts.from_answer)(answer.get("detected") or {}, "detected")


def _said(value: object, place: str) -> str:
    """A text of a host's, of which every character can be seen."""
    return "".join(char if char.isprintable() else "?" for char in fields.text(value, place)[:_LONGEST])


class Status(t.NamedTuple):
    """One application's. declared_not_seen: what the user states, and nothing showed."""

    status: str
    why: str
    version: str | None = None
    declared_not_seen: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        """The keys of ``apps[]`` in the result of smtp_config."""
        return {
            "status": self.status,
            "status_why": self.why,
            "version": self.version,
            "declared_not_seen": list(self.declared_not_seen),
        }


def asked(plans: t.Iterable[AppPlan]) -> list[dict[str, t.Any]]:
    """What the host is asked about each application."""
    return [
        question(
            plan.request.name,
            plan.presence,
            plan.request.project,
            [file.path for file in plan.files],
            CODE not in plan.relay.accept,
        )
        for plan in plans
    ]


def status_of(plan: AppPlan, facts: Facts | None) -> Status:
    """By what the host answered; None: no host was asked."""
    version = plan.request.version or (facts.version if facts else None)
    if facts is None:
        return Status(UNKNOWN, f"{plan.request.name}: no host was asked.", version, _declared(plan, True, True))
    reads, why = _reads(plan, facts)
    there = bool(facts.seen) or reads is True and _shows_itself(plan, facts)
    if _lacks_unit(plan, facts):
        return Status(
            NOT_INSTALLED,
            f"There is no unit {plan.presence.required_unit} on this host, whose drop-in is to name the file.",
            version,
        )
    if not there and _is_missing(plan, facts):
        return Status(NOT_INSTALLED, _not_installed(plan), version)
    declared = _declared(plan, not there, reads is None)
    known = there or plan.request.installed
    if there and reads:
        return Status(ACTIVE, f"Seen: {', '.join([*facts.seen, why])}.", version)
    if reads is False and known:
        remedy = next(
            (verdict.remedy for verdict in facts.wiring.values() if verdict.seen is False and verdict.remedy), ""
        )
        return Status(NOT_WIRED, f"{_capital(why)}. {remedy or _to_wire(plan)}", version, declared)
    return Status(UNKNOWN, _unknown(plan, facts, there, reads, why, declared), version, declared)


def refusal_of(plan: AppPlan, facts: Facts | None) -> Refusal | None:
    """Why nothing is written for an application that is not there; None where it may be. Accepted, it is written all the same."""
    if facts is None or CODE in plan.relay.accept or status_of(plan, facts).status != NOT_INSTALLED:
        return None
    return Refusal(plan.request.where, plan.request.name, plan.application.title, gap(plan, facts))


def gap(plan: AppPlan, facts: Facts) -> Gap:
    """That an application is not there, as a gap."""
    if facts.seen and _lacks_unit(plan, facts):
        hint = "Say in unit which one it runs as, or installed: true where that unit is still to come"
        return Gap(
            "installed",
            CODE,
            f"there is no unit {plan.presence.required_unit} on this host (seen: {', '.join(facts.seen)})",
            hint,
        )
    hint = "Install it first, say where it is (path, unit, compose, or installed: true), or take it off the list of this host"
    return Gap(
        "installed",
        CODE,
        f"it is not on this host (looked for {', '.join(looked_for(plan.presence, plan.request.project))})",
        hint,
    )


def with_absence(plan: AppPlan, facts: Facts | None) -> AppPlan:
    """The plan, with the gap that it is not there where the user has accepted it."""
    if facts is None or CODE not in plan.relay.accept or status_of(plan, facts).status != NOT_INSTALLED:
        return plan
    return plan._replace(accepted=(*plan.accepted, gap(plan, facts)))


def looked_for(presence: Presence, project: t.Mapping[str, t.Any] | None = None) -> list[str]:
    """By what its presence would be seen, in words."""
    detect = presence.detect
    words = [f"unit {full_name(unit)}" for unit in detect.units]
    words += [
        f"{kind} {name}"
        for kind, names in (("package", detect.packages), ("command", detect.commands))
        for name in names
    ]
    words += list(detect.folders)
    words += [f"a container of {image}" for image in detect.images]
    return words + ([f"a container in {project['folder']}"] if project else [])


def lines_to_add(presence: Presence) -> list[str]:
    """What would make it read its file, each of them enough."""
    ways, path = presence.ways, presence.path
    lines = [ways.add] if ways.add else []
    if ways.unit:  # with the hyphen it starts without the file too, as after smarthost.mail.remove
        lines.append(f"EnvironmentFile=-{path} under [Service] in a drop-in of {full_name(ways.unit)}")
    if ways.container:
        lines.append(
            f"env_file: [{path}] in its service of Compose (or --env-file {path}), and create the container again"
        )
    if ways.compose_file:
        lines.append(f"docker compose up -d, with {path} as one more --file")
    if ways.argument and not ways.add:
        lines.append(f"{path} on the command line of {full_name(ways.argument)}")
    if ways.line:
        lines.append(f"{ways.line['add']} in {ways.line['file']}")
    return lines


def _is_missing(plan: AppPlan, facts: Facts) -> bool:
    return plan.presence.native and plan.presence.findable and not facts.unseen


def _lacks_unit(plan: AppPlan, facts: Facts) -> bool:
    """Whether a drop-in of ours would be read by nobody."""
    return plan.presence.required_unit is not None and f"unit {plan.presence.required_unit}" not in facts.seen


def _shows_itself(plan: AppPlan, facts: Facts) -> bool:
    """Whether what reads the file is the application itself, so that it is there: a container that has the variables, a tool that answers.

    A tool is not called where nothing of the application is to be found.
    """
    tool = plan.presence.ways.tool and not plan.presence.findable
    return tool or any(
        verdict.seen for way, verdict in facts.wiring.items() if way in ("container", "compose_file", "beside")
    )


def _reads(plan: AppPlan, facts: Facts) -> tuple[bool | None, str]:
    """Whether it reads its file, by the way that shows it best; None where nothing shows it."""
    ways = plan.presence.ways
    if ways.tool:
        return True, "its own tool takes and shows the settings"
    if ways.native and plan.presence.usual:
        return True, ways.native
    verdicts = list(facts.wiring.values())
    for wanted in (True, False):
        found = [verdict.why for verdict in verdicts if verdict.seen is wanted]
        if found:
            return wanted, "; ".join(found)
    why = "; ".join(verdict.why for verdict in verdicts)
    if any(text.startswith("a container") for text in facts.seen):
        return False, why
    return None, why or ways.manual or f"nothing shows that it reads {plan.presence.path}"


def _declared(plan: AppPlan, installed_unseen: bool, wired_unseen: bool) -> tuple[str, ...]:
    stated = (
        ("installed", plan.request.installed and installed_unseen),
        ("wired", plan.request.wired and wired_unseen),
    )
    return tuple(word for word, holds in stated if holds)


def _not_installed(plan: AppPlan) -> str:
    return f"Nothing of it is on this host: looked for {', '.join(looked_for(plan.presence, plan.request.project))}."


def _to_wire(plan: AppPlan) -> str:
    lines = lines_to_add(plan.presence)
    service = [
        form.name
        for form in plan.application.forms.values()
        if form.files[0].dialect == "systemd_env" and form.name != plan.form
    ]
    ways = [f"Add {' or '.join(lines)}"] if lines else []
    ways += (
        [f"say form: {service[0]}, which writes the drop-in for its unit"]
        if service and plan.presence.ways.container
        else []
    )
    return "; or ".join(ways) + "." if ways else "Say wired: true where it reads the file all the same."


def _unknown(plan: AppPlan, facts: Facts, there: bool, reads: bool | None, why: str, declared: tuple[str, ...]) -> str:
    parts = []
    if there:
        parts.append(f"Seen: {', '.join(facts.seen)}; not seen: {why}")
    else:
        looked = looked_for(plan.presence, plan.request.project)
        parts.append(
            f"Looked for {', '.join(looked)}; not seen" if looked else "Its entry does not say how it can be seen"
        )
        parts += [] if reads else [why]
    parts += list(facts.unseen)
    if declared:
        parts.append(f"declared, not seen: {', '.join(declared)}")
    text = "; ".join(part for part in parts if part)
    say = [] if there or plan.request.installed else ["unit, compose or installed: true"]
    say += [] if reads or plan.request.wired else ["wired: true"]
    return f"{text}." + (f" Say {' and '.join(say)} where it is so." if say else "")


def _capital(text: str) -> str:
    """The beginning of a sentence; the name of a unit or a file keeps its letters."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text
