# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text that an entry writes as JSON into a file of variables goes through both readers, the file's and the application's, unchanged."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import evaluate
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects import docker_env, systemd_env
from catalogue import oracles
from catalogue.cases import CATALOGUE
from catalogue.hostile import HOSTILE
from catalogue.oracles import variables

# Per application: its reader, and the variable that holds the password.
APPLICATIONS = {
    "authentik": (variables.authentik, "AUTHENTIK_EMAIL__PASSWORD"),
    "ghost": (variables.ghost, "mail__options__auth__pass"),
    "mastodon": (variables.mastodon, "SMTP_PASSWORD"),
}
# Each form: its dialect, and the reader of such files.
FORMS: dict[str, tuple[t.Any, t.Callable[[str], t.Any]]] = {
    "env": (docker_env, oracles.docker),
    "service": (systemd_env, oracles.systemd),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("app", APPLICATIONS)
def test_every_hostile_secret_arrives_as_it_was_declared(app: str, form: str) -> None:
    dialect, read_file = FORMS[form]
    read_value, variable = APPLICATIONS[app]
    [file] = CATALOGUE.find(app, "test").forms[form].files
    expression = file.settings[variable]
    written = {
        f"v{number}": evaluate(expression, {"password": value, "login": True})
        for number, value in enumerate(HOSTILE.values())
    }
    read = read_value(read_file(dialect.write({name: secret.reveal() for name, secret in written.items()})))
    changed = [name for number, (name, value) in enumerate(HOSTILE.items()) if read.get(f"v{number}") != value]
    assert changed == []
