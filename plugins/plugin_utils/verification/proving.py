# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probing from an action plugin: one host tries a login first, and what is refused for now is tried twice."""

from __future__ import annotations

import time
import typing as t

from ansible import constants

from ..actions import Action, Result, failure, module_failed, shown
from ..problems import ProblemsError
from .misspelt_variables import misspelt, wrong_words
from .probes import Joined
from .proof import TEMPORARY, verdict
from .tries import Tries

PAUSE = 1.0  # seconds between the two tries


class ProvingAction(Action):
    """An action that probes relays from the host. It warns of variables that are nearly called as one of the role's."""

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Run the task, unless a variable of the role has a value that is none of its words."""
        wrong = wrong_words(task_vars or {}, self._templar.template)
        if wrong:
            return shown({**failure(self.nothing_done, wrong), "refusals": []})
        result = super().run(tmp, task_vars)
        found = misspelt(task_vars or {})
        return {**result, "warnings": [*result.get("warnings", ()), *found]} if found else result

    def prove(self, *wanted: Joined, send: str = "never", state_dir: str = "/var/lib/smarthost") -> list[list[Result]]:
        """The results of these probes, in one module call, in their order."""
        options = [each for joined in wanted for each in joined.options()]
        results = self._tried(options, send, state_dir) if options else []
        parts = []
        for joined in wanted:
            count = len(joined.options())
            parts.append(results[:count])
            results = results[count:]
        return parts

    def _tried(self, options: list[Result], send: str, state_dir: str) -> list[Result]:
        """One probe of each login, then its others where it was not refused."""
        with Tries(constants.DEFAULT_LOCAL_TMP, str(self._task_vars.get("inventory_hostname", ""))) as tries:
            results: dict[int, Result] = {}
            for part in tries.in_turn(options):
                refused = tries.ask([options[number] for number in part])
                results.update(
                    {
                        number: not_tried(options[number], known)
                        for number, known in zip(part, refused)
                        if known is not None
                    }
                )
                tried = [number for number, known in zip(part, refused) if known is None]
                results.update(zip(tried, self._probed([options[number] for number in tried], send, state_dir, tries)))
            return [results[number] for number in range(len(options))]

    def _probed(self, options: list[Result], send: str, state_dir: str, tries: Tries) -> list[Result]:
        results = self._once(options, send, state_dir)
        open_ = [number for number, result in enumerate(results) if verdict(result) == TEMPORARY]
        if open_:
            time.sleep(PAUSE)
            for number, result in zip(open_, self._once([options[number] for number in open_], send, state_dir)):
                results[number] = {**result, "tries": 2}
        tries.tell(options, results)
        return results

    def _once(self, options: list[Result], send: str, state_dir: str) -> list[Result]:
        if not options:
            return []
        asked = [sending(each, send) for each in options] if send != "never" else options
        answer = self.probe({"relays": asked, "fail": False, "state_dir": state_dir})
        if "relays" not in answer:
            raise ProblemsError([module_failed(answer)])
        return list(answer["relays"])


def sending(options: Result, send: str) -> Result:
    """The same with a message, where there is who sends and who gets it; a message is from one sender."""
    if not options.get("from") or not options.get("to"):
        return options
    return {**{key: value for key, value in options.items() if key not in ("also_from", "level")}, "send": send}


def not_tried(options: t.Mapping[str, t.Any], refused: t.Mapping[str, t.Any]) -> Result:
    """The result of a probe that was not made, as another host was refused this login."""
    reply = refused.get("reply") or {}
    said = " ".join(str(part) for part in (reply.get("code"), reply.get("enhanced"), reply.get("text")) if part)
    return {
        "name": options["name"],
        "host": options.get("host", ""),
        "port": options.get("port", 0),
        "security": options.get("security", ""),
        "level": options.get("level", ""),
        "level_reached": "",
        "ok": False,
        "changed": False,
        "category": refused["category"],
        "observed": refused["category"],
        "stage": refused.get("stage", ""),
        "reply": reply,
        "remedies": list(refused.get("remedies", ())),
        "diagnosis": f"This login was not tried again: {refused['host']} was refused it ({said or refused['category']}), and one refused login is enough.",
        "confirmed_by": refused["host"],
        "blind_spots": [],
        "steps": [],
        "tls": {},
        "auth": {},
        "senders": [],
        "recipients": [],
        "recipient": "",
        "notices": [],
        "timings_ms": {},
        "tries": 0,
    }
