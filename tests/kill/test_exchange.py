# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user of the host exchanges names at any system call of a run, for good or for a few calls, and gains nothing by it."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from hostile import ACTS, KINDS, Hostile, base
from traced import Ended, traced

Sample = t.Callable[[t.Sequence[t.Any], int], t.List[t.Any]]
#: After how many system calls the names are exchanged back; 0: never.
BACK = (0, 1, 2)
#: With what a run may end whose names are exchanged under it.
REFUSED = {
    "unsafe-path",
    "file-changed",
    "not-a-file",
    "not-ours",
    "dangling-link",
    "parent-not-folder",
    "target-is-folder",
    "not-settled",
    "shared-file-missing",
    "write-failed",
    "not-writable",
    "state-damaged",
    "not-readable",
}

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 and os.environ.get("CI") != "true", reason="only root writes into folders of others"
)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> t.Iterator[Hostile]:
    with base() as folder:
        yield Hostile(Path(folder), *request.param)


def tried(host: Hostile, number: int, back: int) -> t.Tuple[Ended, bool]:
    """One run with the names exchanged at the n-th call, and back again; whether they were."""
    host.lay_out()
    done: t.List[bool] = []

    def at(call: int) -> bool:
        if call == number or (back and call == number + back and done == [True]):
            done.append(host.exchange())
        return call < number + back

    return traced(host.run, at, str(host.app)), done[:1] == [True]


@pytest.mark.parametrize(
    "host", [(act, kind) for act in ACTS for kind in KINDS], indirect=True, ids=lambda value: ": ".join(value)
)
def test_whatever_is_exchanged_at_any_system_call_root_keeps_what_is_roots(
    host: Hostile, sample: Sample, record_property: t.Callable[[str, t.Any], None]
) -> None:
    host.lay_out()
    can: t.List[bool] = []

    def note(_call: str) -> bool:
        can.append(host.can_exchange())
        return True

    calls = traced(host.run, note, str(host.app)).calls
    assert calls > 20 and not host.harm()
    exchanged = 0
    for number, back in sample(
        [(number, back) for number in range(1, calls + 1) if can[number - 1] for back in BACK], 4
    ):
        ended, was = tried(host, number, back)
        exchanged += was
        assert ended.answer is not None, f"{number}, {back}: it hangs"
        assert "traceback" not in ended.answer and set(ended.answer["codes"]) <= REFUSED, (number, back, ended.answer)
        assert not host.harm(), (number, back, host.harm(), ended.answer)
        again = host.run()
        assert set(again["codes"]) <= REFUSED and not host.harm(), (number, back, host.harm(), again)
    record_property("exchanged", exchanged)
    assert exchanged or not any(can), "nothing was ever exchanged"
