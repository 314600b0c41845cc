# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a rotation, host by host, and what to do next: the lines that people read at its end."""

from __future__ import annotations

import json
import shlex
import typing as t

from ..problems import Problem, by_cause
from .rotate import APPLY, Admission, is_done, old_is_refused

Variables = t.Mapping[str, t.Any]
ROTATE, REVOKE_CHECK = "smarthost.mail.rotate", "smarthost.mail.revoke_check"
VERIFIED, NOTHING, UNREACHABLE, ROLLED_BACK, FAILED, NOT_RUN = (
    "verified",
    "nothing",
    "unreachable",
    "rolled_back",
    "failed",
    "not_run",
)
UNPROVEN = "rolled_back_unproven"
KEEP_THE_OLD = "The old credential must not be revoked yet."
OLD_IS_DEAD = "The relay refuses the old credential already: a host that is still on it cannot send."
_SAID = {
    VERIFIED: "on the next credential, verified by a login",
    ROLLED_BACK: "rolled back, on the current credential, verified by a login",
    UNPROVEN: "rolled back, on the current credential, NOT VERIFIED",
    FAILED: "FAILED",
    UNREACHABLE: "not reached",
    NOT_RUN: "not begun, on the current credential",
    NOTHING: "without an application that changes",
}


class RotationOutcome(t.NamedTuple):
    """hosts: by name one of the words above. complete: every host that changes is verified, and none was left out by --limit."""

    complete: bool
    hosts: t.Mapping[str, str]
    lines: tuple[str, ...]


def admission_lines(admission: Admission, canary: str) -> list[str]:
    """What is going to happen, before it does."""
    lines = []
    if admission.mode == "forward":
        lines.append(
            "THE CURRENT CREDENTIAL IS REFUSED by the relay, and the next one works: going on without a way back, as that would only take mail away."
        )
    if admission.mode == "gap":
        lines.append("The provider knows one credential at a time: all hosts at once, and no way back.")
    if admission.unreachable:
        lines.append(f"not reached, the rotation stays open for: {', '.join(admission.unreachable)}")
    if admission.done:
        lines.append(f"already on the next credential, verified by a login: {len(admission.done)}")
    if admission.done and not admission.todo and not admission.unreachable:
        return [*lines, "Nothing is to be done: the next credential is in force on every host that has one."]
    lines.append(f"to change: {len(admission.todo)}" + (f", {canary} first" if canary else ""))
    return lines


def command_again(playbook: str, inventory: t.Sequence[str], options: t.Sequence[str] = ()) -> str:
    """The command that runs a playbook of ours over the same hosts, as it can be pasted into a shell."""
    words = ["ansible-playbook", playbook, *(word for source in inventory for word in ("-i", source)), *options]
    return " ".join(map(shlex.quote, words))


def checked(admission: Variables, inventory: t.Sequence[str], options: t.Sequence[str] = ()) -> tuple[str, ...]:
    """What a run with --check comes to. admission: the result of the step ``admit``."""
    todo = len(admission["todo"])
    if not todo:
        return (
            f"Checked: no host has to change, {len(admission['done'])} on the next credential already. Nothing was written.",
        )
    first = f", {admission['canary']} first" if admission["canary"] else ""
    what = (
        f"Checked: {todo} {'host' if todo == 1 else 'hosts'} would get the next credential{first}. Nothing was written."
    )
    return (what, "Rotate with: " + command_again(ROTATE, inventory, options))


def outcome(
    hosts: t.Mapping[str, Variables], inventory: t.Sequence[str], limited: bool, options: t.Sequence[str] = ()
) -> RotationOutcome:
    """By what the playbook left in the variables of each host. options: what else the command needs that is printed."""
    states = {name: _state(given) for name, given in hosts.items()}
    kept = {name: apps for name, given in hosts.items() if (apps := _kept(given, _relays(hosts)))}
    complete = not limited and not kept and all(state in (VERIFIED, NOTHING) for state in states.values())
    lines = [f"Rotation {'complete' if complete else 'NOT complete'}: {_counted(states)}."]
    for name, state in states.items():
        if state not in (VERIFIED, NOTHING, NOT_RUN):
            lines.append(f"{name}: {_SAID[state]}{_why(hosts[name], state)}")
    for name, apps in kept.items():
        again = command_again(APPLY, inventory, [*options, "--limit", name, "-e", "smtp_relay_prune=true"])
        lines.append(
            f"{name}: {', '.join(apps)} still with the old credential, and not declared any more. List it again, or take it back with: {again}"
        )
    relays = _relays(hosts)
    if complete:
        for name in relays:
            which = ("-e", json.dumps({"smtp_relay_revoked": {"relay": name}})) if len(relays) > 1 else ()
            command = command_again(REVOKE_CHECK, inventory, [*options, *which])
            lines.append(
                f"Then revoke the old credential of relay {name} at the provider, and confirm that it is revoked: {command}"
            )
        lines += [
            f'After that, in the declaration of relay {name}: make next the current one (credential_id: "{new}"), and remove next.'
            for name, new in relays.items()
        ]
    else:
        command = command_again(ROTATE, inventory, options)
        dead = any(_old_is_dead(given) for given in hosts.values())
        lines.append(f"{OLD_IS_DEAD if dead else KEEP_THE_OLD} Go on with: {command}")
        if limited:
            lines.append(
                "Hosts that --limit leaves out are not known to be done: without --limit the same command completes the rotation."
            )
    return RotationOutcome(complete, states, tuple(lines))


