# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what a host with ten applications costs the controller, beside ten template tasks, over SSH on loopback; writes build/bench-scale.json.

What is counted is the processor time of ansible-playbook and of all that it starts on the controller; what the hosts do is not in it, as
they are reached by an sshd that is no child of it. HOSTS=1000 measures a thousand; a host costs the same.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import typing as t

import plays
import sshd

bench: t.Any = importlib.import_module("bench")  # the file beside this one; for a type checker it is the folder
HOSTS = int(os.environ.get("HOSTS", "40"))
APPLICATIONS = 10


def processor_time(
    name: str, tasks: list[plays.Task], changed: int, work: pathlib.Path, ssh_config: pathlib.Path
) -> float:
    """Seconds of processor time on the controller for one run over every host."""
    playbook = plays.write(work / (name + ".yml"), tasks)
    hosts = ["bench%04d" % number for number in range(HOSTS)]
    command, env = bench.controller(playbook, ",".join(hosts) + ",", work, ssh_config)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--forks", "10"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or done.stdout.count("changed=%d " % changed) < HOSTS * bool(tasks):
        sys.exit(f"{name} did not do what it should:\n{done.stdout[-4000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the two figures and their ratio, and write build/bench-scale.json."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = pathlib.Path(name)
        for number in range(HOSTS):
            for case in ("ours", "template"):
                (work / case / ("bench%04d" % number)).mkdir(parents=True)
        with sshd.running(work) as ssh_config:
            empty = processor_time("empty", [], 0, work, ssh_config)
            ours = plays.ours(APPLICATIONS, f"{work}/ours/{{{{ inventory_hostname }}}}")
            theirs = plays.templates(APPLICATIONS, f"{work}/template/{{{{ inventory_hostname }}}}")
            mine = (processor_time("ours", ours, 1, work, ssh_config) - empty) / HOSTS
            template = (processor_time("template", theirs, APPLICATIONS, work, ssh_config) - empty) / HOSTS
            bench.end_connection(work, ssh_config)
    rows = (
        ("one smtp_config", mine, "s"),
        ("ten template tasks", template, "s"),
        ("ten template tasks / one smtp_config", template / mine, "hold: >= 5"),
    )
    print("\nprocessor time of the controller for a host with %d applications, of %d hosts" % (APPLICATIONS, HOSTS))
    for what, value, unit in rows:
        print("%-58s %8.3f  %s" % (what, value, unit))
    out = bench.ROOT / "build" / "bench-scale.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps({"hosts": HOSTS, "ours": mine, "template": template, "ratio": template / mine}, indent=1) + "\n",
        encoding="utf-8",
    )
    print("\nwritten: build/bench-scale.json")


if __name__ == "__main__":
    main()
