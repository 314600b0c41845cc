# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Mattermost's mmctl, after server/cmd/mmctl/commands/config.go and server/channels/api4/config_local.go."""

import json
import sys
import typing as t

import store

STARS = "********************************"


def shown(tree: t.Any) -> t.Any:
    """GetSanitizedConfig: stars in place of a password that is not empty."""
    email = tree["EmailSettings"]
    return {**tree, "EmailSettings": {**email, "SMTPPassword": STARS if email["SMTPPassword"] else ""}}


def main() -> int:
    """config show, and config patch FILE, with --local."""
    tree = store.load()
    words = sys.argv[1:]
    if words == ["--local", "config", "show"]:
        print(json.dumps(shown(tree), indent=2))
        return 0
    if words[:3] != ["--local", "config", "patch"] or len(words) != 4:
        print("Error: unknown command", file=sys.stderr)
        return 1
    with open(words[3], encoding="utf-8") as file:
        given = file.read()
    for section, keys in json.loads(given).items():
        for key, value in keys.items():
            # A null is a nil pointer, which the merge takes for "not given"; stars keep what is there (desanitize).
            if value is not None and value != STARS:
                tree[section][key] = value
    store.save(tree, given)
    print("Config patched successfully")
    return 0


sys.exit(main())
