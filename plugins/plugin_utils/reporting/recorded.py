# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the role's tasks registered on a host to the facts that a report is made of: named values only, none of them a secret."""

from __future__ import annotations

import typing as t

Variables = t.Mapping[str, t.Any]
Facts = t.Dict[str, t.Any]

#: By kind of run the variables that may hold what was written, and what was verified: the first that is there counts.
CONFIG = {
    "apply": ("smtp_relay_config", "__smtp_relay_probed"),
    "verify": (),
    "rotate": ("smtp_relay_rotation_back", "smtp_relay_written", "smtp_relay_baseline"),
}
VERIFIED = {
    "apply": ("smtp_relay_verified",),
    "verify": ("smtp_relay_verified",),
    "rotate": ("smtp_relay_rotation_back", "smtp_relay_verified", "smtp_relay_baseline"),
}
PROOF = ("proof", "proof_wanted", "proof_why", "process")


def recorded(variables: Variables, run: str, declared: t.Sequence[str], failure: Variables) -> Facts:
    """The facts of one host. declared: the names of its applications. failure: the task that ended its run, if one did."""
    config, activated, verified = (
        _first(variables, CONFIG[run]),
        _registered(variables, "smtp_relay_activated"),
        _first(variables, VERIFIED[run]),
    )
    # What comes after a task that failed is left over from an earlier run of the same playbook.
    if config.get("failed") or config.get("unreachable"):
        activated, verified = {}, {} if run != "rotate" else verified
    elif activated.get("failed"):
        verified = {} if run != "rotate" else verified
    source = config or verified
    activations = [
        item for item in source.get("activations") or () if not item.get("only_if_stale") and run != "verify"
    ]
    return {
        "declared": list(declared),
        "apps": _apps(config, verified, run),
        "absent": list(source.get("absent") or ()),
        "unmanaged": list(source.get("unmanaged") or ()),
        "undeclared": list(source.get("undeclared") or ()),
        "refusals": list(source.get("refusals") or ()),
        "accepted": list(source.get("accepted") or ()),
        "drift": list(source.get("drift") or ()),
        "generation": config.get("generation") or "",
        "activations": activations + [{"app": name} for name in verified.get("still_there") or ()],
        "activated": [item for item in activated.get("activations") or () if item.get("stale", True)],
        "relays": list(verified.get("relays") or config.get("relays") or ()),
        "view": _view(variables, run, config, verified),
        "failure": _once(
            dict(failure) or _lost(config, activated, verified) or _failed(config, activated, verified), verified
        ),
    }


def _view(variables: Variables, run: str, config: Variables, verified: Variables) -> str:
    """What this run did with the files: ``written``, ``predicted``, ``looked`` at, or ``nothing``, as where --tags leaves all of it out."""
    if run == "rotate" or run == "apply" and _registered(variables, "smtp_relay_config"):
        return "written"
    return "predicted" if config else "looked" if verified else "nothing"


def _first(variables: Variables, names: t.Iterable[str]) -> Variables:
    return next(
        (
            found
            for name in names
            if (found := _registered(variables, name)) or name in variables and not _skipped(variables[name])
        ),
        {},
    )


def _registered(variables: Variables, name: str) -> Variables:
    found = variables.get(name)
    return found if isinstance(found, t.Mapping) and not _skipped(found) else {}


def _skipped(found: t.Any) -> bool:
    return isinstance(found, t.Mapping) and bool(found.get("skipped"))


def _apps(config: Variables, verified: Variables, run: str) -> list[Facts]:
    proven = {app["name"]: app for app in verified.get("apps") or ()}
    if not config:
        return [{**app, "changed": not app.get("as_declared", True), **_proof(app)} for app in proven.values()]
    return [
        {**app, **(_proof(proven[app["name"]]) if app["name"] in proven else {})} for app in config.get("apps") or ()
    ]


def _proof(app: Variables) -> Facts:
    """How far it was proven, from smtp_verify with O(whole) or without."""
    found = {key: app[key] for key in PROOF if key in app}
    login = app.get("login") or {}
    if "proof" not in found and login:
        found["proof_wanted"] = login.get("level") or "auth"
        found["proof"] = found["proof_wanted"] if login.get("ok") else "not_tested"
        found["proof_why"] = "" if login.get("ok") else login.get("diagnosis", "")
    return found


def _once(failure: Facts, verified: Variables) -> Facts:
    """The failure, without what is told of each application that was looked at although others are refused."""
    told = {problem["where"] for problem in verified.get("problems") or ()} & {
        app["name"] for app in verified.get("apps") or ()
    }
    problems = [
        item for item in failure.get("problems") or () if not (verified.get("failed") and item.get("where") in told)
    ]
    return {**failure, "problems": problems} if "problems" in failure else failure


def _lost(*tried: Variables) -> Facts:
    """The host could not be reached."""
    return next(
        (
            {"task": "", "msg": str(each.get("msg", "")), "unreachable": True}
            for each in tried
            if each.get("unreachable")
        ),
        {},
    )


def _failed(*tried: Variables) -> Facts:
    return next(
        (
            {"task": "", "msg": str(each.get("msg", "")), "problems": list(each.get("problems") or ())}
            for each in tried
            if each.get("failed")
        ),
        {},
    )
