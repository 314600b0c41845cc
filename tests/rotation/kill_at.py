# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback of the tests: ansible-playbook kills itself when a task of a given name begins for the nth time."""

from __future__ import annotations

import os
import signal

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_at
type: notification
short_description: Kills the controller at a task
description: Kills the controller at a task.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Counts the beginnings of the task that KILL_AT names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_at"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._left = int(os.environ["KILL_NUMBER"])

    def v2_playbook_on_task_start(self, task: object, is_conditional: bool) -> None:
        """SIGKILL leaves nobody the time to clean up."""
        if os.environ["KILL_AT"] in str(getattr(task, "name", "")):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
