# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a run that another command over the same hosts needs too; none of them may hold a secret."""

from __future__ import annotations

import re
import typing as t

FLAGS = {"become": "-b", "become_ask_pass": "-K", "ask_pass": "-k", "ask_vault_pass": "-J"}
WORDS = {"vault_ids": "--vault-id", "vault_password_files": "--vault-password-file"}
# Given by -e name=value: those of ours that are no secret, and tell which hosts or which way. Any other value may be one.
VARIABLES = re.compile(
    "smtp_relay_(?:hosts|canary|serial|catalogue|state_dir|activate|on_unsupported|report_dest|rotation_[a-z_]+|revoked_from)=[^ \\t\\n]*"
)


def options(given: t.Mapping[str, t.Any]) -> list[str]:
    """Those of the command line, as words. given: Ansible's ``context.CLIARGS``."""
    words = [flag for name, flag in FLAGS.items() if given.get(name)]
    for name, flag in WORDS.items():
        words += [word for value in given.get(name) or () for word in (flag, str(value))]
    return words + [
        word for value in given.get("extra_vars") or () if _may_be_shown(str(value)) for word in ("-e", str(value))
    ]


def _may_be_shown(value: str) -> bool:
    """A file of variables, or assignments of which each may be shown."""
    return value.startswith("@") or all(VARIABLES.fullmatch(word) for word in value.split())
