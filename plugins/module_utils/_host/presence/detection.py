# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detection: what of an application can be seen on this host, in which version, and whether it reads our file.

Reads only, all applications of a host at once, within a time and a size. What is absent (systemd, docker, a package database) is
"not seen" and no error. The answer holds names and yes or no, never what stands in a file or what a container was given.
"""

from __future__ import annotations

import os
import re
import time
import typing as t

from ..services import container_list, units
from ..services.container_list import Container
from ..tools import safe_command
from ..tools.small_file import read_lines
from . import packages
from .wiring import Verdict, Wiring

SECONDS = 20.0  # for all applications of a host
_COMMAND_SECONDS = 5.0
_LARGEST = 64 << 10
_LONGEST_LINE = 500
_LONGEST_REASON = 200
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+~_-]{0,39}")

Answer = t.Dict[str, t.Any]


class Version(t.NamedTuple):
    """Where the version stands, in the order in which it is looked for. find: an expression with one group, for file and run."""

    package: t.Tuple[str, ...] = ()
    file: t.Optional[str] = None
    run: t.Tuple[str, ...] = ()
    find: str = ""


class Wanted(t.NamedTuple):
    """What to look for of one application. places: files or folders; compose: folder and services of a project that it is said to be.

    required: nothing may be written for it when nothing of it is seen, required_unit: nor when that unit is not; paths: those of its files.
    """

    app: str
    units: t.Tuple[str, ...]
    packages: t.Tuple[str, ...]
    commands: t.Tuple[str, ...]
    places: t.Tuple[str, ...]
    images: t.Tuple[str, ...]
    compose: t.Optional[t.Mapping[str, t.Any]]
    version: Version
    wiring: t.Optional[Wiring]
    required: bool
    required_unit: t.Optional[str]
    paths: t.Tuple[str, ...]

    @classmethod
    def from_option(cls, option: t.Mapping[str, t.Any]) -> Wanted:
        """From one element of the option ``detect`` of smtp_deploy."""
        lists = {
            name: tuple(option.get(name) or ())
            for name in ("units", "packages", "commands", "places", "images", "paths")
        }
        version, wiring = dict(option.get("version") or {}), dict(option.get("wiring") or {})
        version.update({name: tuple(version.get(name) or ()) for name in ("package", "run")})
        wiring["beside"] = tuple(wiring.get("beside") or ())
        return cls(
            app=option["app"],
            compose=option.get("compose"),
            version=Version(**version),
            wiring=Wiring(**wiring) if "path" in wiring else None,
            required=bool(option.get("required")),
            required_unit=option.get("required_unit"),
            **lists,
        )

    @property
    def asks_for_containers(self) -> bool:
        """Whether a container engine may know something of it."""
        return bool(
            self.images or self.compose or (self.wiring and (self.wiring.container or self.wiring.compose_file))
        )


class Known(t.NamedTuple):
    """What is looked up once for all applications. until: when there is no time left, by the monotonic clock."""

    packages: t.Mapping[str, str]
    no_packages: str
    containers: t.Sequence[Container]
    no_containers: str
    units: units.Loader
    programs: t.Collection[str]
    until: float

    @property
    def left(self) -> float:
        """Seconds that a command may take."""
        return min(_COMMAND_SECONDS, self.until - time.monotonic())


def detect(options: t.Sequence[t.Mapping[str, t.Any]]) -> t.Dict[str, Answer]:
    """By application what there is to say of it.

    seen, unseen: what shows that it is there, and why something could not be looked at. version, version_why: None, and why. wiring: by way
    whether it is ``seen``, and ``why``. missing: it is required, and nothing of it is there.
    """
    wanted = [Wanted.from_option(option) for option in options]
    if not wanted:
        return {}
    known = _look_up(wanted)
    return {item.app: _answer(item, known) for item in wanted}


def _look_up(wanted: t.Sequence[Wanted]) -> Known:
    until = time.monotonic() + SECONDS
    names = {name for item in wanted for name in [*item.packages, *item.version.package]}
    found, no_packages = packages.installed(names, _COMMAND_SECONDS)
    containers: t.Sequence[Container] = ()
    no_containers = ""
    if any(item.asks_for_containers for item in wanted):
        containers, no_containers = container_list.running(_COMMAND_SECONDS)
    programs = {name for item in wanted for name in [*item.commands, *item.version.run[:1]]}
    there = {name for name in programs if safe_command.find(name)}
    return Known(found, no_packages, containers, no_containers, units.Loader(), there, until)


def _answer(item: Wanted, known: Known) -> Answer:
    own = [
        container
        for container in known.containers
        if item.compose and container.is_of(item.compose["folder"], item.compose["services"])
    ]
    seen = [f"unit {units.full_name(name)}" for name in item.units if known.units.load(name) is not None]
    seen += [f"package {name}" for name in item.packages if name in known.packages]
    seen += [f"command {name}" for name in item.commands if name in known.programs]
    seen += [path for path in item.places if os.path.exists(path)]
    seen += [
        f"a container of {name}"
        for name in item.images
        if any(container.repository == name for container in known.containers)
    ]
    seen += [f"a container in {item.compose['folder']}"] if item.compose and own else []
    unseen = [known.no_packages] if item.packages and known.no_packages else []
    version, why = _version(item.version, known)
    verdicts = (
        item.wiring.verdicts(own if item.compose else known.containers, known.no_containers, known.units)
        if item.wiring
        else {}
    )
    nothing = item.required and not seen and not unseen and not any(verdict.seen for verdict in verdicts.values())
    return {
        "seen": seen,
        "unseen": [text[:_LONGEST_REASON] for text in unseen],
        "version": version,
        "version_why": why[:_LONGEST_REASON],
        "wiring": {way: _told(verdict) for way, verdict in verdicts.items()},
        "missing": nothing or item.required_unit is not None and known.units.load(item.required_unit) is None,
    }


def _told(verdict: Verdict) -> Answer:
    told = {"seen": verdict.seen, "why": verdict.why[: 2 * _LONGEST_REASON]}
    return {**told, "remedy": verdict.remedy} if verdict.remedy else told


def _version(asked: Version, known: Known) -> t.Tuple[t.Optional[str], str]:
    """The first that is found, and why a command did not say; a database or a file comes before any command."""
    packaged = next((known.packages[name] for name in asked.package if known.packages.get(name)), None)
    if packaged:
        return packaged, ""
    if asked.file:
        found = _found(asked.find, read_lines(asked.file, _LARGEST) or ())
        if found:
            return found, ""
    if not asked.run or asked.run[0] not in known.programs:
        return None, ""
    if known.left <= 0:
        return None, f"{asked.run[0]} was not asked for its version: there was no time left"
    output, why = safe_command.run(asked.run, known.left, _LARGEST)
    return (
        (None, f"its version is not known: {why}")
        if output is None
        else (_found(asked.find, output.decode("utf-8", "replace").splitlines()), "")
    )


def _found(expression: str, lines: t.Iterable[str]) -> t.Optional[str]:
    """What the group of the expression is on the first line that it matches, where that looks like a version."""
    find = re.compile(expression)
    matches = (find.search(line[:_LONGEST_LINE]) for line in lines)
    text = next((match.group(1) for match in matches if match and match.group(1)), "")
    return text if _VERSION.fullmatch(text) else None
