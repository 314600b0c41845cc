# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for NethServer 8's api-cli, after usr/local/bin/api-cli and the cluster's actions get-smarthost and set-smarthost."""

import argparse
import json
import sys

import store

DEFAULTS = {
    "port": 587,
    "host": "",
    "username": "",
    "password": "",
    "enabled": False,
    "encrypt_smtp": "starttls",
    "tls_verify": True,
}
TYPES = {
    "host": str,
    "port": int,
    "username": str,
    "password": str,
    "enabled": bool,
    "encrypt_smtp": str,
    "tls_verify": bool,
}


def main() -> int:
    """run get-smarthost --data null, and run set-smarthost --data -."""
    tree = store.load()
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["run"])
    parser.add_argument("action")
    parser.add_argument("--data")
    args = parser.parse_args()
    given = args.data if args.data and args.data != "-" else sys.stdin.read()
    body = json.loads(given)
    if args.action == "get-smarthost":
        print(json.dumps(tree or DEFAULTS))
        return 0
    wrong = [
        key
        for key, kind in TYPES.items()
        if not isinstance(body.get(key), kind) or (kind is int and isinstance(body[key], bool))
    ]
    if wrong or body["encrypt_smtp"] not in ("none", "starttls", "tls") or not 1 <= body["port"] <= 65535:
        print("set-smarthost: validation-failed", file=sys.stderr)
        print(
            json.dumps(
                [
                    {"field": field, "parameter": field, "value": "", "error": "validation"}
                    for field in wrong or ["encrypt_smtp"]
                ]
            )
        )
        return 10
    store.save({key: body[key] for key in TYPES}, given)
    print("null")
    return 0


sys.exit(main())
