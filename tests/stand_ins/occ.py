# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Nextcloud's occ, after core/Command/Config/ListConfigs.php and Import.php and lib/private/Config.php (setValues)."""

import io
import json
import os
import sys
import typing as t

import store


def main() -> int:
    """config:list system --private --output=json, and config:import from standard input."""
    tree = store.load()
    words = sys.argv[1:]
    if words[:1] == ["config:list"]:
        shown = {
            key: value if "--private" in words or key not in SENSITIVE else "***REMOVED SENSITIVE VALUE***"
            for key, value in tree["system"].items()
        }
        print(json.dumps({"system": shown}) if "--output=json" in words else shown)
        return 0
    if words != ["config:import"]:
        print('Command "{}" is not defined.'.format(" ".join(words)), file=sys.stderr)
        return 1
    os.set_blocking(0, False)  # stream_set_blocking(STDIN, 0): what is not there yet is not read
    given = t.cast(io.BufferedReader, sys.stdin.buffer).raw.read() or b""
    body = json.loads(given or b"null")
    if not isinstance(body, dict) or not body:
        print("The file must contain a valid json array")
        return 1
    if set(body) - {"system", "apps"}:
        print("Found invalid entries in root: " + ", ".join(set(body) - {"system", "apps"}))
        return 1
    for key, value in body["system"].items():
        if value is None:
            tree["system"].pop(key, None)
        else:
            tree["system"][key] = value
    store.save(tree, given.decode())
    print("Config successfully imported from: ")
    return 0


SENSITIVE = ("dbpassword", "secret", "passwordsalt", "mail_smtppassword")
sys.exit(main())
