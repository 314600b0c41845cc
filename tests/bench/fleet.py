# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the playbooks over SSH beside one task that does nothing; needs root and Linux.

``SIZES`` hosts (5, 20 and 50), which go on sending, are rotated. Before that ``APPLY`` of them (20) run apply, unchanged and changed, and verify:
what each task of it takes, and how many logins the relay saw.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults.fleet import Fleet, environment, messages  # noqa: E402
from lab import laboratory  # noqa: E402
from lab.processes import Process, run  # noqa: E402

SIZES = tuple(map(int, os.environ.get("SIZES", "5 20 50").split()))  # none where it is empty
APPLY = int(os.environ.get("APPLY", "20"))
LOGINS = re.compile(r"disconnect from \S+\[([\d.]+)\].* auth=(?:\d+/)?(\d+)")
FORKS = 10
PINGS = 3


def ping(fleet: Fleet) -> float:
    """Seconds of one task that does nothing on every host, over connections that stand."""
    command = [
        str(ROOT / ".venv/bin/ansible"),
        "-i",
        str(fleet.lab.inventory),
        "targets",
        "-m",
        "ansible.builtin.ping",
        "--forks",
        str(FORKS),
    ]
    times = []
    for _round in range(PINGS):
        begun = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment())
        times.append(time.monotonic() - begun)
    return min(times)


def sent(fleet: Fleet) -> dict[str, int]:
    """What became of the notifiers' messages: taken by the relay, refused, and taken but not in its mail half a minute later."""
    lines = {name: [line.split(" ", 1) for line in lines] for name, lines in fleet.notified().items()}
    taken = {f"{name} notifier {number}" for name, said in lines.items() for number, outcome in said if outcome == "ok"}
    last = time.monotonic() + 30
    while taken - (arrived := {message.subject for message in fleet.mail()}) and time.monotonic() < last:
        time.sleep(0.5)
    return {
        "sent": len(taken),
        "refused": sum(len(said) for said in lines.values()) - len(taken),
        "lost": len(taken - arrived),
    }


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
            sys.exit(f"this rotation did not do what it should: {messages(said)}")
        return {"hosts": size, "ping": round(pinged, 1), "rotation": round(rotated, 1), **sent(fleet)}
    finally:
        lab.down()


class Timed(t.NamedTuple):
    """One run of a playbook: its seconds, those of each of its tasks, and how many logins the relay saw of each host at most."""

    seconds: float
    tasks: dict[str, float]
    logins: int


def timed(fleet: Fleet, playbook: str) -> Timed:
    """Run it over connections that stand."""
    seen, begun, last = len(fleet.lab.relay.log().splitlines()), time.monotonic(), "start"
    tasks: dict[str, float] = {}
    running = subprocess.Popen(
        fleet.command(playbook), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    )
    since, said = begun, ""
    for line in running.stdout or ():
        said += line
        if line.startswith(("TASK [", "PLAY RECAP")):
            now = time.monotonic()
            tasks[last] = round(tasks.get(last, 0) + now - since, 2)
            last, since = line.partition(" : ")[2].partition("]")[0] or line[:10], now
    if running.wait():
        sys.exit(said[-6000:])
    seconds = time.monotonic() - begun
    logins: dict[str, int] = {}
    for line in fleet.lab.relay.log().splitlines()[seen:]:
        for address, count in LOGINS.findall(line):
            logins[address] = logins.get(address, 0) + int(count)
    return Timed(round(seconds, 1), tasks, max(logins.values(), default=0))


def applied(folder: pathlib.Path) -> dict[str, t.Any]:
    """apply and verify of one fleet."""
    lab = laboratory.up(APPLY, "bench-%d" % os.getpid(), owner=Process.of(os.getpid()))
    try:
        fleet = Fleet(lab, folder)
        del fleet.relay["next"]
        fleet.run("apply")
        fleet.run("apply")
        for host in lab.hosts:
            host.run("service", "notifier", "stop")  # its messages are logins too
        pinged = ping(fleet)
        found: dict[str, t.Any] = {"hosts": APPLY, "ping": round(pinged, 1)}
        for name in ("apply unchanged", "verify", "apply changed"):
            if name.endswith(" changed"):
                fleet.relay["helo"] = "fleet.lab.test"
            one = timed(fleet, name.partition(" ")[0])
            found[name] = {**one._asdict(), "pings": round(one.seconds / pinged, 1)}
            print(
                "%-18s %8.1f s %6.1f pings %4d logins a host at most"
                % (name, one.seconds, one.seconds / pinged, one.logins),
                flush=True,
            )
            for task, seconds in sorted(one.tasks.items(), key=lambda pair: -pair[1])[:6]:
                print(f"    {seconds:8.1f} s  {task}", flush=True)
        return found
    finally:
        lab.down()


def main() -> None:
    """Print a line for each size and write build/bench-fleet.json."""
    with tempfile.TemporaryDirectory() as work:
        os.environ.update(
            {
                "ANSIBLE_CONFIG": str(ROOT / "demo" / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
                "ANSIBLE_HOME": work + "/home",
                "ANSIBLE_LOCALHOST_WARNING": "false",
            }
        )
        applying = None
        if APPLY:
            print("\n%d hosts, forks %d" % (APPLY, FORKS))
            folder = pathlib.Path(work, "apply")
            folder.mkdir()
            applying = applied(folder)
            print("one ping of them all {:.1f} s".format(applying["ping"]))
        print("\n%-8s %12s %12s %8s %8s %8s %8s" % ("hosts", "ping", "rotation", "ratio", "sent", "refused", "lost"))
        found = []
        for size in SIZES:
            folder = pathlib.Path(work, str(size))
            folder.mkdir()
            one = measured(size, folder)
            found.append(one)
            print(
                "%-8d %10.1f s %10.1f s %8.1f %8d %8d %8d"
                % (
                    size,
                    one["ping"],
                    one["rotation"],
                    one["rotation"] / one["ping"],
                    one["sent"],
                    one["refused"],
                    one["lost"],
                ),
                flush=True,
            )
    out = ROOT / "build" / "bench-fleet.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps({"forks": FORKS, "load": os.getloadavg(), "apply": applying, "runs": found}, indent=1) + "\n",
        encoding="utf-8",
    )
    print("\nforks %d; written: build/bench-fleet.json" % FORKS)


if __name__ == "__main__":
    main()
