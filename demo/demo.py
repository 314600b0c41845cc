# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""make demo: an embedded relay, one declaration, a dozen applications, one message, and what failures look like."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from relay import EmbeddedRelay

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "out"
PASSWORD = "demo password with \"quotes\" and #"
NOISE = re.compile(r"^(PLAY|TASK|ok:|changed:|\\S+ +: ok=|Origin:|\\d+ |\\s+\\^ column|<<<|$)")


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
            step("1. One declaration (demo/inventory/group_vars/all.yml), rendered for every application", "render", True, variables),
            step("2. Does the relay work, from here?", "probe", True, variables),
            step("3. Send one message", "send", True, variables),
            arrived(relay),
            step("4. What a wrong password looks like", "wrong_password", False, variables),
            step("5. What a wrong TLS mode looks like", "wrong_tls", False, variables),
            step("6. What an application that must refuse looks like (nothing is written)", "refusal", False, variables),
        ]
    files = sorted(path for path in (OUT / "files").rglob("*") if path.is_file() and ".smarthost" not in path.parts)
    say(f"Rendered {len(files)} files; look at them:")
    print("\n".join(f"    {path.relative_to(HERE.parent)}" for path in files))
    return 0 if all(outcomes) and len(files) >= 10 else 1


def step(title: str, tag: str, succeeds: bool, variables: pathlib.Path) -> bool:
    """Run the tasks of one tag and show what Ansible says, without its frame. True when they ended as expected."""
    say(title)
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", str(HERE / "inventory"), "-e", f"@{variables}", "--tags", tag, str(HERE / "steps.yml")]
    environment = {
        **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(sys.prefix) / "collections"), "ANSIBLE_HOME": str(OUT / "ansible"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_FAILED_STDERR": "0",
    }
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, env=environment, check=False)
    print(shown(done.stdout))
    if (done.returncode == 0) != succeeds:
        print(f"    This step was expected to {'succeed' if succeeds else 'fail'}.")
    return (done.returncode == 0) == succeeds


def shown(output: str) -> str:
    """What a reader wants of a playbook's output: messages, not frames."""
    failure = re.search(r'fatal: \\[demo-host\\]: FAILED! =>\\s*(.*?)\\n\\nPLAY RECAP', output, re.DOTALL)
    text = failure.group(1) if failure else output
    return "\n".join(f"    {line}" for line in text.splitlines() if not NOISE.match(line))


def arrived(relay: EmbeddedRelay) -> bool:
    """Show the message that the relay took."""
    for message in relay.messages:
        print(f"    The relay took: {message['subject']!r} from {message['sender']} to {', '.join(message['recipients'])}; {message['security']}; logged in as {message['user']}")
    return len(relay.messages) == 1


def say(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
