# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers: the services of a Compose project, made anew with what they are given now, and since when they are what they are.

A container keeps the variables that it was made with, also when it is restarted: so it is made anew, and it is its making that must
be younger than its settings, not its process.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import re
import subprocess
import typing as t

from ..tools import bounded_run, safe_command

#: What is listed of the containers of one project is some KiB.
MOST_BYTES = 1024 * 1024

#: RFC 3339 with any number of digits below the second, as docker and podman write it.
_WRITTEN = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"


class Project(t.NamedTuple):
    """A Compose project: the folder of its own file, or those named in ``files``; the services to act on; docker or podman."""

    folder: str
    services: tuple[str, ...]
    files: tuple[str, ...] = ()
    program: str = "docker"

    @classmethod
    def from_option(cls, option: t.Mapping[str, t.Any]) -> Project:
        """From the option ``compose`` of smtp_activate."""
        return cls(
            option["folder"],
            tuple(option["services"]),
            tuple(option.get("files") or ()),
            option.get("program") or "docker",
        )

    def command(self, *words: str) -> tuple[str, ...]:
        """A command of Compose, to be run in the folder."""
        return (
            self.program,
            "compose",
            *(word for file in self.files for word in ("--file", file)),
            *words,
            *self.services,
        )

    @property
    def made_anew(self) -> tuple[str, ...]:
        """What gives the services, and nothing that they depend on, new containers."""
        return self.command("up", "--detach", "--no-deps", "--force-recreate")

    def made(self, timeout: float) -> list[float]:
        """When the containers that run now were made, in seconds since 1970; empty where none runs.

        Raises subprocess.SubprocessError (TimeoutExpired, or CalledProcessError with ``stderr``), OSError, or safe_command.UnsafeCommandError.
        """
        running = _output(self.command("ps", "--quiet"), self.folder, timeout).split()
        if not running:
            return []
        said = _output((self.program, "inspect", "--format", "{{json .Created}}", *running), self.folder, timeout)
        return [seconds(json.loads(line)) for line in said.splitlines() if line.strip()]


def seconds(written: str) -> float:
    """A time of RFC 3339 in seconds since 1970; what cannot be read is long ago, so that it vouches for nothing."""
    found = re.fullmatch(_WRITTEN, written)
    if found is None:
        return 0.0
    whole = datetime.datetime.fromisoformat(found.group(1) + found.group(3).replace("Z", "+00:00"))
    return whole.timestamp() + float(found.group(2) or 0)


def _output(command: t.Sequence[str], folder: str, timeout: float) -> str:
    begun = safe_command.start(command, folder)
    if begun is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    done = bounded_run.run(begun.words, timeout, MOST_BYTES, cwd=folder, **begun.popen)
    if done.status:
        raise subprocess.CalledProcessError(done.status, list(command), stderr=done.errors)
    return done.output.decode("utf-8", "replace")
