#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target half of ``smtp_config``: reads, applies, rolls back and commits a host's files as one set."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_deploy
short_description: Read, apply, roll back or commit a set of files (target half of smtp_config)
version_added: 0.1.0
description:
  - Called by M(smarthost.mail.smtp_config); not for direct use. Its options may change with any release.
  - Every path is examined before anything is written; everything that stands in the way is reported at once.
  - The files and the ownership record change together or not at all, whenever the process is killed. A run that finds the
    journal of a killed one finishes or undoes that first, and says so in RV(recovered).
author:
  - Smarthost Maintainers (@smarthost)
options:
  state:
    description:
      - V(query) tells what stands at the paths in O(read), the ownership record and the generations.
      - V(present) makes O(changes) true. What is replaced is kept as a generation.
      - V(rolled_back) puts back bytes, owner, mode, access attributes and absence as they were before the generation.
      - V(committed) removes the replaced bytes of generations.
      - V(purged) removes O(state_dir) itself with everything in it that we put there; it fails while anything is recorded.
    type: str
    choices: [query, present, rolled_back, committed, purged]
    default: present
  state_dir:
    description: Folder for the record, originals, generations, journal and lock. Made with mode C(0700) as needed.
    type: path
    default: /var/lib/smarthost
  read:
    description: What O(state=query) tells about.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: str
        required: true
      original:
        description: Whether to tell the bytes as well that stood there before the path became ours.
        type: bool
        default: false
      command:
        description: As O(changes[].command); what its tool reads is told instead of a file. Left out, as the record says.
        type: dict
  read_apps:
    description: With O(state=query), the shared files of these applications are read too, with their originals; V(*) for all.
    type: list
    elements: str
    default: []
  detect:
    description:
      - What to look for of each application, with O(state=query) and O(state=present); nothing is written for that.
      - With O(state=present), where one that is C(required) is missing, nothing is written, and the answer is RV(look_again).
    type: list
    elements: dict
    default: []
    suboptions:
      app:
        description: Label of the application.
        type: str
        required: true
      units:
        description: Units of systemd.
        type: list
        elements: str
      packages:
        description: Packages of the host's own database.
        type: list
        elements: str
      commands:
        description: Programs.
        type: list
        elements: str
      places:
        description: Files and folders.
        type: list
        elements: str
      images:
        description: Images of containers, without registry and tag.
        type: list
        elements: str
      compose:
        description: A Compose project that it is said to be in, as C(folder) and C(services).
        type: dict
      version:
        description: Where its version stands, as C(package), C(file), C(run) and C(find).
        type: dict
      wiring:
        description: The ways in which it may come to read our file.
        type: dict
      required:
        description: Whether nothing may be written for it where nothing of it is seen.
        type: bool
        default: false
      required_unit:
        description: A unit of systemd without which nothing may be written for it.
        type: str
      paths:
        description: Its files, which are not read where it is missing.
        type: list
        elements: str
  read_after:
    description: With O(state=present), files to read once it is done, for RV(read) and RV(record), as O(read) does.
    type: list
    elements: dict
    suboptions:
      path:
        description: Absolute path.
        type: str
        required: true
      command:
        description: As O(read[].command).
        type: dict
  processes:
    description: With O(state=present), whether RV(applications) says of each that did not change whether what runs may be older than its files.
    type: bool
    default: false
  seal_key:
    description: Key of this one task, hexadecimal, under which file contents travel in both directions.
    type: str
  changes:
    description: What shall become of which path. Never holds a secret.
    type: list
    elements: dict
    default: []
    suboptions:
      app:
        description: Label of the application that the file belongs to.
        type: str
        required: true
      path:
        description: Absolute path. The target of a symbolic link is replaced, the link kept; a link that would give another user something is refused.
        type: str
        required: true
      action:
        description:
          - V(write) the bytes given in O(contents).
          - V(restore) what stood there before the path became ours, or its absence.
          - V(delete) the file, which must be ours.
        type: str
        choices: [write, restore, delete]
        default: write
      owner:
        description: User name or number. Left out, that of the existing file, else the user of the task.
        type: str
      group:
        description: Group name or number. Left out, that of the existing file, else the group of the task.
        type: str
      mode:
        description: Octal permissions, such as V(0640). Left out, those of the existing file, else C(0600) with a secret, C(0644) without.
        type: str
      secret:
        description: Whether the content holds a secret; others then get no permission, whatever O(changes[].mode) says.
        type: bool
        default: false
      shared:
        description: Whether the file is the user's and only a part of it ours. It must exist then.
        type: bool
        default: false
      based_on:
        description:
          - Fingerprint (see RV(read)) of the bytes that a merge was based on, or V(absent). When the file differs, nothing is written.
          - With V(absent) a shared file may be missing and is created.
        type: str
      drift:
        description: What becomes of somebody else's change to what we wrote, when nothing else is to be changed there.
        type: str
        choices: [report, enforce, adopt]
        default: report
      readers:
        description:
          - Who must be able to read a file that several applications have in common, as C(user:git) or C(group:git). Owner and mode follow from
            it, with an access list where there are several. The file is taken back when no application of the record uses it any more.
        type: list
        elements: str
      release:
        description: Whether the path is no longer ours after this change, as when our part is taken out of the user's file.
        type: bool
        default: false
      command:
        description: >-
          The path is a name only; a tool reads and writes its settings. C(tool), C(read), C(write) are words, C(keys) and C(secrets)
          lists of paths, C(masked) what the tool shows in place of a secret. Never holds a secret.
        type: dict
  contents:
    description: The bytes to write by path, sealed with O(seal_key).
    type: str
  facts:
    description: By path of a shared file what our keys have there, C(wanted) and C(present), sealed with O(seal_key).
    type: str
  record:
    description: Changes to the ownership record, C(apps) to set by name and C(remove), names to take out. Never holds a secret.
    type: dict
    default: {}
  generation:
    description: >-
      The generation to go back before (O(state=rolled_back), with every later one) or to commit up to (O(state=committed)).
      Left out, the latest, or all.
    type: str
  keep:
    description: How many generations are kept; older ones are committed.
    type: int
    default: 5
  lock_timeout:
    description: Seconds to wait for another run on the same host.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: Predicts exactly what would change and writes nothing, not even O(state_dir).
  diff_mode:
    support: none
    description: The diff is made by M(smarthost.mail.smtp_config), which knows what is secret.
  platform:
    support: full
    platforms: posix
    description: Needs Python 3.8 or later on the host.
