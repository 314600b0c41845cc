#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of ``smtp_report``. It runs as an action plugin on the controller and contacts no host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_report
short_description: Write the report of a run as one HTML page, JSON and JUnit XML on the controller
version_added: 0.1.0
description:
  - Gathers what the role P(smarthost.mail.smtp_relay#role) recorded in the fact C(smtp_relay_report) of every host of the play, and
    writes C(report.html), C(report.json) and C(report.xml) to a folder on the controller.
  - Runs on the controller and contacts no host. Hosts that could not be reached, or whose turn has not come, are in the report as such.
  - C(report.html) is one file without anything from the network. It says first what to do, then shows relays, what was accepted by
    name, and every host.
  - No secret is in any of the files. They name hosts, relays and accounts, so they are readable by their owner only, and so is a folder
    that is made for them.
  - The playbooks C(smarthost.mail.apply) and C(smarthost.mail.verify) end with this; use it once, with C(run_once), in a playbook of
    your own that uses the role.
author:
  - Smarthost Maintainers (@smarthost)
options:
  dest:
    description:
      - Folder on the controller, made where it does not exist. A report that is there is replaced.
      - A relative one is below the folder in which Ansible was started.
      - Left out or empty, no file is written, and RV(lines) says it all.
    type: path
  scope:
    description:
      - V(run) is the report of the whole run.
      - V(host) gathers on one host what the tasks of the role registered there, returns it for the report, and says what keeps the host
        from being green. The role ends with it.
    type: str
    choices: [run, host]
    default: run
  fail_on:
    description:
      - With O(scope=host), whether the task fails. With V(wrong) it does where something was seen to be wrong, with V(unseen) also where
        something was not seen to work. With V(nothing) it warns.
    type: str
    choices: [nothing, wrong, unseen]
    default: nothing
  warn:
    description: With O(scope=host), whether it warns of what keeps the host from being green, where it does not fail.
    type: bool
    default: true
  declared:
    description: With O(scope=host), the names of its applications.
    type: list
    elements: raw
    default: []
  failure:
    description: With O(scope=host), the task that ended the host's run, as C(task), C(msg) and C(problems).
    type: dict
    default: {}
  run:
    description: What the run was about. With V(verify), settings that would change are reported as not as declared.
    type: str
    choices: [apply, verify, rotate]
    default: apply
attributes:
  check_mode:
    support: full
    description: The report is written in check mode too, and says that it is a prediction.
  diff_mode:
    support: none
    description: Shows what changed.
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
notes:
  - Writing the report is never reported as changed.
  - "C(report.json) has C(version) 1. A key is never taken away within a version; keys may come. At the top are C(run), C(check_mode),
    C(at) (UTC), C(outcome), C(sentence), C(counts), C(findings) and C(hosts)."
  - "Each of C(findings) is one thing to do: C(where), C(what), C(code), C(remedies), C(hosts) (names) and C(urgent)."
  - "Each of C(hosts) has C(name), C(outcome) (one of C(unreachable), C(failed), C(refused), C(differs), C(not_run), C(drifted),
    C(would_change), C(changed), C(ok), C(nothing)), C(failed), C(sentence), C(failure) (null, or C(task), C(message) and C(findings)),
    C(generation), C(apps), C(relays), C(green) (it has applications, and all of them are) and C(undeclared) (what is ours there, and is
    not declared any more)."
  - "Each of C(apps) has C(name), C(outcome) (one of C(as_declared), C(written), C(would_be_written), C(differs), C(drifted), C(refused),
    C(taken_back), C(would_be_taken_back), C(absent), C(unmanaged), C(not_done), C(left)), C(app), C(title), C(relay), C(security),
    C(credential_id), C(form), C(paths), C(unexpressed), C(accepted) (C(code), C(why)), C(refusals) (as C(findings), without hosts),
    C(activation) (null, or C(activated), C(how), C(reason), C(missing)), C(test) and C(drift) (what somebody else has changed, each with
    C(path), C(keys), C(what) and C(done), as RV(smarthost.mail.smtp_config#module:drift)), C(status) (V(active), V(not_wired), V(not_installed),
    V(unknown)), C(status_why), C(version), C(proof) (a level, or V(not_tested)), C(proof_wanted), C(proof_why), C(stale), C(down), C(forwarder),
    C(sender) (what it uses where no C(from) is declared), C(activates), C(green) and C(unseen) (what keeps it
    from being green, each with C(what), C(code), C(show), what would make it visible or right, and C(wrong), whether it was seen to be so)."
  - "Each of C(relays) has C(name), C(host), C(port), C(security), C(ok), C(category), C(level_reached), C(diagnosis), C(remedies),
    C(confirmed_by), C(blind_spots), C(mechanism), C(reply), C(certificate) (null, or C(days_left), C(not_after), C(subject), C(issuer),
    C(names), C(verified), C(version)), C(steps) and C(ms)."
  - "C(report.xml) has one test suite for each host, with one case for the host, one for each application and one for each relay."
seealso:
  - module: smarthost.mail.smtp_config
  - module: smarthost.mail.smtp_probe
"""

EXAMPLES = r"""
- name: Configure, prove and report, in a playbook of your own
  hosts: all
  gather_facts: false
  tasks:
    - name: Every application sends mail through the declared relay
      ansible.builtin.include_role:
        name: smarthost.mail.smtp_relay

    - name: Write the report
      smarthost.mail.smtp_report:
        dest: ./reports/mail
      run_once: true
"""

RETURN = r"""
html: {description: The page., returned: success, type: str, sample: /srv/reports/mail/report.html}
json: {description: The JSON file., returned: success, type: str, sample: /srv/reports/mail/report.json}
xml: {description: The JUnit XML file., returned: success, type: str, sample: /srv/reports/mail/report.xml}
lines:
  description: The outcome in a sentence, then each thing to do with its hosts. With O(scope=host), what keeps its applications from being green.
  returned: success
  type: list
  elements: str
green:
  description: Whether the host has applications, and each of them was seen to work.
  returned: with O(scope=host)
  type: bool
wrong:
  description: Whether something of it was seen to be wrong.
  returned: with O(scope=host)
  type: bool
unseen:
  description: Whether it has applications and is not green.
  returned: with O(scope=host)
  type: bool
failed_for:
  description: The task that ended its run, and why; empty where none did.
  returned: with O(scope=host)
  type: list
  elements: str
declared: {description: "The names of its applications.", returned: with O(scope=host), type: list}
view:
  description: >-
    What the run did on the host, V(written), V(predicted) (as with C(--check)), V(looked) (files or relays were looked at only), or V(nothing).
  returned: with O(scope=host)
  type: str
  sample: written
apps: {description: "What was done to each application, and what was seen of it.", returned: with O(scope=host), type: list}
absent: {description: "Applications that are declared to be absent.", returned: with O(scope=host), type: list}
unmanaged: {description: "Applications that are never touched.", returned: with O(scope=host), type: list}
refusals: {description: "What applications cannot express.", returned: with O(scope=host), type: list}
accepted: {description: "Gaps that were taken by name.", returned: with O(scope=host), type: list}
drift: {description: "What somebody else has changed.", returned: with O(scope=host), type: list}
undeclared: {description: "What is ours there, and is not declared any more.", returned: with O(scope=host), type: list}
generation: {description: "The generation of what was replaced.", returned: with O(scope=host), type: str}
activations: {description: "What was to be activated.", returned: with O(scope=host), type: list}
activated: {description: "What was activated, and why not.", returned: with O(scope=host), type: list}
relays: {description: "What was probed.", returned: with O(scope=host), type: list}
failure: {description: "The task that ended the run of the host; empty where none did.", returned: with O(scope=host), type: dict}
outcome:
  description: V(failed) where a host failed, V(attention) where something wants a look, else V(ok), where every host with an application is green.
  returned: success
  type: str
  sample: ok
counts:
  description: Hosts by outcome.
  returned: success
  type: dict
  sample: {failed: 1, changed: 2}
msg:
  description: The outcome in a sentence, and where the page is.
  returned: always
  type: str
  sample: "1 of 3 hosts needs work. Report: /srv/reports/mail/report.html"
"""
