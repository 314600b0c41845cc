# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs print is kept within bounds, however much it is; with real processes."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
import tracemalloc

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import bounded_run


def test_a_program_ends_with_its_status_and_what_it_said() -> None:
    done = bounded_run.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 10, 100)
    assert done == bounded_run.FinishedRun(3, b"out\n", b"err\n", False)
    assert bounded_run.run(["sh", "-c", "cat; printf 12345"], 10, 5) == bounded_run.FinishedRun(0, b"12345", b"", False)
    assert bounded_run.run(["sh", "-c", "printf 123456"], 10, 5) == bounded_run.FinishedRun(0, b"12345", b"", True)
    assert bounded_run.run(["sh", "-c", "echo lost"], 10, 5, stdout=subprocess.DEVNULL).output == b""


def test_gigabytes_are_read_and_forgotten() -> None:
    tracemalloc.start()
    done = bounded_run.run(
        ["sh", "-c", "head -c 200000000 /dev/zero; head -c 50000000 /dev/zero >&2; echo the end >&2"], 60, 1000
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (
        (done.status, len(done.output), done.cut) == (0, 1000, True)
        and len(done.errors) == bounded_run.FEW
        and done.errors.endswith(b"the end\n")
    )
    assert peak < 2_000_000


@pytest.mark.parametrize(
    "script", ["sleep 60", "yes", "yes >&2", "exec >&- 2>&-; sleep 60", "sleep 60 & sleep 60", "trap '' TERM; sleep 60"]
)
def test_one_that_does_not_end_is_ended_with_all_that_it_started(script: str) -> None:
    started = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        bounded_run.run(["sh", "-c", script], 0.5, 1000)
    assert time.monotonic() - started < 3


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    done = bounded_run.run(["sh", "-c", f"echo begun; sleep 60 & echo $! > {pid_file}"], 30, 1000)
    assert done.output == b"begun\n" and time.monotonic() - started < 5
    os.kill(int(pid_file.read_text()), 9)


def test_nor_is_one_that_never_stops_talking(tmp_path: pathlib.Path) -> None:
    pid_file = tmp_path / "pid"
    done = bounded_run.run(["sh", "-c", f"yes & echo $! > {pid_file}"], 30, 1000)
    assert (done.status, len(done.output), done.cut) == (0, 1000, True)
    os.kill(int(pid_file.read_text()), 9)


def test_a_program_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        bounded_run.run(["/no/such/program"], 1, 10)


def test_an_input_is_handed_over(tmp_path: pathlib.Path) -> None:
    (tmp_path / "in").write_bytes(b"hello")
    with open(tmp_path / "in", "rb") as source:
        assert (
            bounded_run.run(
                [sys.executable, "-c", "import sys; print(sys.stdin.read().upper())"], 20, 100, stdin=source
            ).output
            == b"HELLO\n"
        )
