# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two target modules through real Ansible: options, check mode, results, and nothing secret at -vvv."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import (
    new_key,
    read_label,
    seal_contents,
    unseal,
)

SECRET = "correct horse battery staple"
ANSIBLE = pathlib.Path(sys.executable).parent / "ansible"


def ansible(module: str, options: dict[str, t.Any], *flags: str) -> tuple[dict[str, t.Any], str]:
    """The result of an ad-hoc task on this machine, and everything that was printed."""
    environment = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
    }
    ended = subprocess.run(
        [str(ANSIBLE), "localhost", "-m", f"smarthost.mail.{module}", "-a", json.dumps(options), *flags],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    text = ended.stdout.decode("utf-8")
    return json.JSONDecoder().raw_decode(text[text.index("=> {") + 3 :])[0], text


class TestThroughAnsible:
    def test_a_set_is_predicted_written_read_and_rolled_back_and_no_output_holds_the_secret(
        self, tmp_path: pathlib.Path
    ) -> None:
        path, key = str(tmp_path / "mail dir" / "grüße.env"), new_key()
        options = {
            "state_dir": str(tmp_path / "state"),
            "seal_key": key,
            "contents": seal_contents(key, {path: f"PASSWORD={SECRET}\n".encode()}),
            "changes": [{"app": "wiki", "path": path, "mode": "0640", "secret": True}],
            "record": {"apps": {"wiki": {"relay": "main"}}},
        }
        predicted, output = ansible("smtp_deploy", options, "--check", "--diff", "-vvv")
        assert predicted["changed"] and os.listdir(tmp_path) == []
        written, more = ansible("smtp_deploy", options, "--diff", "-vvv")
        assert written["files"] == predicted["files"] and pathlib.Path(path).read_text() == f"PASSWORD={SECRET}\n"
        query = {"state": "query", "state_dir": options["state_dir"], "seal_key": key, "read": [{"path": path}]}
        read, still_more = ansible("smtp_deploy", query, "-vvv")
        assert unseal(key, read_label(path), read["read"][path]["content"]).decode() == f"PASSWORD={SECRET}\n"
        for text in (output, more, still_more):
            assert (
                SECRET not in text and base64.b64encode(SECRET.encode()).decode()[:20] not in text and key not in text
            )
        assert not ansible("smtp_deploy", options)[0]["changed"]
        assert ansible("smtp_deploy", {"state": "rolled_back", "state_dir": options["state_dir"]})[0]["changed"]
        assert os.listdir(tmp_path) == ["state"]

    def test_what_stands_in_the_way_is_a_failure_that_names_it(self, tmp_path: pathlib.Path) -> None:
        key = new_key()
        options = {
            "state_dir": str(tmp_path / "state"),
            "seal_key": key,
            "contents": seal_contents(key, {str(tmp_path): b"x"}),
            "changes": [{"app": "wiki", "path": str(tmp_path)}],
        }
        result, output = ansible("smtp_deploy", options)
        assert result["problems"][0]["code"] == "target-is-folder"
        assert "FAILED!" in output and os.listdir(tmp_path) == []

    def test_activations_are_carried_out_or_told(self, tmp_path: pathlib.Path) -> None:
        items: list[dict[str, t.Any]] = [
            {"app": "wiki", "command": [shutil.which("touch"), str(tmp_path / "activated")]},
            {"app": "msmtp", "how": "none", "reason": "it reads its file for each message"},
        ]
        assert ansible("smtp_activate", {"activations": items}, "--check")[0]["changed"] and os.listdir(tmp_path) == []
        result, _output = ansible("smtp_activate", {"activations": items})
        assert [(item["app"], item["activated"]) for item in result["activations"]] == [
            ("wiki", True),
            ("msmtp", False),
        ]
        assert os.listdir(tmp_path) == ["activated"]
        items[0]["systemd"] = "wiki"
        assert "mutually exclusive" in ansible("smtp_activate", {"activations": items})[0]["msg"]
