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
README = HERE.parent / "README.md"
PASSWORD = 'demo password with "quotes" and #'
SHOWN = OUT / "files" / "etc" / "msmtprc"
FATAL = re.compile(r"^(?:fatal|failed): \[[^]]*\].*?(?:FAILED|UNREACHABLE)! => ", re.MULTILINE)


def main() -> int:
    """Run every step; return 1 when one did not end as the demo says it should."""
    try:
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir(mode=0o700)
    except OSError as error:
        print(
            f"{OUT.relative_to(HERE.parent)}: {error.strerror}. The demo writes there and nowhere else: run it in a checkout of your own."
        )
        return 1
    with EmbeddedRelay(OUT / "pki", "apps@example.com", PASSWORD) as relay:
        facts = {
            "demo_out": str(OUT),
            "demo_ca": str(relay.ca),
            "demo_password": PASSWORD,
            "demo_starttls_port": relay.starttls_port,
            "demo_tls_port": relay.tls_port,
        }
        variables = OUT / "variables.json"
        variables.touch(mode=0o600)
        variables.write_text(json.dumps(facts), encoding="utf-8")
        say(
            f"An embedded relay listens on localhost: STARTTLS on {relay.starttls_port}, TLS on {relay.tls_port}; login required; its own CA."
        )
        outcomes = [
            step(
                "1. One declaration (demo/inventory/group_vars/all.yml), rendered for every application",
                "render",
                variables,
            ),
            rendered(),
            step("2. Does the relay work, from here?", "probe", variables, "smarthost.mail.smtp_probe"),
            step("3. Send one message", "send", variables),
            arrived(relay),
            step("4. What a wrong password looks like", "wrong_password", variables),
            step("5. What a wrong TLS mode looks like", "wrong_tls", variables),
            step("6. What an application that must refuse looks like (nothing is written)", "refusal", variables),
        ]
    say("The same for your own hosts (README.md)")
    print(
        "\n".join(
            f"    $ {command}"
            for playbook in ("plan", "apply", "verify")
            for command in readme(f"smarthost.mail.{playbook} ")
        )
    )
    return 0 if all(outcomes) else 1


def step(title: str, tag: str, variables: pathlib.Path, command: str = "") -> bool:
    """Run the tasks of one tag and print what they reported. True when they ended as the step says they should.

    command: a part of README's command that does the same, to be shown as well.
    """
    say(title)
    for line in readme(command)[:1] if command else ():
        print(f"    $ {line}")
    said = OUT / "said.txt"
    said.unlink(missing_ok=True)
    done = run_playbook(variables, tag)
    text = said.read_text("utf-8") if said.exists() else what_went_wrong(done.stdout)
    print("\n".join(f"    {line}" for line in text.splitlines()))
    if done.returncode:
        print("    THIS STEP FAILED.")
    return done.returncode == 0


def run_playbook(variables: pathlib.Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Run the tasks of steps.yml with this tag, with no settings of the user's."""
    ansible = pathlib.Path(sys.executable).parent / "ansible-playbook"
    command = [
        str(ansible),
        "-i",
        str(HERE / "inventory"),
        "-e",
        f"@{variables}",
        "--tags",
        tag,
        str(HERE / "steps.yml"),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment = {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(sys.prefix) / "collections"),
        "ANSIBLE_HOME": str(OUT / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(OUT / "ansible" / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(OUT / "ansible" / "remote"),
        "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
    }
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, env=environment, check=False
    )


def what_went_wrong(output: str) -> str:
    """What ansible-playbook said of a failure, in its words and without the JSON around them."""
    found = FATAL.search(output)
    if not found:
        return output.strip()
    try:
        result, _end = json.JSONDecoder().raw_decode(output, found.end())
    except ValueError:
        return output[found.end() :].strip()
    return str(result.get("msg") or result.get("module_stderr") or "The task failed and gave no message.").strip()


def rendered() -> bool:
    """Show what was rendered, and one of the files; its secret stays hidden."""
    files = sorted(path for path in (OUT / "files").rglob("*") if path.is_file())
    print(f"\n    {len(files)} files below demo/out/files, for example {SHOWN.relative_to(HERE.parent)}:")
    if SHOWN.is_file():
        print("\n".join(f"    | {hidden(line)}" for line in SHOWN.read_text("utf-8").splitlines()))
    print("    Who owns each on the host stands in demo/out/files/manifest.json.")
    print("\n".join(f"    $ {line}" for line in readme("smarthost.mail.render ")))
    return len(files) > 10


def hidden(line: str) -> str:
    """A line of a file, without the password that it may hold."""
    return f"{line.split()[0]} (secret)" if "demo password" in line else line


def arrived(relay: EmbeddedRelay) -> bool:
    """Show the message that the relay took."""
    for message in relay.messages:
        print(
            f"    The relay took: {message['subject']!r} from {message['sender']} to {', '.join(message['recipients'])};",
            end=" ",
        )
        print(f"{message['security']}; logged in as {message['user']}")
    if len(relay.messages) != 1:
        print(f"    The relay took {len(relay.messages)} messages, not 1.")
    return len(relay.messages) == 1


def readme(part: str) -> list[str]:
    """README's own commands in which these words stand."""
    lines = (
        line[2:].split("   #")[0].rstrip()
        for line in README.read_text("utf-8").splitlines()
        if line.startswith("$ ansible")
    )
    return list(dict.fromkeys(line for line in lines if part in line))


def say(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
