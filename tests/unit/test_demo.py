# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make demo` prints: README's own commands, no secret, and of a step that fails its words and no JSON."""

from __future__ import annotations

import importlib
import json
import pathlib
import sys
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))

demo: t.Any = importlib.import_module("demo")  # the file in that folder; for a type checker it is the folder


@pytest.mark.parametrize("part", ["plan", "apply", "verify", "render", "smtp_probe"])
def test_the_commands_that_it_shows_are_readmes_own(part: str) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    shown = demo.readme(f"smarthost.mail.{part} ")
    assert shown and all(f"$ {command}" in text for command in shown) and len(shown) == len(set(shown))


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('TASK [x] ***\nfatal: [demo-host]: FAILED! => {"changed": false, "msg": "line one\\nline two"}\n\nPLAY RECAP\n', "line one\nline two"),
        ('fatal: [demo-host]: UNREACHABLE! => {"changed": false, "msg": "no route", "unreachable": true}\n', "no route"),
        ('failed: [demo-host] (item=x) => {"msg": "one item"}\n', None), ('fatal: [demo-host]: FAILED! => {"module_stderr": "no python"}\n', "no python"),
        ("ERROR! the playbook could not be found\n", "ERROR! the playbook could not be found"),
    ],
)  # fmt: skip
def test_a_failure_is_shown_in_its_own_words(output: str, said: t.Optional[str]) -> None:
    assert demo.what_went_wrong(output) == (said if said is not None else output.strip())


def test_the_password_of_the_rendered_file_is_hidden() -> None:
    assert (
        demo.hidden('password "demo password with \\"quotes\\" and #"') == "password (secret)"
        and demo.hidden("port 25") == "port 25"
    )


def test_a_step_that_fails_says_why_and_shows_no_json(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "OUT", tmp_path)
    facts = {
        "demo_out": str(tmp_path),
        "demo_ca": "/none.pem",
        "demo_password": demo.PASSWORD,
        "demo_starttls_port": "99999",
        "demo_tls_port": 465,
    }
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps(facts), "utf-8")
    assert not demo.step("Render", "render", variables)
    said = capsys.readouterr().out
    assert '"99999" is not a TCP port.   [port-range]' in said and "THIS STEP FAILED." in said
    assert '{"' not in said and "=>" not in said and demo.PASSWORD not in said
