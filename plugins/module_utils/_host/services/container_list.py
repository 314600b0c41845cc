# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers that run on this host, as docker or podman tells: images, labels, and whether one has the variables of a file.

An engine keeps values and not the names of the files they came from. So they are compared here, and only whether they are the same
goes any further: what ``inspect`` prints holds every secret of every container.
"""

from __future__ import annotations

import json
import os
import typing as t

from ..tools import safe_command
from ..tools.small_file import read_small

PROGRAMS = ("docker", "podman")
_MOST_CONTAINERS = 500
_MOST_OUTPUT = 32 << 20
_LARGEST_FILE = 256 << 10


class Container:
    """One container that runs. What it was given as variables is only compared, and never printed."""

    __slots__ = ("image", "labels", "_variables")

    def __init__(self, image: str, labels: t.Mapping[str, str], variables: t.Mapping[str, str]) -> None:
        self.image, self.labels, self._variables = image, labels, variables

    @property
    def repository(self) -> str:
        """Its image without registry, tag and digest: ``ghcr.io/go-gitea/gitea:1.22`` is go-gitea/gitea."""
        parts = self.image.partition("@")[0].split("/")
        parts[-1] = parts[-1].partition(":")[0]
        if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
            parts = parts[1:]
        return "/".join(parts[1:] if len(parts) > 1 and parts[0] == "library" else parts)

    def is_of(self, folder: str, services: t.Collection[str]) -> bool:
        """Whether it is one of these services of the Compose project in this folder."""
        made_in = self.labels.get("com.docker.compose.project.working_dir", "")
        return (
            os.path.normpath(made_in or "/") == os.path.normpath(folder)
            and self.labels.get("com.docker.compose.service", "") in services
        )

    def is_made_with(self, path: str) -> bool:
        """Whether this file is one of the Compose files that it was made with."""
        return path in self.labels.get("com.docker.compose.project.config_files", "").split(",")

    def has(self, variables: t.Mapping[str, str]) -> bool:
        """Whether it has all of these variables, with these values."""
        return bool(variables) and all(self._variables.get(name) == value for name, value in variables.items())

    def has_names(self, variables: t.Collection[str]) -> bool:
        """Whether it has variables of these names: with which values, Compose may have read in another way than we do."""
        return all(name in self._variables for name in variables)


def running(timeout: float) -> t.Tuple[t.List[Container], str]:
    """Every container that runs here, of docker and of podman; with the reason where an engine is there and does not answer."""
    found: t.List[Container] = []
    reasons = []
    there = [program for program in PROGRAMS if safe_command.find(program)]
    for program in there:
        containers, why = _of(program, timeout)
        found += containers
        reasons += [why] if why else []
    return found, "; ".join(reasons) if there else "there is neither docker nor podman on this host"


def parse(inspected: bytes) -> t.List[Container]:
    """What ``docker container inspect`` prints: a list of JSON objects. Anything else in it is passed over."""
    try:
        tree = json.loads(inspected)
    except (ValueError, RecursionError):
        return []
    return [
        found for item in (tree if isinstance(tree, list) else []) for found in [_container(item)] if found is not None
    ]


def variables_of(path: str) -> t.Dict[str, str]:
    """The variables of a file as ``--env-file`` reads it: a line each, the value as it stands. {} where there is no such file."""
    lines = (read_small(path, _LARGEST_FILE) or b"").decode("utf-8", "surrogateescape").split("\n")
    pairs = [line.lstrip().partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#")]
    return {name: value for name, _equals, value in pairs}


def _of(program: str, timeout: float) -> t.Tuple[t.List[Container], str]:
    listed, why = safe_command.run([program, "ps", "--quiet", "--no-trunc"], timeout, _MOST_OUTPUT)
    if listed is None:
        return [], why
    names = listed.decode("ascii", "replace").split()[:_MOST_CONTAINERS]
    if not names:
        return [], ""
    # Any status: one that has ended meanwhile is an error of the whole command, which prints the others all the same.
    inspected, why = safe_command.run([program, "container", "inspect", *names], timeout, _MOST_OUTPUT, any_status=True)
    return ([], why) if inspected is None else (parse(inspected), "")


def _container(item: t.Any) -> t.Optional[Container]:
    config = item.get("Config") if isinstance(item, dict) else None
    if not isinstance(config, dict):
        return None
    given, labels = config.get("Env"), config.get("Labels")
    pairs = [text.partition("=") for text in (given if isinstance(given, list) else []) if isinstance(text, str)]
    known = labels if isinstance(labels, dict) else {}
    return Container(
        str(config.get("Image", "")),
        {str(key): str(value) for key, value in known.items()},
        {name: value for name, _e, value in pairs},
    )
