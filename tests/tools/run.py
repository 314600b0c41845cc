# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the suites of suites.py: one line each with its time, the details in build/logs/<suite>.log, the log shown where one fails."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t

import packages
import place
from suites import SUITES, TOOLS, Suite

LOGS = place.ROOT / "build" / "logs"
IN_CI = os.environ.get("CI", "").lower() in ("true", "1")
MAKING = threading.Lock()  # one suite makes the venv of the tools, the others wait for it
SHOWN = 200  # lines of a failed suite's log; the whole of it is in build/logs


class Outcome(t.NamedTuple):
    """How a suite ended. word: ok, FAILED or left out; notes: what to read below the line."""

    suite: Suite
    word: str
    seconds: float
    notes: tuple[str, ...]


def run_suite(suite: Suite) -> Outcome:
    """Install what the suite needs, run its commands, judge the result."""
    started = time.monotonic()
    if suite.root and os.geteuid() != 0:
        return Outcome(
            suite,
            "left out",
            0.0,
            (f"needs root, for hosts of its own. Run it with: sudo make test ONLY={suite.name}",),
        )
    path = LOGS / (suite.name + ".log")
    with path.open("w", encoding="utf-8") as log:
        wanted = packages.listed(place.ROOT / "tests" / suite.name / "packages.txt")
        why_not = packages.install(wanted, log)
        lacking = packages.missing(wanted) if why_not else []
        if why_not and not suite.partial:
            how = "needs Debian packages, and %s. Run it with: apt install %s && make test ONLY=%s"
            return Outcome(
                suite, "left out", time.monotonic() - started, (how % (why_not, " ".join(lacking), suite.name),)
            )
        problem = run_commands(suite, log)
    text = path.read_text(encoding="utf-8", errors="replace")
    problem = problem or nothing_tested(text)
    word = "FAILED" if problem else "ok"
    counts = tuple(
        line.strip("= ")
        for line in text.splitlines()
        if re.search(r"\b\d+ (passed|failed|error)", line) and " in " in line
    )
    return Outcome(
        suite, word, time.monotonic() - started, (*counts, *filter(None, [problem]), *left_out(text, suite, lacking))
    )


def run_commands(suite: Suite, log: t.IO[str]) -> str:
    """Run one command after another; return "" or what went wrong."""
    deadline = time.monotonic() + suite.seconds
    try:
        bin_folder = tools_venv(log) if suite.tools else place.ROOT / ".venv" / "bin"
    except subprocess.CalledProcessError as error:
        return "its virtual environment could not be made: %s ended with %d" % (" ".join(error.cmd), error.returncode)
    env = place.environment(bin_folder, suite.place)
    folder = place.TREE if suite.place == "tree" else place.ROOT
    for command in suite.commands:
        print("$", *command, file=log, flush=True)
        program = str(bin_folder / command[0])
        process = subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return "it took longer than %d s and was ended" % suite.seconds
        finally:
            end_group(process)
        if status != 0:
            return "`%s` ended with %d" % (" ".join(command), status)
    return ""


def tools_venv(log: t.IO[str]) -> pathlib.Path:
    """Return the bin folder of the venv that all suites with tools have in common."""
    with MAKING:
        found: pathlib.Path = place.make_venv("tools", TOOLS, log)
        return found


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it left running in its own session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def nothing_tested(text: str) -> str:
    """Return why a log that ends with status 0 is no success, or "": some tools skip everything and are content."""
    if "All targets skipped" in text:
        return "ansible-test skipped every target"
    skipped = re.search(r"\b(\d+) skipped\b.* in ", text)
    if IN_CI and skipped:
        return f"{skipped.group(1)} tests were skipped, and with CI=true nothing may be left out"
    return ""


def left_out(text: str, suite: Suite, lacking: t.Sequence[str]) -> list[str]:
    """What tests of a suite that ran were left out, each kind once with their number, and how to run them."""
    kinds: dict[str, int] = {}
    for number, reason in re.findall(r"^SKIPPED \[(\d+)\] [^ ]+ (.*)$", text, re.MULTILINE):
        kinds[reason] = kinds.get(reason, 0) + int(number)
    if not kinds:
        return []
    how = f"sudo make test ONLY={suite.name}" if os.geteuid() else f"make test ONLY={suite.name}"
    if lacking:
        how = "apt install {} && {}".format(" ".join(lacking), how)
    return [
        *("left out: %d tests, %s" % (number, reason) for reason, number in sorted(kinds.items())),
        "run them with: " + how,
    ]


def show(outcome: Outcome) -> bool:
    """Print one suite's result; return whether it counts as success."""
    suite, word, seconds, notes = outcome
    print("%-9s %-13s %6.1f s" % (word, suite.name, seconds), *notes[:1], sep="  ", flush=True)
    for note in notes[1:]:
        print(" " * 35 + note)
    if word == "FAILED":
        log = LOGS / (suite.name + ".log")
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join("    | " + line for line in lines[-SHOWN:]))
        print(f"    the whole log: {log.relative_to(place.ROOT)}", flush=True)
    return word == "ok" or (word == "left out" and not IN_CI)


def chosen(names: t.Sequence[str]) -> list[Suite]:
    """Return the suites with these names, or all but those apart; leave with the list when a name is none of them."""
    known = [suite.name for suite in SUITES]
    for name in names:
        if name not in known:
            sys.exit("There is no suite {}. The suites: {}.".format(name, ", ".join(known)))
    return [suite for suite in SUITES if suite.name in names or (not names and not suite.apart)]


def main(names: t.Sequence[str]) -> int:
    """Run the suites three at a time on two cores, since they wait much of their time; return the exit status."""
    suites = chosen(names)
    started = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    if any(suite.place == "tree" for suite in suites):
        place.copy_tree()
        place.make_home()
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        begun = [pool.submit(run_suite, suite) for suite in suites]
        good = [show(done.result()) for done in concurrent.futures.as_completed(begun)]
    print("%d of %d suites are fine, in %.0f s" % (sum(good), len(good), time.monotonic() - started))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
