# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of systemd as their files say, drop-ins included (systemd.unit(5)): what will be in force when the unit next starts.

Read from the files and not asked of systemd: that also works where it does not run, costs no process, and shows a drop-in that has
been written since systemd last read its files.
"""

from __future__ import annotations

import glob
import os
import stat
import typing as t

from ..tools.small_file import read_small
from . import systemd

#: Where systemd looks, first what wins.
FOLDERS = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
TYPES = (
    ".service",
    ".socket",
    ".timer",
    ".path",
    ".target",
    ".mount",
    ".automount",
    ".swap",
    ".slice",
    ".scope",
    ".device",
)
DROP_IN_FOLDER, DROP_IN_NAME = "/etc/systemd/system", "smarthost-mail.conf"
_LARGEST = 256 << 10
_MOST_DROP_INS = 200
_SECONDS = 10.0  # for one question to systemd

#: Section, key and value, in the order in which they apply.
Settings = t.List[t.Tuple[str, str, str]]


class Unit(t.NamedTuple):
    """One unit that has a file. name: with its type, as it was asked for. changed: when one of its files last was, in seconds since 1970.

    coming: a drop-in is about to be written that differs from what is there.
    """

    name: str
    path: str
    settings: Settings
    changed: float = 0.0
    coming: bool = False

    def values(self, key: str) -> t.List[str]:
        """The values that a key of [Service] ends up with; an empty one resets those before it."""
        found: t.List[str] = []
        for section, name, value in self.settings:
            if (section, name) == ("Service", key):
                found = [*found, self._expanded(value)] if value else []
        return found

    def reads(self, path: str) -> bool:
        """Whether a process of this unit gets the variables of this file."""
        return any(
            os.path.normpath(value[1:] if value.startswith("-") else value) == path
            for value in self.values("EnvironmentFile")
        )

    def lacks(self) -> t.Optional[str]:
        """A file of variables that is not there and without which it does not start; None where there is none (systemd.exec(5))."""
        required = [value for value in self.values("EnvironmentFile") if value.startswith("/") and "%" not in value]
        return next((value for value in required if not glob.glob(value)), None)

    def names(self, path: str) -> bool:
        """Whether a command line of this unit, or a variable that it sets, names this file, or a folder that it lies in."""
        return path in self._places() or any(
            place != "/" and path.startswith(place + "/") and not _is_file(place) for place in self._places()
        )

    def names_instead(self, path: str) -> t.Optional[str]:
        """Another file of the same name that a command line of this unit names."""
        alike = sorted(
            place for place in self._places() if place != path and os.path.basename(place) == os.path.basename(path)
        )
        return alike[0] if alike else None

    def _places(self) -> t.Set[str]:
        words = [
            word.strip("'\"")
            for key in ("ExecStart", "Environment")
            for value in self.values(key)
            for word in value.split()
        ]
        parts = [part for word in words for part in (word, word.partition("=")[2], word.rpartition("=")[2])]
        return {os.path.normpath(part) for part in parts if part.startswith("/")}

    def _expanded(self, value: str) -> str:
        """The specifiers that a path may hold here (systemd.unit(5), SPECIFIERS); others stay."""
        stem = self.name.rpartition(".")[0]
        prefix, _at, instance = stem.partition("@")
        known = {"n": self.name, "N": stem, "p": prefix, "i": instance, "I": instance.replace("-", "/"), "%": "%"}
        parts, at = [], 0
        while at < len(value):
            if value[at] == "%" and value[at + 1 : at + 2] in known:
                parts.append(known[value[at + 1]])
                at += 2
            else:
                parts.append(value[at])
                at += 1
        return "".join(parts)


def full_name(name: str) -> str:
    """With its type: ``grafana-server`` is grafana-server.service, also ``php8.2-fpm``."""
    return name if name.endswith(TYPES) else name + ".service"


def drop_in(name: str) -> str:
    """Where our own drop-in of a unit is."""
    return f"{DROP_IN_FOLDER}/{full_name(name)}.d/{DROP_IN_NAME}"


class Loader:
    """``load`` for as long as one look at a host takes: each unit is read, and asked about, once, however many applications ask for it."""

    def __init__(self) -> None:
        self._loaded: t.Dict[t.Tuple[str, t.Tuple[t.Tuple[str, str], ...]], t.Optional[Unit]] = {}
        self._started: t.Dict[str, t.Optional[float]] = {}
        self._answers = True  # a systemd that did not answer once is not waited for again

    def load(self, name: str, more: t.Optional[t.Mapping[str, str]] = None) -> t.Optional[Unit]:
        """As the function of that name."""
        key = (full_name(name), tuple(sorted((more or {}).items())))
        if key not in self._loaded:
            self._loaded[key] = load(name, more)
        return self._loaded[key]

    def started(self, name: str) -> t.Optional[float]:
        """When the main process of a unit started, in seconds since 1970; None where it has none, or systemd does not say."""
        if name not in self._started:
            state = systemd.state_of(name, _SECONDS)[0] if self._answers and systemd.is_running() else None
            self._answers = state is not None
            self._started[name] = systemd.main_process_start(state) if state is not None else None
        return self._started[name]


def load(name: str, more: t.Optional[t.Mapping[str, str]] = None) -> t.Optional[Unit]:
    """The unit of that name; None where it has no file, or is masked. more: by path the text of drop-ins that are about to be written."""
    name = full_name(name)
    path = _fragment(name)
    if path is None:
        return None
    more = more or {}
    files = [path, *_drop_ins([name, os.path.basename(os.path.realpath(path))], more)]
    settings = [setting for file in files for setting in _parse(more.get(file) or _read(file))]
    coming = any(text != _read(file) for file, text in more.items())
    return Unit(name, path, settings, max(map(_changed, files)), coming)


def _changed(path: str) -> float:
    """When its content was last written. Not its mtime, which a copy or a package brings along from elsewhere."""
    try:
        return os.stat(path).st_ctime
    except OSError:
        return 0.0


def _fragment(name: str) -> t.Optional[str]:
    """The unit's own file, or that of its template."""
    for candidate in dict.fromkeys([name, _template(name)]):
        for folder in FOLDERS:
            path = os.path.join(folder, candidate)
            if os.path.lexists(path):
                # Masked: a link to /dev/null, or an empty file.
                return path if _is_file(path) and os.path.getsize(path) else None
    return None


