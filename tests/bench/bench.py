# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures smtp_config beside ansible.builtin.template over SSH on loopback, alternating in one run, and writes build/bench.json."""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

import plays
import sshd

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = ROOT / ".venv" / "bin"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PIPELINING = "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=%s/cm-%%C"


class Case(t.NamedTuple):
    """One thing to measure: its tasks, and whether each round starts with an empty folder (first) or with what the last left."""

    name: str
    tasks: list[plays.Task]
    folder: pathlib.Path
    fresh: bool
    changed: t.Optional[
        int
    ]  # how many tasks must report a change, so that no case measures something else than it says


def cases(folder: pathlib.Path) -> list[Case]:
    """The cases in the order in which every round runs them."""
    made = []
    for name, tasks in (
        ("ours-20", plays.ours),
        ("template-20", plays.templates),
        ("ours-5", plays.ours),
        ("ours-60", plays.ours),
    ):
        count = int(name.split("-")[1])
        own = folder / name
        made.append(Case(name, tasks(count, own), own, True, count if tasks is plays.templates else 1))
        if count == 20:
            made.append(Case(name + "-nothing-to-do", tasks(count, own), own, False, 0))
    return [Case("empty", [], folder, False, None), Case("ping", plays.ping(), folder, False, 0), *made]


def seconds(case: Case, work: pathlib.Path, ssh_config: pathlib.Path) -> float:
    """Run one playbook as a user would; return its wall time. What it says on failure ends the bench."""
    case.folder.mkdir(exist_ok=True)
    if case.fresh:
        subprocess.run(["rm", "-rf", "--", str(case.folder)], check=True)
        case.folder.mkdir()
    playbook = plays.write(work / (case.name + ".yml"), case.tasks)
    command, env = controller(playbook, "bench,", work, ssh_config)
    started = time.monotonic()
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False
    )
    took = time.monotonic() - started
    if done.returncode or (case.changed is not None and "changed=%d " % case.changed not in done.stdout):
        sys.exit(f"{case.name} did not do what it should (changed={case.changed}):\n{done.stdout}")
    return took


def controller(
    playbook: pathlib.Path, hosts: str, work: pathlib.Path, ssh_config: pathlib.Path
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of one run as users have it. No settings of this user's come in."""
    (work / "ansible.cfg").write_text("[defaults]\n", encoding="ascii")
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(work / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_HOME": str(work / "home"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_SSH_ARGS": f"-F {ssh_config} {PIPELINING % work}",
    }
    return [
        str(BIN / "ansible-playbook"),
        "-i",
        hosts,
        "-e",
        "ansible_python_interpreter=" + sys.executable,
        str(playbook),
    ], env


def end_connection(work: pathlib.Path, ssh_config: pathlib.Path) -> None:
    """End the connection that Ansible keeps open."""
    command = ["ssh", "-F", str(ssh_config), "-o", f"ControlPath={work}/cm-%C", "-O", "exit", "bench"]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)


def measure(work: pathlib.Path) -> dict[str, list[float]]:
    """Run every case in turn, round after round, so that a busy minute hits all of them; the first run of SSH is not counted."""
    times: dict[str, list[float]] = {}
    with sshd.running(work) as ssh_config:
        every = cases(work)
        seconds(every[0], work, ssh_config)
        for number in range(ROUNDS):
            print("round %d of %d" % (number + 1, ROUNDS), flush=True)
            for case in every:
                times.setdefault(case.name, []).append(seconds(case, work, ssh_config))
        end_connection(work, ssh_config)
    return times


def ratios(median: dict[str, float]) -> list[tuple[str, float, str]]:
    """Return (what, ratio, hold): the promises of the design, as this run measured them. No time is asserted."""
    over_empty = {name: value - median["empty"] for name, value in median.items()}
    return [
        ("20 template tasks / one smtp_config, wall", median["template-20"] / median["ours-20"], ">= 12"),
        (
            "20 template tasks / one smtp_config, over an empty play",
            over_empty["template-20"] / over_empty["ours-20"],
            "",
        ),
        ("60 applications / 5, wall", median["ours-60"] / median["ours-5"], "<= 1.3"),
        (
            "nothing to do with 20 / one ping, over an empty play",
            over_empty["ours-20-nothing-to-do"] / over_empty["ping"],
            "<= 2",
        ),
    ]


def main() -> None:
    """Print the table and write build/bench.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        times = measure(pathlib.Path(name))
    median = {case: statistics.median(runs) for case, runs in times.items()}
    print("\n%-58s %8s  %s" % ("wall time, median of %d (s)" % ROUNDS, "median", "all"))
    for case, runs in times.items():
        print("%-58s %8.2f  %s" % (case, median[case], " ".join(f"{run:.2f}" for run in runs)))
    print("\n%-58s %8s  %s" % ("ratio", "here", "hold"))
    for what, ratio, hold in ratios(median):
        print("%-58s %8.2f  %s" % (what, ratio, hold))
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    found = [{"what": what, "ratio": round(ratio, 2), "hold": hold} for what, ratio, hold in ratios(median)]
    out.write_text(json.dumps({"seconds": times, "ratios": found}, indent=1) + "\n", encoding="utf-8")
    print("\nwritten: build/bench.json")


if __name__ == "__main__":
    main()
