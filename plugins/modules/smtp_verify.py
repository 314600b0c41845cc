#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of ``smtp_verify``, which runs as an action plugin by way of ``smtp_deploy``, ``smtp_probe`` and ``smtp_activate``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_verify
short_description: Log in with what stands in each application's own files
version_added: 0.1.0
description:
  - Reads the files of every application on the host as that application reads them, and logs in from this host with the user name and
    the secret found there. What a file was meant to hold proves nothing. A value that was written or quoted wrongly is found only so.
  - Each distinct login is tried exactly once, however many applications have it, so that no account is locked.
  - Says as well whether the files are as declared, and whether the process that runs is younger than they are.
  - Changes nothing. No secret is in its result.
author:
  - Smarthost Maintainers (@smarthost)
options:
  relay:
    description: The declaration, as for M(smarthost.mail.smtp_config). A host without applications needs none.
    type: raw
  apps:
    description: The applications of the host, as for M(smarthost.mail.smtp_config).
    type: raw
    default: []
  catalogue:
    description: Folders on the controller with entries of your own; they are searched first.
    type: list
    elements: path
    default: []
  credential:
    description:
      - Which credential the files should hold where a relay has a C(next) one.
      - V(in_force) is whichever the host's record says.
    type: str
    choices: [in_force, current, next]
    default: in_force
  values:
    description:
      - V(files) logs in with what the files hold. V(declaration) logs in with what is declared, and reads no file,
        as before anything is written.
    type: str
    choices: [files, declaration]
    default: files
  only:
    description: V(rotating) leaves out applications whose relay has no C(next) credential.
    type: str
    choices: [all, rotating]
    default: all
  level:
    description:
      - V(connect) has the relay greet, and V(tls) also makes the connection as secure as it is declared; neither logs in.
      - V(auth) logs in. V(envelope) also has each application's sender accepted, and takes it back.
      - Left out, V(envelope) where C(from) is declared, else V(auth).
    type: str
    choices: [connect, tls, auth, envelope]
  to:
    description:
      - Recipients to try with O(level=envelope). Left out, the sender itself is the recipient, and then it does not count if that
        recipient is refused.
    type: list
    elements: str
    default: []
  processes:
    description: Whether the processes are looked at.
    type: bool
    default: true
  whole:
    description:
      - Also compares owners, modes and what is declared to be absent, says what somebody else has changed, and proves relays without
        login, local mail servers and the relays behind them. Each is proven as far as it can be.
      - A login that was refused to another host of the same run is not tried.
      - The playbook C(smarthost.mail.verify) is a task with this. O(values), O(only) and RV(undo) are not for it.
    type: bool
    default: false
  send:
    description: With O(whole), whether a test message is sent to O(to), as O(smarthost.mail.smtp_probe#module:send).
    type: str
    choices: [never, on_change, always]
    default: never
  on_unsupported:
    description: With O(whole), as O(smarthost.mail.smtp_config#module:on_unsupported).
    type: str
    choices: [fail, skip]
    default: fail
  fail:
    description: Whether the task fails when something is not as it should be. RV(ok) and RV(problems) say so in any case.
    type: bool
    default: true
  state_dir:
    description: Folder on the host for the record.
    type: path
    default: /var/lib/smarthost
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode. It logs in in both.
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
  - module: smarthost.mail.smtp_config
  - module: smarthost.mail.smtp_probe
"""

EXAMPLES = r"""
- name: Every application on this host can log in with what its own files hold
  smarthost.mail.smtp_verify:
    relay: "{{ smtp_relay }}"
    apps: "{{ smtp_relay_apps }}"
"""

RETURN = r"""
ok:
  description: Whether everything is as it should be.
  returned: always
  type: bool
apps:
  description: What was found, in the order of O(apps).
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Label of the instance., type: str, sample: git-internal}
    app: {description: Entry of the catalogue., type: str, sample: gitea}
    title: {description: Name of the application., type: str, sample: Gitea}
    form: {description: Form of its settings., type: str, sample: ini}
    paths: {description: Its files., type: list, elements: str, sample: [/etc/gitea/app.ini]}
    relay: {description: Name of the relay., type: str, sample: main}
    security: {description: How the connection is secured., type: str, sample: tls}
    changed: {description: Always false; nothing is changed., type: bool, sample: false}
    rotates: {description: Whether its relay has a C(next) credential., type: bool, sample: true}
    credential_id: {description: Label of the credential that its files should hold., type: str, sample: "2026-08"}
    next: {description: Whether that is the C(next) one., type: bool, sample: false}
    recorded: {description: Label in the host's record; null where nothing was ever written., type: str, sample: "2026-08"}
    holds:
      description: Label of the declared credential that the files hold; V(neither), or V(unknown) where none could be read.
      type: str
      sample: "2026-08"
    as_declared: {description: Whether its files are byte for byte what the declaration gives., type: bool, sample: true}
    source:
      description:
        - V(file) when the login was read out of the files. V(rendering) when it cannot be, but the files are exactly what the declared
          one gives, and that was tried. V(declaration) with O(values=declaration).
      type: str
      sample: file
    why: {description: "Why it is not V(file).", type: str, sample: ""}
    login:
      description: What the relay said. Empty where there is no login. C(ok), C(category), C(stage), C(code), C(enhanced), C(diagnosis), and
        C(level), how far it was proven.
      type: dict
      sample: {ok: true, category: ok, stage: "", code: 235, enhanced: 2.7.0, diagnosis: ""}
    proof:
      description: How far it was shown to work, a level of M(smarthost.mail.smtp_probe), or V(not_tested).
      type: str
      returned: with O(whole)
      sample: envelope
    status: {description: "As RV(smarthost.mail.smtp_config#module:apps).", type: str, returned: with O(whole), sample: active}
    status_why: {description: "As RV(smarthost.mail.smtp_config#module:apps).", type: str, returned: with O(whole), sample: ""}
    version: {description: The version of the application., type: str, returned: with O(whole), sample: 1.22.3}
    declared_not_seen:
      description: What the user states of it and nothing showed.
      type: list
      elements: str
      returned: with O(whole)
      sample: []
    sender:
      description: What it uses instead where no C(from) is declared; empty where one is.
      type: str
      returned: with O(whole)
      sample: without GITEA__mailer__FROM it uses its own
    forwarder:
      description: The application that is to forward what it hands to the local mail server; empty where there is none.
      type: str
      returned: with O(whole)
      sample: ""
    proof_wanted: {description: How far it was to be shown., type: str, returned: with O(whole), sample: envelope}
    proof_why: {description: What was not shown., type: str, returned: with O(whole), sample: ""}
    process:
      description: >-
        Whether what runs may be older than its files, C(stale), whether it was seen not to run, C(down), and C(reason).
        Empty where it was not looked at.
      type: dict
      sample: {stale: false, down: false, reason: its process is younger than its settings, how: restart}
drift:
  description: What somebody else has changed, as RV(smarthost.mail.smtp_config#module:drift).
  returned: with O(whole)
  type: list
  elements: dict
still_there:
  description: Applications that are declared to be absent and whose files still stand.
  returned: with O(whole)
  type: list
  elements: str
undeclared:
  description: As RV(smarthost.mail.smtp_config#module:undeclared).
  returned: with O(whole) or O(values=files)
  type: list
  elements: dict
absent: {description: "As RV(smarthost.mail.smtp_config#module:absent).", returned: with O(whole), type: list, elements: str}
unmanaged: {description: "As RV(smarthost.mail.smtp_config#module:unmanaged).", returned: with O(whole), type: list, elements: str}
refusals: {description: "As RV(smarthost.mail.smtp_config#module:refusals).", returned: with O(whole), type: list, elements: dict}
accepted: {description: "As RV(smarthost.mail.smtp_config#module:accepted).", returned: with O(whole), type: list, elements: dict}
relays:
  description: One result of M(smarthost.mail.smtp_probe) for each distinct login.
  returned: success
  type: list
  elements: dict
activations:
  description: Options of M(smarthost.mail.smtp_activate) for each application, whether or not it needs to be activated.
  returned: success
  type: list
  elements: dict
flush:
  description: Options of M(smarthost.mail.smtp_activate) that send what a local mail server has kept meanwhile.
  returned: success
  type: list
  elements: dict
undo:
  description: The generation before which the credential that was in force before the C(next) one still stood in the files; empty where none is kept.
  returned: success
  type: str
  sample: 20261121T051700Z-1
problems:
  description: What is not as it should be, as C(where), C(what), C(hint) and C(code).
  returned: always
  type: list
  elements: dict
msg:
  description: The same for people.
  returned: always
  type: str
"""
