# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user of the host exchanges names as fast as it can while runs go on; by itself: ``python tests/kill/race.py 2000``, rounds of each kind."""

from __future__ import annotations

import os
import signal
import sys
import time
import typing as t
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(sys.executable).parents[1] / "collections")]

from hostile import ACTS, KINDS, Hostile, base  # noqa: E402


class Raced(t.NamedTuple):
    """harm: what BOB gained in the last round, empty when nothing. ends: how often a run ended with which codes."""

    rounds: int
    harm: str
    ends: t.Dict[str, int]


def race(kind: str, rounds: int) -> Raced:
    """So many runs of every act in turn, each on a host laid out again."""
    ends: t.Dict[str, int] = {}
    with base() as folder:
        for number in range(rounds):
            host = Hostile(Path(folder), ACTS[number % len(ACTS)], kind)
            host.lay_out()
            racer = _racer(host)
            try:
                answer = host.run()
            finally:
                os.kill(racer, signal.SIGKILL)
                os.waitpid(racer, 0)
            end = " ".join(sorted(set(answer["codes"]))) or "done"
            ends[end] = ends.get(end, 0) + 1
            harm = host.harm()
            if harm:
                return Raced(number + 1, f"{host.act}: {harm}", ends)
    return Raced(rounds, "", ends)


def _racer(host: Hostile) -> int:
    """A process that exchanges the names all the time; it has done so once when this returns, where it can."""
    pid = os.fork()
    if pid:
        time.sleep(0.002)
        return pid
    os.setgroups([])
    os.setgid(host.user)
    os.setuid(host.user)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        host.exchange()
    os._exit(0)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    lost = 0
    for kind in KINDS:
        began = time.monotonic()
        raced = race(kind, rounds)
        lost += bool(raced.harm)
        print(
            f"{kind}: {raced.rounds} rounds in {time.monotonic() - began:.0f} s, {raced.harm or 'held'}; {raced.ends}",
            flush=True,
        )
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
