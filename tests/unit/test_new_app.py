# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The skeleton of an entry is one that loads, plans and renders as it is."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "new_app.py"


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_new_entry_works_as_a_users_own_before_anything_is_filled_in(tmp_path: pathlib.Path) -> None:
    assert make("my_app", str(tmp_path)).returncode == 0
    declared = resolve.load(
        {"host": "smtp.example.com", "username": "ann", "password": "dummy", "from": "a@example.com"}, ["my_app"]
    )
    (app,) = plan.plan_host(declared, Catalogue([str(tmp_path)])).apps
    rendered, refusals, problems = render.render_app(app, {})
    assert (refusals, problems) == ([], [])
    assert "SMTP_PASSWORD=dummy\n" in rendered[0].text and rendered[0].file.path == "/etc/my_app/mail.env"


def test_an_entry_that_is_there_is_never_overwritten(tmp_path: pathlib.Path) -> None:
    make("my_app", str(tmp_path))
    (tmp_path / "my_app" / "app.yml").write_text("mine")
    assert make("my_app", str(tmp_path)).returncode == 1
    assert (tmp_path / "my_app" / "app.yml").read_text() == "mine"
    assert make("No Name", str(tmp_path)).returncode == 2