"""

EXAMPLES = r"""
- name: What smtp_config asks for, shown for its documentation only
  smarthost.mail.smtp_deploy:
    state: query
    seal_key: "{{ key_of_this_task }}"
    read:
      - path: /etc/gitea/app.ini
        original: true

- name: Go back before the latest generation, when the controller of smtp_config is lost
  smarthost.mail.smtp_deploy:
    state: rolled_back
"""

RETURN = r"""
files:
  description: What became, or in check mode would become, of each path.
  returned: always
  type: list
  elements: dict
  contains:
    path: {description: The path., type: str, sample: /etc/gitea/app.ini}
    changed: {description: "Whether bytes, owner, group, mode or access attributes differ now.", type: bool, sample: true}
    created: {description: Whether there was no file before., type: bool, sample: false}
    removed: {description: Whether there is no file any more., type: bool, sample: false}
    before_mode: {description: Permissions before; null without a file., type: str, sample: "0644"}
    mode: {description: Permissions now; null without a file., type: str, sample: "0640"}
    owner: {description: Owner now., type: str, sample: git}
    group: {description: Group now., type: str, sample: git}
drift:
  description: What somebody else has changed of what we wrote.
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
applications:
  description: Every application that is ours, or was and has not been activated since it was taken back.
  returned: O(state=present) or O(state=rolled_back)
  type: list
  elements: dict
  contains:
    name: {description: Label of the application., type: str, sample: gitea}
    activate: {description: "How it is activated, as O(record) said.", type: dict, sample: {systemd: gitea}}
    since: {description: "When something of it last changed, in seconds since 1970; null when that is not known.", type: float, sample: 1795241820.5}
    touched: {description: Whether something of it changed in this run., type: bool, sample: true}
    noted:
      description: Its C(relay) and C(credential_id) by the record; null where it is not ours any more.
      type: dict
      sample: {relay: main, credential_id: 2026-08}
    stale: {description: Whether what runs may be older than its files., type: bool, returned: with O(processes), sample: false}
    down: {description: Whether it was seen not to run., type: bool, returned: with O(processes), sample: false}
    reason: {description: How that is known., type: str, returned: with O(processes), sample: its process is younger than its settings}
    how: {description: "V(restart), V(reload) or V(none).", type: str, returned: with O(processes), sample: restart}
generation:
  description: >-
    Id of what this run replaced, went back before or committed up to. Null when nothing changed, and for O(state=present) in check mode.
  returned: always
  type: str
  sample: 20261121T051700Z-1
recovered:
  description: V(finished) or V(undone) when an earlier run was killed, and its set settled first; in check mode what would be done.
  returned: always
  type: str
  sample: finished
look_again:
  description: >-
    Something of ours in a user's file is no longer asked for, and taking it out needs that file read; or an application that is
    required in O(detect) is missing. Nothing was written; the answer is what O(state=query) gives.
  returned: when it is so
  type: bool
  sample: true
detected:
  description: >-
    By application what is seen of it, C(seen), C(unseen) (why something could not be looked at), C(version), C(version_why), C(missing),
    and C(wiring), by way whether it is C(seen) (null where nothing shows it), C(why) and C(remedy).
  returned: with O(detect)
  type: dict
  sample: {gitea: {seen: [unit gitea.service], unseen: [], version: 1.22.3, version_why: "", missing: false, wiring: {}}}
