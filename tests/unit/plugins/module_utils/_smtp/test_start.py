# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verified login loads what it needs and no more (rule 3 of light.py): every file more is paid for by every probe of every host."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from servers import Authority, relay
from smtp_rig import PASSWORD, options

OURS = "ansible_collections.smarthost.mail.plugins.module_utils"
# A file that is to be here is needed by most verified logins. Everything else is imported in the function that needs it.
NEEDED = {
    "_shared": "light paths problem regular_file secret security spelling_search spellings text visible",
    "_smtp": "probe result",
    "_smtp.conversation": "dialogue goal login",
    "_smtp.diagnosis": "blind_spots categories classify enhanced_codes provider_row providers sunset",
    "_smtp.network": "aside route tls transport",
    "_smtp.options": "message relay_options target",
    "_smtp.protocol": "answer bounds commands engine failure log reply",
    "_smtp.sasl": "credential mechanisms",
    "_smtp.x509": "certificate der",
}
# Of the standard library, what AnsibleModule, TLS and sockets bring along is there anyway; these take longest of what is easily loaded besides.
HEAVY = {
    "contextlib",
    "threading",
    "dataclasses",
    "inspect",
    "json",
    "email",
    "ipaddress",
    "urllib.parse",
    "tempfile",
    "logging",
}
HEAVY |= {
    "datetime",
    "concurrent.futures",
    "subprocess",
    "http",
    "calendar",
    "locale",
    "random",
    "uuid",
    "hmac",
    "encodings.idna",
}

LOGIN = """
from %s._smtp.probe import probe_all
(result,) = probe_all([%r], False)
if (result["category"], result["level_reached"], result["tls"]["verified"]) != ("ok", "auth", True):
    raise SystemExit(result["msg"])
"""


def loaded(program: str) -> set[str]:
    """The modules that a fresh Python has loaded at the end of this program."""
    # Without site (-S): every installation has something else there.
    done = subprocess.run(
        [sys.executable, "-S", "-"],
        input=program + "\nimport sys\nprint(*sys.modules)\n",
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def rooms(names: t.Iterable[str]) -> set[str]:
    """The packages that hold these modules."""
    return {name.rpartition(".")[0] for name in names} | {"_smtp"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_verified_login_loads_what_it_needs_and_no_more(security: str, tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    with relay(authority.issue("good"), security == "tls") as (port, _mailbox):
        names = loaded(
            LOGIN
            % (
                OURS,
                options(port=port, security=security, ca_path=str(authority.path), username="u", password=PASSWORD),
            )
        )
    ours = {name[len(OURS) + 1 :] for name in names if name.startswith(OURS + ".")}
    needed = {f"{room}.{name}" for room, files in NEEDED.items() for name in files.split()}
    assert "_smtp.probe" in ours and sorted(ours - needed - rooms(needed)) == []
    assert sorted(names & HEAVY - loaded("import ssl, hashlib, re, ansible.module_utils.basic")) == []
