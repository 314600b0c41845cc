# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program in a mount namespace of its own, where files of the test stand at the paths the program has built in."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import typing as t
from pathlib import Path


class Place(t.NamedTuple):
    """What shall be seen at `path` (absolute): the file or folder `source`."""

    path: str
    source: Path


def command(argv: t.Sequence[str], places: t.Sequence[Place], scratch: Path) -> t.List[str]:
    """The command line that runs `argv` with every place mounted; `scratch` is an empty folder for mount points.

    The namespaces are private (mounts and processes): nothing is mounted for others, and when the program is ended everything it
    started ends with it. Needs root and util-linux.
    """
    script = ["set -e", "mount -t proc proc /proc"]
    for number, (top, inside) in enumerate(_by_top(places).items()):
        skeleton = scratch / f"top{number}"
        for place in inside:
            _mount_point(skeleton, Path(place.path).relative_to(top), place.source)
        # /etc, /var/spool and so on with the mount points that the machine may lack; the overlay has no upper layer, so is read-only
        script.append(f"mount -t overlay overlay -o lowerdir={skeleton}:{top} {top}")
        script += [f"mount --bind {shlex.quote(str(place.source))} {shlex.quote(place.path)}" for place in inside]
    script.append("exec " + " ".join(shlex.quote(word) for word in argv))
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "\n".join(script)]


def run(
    argv: t.Sequence[str], places: t.Sequence[Place], text: str, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Runs `argv` as `command` does, with `text` on its standard input, and returns what it said; TimeoutExpired after `timeout` s."""
    with tempfile.TemporaryDirectory(prefix="smarthost-mounts-") as scratch:
        return subprocess.run(
            command(argv, places, Path(scratch)),
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        )


def _by_top(places: t.Sequence[Place]) -> t.Dict[str, t.List[Place]]:
    """The places grouped by the nearest folder above them that this machine has."""
    tops: t.Dict[str, t.List[Place]] = {}
    for place in places:
        top = os.path.dirname(place.path)
        while not os.path.isdir(top):
            top = os.path.dirname(top)
        tops.setdefault(top, []).append(place)
    return tops


def _mount_point(skeleton: Path, inside: Path, source: Path) -> None:
    point = skeleton / inside
    point.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        point.mkdir()
    else:
        point.touch()
