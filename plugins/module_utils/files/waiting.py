# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: which applications may run with settings that are no longer theirs, as the record keeps it until they were activated.

In the record, per application ``activate`` (how, as the controller gave it) and ``since`` (when something of it last changed, in
seconds since 1970); and ``gone``, the same two of each application that was taken back and has not been activated since.
"""

from __future__ import annotations

import typing as t

from .activation import Activation
from .staleness import Notes
from .state import Record


def note(before: Record, after: Record, touched: t.Collection[str], now: float) -> None:
    """Into the record ``after`` a run: what the record ``before`` it knew, and that these applications are changed now."""
    for name, app in after["apps"].items():
        since = now if name in touched else before["apps"].get(name, app).get("since")
        if since is not None:
            app["since"] = since
    gone = dict(before.get("gone", {}))
    for name in touched:
        if name in before["apps"] and _wants(name, before["apps"][name]):
            gone[name] = {"activate": before["apps"][name]["activate"], "since": now}
    after["gone"] = {name: app for name, app in gone.items() if name not in after["apps"]}
    if not after["gone"]:
        del after["gone"]


def forget(record: Record, notes: Notes) -> None:
    """Drop what was taken back and has been activated since."""
    gone = record.pop("gone", {})
    left = {name: app for name, app in gone.items() if (notes.last(_activation(name, app).target) or 0) < app["since"]}
    if left:
        record["gone"] = left


def applications(before: Record, after: Record, touched: t.Collection[str]) -> list[dict[str, t.Any]]:
    """For the controller: every application that is ours, or was and may not know better, and since when; touched: changed now."""
    known = {**before["apps"], **before.get("gone", {}), **after["apps"], **after.get("gone", {})}
    told = []
    for name, app in known.items():
        if name in touched or name in after["apps"] or name in after.get("gone", {}):
            now = name in touched
            told.append({"name": name, "activate": app.get("activate") or {}, "since": None if now else app.get("since"), "touched": now})
    return told


def _wants(name: str, app: t.Mapping[str, t.Any]) -> bool:
    return bool(app.get("activate")) and _activation(name, app).wanted != "none"


def _activation(name: str, app: t.Mapping[str, t.Any]) -> Activation:
    return Activation(name, **app["activate"])
