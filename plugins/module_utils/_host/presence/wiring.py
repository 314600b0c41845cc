# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wiring: whether something on this host makes an application read a file of ours. Reads only; the answer is yes, no, or not seen."""

from __future__ import annotations

import os
import re
import typing as t

from ..services import units
from ..services.container_list import Container, variables_of
from ..tools.small_file import read_lines

_LARGEST = 1 << 20
_LONGEST_LINE = 2000
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
#: ``env_file: X``, ``env_file: [X, Y]``, and items of a list below it: ``- X``, ``- path: X``.
_ENV_FILE = re.compile(r"\s*(?:env_file:|-)\s*(?:path:)?\s*([^\s#].*?)\s*(?:\s#.*)?")
_COMMENTS = ("#", "//", ";", "*", "/*")


class Verdict(t.NamedTuple):
    """What one way shows. seen: it reads the file; False: what would make it read the file is there, and does not; None: nothing shows it.

    remedy: what would make it, where that is not the line to add.
    """

    seen: t.Optional[bool]
    why: str
    remedy: str = ""


class Wiring(t.NamedTuple):
    """The ways in which one application may come to read a file; any of them is enough. path: the file.

    unit: whose EnvironmentFile= it is to be. more: drop-ins of that unit which are about to be written, text by path. argument: the unit
    whose command line or variables name it. line: file, the line that names it, and an expression that a line matches as well.
    beside: files that stand where the application reads all there is. container: its variables are to be those of a container.
    compose_file: containers are to be made with it. project: folder and files of the Compose project that it is said to be in.
    """

    path: str
    unit: t.Optional[str] = None
    more: t.Mapping[str, str] = {}
    argument: t.Optional[str] = None
    line: t.Optional[t.Mapping[str, str]] = None
    beside: t.Tuple[str, ...] = ()
    container: bool = False
    compose_file: bool = False
    project: t.Optional[t.Mapping[str, t.Any]] = None

    def verdicts(self, containers: t.Sequence[Container], why_none: str, loader: units.Loader) -> t.Dict[str, Verdict]:
        """By way what there is to say of it. containers: those that may be the application's; why_none: why there are none."""
        found: t.Dict[str, Verdict] = {}
        if self.unit:
            found["unit"] = self._by_unit(self.unit, loader)
        if self.argument:
            found["argument"] = self._by_argument(self.argument, loader)
        if self.line:
            found["line"] = self._by_line(self.line)
        if self.beside:
            missing = [path for path in self.beside if not os.path.exists(path)]
            found["beside"] = (
                Verdict(None, f"{missing[0]} is not there")
                if missing
                else Verdict(True, f"{self.beside[0]} stands beside it")
            )
        if self.container:
            found["container"] = self._by_variables(containers, why_none)
        if self.compose_file:
            made = any(container.is_made_with(self.path) for container in containers)
            why = (
                f"a container was made with {self.path}"
                if made
                else why_none or f"no container was made with {self.path}"
            )
            found["compose_file"] = Verdict(made or None, why)
        return found

    def _by_unit(self, name: str, loader: units.Loader) -> Verdict:
        unit = loader.load(name, self.more)
        if unit is None:
            return Verdict(None, f"there is no unit {units.full_name(name)} here")
        if not unit.reads(self.path):
            return Verdict(False, f"{unit.name} has no EnvironmentFile={self.path}")
        return _once_started(unit, f"{unit.name} reads {self.path}", loader)

    def _by_argument(self, name: str, loader: units.Loader) -> Verdict:
        unit = loader.load(name)
        if unit is None:
            return Verdict(None, f"there is no unit {units.full_name(name)} here")
        if unit.names(self.path):
            return _once_started(unit, f"{unit.name} names {self.path}", loader)
        other = unit.names_instead(self.path)
        # Without a word it may read the file all the same, as the place where it always looks.
        if other:
            return Verdict(False, f"{unit.name} names {other} instead")
        return Verdict(None, f"the command line of {unit.name} does not name {self.path}")

    def _by_line(self, line: t.Mapping[str, str]) -> Verdict:
        place, wanted = line["file"], " ".join(line["add"].split())
        lines = read_lines(place, _LARGEST)
        if lines is None:
            return Verdict(None, f"{place} cannot be read")
        find = re.compile(line["find"]) if "find" in line else None
        active = [text.strip() for text in lines if not text.lstrip().startswith(_COMMENTS)]
        there = any(" ".join(text.split()) == wanted or (find and find.search(text[:_LONGEST_LINE])) for text in active)
        return (
            Verdict(True, f"{place} names it") if there else Verdict(False, f"{place} does not have the line {wanted}")
        )

    def _by_variables(self, containers: t.Sequence[Container], why_none: str) -> Verdict:
        variables = variables_of(self.path)
        if any(container.has(variables) for container in containers):
            return Verdict(True, f"a container has what stands in {self.path}")
        named = next((name for name in self._compose_files() if self._is_named_in(name)), None)
        if named and containers and not any(container.has_names(variables) for container in containers):
            why = f"{named} names {self.path}, but the container that runs was made before that was written"
            return Verdict(False, why, "Create the container again.")
        if named:
            return Verdict(True, f"{named} names {self.path}")
        return Verdict(None, why_none or f"no container that runs here has what stands in {self.path}")

    def _compose_files(self) -> t.List[str]:
        """Those of the project, or the one that Compose finds in the folder by itself."""
        project = self.project or {}
        names = project.get("files") or COMPOSE_FILES
        return [os.path.join(project["folder"], name) for name in names] if project else []

    def _is_named_in(self, place: str) -> bool:
        """Whether a file of Compose has it as an env_file: in any of the spellings of a list of YAML, but not in a comment."""
        lines = read_lines(place, _LARGEST) or []
        found = [match.group(1) for line in lines for match in [_ENV_FILE.fullmatch(line[:_LONGEST_LINE])] if match]
        parts = [part.strip(" \"'") for text in found for part in text.strip("[]").split(",")]
        return self.path in [os.path.normpath(os.path.join(os.path.dirname(place), part)) for part in parts if part]


def _once_started(unit: units.Unit, what: str, loader: units.Loader) -> Verdict:
    """What a unit says holds for a process that was started since."""
    start = None if unit.coming else loader.started(unit.name)
    if start is not None and start < unit.changed:
        return Verdict(
            False, f"{what}, but what runs was started before its unit was last changed", f"Restart {unit.name}."
        )
    return Verdict(True, what)
