#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of ``smtp_config``. It runs as an action plugin; its half on the host is ``smtp_deploy``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_config
short_description: Write the mail settings of every application on a host from one declaration
version_added: 0.1.0
description:
  - Takes one declaration of SMTP relays and the list of applications on a host, and writes the settings of each application
    in that application's own syntax.
  - Everything is checked before anything is written. What an application cannot express is a refusal with the ways out;
    nothing lowers the security of a connection without the user naming it in V(accept).
  - All applications of a host are one task, with one module call when every file is a file of our own, and two when files
    of the user's must be read first, however many applications there are.
  - Files are replaced atomically and as a set. What stood there before is kept as a generation until it is committed.
author:
  - Smarthost Maintainers (@smarthost)
options:
  relay:
    description:
      - The declaration, one relay or a named set with a default. Usually V({{ smtp_relay }}).
      - Its schema is C(schemas/smtp_relay.schema.json); unknown keys are errors.
      - Required for O(state=present) and O(state=planned).
    type: raw
  apps:
    description:
      - The applications of the host, as names of the catalogue or mappings with what differs. Usually V({{ smtp_relay_apps }}).
    type: raw
    default: []
  catalogue:
    description: Folders on the controller with entries of your own; they are searched first.
    type: list
    elements: path
    default: []
  credential:
    description:
      - Which credential is written where a relay has a C(next) one.
      - V(in_force) keeps whichever the host's record says, so that a routine run never undoes a rotation half done.
    type: str
    choices: [in_force, current, next]
    default: in_force
  on_unsupported:
    description:
      - What a refusal does. With V(fail) nothing is written on this host; with V(skip) the other applications go on.
    type: str
    choices: [fail, skip]
    default: fail
  prune:
    description: Take back what is ours but belongs to an application that is no longer listed.
    type: bool
    default: false
  dest:
    description: A folder; files are written below it instead of in place, with their usual paths.
    type: path
  state:
    description:
      - V(present) writes. V(planned) only says who would get what, without contacting the host.
      - V(query) returns the host's record and generations; V(rolled_back) puts back what a generation replaced; V(committed)
        removes the replaced bytes.
    type: str
    choices: [present, planned, query, rolled_back, committed]
    default: present
  generation:
    description: The generation that O(state=rolled_back) or O(state=committed) ends; left out, the latest.
    type: str
  state_dir:
    description: Folder on the host for the record, generations and lock.
    type: path
    default: /var/lib/smarthost
attributes:
  check_mode:
    support: full
    description: Predicts exactly what would change and writes nothing.
  diff_mode:
    support: full
    description: Shows every changed setting; secrets show as (secret).
  action:
    support: full
    description: Runs an action plugin on the controller.
  async:
    support: none
    description: Can be run with async.
  platform:
    support: full
    platforms: posix
    description: Target systems.
requirements:
  - jsonschema (on the controller)
seealso:
  - module: smarthost.mail.smtp_probe
"""

EXAMPLES = r"""
- name: Write the mail settings of all applications
  smarthost.mail.smtp_config:
    relay:
      host: smtp.example.com
      username: apps@example.com
      password: "{{ vault_smtp_password }}"
      from: Example <noreply@example.com>
    apps:
      - nextcloud
      - name: gitea
        form: ini
        path: /srv/gitea/conf/app.ini

- name: Say who would get what, without contacting the host
  smarthost.mail.smtp_config:
    relay: "{{ smtp_relay }}"
    apps: "{{ smtp_relay_apps }}"
    state: planned
    on_unsupported: skip

- name: Render to a folder instead of in place
  smarthost.mail.smtp_config:
    relay: "{{ smtp_relay }}"
    apps: "{{ smtp_relay_apps }}"
    dest: ./out/{{ inventory_hostname }}
  delegate_to: localhost

- name: Put back what the last run replaced
  smarthost.mail.smtp_config:
    state: rolled_back
"""

RETURN = r"""
apps:
  description: What each application got, in the order of O(apps).
  returned: O(state=present) or O(state=planned)
  type: list
  elements: dict
  contains:
    name: {description: Label of the instance., type: str, sample: git-internal}
    app: {description: Entry of the catalogue., type: str, sample: gitea}
    title: {description: Name of the application., type: str, sample: Gitea}
    form: {description: Form that was used., type: str, sample: ini}
    path: {description: Where the settings are., type: str, sample: /etc/gitea/app.ini}
    paths: {description: Every file of the application., type: list, elements: str, sample: [/etc/gitea/app.ini]}
    relay: {description: Name of the relay., type: str, sample: main}
    security: {description: How the connection is secured., type: str, sample: tls}
    credential_id: {description: Label of the credential., type: str, sample: "2026-08"}
    changed: {description: Whether one of its files changed., type: bool, sample: true}
    unexpressed: {description: Preferences that the application has no setting for., type: list, elements: str, sample: [timeout]}
    activate: {description: How a change comes into force., type: dict, sample: {systemd: gitea, how: restart}}
    environment: {description: Variables that its process needs beside the files., type: dict, sample: {}}
    test: {description: What an operator can run to see a message go out., type: str, sample: gitea admin sendmail}
activations:
  description:
    - Options of M(smarthost.mail.smtp_activate) for the applications whose files changed, those that were taken back included; and,
      with C(only_if_stale), for the others that may run since before that, as after a run that died before it activated them.
  returned: O(state=present), O(state=planned) or O(state=rolled_back)
  type: list
  elements: dict
lines:
  description: Who gets what, in lines for people, refusals with their ways out last.
  returned: O(state=present) or O(state=planned)
  type: list
  elements: str
absent:
  description: Applications that were taken back.
  returned: O(state=present) or O(state=planned)
  type: list
  elements: str
unmanaged:
  description: Applications that are listed and never touched.
  returned: O(state=present) or O(state=planned)
  type: list
  elements: str
refusals:
  description: What applications cannot express, as C(where), C(what), C(hint) and C(code).
  returned: O(state=present) or O(state=planned)
  type: list
  elements: dict
problems:
  description: Everything that is wrong, in the same shape; nothing was written.
  returned: failure
  type: list
  elements: dict
accepted:
  description: Gaps that the user took by name.
  returned: O(state=present) or O(state=planned)
  type: list
  elements: dict
drift:
  description:
    - What somebody else has changed of what we wrote since the last run; never a value.
    - A run that has something else to write there (the declaration changed) writes over it. Else C(drift) of the application in
      O(apps) decides. With C(report), the default, a value that somebody else has set is left, and what was merely removed is
      written again. C(enforce) writes all of it again. C(adopt) leaves all of it and does not report it a second time.
    - Owner and mode are no drift. They are always as declared.
  returned: O(state=present)
  type: list
  elements: dict
  contains:
    name: {description: Label of the application., type: str, sample: gitea}
    path: {description: The file., type: str, sample: /etc/gitea/app.ini}
    keys:
      description: Our keys that differ in a shared file; empty for a file of our own.
      type: list
      elements: str
      sample: [mailer.PASSWD]
    what: {description: "V(changed), or V(removed) where nothing stands any more.", type: str, sample: changed}
    done: {description: "V(left), V(overwritten), V(adopted) or V(taken_back).", type: str, sample: left}
generation:
  description: Id of what this run replaced; null when nothing changed.
  returned: O(state=present)
  type: str
  sample: 20261121T051700Z-1
"""
