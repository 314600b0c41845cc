# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first hour of a new user: the built artefact, README, ansible-doc and nothing else, as an ordinary user, on hosts of a lab.

Prints each step, its command and the end of what it printed. Root makes the lab; every command runs as a user id without an account.

Usage: sudo .venv/bin/python tests/first_hour/first_hour.py [--whole] [2.16 2.19 ...]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "first_hour")]

from lab import laboratory, needs  # noqa: E402  needs the path above
from lab.processes import Process  # noqa: E402
from steps import Step, steps  # noqa: E402
from user import Done, User  # noqa: E402

CORES = ("2.16", "2.19")
SHOWN = 12  # lines of a step that went well


def build(folder: pathlib.Path) -> pathlib.Path:
    """The artefact of what is here."""
    command = [
        str(pathlib.Path(sys.executable).with_name("ansible-galaxy")),
        "collection",
        "build",
        "--output-path",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "ANSIBLE_HOME": str(folder / "ansible")}
    )
    (artefact,) = folder.glob("*.tar.gz")
    return artefact


def problems(step: Step, done: Done) -> list[str]:
    """What is wrong with the answer of a step. A line that Ansible wrapped counts as one."""
    text = done.text.replace("\\n", "\n").replace('\\"', '"')
    flat = " ".join(text.split())
    found = [] if (done.status == 0) == step.fine else [f"it ended with {done.status}"]
    found += [
        f"it does not say: {words}" for words in step.says if words not in text and " ".join(words.split()) not in flat
    ]
    return found + [f"it says: {words}" for words in step.not_says if words in text]


def take(step: Step, user: User, whole: bool) -> str:
    """Take one step and print it; return ok, FAILED or left out."""
    if step.playbook and not user.has_playbook(step.playbook):
        print(f"left out  {step.title}: the artefact has no playbook {step.playbook}", flush=True)
        return "left out"
    for name, text in step.files.items():
        user.write(name, text)
    command = " ".join(
        filter(None, [step.part[2:] if step.part.startswith("$ ") else user.readme(step.part.rstrip()), step.more])
    )
    started = time.monotonic()
    done = user.run(command)
    wrong = problems(step, done)
    print(
        f"\n{'FAILED' if wrong else 'ok'}  {step.title}  ({user.core}, {time.monotonic() - started:.1f} s)\n    $ {command}"
    )
    lines = [line for line in done.text.splitlines() if line.strip()]
    print("\n".join(f"    | {line[:300]}" for line in (lines if whole or wrong else lines[-SHOWN:])))
    for what in wrong:
        print(f"    WRONG: {what}")
    sys.stdout.flush()
    return "FAILED" if wrong else "ok"


def hour(lab: laboratory.Lab, folder: pathlib.Path, artefact: pathlib.Path, core: str, whole: bool) -> list[str]:
    """Every step with one ansible-core."""
    user = User(lab, folder, core)
    user.set_up(artefact, {f"web{number}": host.address for number, host in enumerate(lab.hosts, 1)})
    print(f"\n==== ansible-core {core}, as user {user.id}, {artefact.name} in a fresh collections path", flush=True)
    return [take(step, user, whole) for step in steps(user.declaration())]


def main() -> int:
    """The hour with each core, on a lab of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--whole", action="store_true", help="print everything that each step printed")
    parser.add_argument("cores", nargs="*", default=list(CORES), help="versions of ansible-core")
    given = parser.parse_args()
    try:
        needs.check()
    except needs.Missing as missing:
        sys.exit(str(missing))
    outcomes: list[str] = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="smarthost-hour-"))
    folder.chmod(0o755)
    try:
        artefact = build(folder)
        for number, core in enumerate(given.cores):
            lab = laboratory.up(2, f"hour-{os.getpid()}-{number}", owner=Process.of(os.getpid()))
            try:
                outcomes += hour(lab, folder, artefact, core, given.whole)
            finally:
                lab.down()
    finally:
        shutil.rmtree(folder)
    counts: t.Counter[str] = t.Counter(outcomes)
    print(
        f"\n{counts['ok']} passed, {counts['FAILED']} failed"
        + (f", {counts['left out']} skipped" if counts["left out"] else "")
    )
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
