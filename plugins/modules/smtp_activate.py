#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts, reloads or signals applications whose mail settings changed, all of a host in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_activate
short_description: Let applications take up their changed mail settings
version_added: 0.1.0
description:
  - Restarts or reloads systemd units, runs commands or sends signals, for all applications of a host in one call.
  - Usually given RV(smarthost.mail.smtp_config#module:activations), which lists the applications whose files changed, and the others
    with O(activations[].only_if_stale).
  - Every activation is tried, also after one has failed; the task fails then and names all that failed.
  - What is not running is left so, as it reads its settings when it starts. Only where the last activation failed, which is noted in
    O(state_dir), it is started, as it may be down because of that.
author:
  - Smarthost Maintainers (@smarthost)
options:
  activations:
    description: Which applications, and how. Two with the same unit, command or signal are activated by one act.
    type: list
    elements: dict
    required: true
    suboptions:
      app:
        description: Label of the application.
        type: str
        required: true
      how:
        description:
          - V(restart) or V(reload) a unit, or on a host without systemd the init script of that name
            (a unit that cannot reload is restarted).
            A command or signal is carried out either way.
          - With V(none) nothing is done, and O(activations[].reason) is passed on.
          - Left out, V(restart) where a unit, command or signal is given, else V(none).
        type: str
        choices: [restart, reload, none]
      systemd:
        description: The systemd unit.
        type: str
      command:
        description: Program and arguments, run without a shell.
        type: list
        elements: str
      signal:
        description: A signal to the process whose id stands in a file.
        type: dict
        suboptions:
          pid_file:
            description: File that holds the process id.
            type: path
            required: true
          signal:
            description: The signal.
            type: str
            choices: [HUP, USR1, USR2, TERM]
            required: true
      compose:
        description:
          - Services of a Compose project. Their containers are made anew, since a container keeps the variables that it was made with;
            what they depend on is left alone. What does not run is left so.
        type: dict
        suboptions:
          folder:
            description: Folder of the project, in which the command runs.
            type: path
            required: true
          services:
            description: The services.
            type: list
            elements: str
            required: true
          files:
            description: Files of the project, where it is not the one that Compose finds in the folder by itself.
            type: list
            elements: str
            default: []
          program:
            description: What C(compose) is a command of.
            type: str
            choices: [docker, podman]
            default: docker
      reason:
        description: Why nothing has to be done.
        type: str
      since:
        description: When its settings were last written, in seconds since 1970.
        type: float
      only_if_stale:
        description:
          - Its settings did not change in this run, so it is activated only where nothing shows that it knows of them, as after a
            run that died between writing and activating. What shows it is a process (of the unit, the init script or the pid file)
            that started after O(activations[].since), containers that were made after it, or a note in O(state_dir) of an activation after it.
        type: bool
        default: false
  state_dir:
    description: Folder in which it is noted when what was activated; nothing is noted without one.
    type: path
  timeout:
    description: Seconds that each activation may take.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: Tells what would be activated, and does nothing.
  diff_mode:
    support: none
    description: There is nothing to compare.
  platform:
    support: full
    platforms: posix
    description: Needs Python 3.8 or later on the host.
"""

EXAMPLES = r"""
- name: Write the settings
  smarthost.mail.smtp_config:
    relay: "{{ smtp_relay }}"
    apps: "{{ smtp_relay_apps }}"
  register: written

- name: Let them take effect
  smarthost.mail.smtp_activate:
    activations: "{{ written.activations }}"
    state_dir: /var/lib/smarthost

- name: The same, spelled out
  smarthost.mail.smtp_activate:
    activations:
      - app: gitea
        systemd: gitea
      - app: postfix
        command: [postfix, reload]
      - app: alertmanager
        signal:
          pid_file: /run/alertmanager.pid
          signal: HUP
      - app: wiki
        compose:
          folder: /srv/wiki
          services: [web, worker]
      - app: msmtp
        how: none
        reason: it reads its file for each message
"""

RETURN = r"""
activations:
  description: What came of each, in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    app: {description: Label of the application., type: str, sample: gitea}
    activated: {description: "Whether it was, or in check mode would be, activated.", type: bool, sample: true}
    how: {description: "V(restart), V(reload) or V(none).", type: str, sample: restart}
    stale:
      description: With O(activations[].only_if_stale), whether it may not have known of its settings.
      type: bool
      returned: with O(activations[].only_if_stale)
      sample: true
    down: {description: Whether it was seen not to run., type: bool, sample: false}
    missing: {description: "Whether there is nothing to act on, such as no unit of that name.", type: bool, sample: false}
    reason:
      description: Why not, such as a host without systemd or a unit that is not running; or with which other application.
      type: str
      sample: systemd is not running on this host
problems:
  description: What was tried and failed, as C(where), C(what), C(hint) (the last lines it wrote) and C(code).
  returned: failure
  type: list
  elements: dict
  sample:
    - where: gitea
      what: 'Could not be activated: systemctl restart -- gitea.service ended with status 1.'
      hint: Job for gitea.service failed.
      code: activation-failed
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.smarthost.mail.plugins.module_utils._host.services.activation import Activation, activate
from ansible_collections.smarthost.mail.plugins.module_utils._shared.internal_error import guard

ARGUMENTS = {
    "activations": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "mutually_exclusive": [["systemd", "command", "signal", "compose"]],
        "options": {
            "app": {"type": "str", "required": True},
            "how": {"type": "str", "choices": ["restart", "reload", "none"]},
            "systemd": {"type": "str"},
            "command": {"type": "list", "elements": "str"},
            "signal": {
                "type": "dict",
                "options": {
                    "pid_file": {"type": "path", "required": True},
                    "signal": {"type": "str", "choices": ["HUP", "USR1", "USR2", "TERM"], "required": True},
                },
            },
            "compose": {
                "type": "dict",
                "options": {
                    "folder": {"type": "path", "required": True},
                    "services": {"type": "list", "elements": "str", "required": True},
                    "files": {"type": "list", "elements": "str", "default": []},
                    "program": {"type": "str", "choices": ["docker", "podman"], "default": "docker"},
                },
            },
            "reason": {"type": "str"},
            "since": {"type": "float"},
            "only_if_stale": {"type": "bool", "default": False},
        },
    },
    "state_dir": {"type": "path"},
    "timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Options in, one answer out."""
    guard(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), _activate)


def _activate(module: AnsibleModule) -> None:
    wanted = [Activation(**{**item, "command": tuple(item["command"] or ())}) for item in module.params["activations"]]
    answer = activate(wanted, module.check_mode, module.params["timeout"], module.params["state_dir"])
    if answer.get("failed"):
        module.fail_json(**answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
