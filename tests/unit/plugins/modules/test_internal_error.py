# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nobody expected, through real Ansible: a message, whether an action plugin or a module met it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared import internal_error

SECRET = "hunter2-hunter2"
ACTION = f"""
from ansible_collections.smarthost.mail.plugins.plugin_utils.actions import Action
class ActionModule(Action):
    arguments = {{"relay": {{"type": "raw"}}}}
    def outcome(self, args):
        raise KeyError({SECRET!r})
"""
MODULE = f"""
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.smarthost.mail.plugins.module_utils._shared.internal_error import guard
def work(module):
    raise ValueError({SECRET!r})
guard(AnsibleModule(argument_spec={{}}), work)
"""


@pytest.mark.parametrize(("kind", "text"), [("action_plugins", ACTION), ("library", MODULE)])
def test_through_ansible_neither_a_traceback_nor_the_errors_text_is_printed(
    tmp_path: pathlib.Path, kind: str, text: str
) -> None:
    for folder in (kind, "library"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "library/boom.py").write_text(text if kind == "library" else "")
    (tmp_path / kind / "boom.py").write_text(text)
    (tmp_path / "play.yml").write_text("[{hosts: localhost, gather_facts: false, tasks: [{boom: {}}]}]")
    ended = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-vvv", str(tmp_path / "play.yml")],
        cwd=tmp_path,
        timeout=120,
        check=False,
        env={**os.environ, "ANSIBLE_PYTHON_INTERPRETER": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = ended.stdout.decode("utf-8")
    assert ended.returncode == 2 and '"code": "internal-error"' in output and internal_error.ISSUES in output
    assert SECRET not in output and "Traceback" not in output, output
