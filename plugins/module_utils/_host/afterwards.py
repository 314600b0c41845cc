# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands on the host after a run has changed it, in the same call: another round trip would cost as much as the run."""

from __future__ import annotations

import contextlib
import typing as t

from .deploy import Answer, DeployCall, run
from .services.activation import Activation, activate

SECONDS = 30.0  # for one question to systemd, an init script or Compose


def with_standing(
    answer: Answer, request: DeployCall, read: t.Optional[t.Sequence[dict[str, t.Any]]], processes: bool
) -> Answer:
    """The answer with what was asked for besides. Whatever fails here leaves it out: what was written is told in any case."""
    found = dict(answer)
    with contextlib.suppress(Exception):
        if processes:
            found["applications"] = _with_processes(answer["applications"], request.state_dir)
    with contextlib.suppress(Exception):
        if read is not None:
            found.update(_standing(request, read))
    return found


def _standing(request: DeployCall, read: t.Sequence[dict[str, t.Any]]) -> Answer:
    """The record, and these files as they stand now; nothing where they cannot be read."""
    asked = DeployCall(
        "query",
        request.state_dir,
        check=request.check,
        read=tuple(read),
        lock_timeout=request.lock_timeout,
        seal_key=request.seal_key,
    )
    answer = run(asked)
    return {} if answer.get("failed") else {key: answer[key] for key in ("read", "record")}


def _with_processes(applications: t.Sequence[t.Mapping[str, t.Any]], state_dir: str) -> list[Answer]:
    """The applications, each whose settings did not change with whether what runs may be older than they are (``stale``), and why."""
    asked = [
        Activation(app=app["name"], since=app["since"], only_if_stale=True, **_ways(app["activate"]))
        for app in applications
        if not app["touched"] and app["since"] is not None
    ]
    told = {item["app"]: item for item in activate(asked, True, SECONDS, state_dir)["activations"]} if asked else {}
    return [
        {
            **app,
            **(
                {key: told[app["name"]][key] for key in ("stale", "reason", "how", "down") if key in told[app["name"]]}
                if app["name"] in told
                else {}
            ),
        }
        for app in applications
    ]


def _ways(activate_by: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    known = {key: value for key, value in activate_by.items() if key in Activation._fields and value is not None}
    return {**known, **({"command": tuple(known["command"])} if "command" in known else {})}
