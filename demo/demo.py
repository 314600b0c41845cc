# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""make demo: an embedded relay, one declaration, a dozen applications, one message, and what failures look like."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

from relay import EmbeddedRelay

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "out"
PASSWORD = "demo password with \"quotes\" and #"


def main() -> int:
    """Run every step; return 1 when one did not end as the demo says it should."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(mode=0o700)
    with EmbeddedRelay(OUT / "pki", "apps@example.com", PASSWORD) as relay:
        facts = {
            "demo_out": str(OUT), "demo_ca": str(relay.ca), "demo_password": PASSWORD,
            "demo_starttls_port": relay.starttls_port, "demo_tls_port": relay.tls_port,
        }
        variables = OUT / "variables.json"
        variables.touch(mode=0o600)
        variables.write_text(json.dumps(facts), encoding="utf-8")
        say(f"An embedded relay listens on localhost: STARTTLS on {relay.starttls_port}, TLS on {relay.tls_port}; login required; its own CA.")
        outcomes = [
            step("1. One declaration (demo/inventory/group_vars/all.yml), rendered for every application", "render", variables),
            step("2. Does the relay work, from here?", "probe", variables),
            step("3. Send one message", "send", variables),
            arrived(relay),
            step("4. What a wrong password looks like", "wrong_password", variables),
            step("5. What a wrong TLS mode looks like", "wrong_tls", variables),
            step("6. What an application that must refuse looks like (nothing is written)", "refusal", variables),
        ]
    files = sorted(path for path in (OUT / "files").rglob("*") if path.is_file() and ".smarthost" not in path.parts)
    say(f"Rendered {len(files)} files; look at them:")
    print("\n".join(f"    {path.relative_to(HERE.parent)}" for path in files))
    return 0 if all(outcomes) and len(files) >= 10 else 1


def step(title: str, tag: str, variables: pathlib.Path) -> bool:
    """Run the tasks of one tag and print what they said. True when they ended as the step says they should."""
    say(title)
    said = OUT / "said.txt"
    said.unlink(missing_ok=True)
    ansible = pathlib.Path(sys.executable).parent / "ansible-playbook"
    command = [str(ansible), "-i", str(HERE / "inventory"), "-e", f"@{variables}", "--tags", tag, str(HERE / "steps.yml")]
    environment = {
        **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(sys.prefix) / "collections"), "ANSIBLE_HOME": str(OUT / "ansible"),
        "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, env=environment, check=False)
    text = said.read_text("utf-8") if done.returncode == 0 else done.stdout + "\nThis step did not end as it should."
    print("\n".join(f"    {line}" for line in text.splitlines()))
    return done.returncode == 0


def arrived(relay: EmbeddedRelay) -> bool:
    """Show the message that the relay took."""
    for message in relay.messages:
        print(f"    The relay took: {message['subject']!r} from {message['sender']} to {', '.join(message['recipients'])};", end=" ")
        print(f"{message['security']}; logged in as {message['user']}")
    return len(relay.messages) == 1


def say(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
