# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the skeleton of a catalogue entry, valid by the schema, to be filled in from the application's source.

Usage: .venv/bin/python tools/new_app.py NAME [FOLDER]   (FOLDER: a catalogue of your own; left out, the shipped one)
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "plugins" / "plugin_utils" / "apps"
HEADER = "".join(pathlib.Path(__file__).read_text("utf-8").splitlines(keepends=True)[:3])
SKELETON = """---
title: {title}
homepage: https://example.com
docs: https://example.com/docs/mail
sources:
  - which files of its source the facts below were read in
evidence: documented            # parsed: its own parser reads the file in tests; delivered: it sent mail in tests
forms:
  env:
    dialect: docker_env         # a file of our own is best; `shared: true` edits the user's
    path: /etc/{name}/mail.env
# Our word: the application's word. A mode that it does not have belongs into lacks, with the reason.
security: {{none: "off", starttls: starttls, tls: ssl}}
lacks:
  # What does it do when the relay stops offering STARTTLS? Going on in clear text is starttls-strippable, instead: opportunistic.
  opportunistic: it uses STARTTLS always or never
  ca_path: it trusts the system's store only
  tls_server_name: it verifies the name that it connects to
  oauth2: it knows no access tokens for mail
  ms_graph: it speaks SMTP
  from_name: no setting
  reply_to: no setting
  helo: no setting
  timeout: no setting
  tls_min_version: no setting
  auth_mechanisms: it takes the strongest that the relay offers
  charset: always UTF-8
  plain_text: no setting
  max_attachment_mb: no setting
  signature: no setting
settings:
  SMTP_HOST: =host
  SMTP_PORT: =port
  SMTP_SECURITY: =security
  SMTP_VERIFY: =validate_certs
  SMTP_USER: =username          # None where the relay has no login: the key is left out
  SMTP_PASSWORD: =password
  SMTP_FROM: =from_address
mail_off:
  SMTP_HOST: ""
# By what one sees on a host that it is there; a form that is no container's also has `wiring`, what makes it read the file.
detect: {{units: [{name}], commands: [{name}], images: [{name}/{name}]}}
activate: {{systemd: {name}, how: restart}}
test: what an operator runs to see a message go out
"""


def main(arguments: list[str]) -> int:
    """Write it. Returns 1 when there is one already, 2 when the call is not understood."""
    if not 1 <= len(arguments) <= 2 or not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,49}", arguments[0]):
        print(__doc__, file=sys.stderr)
        return 2
    name, folder = arguments[0], pathlib.Path(arguments[1]) if len(arguments) == 2 else SHIPPED
    entry = folder / name / "app.yml"
    if entry.exists():
        print(f"{entry} is there already.", file=sys.stderr)
        return 1
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(HEADER + SKELETON.format(name=name, title=name.replace("_", " ").title()), "utf-8")
    print(
        f"Fill in {entry}. Then: .venv/bin/python tools/accept.py {name}, read what it wrote, and: make test ONLY=catalogue"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