def _state(given: Variables) -> str:
    baseline = given.get("smtp_relay_baseline") or {}
    if given.get("smtp_relay_rotation_back"):
        back = given["smtp_relay_rotation_back"].get("apps", ())
        if not back or not all(app["as_declared"] for app in back):
            return FAILED
        return UNPROVEN if _refused(given["smtp_relay_rotation_back"]) else ROLLED_BACK
    if given.get("smtp_relay_rotation_failure"):
        return FAILED
    if any(
        (given.get(name) or {}).get("unreachable")
        for name in ("smtp_relay_baseline", "smtp_relay_verified", "smtp_relay_written")
    ):
        return UNREACHABLE
    if is_done(given.get("smtp_relay_verified") or {}) or (is_done(baseline) and baseline.get("apps")):
        return VERIFIED
    return NOTHING if baseline.get("skipped") else NOT_RUN


def _kept(given: Variables, relays: t.Mapping[str, str]) -> list[str]:
    """What is not declared for a host any more and, by its record, has another credential of these relays than the next one."""
    undeclared = (given.get("smtp_relay_baseline") or {}).get("undeclared", ())
    return [
        app["name"] for app in undeclared if app["relay"] in relays and app["credential_id"] != relays[app["relay"]]
    ]


def _old_is_dead(given: Variables) -> bool:
    """Whether the relay has refused the old credential of a host, before it was changed or when it was taken back."""
    seen = [given.get(name) or {} for name in ("smtp_relay_baseline", "smtp_relay_rotation_back")]
    return any(old_is_refused(app) for verified in seen for app in verified.get("apps", ()))


def _why(given: Variables, state: str) -> str:
    """The step and the SMTP code of what failed; never a whole result."""
    failure = given.get("smtp_relay_rotation_failure") or {}
    said = _refused(given.get("smtp_relay_verified") or {})
    if failure.get("problems") and not said:
        said = [
            f"{problem.where}: {problem.what}" for problem in by_cause(Problem(**each) for each in failure["problems"])
        ]
    if state == UNPROVEN:
        said += [f"after that: {each}" for each in _refused(given["smtp_relay_rotation_back"])]
    if state in (ROLLED_BACK, UNPROVEN):
        said += [
            f"STILL NOT ACTIVATED: {problem['what']}"
            for problem in (given.get("smtp_relay_reactivated") or {}).get("problems", ())
        ]
    text = "; ".join(said) or str(failure.get("msg", "")).partition("\n")[0]
    if not text:
        return " (with its batch)" if state == ROLLED_BACK else ""
    return f" (at: {failure['task']}; {text})" if failure.get("task") else f" ({text})"


def _refused(verified: Variables) -> list[str]:
    """The applications whose login failed, with the category and the SMTP code."""
    logins = [
        (app["name"], app["login"]) for app in verified.get("apps", ()) if app.get("login") and not app["login"]["ok"]
    ]
    return [
        " ".join(f"{name}: {login['category']} {login['code'] or ''} {login['enhanced']}".split())
        for name, login in logins
    ]


def _counted(states: t.Mapping[str, str]) -> str:
    words = [VERIFIED, NOT_RUN, ROLLED_BACK, UNPROVEN, FAILED, UNREACHABLE, NOTHING]
    counted = [(sum(state == word for state in states.values()), word) for word in words]
    return ", ".join(f"{number} {_SAID[word]}" for number, word in counted if number)


def _relays(hosts: t.Mapping[str, Variables]) -> dict[str, str]:
    """By relay the id of the credential that is in force now."""
    apps = [
        app
        for given in hosts.values()
        for app in (given.get("smtp_relay_verified") or given.get("smtp_relay_baseline") or {}).get("apps", ())
    ]
    return {app["relay"]: app["credential_id"] for app in apps if app.get("rotates")}
