# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ``smtp_probe`` with every secret among its options sealed, so that none stands in what is kept on the host."""

from __future__ import annotations

import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.arguments import argument_spec
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Action, Arguments, Result


def on_the_controller(spec: t.Mapping[str, t.Mapping[str, t.Any]]) -> Arguments:
    """The specification without what only the host can decide: ``~`` in a path is the home of the user there."""
    adapted: Arguments = {}
    for name, about in spec.items():
        adapted[name] = {**about, "type": "str"} if about["type"] == "path" else dict(about)
        if "options" in about:
            adapted[name]["options"] = on_the_controller(about["options"])
    return adapted


class ActionModule(Action):
    """One probe, or several at once."""

    _supports_async = True

    arguments = on_the_controller(argument_spec())
    exclusive = (("host", "relays"),)
    nothing_done = "Nothing was probed"

    def outcome(self, args: Result) -> Result:
        """What the module says."""
        return self.probe(given(args))


def given(value: t.Any) -> t.Any:
    """Options without those that were left out, at any depth: the module takes None for a value."""
    if isinstance(value, dict):
        return {key: given(item) for key, item in value.items() if item is not None}
    return [given(item) for item in value] if isinstance(value, list) else value
