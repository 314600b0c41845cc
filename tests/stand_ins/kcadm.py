# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Keycloak's kcadm.sh, after admin-cli's GetCmd, UpdateCmd and AbstractRequestCmd, and what the server does with a realm."""

import json
import sys
import typing as t

import store

STARS = "**********"


def shown(realm: t.Any) -> t.Any:
    """StripSecretsUtils.strip: stars in place of any password."""
    smtp = realm.get("smtpServer", {})
    return {**realm, "smtpServer": {**smtp, "password": STARS} if "password" in smtp else smtp}


def main() -> int:
    """get realms/NAME, and update realms/NAME -f -."""
    tree = store.load()
    words = sys.argv[1:]
    realm = tree.get(words[1]) if len(words) > 1 else None
    if realm is None:
        print("Resource not found for url: http://localhost:8080/admin/" + " ".join(words[1:2]), file=sys.stderr)
        return 1
    if words == ["get", words[1]]:
        print(json.dumps(shown(realm), indent=2))
        return 0
    if words != ["update", words[1], "-f", "-"]:
        print("Invalid option: " + words[-1], file=sys.stderr)
        return 1
    given = sys.stdin.read()
    body = json.loads(given)
    if body.get("smtpServer") is not None:
        smtp = dict(body["smtpServer"])
        if smtp.get("password") == STARS:
            smtp["password"] = realm["smtpServer"].get("password")
        realm["smtpServer"] = smtp
    store.save(tree, given)
    return 0


sys.exit(main())
