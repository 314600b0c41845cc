# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new user does in the first hour, with README's commands, and what comes of mistakes: each step with what it has to print."""

from __future__ import annotations

import typing as t


class Step(t.NamedTuple):
    """One command.

    part: the words by which README's command is found, or, after a ``$``, the command itself. more: further words. fine: whether it ends with 0.
    says, not_says: what stands in its output, and what does not. files: what is written before, by name below the site. playbook: it is
    left out, with a word, while the artefact does not have it.
    """

    title: str
    part: str
    more: str = ""
    fine: bool = True
    says: tuple[str, ...] = ()
    not_says: tuple[str, ...] = ()
    files: t.Mapping[str, str] = {}
    playbook: str = ""


SECRET, NEXT = "old-secret", "new-secret"
WIKI = "group_vars/wiki.yml"
ALL = "group_vars/all.yml"
MSMTP = "smtp_relay_apps: [msmtp]\n"
VAULT = f"vault_smtp_password: {SECRET}\n"
APPLY, VERIFY, PLAN, RENDER = (
    "smarthost.mail.apply  -i inventory",
    "smarthost.mail.verify",
    "smarthost.mail.plan",
    "smarthost.mail.render",
)


def steps(minimum: str) -> list[Step]:
    """Every step, in order. minimum: README's declaration, with the names of the lab."""
    return [*_plan_and_apply(minimum), *_prove_and_render(minimum), *_go_back_and_rotate(minimum)]


def _plan_and_apply(minimum: str) -> list[Step]:
    return [
        Step(
            "Nothing is declared yet",
            PLAN,
            says=("No application is declared for this host.",),
            not_says=("Traceback",),
        ),
        Step(
            "An application and no relay",
            PLAN,
            fine=False,
            files={WIKI: MSMTP},
            says=("smtp_relay",),
            not_says=("Traceback",),
        ),
        Step(
            "A key is misspelt",
            PLAN,
            fine=False,
            files={
                ALL: minimum.replace('password: "{{ vault_smtp_password }}"', "pasword: mistyped-word"),
                WIKI: MSMTP,
            },
            says=('Did you mean "password"?', "[unknown-key]"),
            not_says=("mistyped-word", "Traceback"),
        ),
        Step(
            "The vault's variable is missing",
            PLAN,
            fine=False,
            files={ALL: minimum},
            says=("'vault_smtp_password' is undefined",),
        ),
        Step(
            "The vault is encrypted",
            "$ ansible-vault encrypt group_vars/wiki/vault.yml",
            files={
                "group_vars/wiki/vault.yml": VAULT,
                "group_vars/wiki/apps.yml": MSMTP,
                "vault-password": "opensesame\n",
                WIKI: "{}\n",
                "ansible.cfg": "[defaults]\nvault_password_file = vault-password\n",
            },
        ),
        Step(
            "An application is misspelt",
            PLAN,
            fine=False,
            files={"group_vars/wiki/apps.yml": "smtp_relay_apps: [msmpt]\n"},
            says=('Did you mean "msmtp"?',),
        ),
        Step(
            "An application that is not there",
            APPLY,
            fine=False,
            files={"group_vars/wiki/apps.yml": "smtp_relay_apps: [nextcloud]\n"},
            says=("[not-installed]",),
            not_says=(SECRET, "Traceback"),
        ),
        Step(
            "A host that cannot be reached",
            "$ ansible-playbook smarthost.mail.apply -i inventory -i no-such-host.invalid, --limit no-such-host.invalid",
            fine=False,
            files={"group_vars/wiki/apps.yml": MSMTP, "host_vars/no-such-host.invalid.yml": MSMTP + VAULT},
            says=("no-such-host.invalid", "could not be reached"),
            not_says=(SECRET, "Traceback"),
        ),
        Step(
            "Who would get what",
            PLAN,
            files={"group_vars/wiki/apps.yml": MSMTP},
            says=("msmtp: /etc/msmtprc", "relay.lab.test:465, tls"),
            not_says=(SECRET,),
        ),
        Step(
            "What apply would do",
            "smarthost.mail.apply  -i inventory --check --diff",
            says=("+accounts.default.password = (secret)",),
            not_says=(SECRET,),
        ),
        Step("Write, activate, prove", APPLY, says=("failed=0",), not_says=(SECRET, "failed=1")),
        Step("A second time nothing changes", APPLY, says=("changed=0",), not_says=("changed=1", SECRET)),
    ]


