# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the user wrote to resolved relays and requests: DESIGN section 3, every problem at once."""

from __future__ import annotations

import typing as t

from ..problems import ProblemsError
from .app_lists import VARIABLE
from .app_requests import requests_of
from .model import Declaration
from .plain_values import plain, secrets_in
from .relays import SINGLE, relays_of
from .validation import hiding, without_secrets


def load(relay: t.Any, apps: t.Any) -> Declaration:
    """Resolve ``smtp_relay`` and its applications. Raises ProblemsError with all that is wrong in either.

    apps: the list of ``smtp_relay_apps``, or the lists of several such variables by name (``app_lists``).
    """
    relay, apps = plain(relay), plain(apps, VARIABLE)
    with hiding(secrets_in([relay, apps])):
        relays, default, problems = relays_of(relay)
        requests, more = requests_of(apps, relays, default)
        problems += more
        if problems:
            raise ProblemsError([without_secrets(problem) for problem in problems])
    return Declaration(relays, default, tuple(requests))


def load_host(relay: t.Any, apps: t.Any) -> Declaration:
    """The same for a host: one without applications needs no relay."""
    listed = apps.values() if isinstance(apps, t.Mapping) else [apps]
    return Declaration({}, SINGLE, ()) if relay is None and not any(listed) else load(relay, apps)