record:
  description: The ownership record, C(apps) as given and C(files) by path.
  returned: O(state=query), or with O(read_after)
  type: dict
  sample: {apps: {}, files: {}}
read:
  description: >-
    By path, C(kind) (file, missing, folder, dangling_link, other, unreadable, unsafe), C(content) and C(original) (sealed or null),
    C(fingerprint), C(mode), C(owner), C(group).
  returned: O(state=query), or with O(read_after)
  type: dict
  sample: {/etc/gitea/app.ini: {kind: missing}}
generations:
  description: What can be rolled back, oldest first; the latest hundred.
  returned: O(state=query)
  type: list
  elements: dict
  contains:
    id: {description: Id., type: str, sample: 20261121T051700Z-1}
    paths: {description: Paths it changed., type: list, elements: str, sample: [/etc/gitea/app.ini]}
    credentials: {description: "By application the label of the credential that was in force before it.", type: dict, sample: {gitea: "2026-08"}}
    damaged: {description: "Its manifest cannot be read, so it can be committed and not rolled back; left out otherwise.", type: bool, sample: true}
left:
  description: What is in the folder and is not ours, so that the folder stays.
  returned: O(state=purged)
  type: list
  elements: str
  sample: []
problems:
  description: Everything that stands in the way, as C(where), C(what), C(hint) and C(code); nothing was changed.
  returned: failure
  type: list
  elements: dict
  sample: [{where: /etc/gitea/app.ini, what: This is a folder; a file is to be written here., hint: "", code: target-is-folder}]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.smarthost.mail.plugins.module_utils._host.afterwards import with_standing
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes.change import OPTIONS
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence.detection import detect
from ansible_collections.smarthost.mail.plugins.module_utils._shared.internal_error import guard

ARGUMENTS = {
    "state": {
        "type": "str",
        "choices": ["query", "present", "rolled_back", "committed", "purged"],
        "default": "present",
    },
    "state_dir": {"type": "path", "default": "/var/lib/smarthost"},
    "read": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "original": {"type": "bool", "default": False},
            "command": {"type": "dict"},
        },
    },
    "read_apps": {"type": "list", "elements": "str", "default": []},
    "detect": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "app": {"type": "str", "required": True},
            **{
                name: {"type": "list", "elements": "str"}
                for name in ("units", "packages", "commands", "places", "images", "paths")
            },
            **{name: {"type": "dict"} for name in ("compose", "version", "wiring")},
            "required": {"type": "bool", "default": False},
            "required_unit": {"type": "str"},
        },
    },
    "read_after": {
        "type": "list",
        "elements": "dict",
        "options": {"path": {"type": "str", "required": True}, "command": {"type": "dict"}},
    },
    "processes": {"type": "bool", "default": False},
    "seal_key": {"type": "str", "no_log": True},
    "changes": {"type": "list", "elements": "dict", "default": [], "options": OPTIONS},
    "contents": {"type": "str", "no_log": True},
    "facts": {"type": "str", "no_log": True},
    "record": {"type": "dict", "default": {}},
    "generation": {"type": "str"},
    "keep": {"type": "int", "default": 5},
    "lock_timeout": {"type": "int", "default": 60},
}


def without(read: list[dict[str, object]], missing: list[dict[str, list[str]]]) -> list[dict[str, object]]:
    """What is read but for the files, and the tools, of applications that are missing."""
    paths = {path for item in missing for path in item["paths"] or ()}
    return [item for item in read if item["path"] not in paths]


def main() -> None:
    """Options in, one answer out."""
    guard(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), _deploy)


def _deploy(module: AnsibleModule) -> None:
    options = dict(module.params)
    wanted = options.pop("detect")
    detected = detect(wanted) if options["state"] in ("query", "present") else {}
    missing = [item for item in wanted if detected.get(item["app"], {}).get("missing")]
    again = bool(missing) and options["state"] == "present"
    if again:
        options.update(state="query", read=[], read_apps=list(options["record"].get("apps") or ()))
    options["read"] = without(options["read"], missing)
    read_after, processes = options.pop("read_after"), options.pop("processes")
    for name in ("read", "read_apps", "changes"):
        options[name] = tuple(options[name])
    for name in ("seal_key", "contents", "facts"):
        options[name] = options[name] or ""
    request = DeployCall(check=module.check_mode, **options)
    answer = run(request)
    answer.update(detected=detected, **({"look_again": True} if again else {}))
    if request.state == "present" and not answer.get("failed") and not answer.get("look_again"):
        answer = with_standing(answer, request, read_after, processes)
    if answer.get("failed"):
        module.fail_json(**answer)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