def _prove_and_render(minimum: str) -> list[Step]:
    return [
        Step("Prove again", VERIFY, says=("failed=0",), not_says=(SECRET,)),
        Step("Why is mail not going out?", "smarthost.mail.smtp_probe", says=('"ok": true',)),
        Step(
            "The probe is asked for what is no mode",
            "$ ansible web1 -i inventory -m smarthost.mail.smtp_probe -a 'host=relay.lab.test security=startls'",
            fine=False,
            says=("none, opportunistic, starttls, tls",),
            not_says=("Traceback",),
        ),
        Step(
            "The probe is given the wrong password",
            "$ ansible web1 -i inventory -m smarthost.mail.smtp_probe -a "
            "'host=relay.lab.test security=starttls username=old@lab.test password=mistyped-word'",
            fine=False,
            says=("auth_failed", "Correct the username or the password"),
            not_says=("mistyped-word",),
        ),
        Step("Render to a folder", RENDER, says=("failed=0",), not_says=(SECRET,)),
        Step("The folder's manifest", "$ cat out/web1/manifest.json", says=('"/etc/msmtprc"', '"mode": "0640"')),
        Step(
            "Render without a folder",
            "$ ansible-playbook smarthost.mail.render -i inventory",
            fine=False,
            says=("smtp_relay_dest is missing",),
        ),
        Step(
            "Render to what is a file",
            "$ ansible-playbook smarthost.mail.render -i inventory -e smtp_relay_dest=inventory",
            fine=False,
            says=("Not a directory. Nothing was written.",),
        ),
        Step(
            "A wrong password is declared",
            APPLY,
            "--limit web1",
            fine=False,
            files={ALL: minimum.replace('"{{ vault_smtp_password }}"', "mistyped-word")},
            says=("auth_failed",),
            not_says=("mistyped-word", "Traceback"),
        ),
        Step(
            "What works was not overwritten",
            "$ ansible web1 -i inventory -b -a 'grep -c mistyped-word /etc/msmtprc'",
            fine=False,
            says=("rc=1",),
        ),
        Step("And it is right again", APPLY, files={ALL: minimum}, says=("failed=0",), not_says=(SECRET,)),
    ]


def _go_back_and_rotate(minimum: str) -> list[Step]:
    rotating = minimum + f"  next: {{id: autumn, username: new@lab.test, password: {NEXT}}}\n"
    return [
        Step("What is ours here", "state=query", says=("/etc/msmtprc", "generations"), not_says=(SECRET,)),
        Step(
            "A generation that does not exist",
            "$ ansible web1 -i inventory -m smarthost.mail.smtp_config -a 'state=rolled_back generation=none'",
            fine=False,
            says=("no-such-generation",),
        ),
        Step(
            "Rotate without a next credential",
            "smarthost.mail.rotate",
            fine=False,
            says=("[no-next]",),
            not_says=("Traceback",),
        ),
        Step(
            "What a rotation would do",
            "smarthost.mail.rotate",
            "--check",
            files={ALL: rotating},
            not_says=(SECRET, NEXT, "Traceback"),
        ),
        Step("Rotate", "smarthost.mail.rotate", says=("failed=0",), not_says=(SECRET, NEXT, "Traceback")),
        Step(
            "The old one still works",
            "smarthost.mail.revoke_check",
            fine=False,
            says=("NOT REVOKED",),
            not_says=(SECRET, NEXT),
        ),
        Step(
            "Restore what the last run replaced",
            "smarthost.mail.rollback",
            says=("failed=0",),
            not_says=(SECRET,),
            playbook="rollback",
        ),
        Step(
            "Restore what was never replaced",
            "$ ansible-playbook smarthost.mail.rollback -i inventory -e smtp_relay_generation=none",
            fine=False,
            says=('No host of this play keeps a generation "none".',),
            not_says=("Traceback",),
            playbook="rollback",
        ),
        Step(
            "Remove everything that is ours",
            "smarthost.mail.remove",
            says=("failed=0",),
            not_says=(SECRET,),
            playbook="remove",
        ),
    ]
