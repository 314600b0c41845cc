#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of ``smtp_rotation``, which runs as an action plugin on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_rotation
short_description: The steps of a rotation that look at all hosts at once
version_added: 0.1.0
description:
  - Called by the playbook C(smarthost.mail.rotate), with C(run_once); not for direct use. Its options may change with any release.
  - Works on the variables of every host of the play, and on what earlier tasks of the playbook registered there. No secret is in its result.
author:
  - Smarthost Maintainers (@smarthost)
options:
  step:
    description:
      - V(plan) plans every host offline, all refusals at once. V(new) logs in with each C(next) credential from where the task runs.
        V(admit) decides by what was found on the hosts whether and how the rotation may begin. V(summary) says what came of it; in check mode,
        what would be done.
      - V(guard) and V(revoked), for the playbook C(smarthost.mail.revoke_check), see that no host has the old credential in force, and log in
        with it from where the task runs. The task fails unless that is refused as a login.
    type: str
    choices: [plan, new, admit, summary, guard, revoked]
    required: true
  canary:
    description: The host that goes first. Left out or empty, the first that has to change.
    type: str
  to:
    description: Recipients for O(step=new), as in M(smarthost.mail.smtp_verify).
    type: list
    elements: str
    default: []
  fail:
    description: With O(step=new), whether a credential that does not work fails the task.
    type: bool
    default: true
  revoked:
    description: With O(step=guard) and O(step=revoked), the old credential. Left out, the current one of the relay that has a C(next) one.
    type: dict
    suboptions:
      relay:
        description: Name of the relay. Left out, the one that has a C(next) credential, else the default.
        type: str
      id:
        description: Label of the old credential, as it stands in the records of hosts.
        type: str
      username:
        description: User name. Left out, that of the current credential.
        type: str
      password:
        description: The old secret.
        type: str
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: There is nothing to show.
  action:
    support: full
    description: Runs an action plugin on the controller.
  async:
    support: none
    description: Cannot be run with async.
  platform:
    support: full
    platforms: posix
    description: Needs Python 3.8 or later on the host.
requirements:
  - jsonschema (on the controller)
seealso:
  - module: smarthost.mail.smtp_verify
"""

EXAMPLES = r"""
- name: Plan every host, as the playbook rotate does
  smarthost.mail.smtp_rotation:
    step: plan
  run_once: true
"""

RETURN = r"""
lines:
  description: What people read.
  returned: O(step=plan), O(step=admit) or O(step=summary)
  type: list
  elements: str
hosts:
  description: With V(plan) the names of the hosts that change; with V(summary) what came of each host by its name.
  returned: O(step=plan) or O(step=summary)
  type: raw
  sample: [web1, web2]
gap:
  description: Whether the provider knows one credential at a time.
  returned: O(step=plan)
  type: bool
mode:
  description: V(normal); V(forward) when the current credential is dead already and there is no way back; V(gap) for RV(gap).
  returned: O(step=admit)
  type: str
  sample: normal
todo:
  description: Hosts that have to change.
  returned: O(step=admit)
  type: list
  elements: str
done:
  description: Hosts that need not be touched again.
  returned: O(step=admit)
  type: list
  elements: str
lost:
  description: Hosts that could not be reached, and keep the rotation open.
  returned: O(step=admit)
  type: list
  elements: str
canary:
  description: The host that goes first.
  returned: O(step=admit)
  type: str
  sample: web1
samples:
  description: One host of every group, from which the new credential is tried.
  returned: O(step=admit)
  type: list
  elements: str
ok:
  description: Whether every next credential works.
  returned: O(step=new)
  type: bool
spreading:
  description: Whether it may be that the credential is merely not known everywhere yet.
  returned: O(step=new)
  type: bool
verdict:
  description: V(revoked); V(not_revoked); V(open) when the relay takes any password; V(unknown) when the relay did not come to refuse the login.
  returned: O(step=revoked)
  type: str
  sample: revoked
login:
  description: What the relay said, C(category), C(code) and C(enhanced).
  returned: O(step=revoked)
  type: dict
  sample: {category: auth_failed, code: 535, enhanced: 5.7.8}
complete:
  description: Whether every host that changes is verified, and none was left out by C(--limit).
  returned: O(step=summary)
  type: bool
problems:
  description: Everything that stands against going on, as C(where), C(what), C(hint) and C(code).
  returned: failure
  type: list
  elements: dict
"""
