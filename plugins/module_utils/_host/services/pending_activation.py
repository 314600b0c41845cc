# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: which applications may run with settings that are no longer theirs, as the record keeps it until they were activated.

In the record, per application ``activate`` (how, as the controller gave it) and ``since`` (when something of it last changed, in
seconds since 1970); and ``gone``, the same two of each application that was taken back and has not been activated since.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..notes.ownership import Gone, OwnershipRecord, RecordedApp
from .staleness import Notes

if t.TYPE_CHECKING:
    from .activation import Activation

_ACTIVATE = ("how", "systemd", "command", "signal", "compose", "reason")


def noted(before: OwnershipRecord, after: OwnershipRecord, touched: t.Collection[str], now: float) -> OwnershipRecord:
    """The record ``after`` a run, with what the record ``before`` it knew, and that these applications are changed now."""
    apps = {name: _since(name, app, before, now if name in touched else None) for name, app in after.apps.items()}
    gone = dict(before.gone)
    for name in touched:
        if name in before.apps and _wants(name, before.apps[name]):
            gone[name] = Gone(before.apps[name].activate, now)
    return dataclasses.replace(
        after, apps=apps, gone={name: app for name, app in gone.items() if name not in after.apps}
    )


def forgotten(record: OwnershipRecord, notes: Notes) -> OwnershipRecord:
    """The record without what was taken back and has been activated since."""
    left = {
        name: gone
        for name, gone in record.gone.items()
        if (notes.last(_activation(name, gone).target) or 0) < gone.since
    }
    return dataclasses.replace(record, gone=left)


def applications(
    before: OwnershipRecord, after: OwnershipRecord, touched: t.Collection[str]
) -> t.List[t.Dict[str, t.Any]]:
    """For the controller: every application that is ours, or was and may not know better, and since when; touched: changed now.

    noted: which relay and credential the record has of one that is ours; None for one that no longer is.
    """
    known: t.Dict[str, t.Union[RecordedApp, Gone]] = {**before.apps, **before.gone, **after.apps, **after.gone}
    told = []
    for name, app in known.items():
        if name in touched or name in after.apps or name in after.gone:
            now = name in touched
            ours = after.apps.get(name)
            noted = {"relay": ours.relay, "credential_id": ours.credential_id} if ours is not None else None
            told.append(
                {
                    "name": name,
                    "activate": dict(app.activate),
                    "since": None if now else app.since,
                    "touched": now,
                    "noted": noted,
                }
            )
    return told


def _since(name: str, app: RecordedApp, before: OwnershipRecord, now: t.Optional[float]) -> RecordedApp:
    known = before.apps.get(name, app).since
    since = known if now is None else now
    return app if since is None else dataclasses.replace(app, since=since)


def _wants(name: str, app: RecordedApp) -> bool:
    return bool(app.activate) and _activation(name, app).wanted != "none"


def _activation(name: str, app: t.Union[RecordedApp, Gone]) -> Activation:
    from .activation import Activation  # needed only where something is taken back

    return Activation(name, **{key: value for key, value in app.activate.items() if key in _ACTIVATE})
