# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a rotation over SSH beside one task that does nothing, on 5, 20 and 50 hosts that go on sending; needs root and Linux."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.fleet import Fleet, environment, messages  # noqa: E402
from lab import laboratory  # noqa: E402
from lab.processes import Process, run  # noqa: E402

SIZES = tuple(map(int, os.environ.get("SIZES", "5 20 50").split()))
FORKS = 10
PINGS = 3


def ping(fleet: Fleet) -> float:
    """Seconds of one task that does nothing on every host, over connections that stand."""
    command = [str(ROOT / ".venv/bin/ansible"), "-i", str(fleet.lab.inventory), "targets", "-m", "ansible.builtin.ping", "--forks", str(FORKS)]
    times = []
    for _round in range(PINGS):
        begun = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment())
        times.append(time.monotonic() - begun)
    return min(times)


def sent(fleet: Fleet) -> dict[str, int]:
    """What became of the notifiers' messages: taken by the relay, refused, and taken but not in its mail half a minute later."""
    lines = {name: [line.split(" ", 1) for line in lines] for name, lines in fleet.notified().items()}
    taken = {"%s notifier %s" % (name, number) for name, said in lines.items() for number, outcome in said if outcome == "ok"}
    last = time.monotonic() + 30
    while taken - (arrived := {message.subject for message in fleet.mail()}) and time.monotonic() < last:
        time.sleep(0.5)
    return {"sent": len(taken), "refused": sum(len(said) for said in lines.values()) - len(taken), "lost": len(taken - arrived)}


def measured(size: int, folder: pathlib.Path) -> dict[str, float]:
    """One fleet of that size: seconds of a ping and of a whole rotation, while every host sends a message a second."""
    lab = laboratory.up(size, "bench-%d" % os.getpid(), owner=Process.of(os.getpid()))
    try:
        run("mount", "-o", "remount,size=1g", lab.relay.host.disk)  # for all the mail that so many hosts send meanwhile
        fleet = Fleet(lab, folder)
        fleet.run("apply")
        pinged = ping(fleet)
        begun = time.monotonic()
        said = fleet.rotate()
        rotated = time.monotonic() - begun
        if not messages(said).startswith("Rotation complete: %d " % size):
            sys.exit("this rotation did not do what it should: %s" % messages(said))
        return {"hosts": size, "ping": round(pinged, 1), "rotation": round(rotated, 1), **sent(fleet)}
    finally:
        lab.down()


def main() -> None:
    """Print a line for each size and write build/bench-fleet.json."""
    with tempfile.TemporaryDirectory() as work:
        os.environ.update({
            "ANSIBLE_CONFIG": str(ROOT / "demo" / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
            "ANSIBLE_HOME": work + "/home", "ANSIBLE_LOCALHOST_WARNING": "false",
        })
        print("\n%-8s %12s %12s %8s %8s %8s %8s" % ("hosts", "ping", "rotation", "ratio", "sent", "refused", "lost"))
        found = []
        for size in SIZES:
            folder = pathlib.Path(work, str(size))
            folder.mkdir()
            one = measured(size, folder)
            found.append(one)
            print("%-8d %10.1f s %10.1f s %8.1f %8d %8d %8d" % (
                size, one["ping"], one["rotation"], one["rotation"] / one["ping"], one["sent"], one["refused"], one["lost"]), flush=True)
    out = ROOT / "build" / "bench-fleet.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"forks": FORKS, "load": os.getloadavg(), "runs": found}, indent=1) + "\n", encoding="utf-8")
    print("\nforks %d; written: build/bench-fleet.json" % FORKS)


if __name__ == "__main__":
    main()