def _template(name: str) -> str:
    stem, _dot, kind = name.rpartition(".")
    return f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else name


def _drop_ins(names: t.Iterable[str], more: t.Mapping[str, str]) -> t.List[str]:
    """Their paths, in the order in which they apply: by file name; of those with one name the first folder's wins."""
    found: t.Dict[str, str] = {}
    kinds = {name.rpartition(".")[2] for name in names}
    roots = [
        folder for folder in FOLDERS if os.path.isdir(folder) or any(path.startswith(folder + "/") for path in more)
    ]
    for folder in [f"{name}.d" for name in dict.fromkeys(part for name in names for part in _levels(name))] + [
        f"{kind}.d" for kind in sorted(kinds)
    ]:
        for root in roots:
            place = os.path.join(root, folder)
            there = {os.path.basename(path) for path in more if os.path.dirname(path) == place}
            for name in sorted({*_listed(place), *there}):
                if name.endswith(".conf") and len(found) < _MOST_DROP_INS:
                    found.setdefault(name, os.path.join(place, name))
    return [path for _name, path in sorted(found.items())]


def _levels(name: str) -> t.List[str]:
    """``a-b@c.service`` takes drop-ins of its own, of its template, and of a-.service."""
    stem, _dot, kind = name.rpartition(".")
    levels = [name, _template(name)]
    parts = stem.partition("@")[0].split("-")
    return levels + [f"{'-'.join(parts[:count])}-.{kind}" for count in range(len(parts) - 1, 0, -1)]


def _listed(folder: str) -> t.List[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _read(path: str) -> str:
    """The text of a file; nothing where it cannot be read, or is none (a drop-in masked by /dev/null)."""
    return (read_small(path, _LARGEST) or b"").decode("utf-8", "replace")


def _parse(text: str) -> Settings:
    settings: Settings = []
    section, begun = "", ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith(("#", ";")):
            continue  # also in the middle of a continued line
        line, begun = begun + line, ""
        if line.endswith("\\"):
            begun = line[:-1] + " "
        elif line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, _equals, value = line.partition("=")
            settings.append((section, key.strip(), value.strip()))
    return settings
