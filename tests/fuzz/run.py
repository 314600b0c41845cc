# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make fuzz`: search for inputs that break a promise, by coverage where atheris can be had, else by chance alone; what is found is kept.

    python tests/fuzz/run.py --minutes 60 --parallel 2 [TARGET...]

Each target has its share of the minutes (of processor time, over all processes together); with no target named, the tests that draw their inputs
with hypothesis come last, and take some minutes more. New inputs are in build/fuzz/<target>; one that
breaks a promise is in build/fuzz/broken, and ends the search of its target. Put it into tests/fuzz/corpus/<target> with its mending.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import importlib.util
import os
import pathlib
import random
import re
import subprocess
import sys
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
FOUND, BROKEN = ROOT / "build" / "fuzz", ROOT / "build" / "fuzz" / "broken"
ATHERIS, KEPT = "atheris==3.0.0", ROOT / ".cache" / "fuzz"
FACTOR = "20"  # see effort.py
LONGEST = 9000  # bytes of one input
SLOWEST = 30  # seconds for one input, on a machine that does other things


def seeds(name: str) -> dict[str, bytes]:
    """The kept inputs of a target, by path."""
    return {str(path.relative_to(ROOT)): path.read_bytes() for path in sorted((CORPUS / name).iterdir())}


def main() -> int:
    """Run what is asked for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="which (default: all)")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT / ".venv" / "collections"), str(ROOT / "tests"), str(KEPT)]
    if given.child:
        return search(given.targets[0], given.minutes * 60)
    BROKEN.mkdir(parents=True, exist_ok=True)
    print(
        "guided by coverage, with atheris"
        if fetch_atheris()
        else "atheris cannot be had for this Python: by chance alone",
        flush=True,
    )
    from fuzz.targets import TARGETS

    names = given.targets or list(TARGETS)
    share = given.minutes / len(names)
    with concurrent.futures.ThreadPoolExecutor(given.parallel) as pool:
        good = list(pool.map(lambda name: one(name, share), names))
    return 0 if all(good) and (given.targets or properties()) else 1


def properties() -> bool:
    """The tests that draw their inputs, with many times as many as usual."""
    files = [
        str(path)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if re.search(r"^from hypothesis", path.read_text(encoding="utf-8"), re.M)
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    return (
        not files
        or subprocess.run(command, cwd=ROOT, env={**os.environ, "SMARTHOST_FUZZ": FACTOR}, check=False).returncode == 0
    )


def fetch_atheris() -> bool:
    """Into a folder of its own, where it cannot disturb the other tests."""
    if not (KEPT / "atheris").is_dir():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
            "--no-deps",
            "--target",
            str(KEPT),
            ATHERIS,
        ]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    return importlib.util.find_spec("atheris") is not None


def one(name: str, minutes: float) -> bool:
    """The search of one target, in a process of its own. Whether every promise was kept."""
    log = FOUND / (name + ".log")
    command = [sys.executable, __file__, name, "--child", "--minutes", str(minutes)]
    before = set(BROKEN.iterdir())
    with log.open("wb") as output:
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    said = log.read_text(encoding="utf-8", errors="replace")
    runs = re.findall(r"#(\d+)\s", said)
    covered = re.findall(r"cov: (\d+)", said)
    words = [
        f"{runs[-1]} inputs" if runs else "",
        f"coverage {covered[-1]}" if covered else "",
        *re.findall(r"DONE, (.*)", said),
    ]
    broken = sorted(path.name for path in set(BROKEN.iterdir()) - before if path.name.startswith(name))
    print(
        f"{name}: {'ok' if not status else 'BROKEN'}, {', '.join(filter(None, words))}",
        *broken,
        "" if not status else f"see {log}",
        flush=True,
    )
    return not status


def search(name: str, seconds: float) -> int:
    """In the child."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        return by_chance(name, seconds)
    with atheris.instrument_imports(include=["ansible_collections.smarthost.mail.plugins.module_utils"]):
        from fuzz.targets import TARGETS
    count, target = 0, TARGETS[name]

    def until_the_time_is_up(data: bytes) -> None:
        nonlocal count
        count += 1
        if time.process_time() > seconds:
            print(f"#{count} DONE, {time.process_time():.0f} s of processor time", flush=True)
            os._exit(0)  # libFuzzer knows no other end than its own, which is by the clock
        target(data)

    limits = [f"-max_len={LONGEST}", f"-timeout={SLOWEST}", "-rss_limit_mb=1024"]
    atheris.Setup(
        [sys.argv[0], *limits, f"-artifact_prefix={BROKEN}/{name}-", str(folder), str(CORPUS / name)],
        until_the_time_is_up,
    )
    atheris.Fuzz()
    return 0


def by_chance(name: str, seconds: float) -> int:
    """Without coverage: as the tests do, with another source of chance each time."""
    from fuzz.mutate import mutants
    from fuzz.targets import TARGETS

    known, count, end = list(seeds(name).values()), 0, time.process_time() + seconds
    chance: t.Any = random.Random(os.urandom(8))
    while time.process_time() < end:
        for data in mutants(known, 100, chance):
            count += 1
            try:
                TARGETS[name](data)
            except Exception:
                (BROKEN / f"{name}-{count}").write_bytes(data)
                raise
    print(f"#{count} DONE, {time.process_time():.0f} s of processor time", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
