# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a run has to be a real start, and which runs may share what Ansible has read while it was imported.

Python reads some variables when it starts (AT_START): a run for which one of them is another than for the server is a real start. Ansible reads
others while it is imported (AT_IMPORT): runs for which these are the same share one import. All the rest is read in the run itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing, which costs every start some milliseconds
if TYPE_CHECKING:
    import typing as t

# Names, or how they begin if there is "*" at the end.
AT_START = ("PYTHON*", "LANG*", "LC_*", "LD_*", "OPENSSL_*", "COVERAGE*")
AT_IMPORT = (
    "ANSIBLE_*",
    "_ANSIBLE_*",
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TZ",
    "TERM",
    "COLUMNS",
    "NO_COLOR",
    "PAGER",
    "EDITOR",
    "UNIXCONFDIR",
    "XDG_*",
)
# Of those, by which Ansible finds modules and what they import: runs for which they are the same share the zip files of modules.
OF_MODULES = ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_COLLECTIONS_*", "ANSIBLE_LIBRARY", "ANSIBLE_MODULE_*", "HOME")
# Each names files of one run, opened or made while Ansible is imported.
OF_ONE_RUN = ("ANSIBLE_LOG_PATH", "ANSIBLE_LOCAL_TEMP")
# What may stand beside a playbook and bring modules or plugins of the same names as Ansible's; so may folders named "..._plugins".
BESIDE = ("library", "module_utils", "roles", "collections")
STATUS = ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
SIGNALS = ("SigBlk", "SigIgn")
# Signals 32 and 33 are the C library's own, and whether they are ignored depends on how Python starts a program; so it is with SIGINT where all of it
# runs in the background of a shell. Who interrupts the client ends the run in any case.
NOT_COMPARED = 0b11 << 31 | 0b10


def chosen(environment: t.Mapping[str, str], names: t.Sequence[str]) -> t.Dict[str, str]:
    """The variables of these names."""
    begins = tuple(name[:-1] for name in names if name.endswith("*"))
    return {name: environment[name] for name in sorted(environment) if name in names or name.startswith(begins)}


def identity() -> t.List[str]:
    """What a process inherits beside its environment and open files, and we do not hand on: user, rights, limits, signals, namespaces."""
    with open("/proc/self/status", encoding="utf-8") as file:
        status = [line.split(":") for line in file]
    found = [f"{name} {value.strip()}" for name, value, *_more in status if name in STATUS]
    found += [f"{name} {int(value, 16) & ~NOT_COMPARED:x}" for name, value, *_more in status if name in SIGNALS]
    with open("/proc/self/limits", encoding="utf-8") as file:
        found += [" ".join(line.split()) for line in file]
    found += [os.readlink("/proc/self/ns/" + name) for name in sorted(os.listdir("/proc/self/ns"))]
    return [*found, os.readlink("/proc/self/root"), str(os.nice(0))]


def key(environment: t.Mapping[str, str]) -> t.List[t.Any]:
    """What is the same for all runs that share an import: the variables, and the file of settings as it is now."""
    settings = os.stat(environment["ANSIBLE_CONFIG"])
    return [chosen(environment, AT_IMPORT), settings.st_mtime_ns, settings.st_size]


def why_real(server: t.Mapping[str, t.Any], arguments: t.Sequence[str], environment: t.Mapping[str, str]) -> str:
    """Why this has to be a real start; "" if the server can do it. server: its own identity and variables."""
    other = set(identity()) ^ set(server["identity"])
    if other:
        return "another user, other rights, limits, signals or namespaces: " + "; ".join(sorted(other))
    if chosen(environment, AT_START) != server["at_start"]:
        return "other variables that Python reads when it starts"
    if not os.path.isfile(environment.get("ANSIBLE_CONFIG", "")):
        return "without ANSIBLE_CONFIG the settings depend on the current folder"
    if chosen(environment, OF_ONE_RUN):
        return "variables that name files of one run"
    if relative(chosen(environment, ("ANSIBLE_*",))):
        return "variables that name files below the current folder"
    if os.isatty(1) or os.isatty(2):
        return "a terminal"
    if os.path.exists(os.path.join(environment.get("ANSIBLE_HOME", os.path.expanduser("~/.ansible")), "plugins")):
        return "plugins of the user"
    return "modules or plugins of its own" if own_plugins(arguments) else ""


def relative(variables: t.Mapping[str, str]) -> t.List[str]:
    """Those that name something below the current folder, as far as it is there."""
    return [
        name
        for name, value in variables.items()
        if any(path and not os.path.isabs(path) and os.path.exists(path) for path in value.split(os.pathsep))
    ]


def own_plugins(arguments: t.Sequence[str]) -> bool:
    """Whether the options name a folder of modules, or one of plugins stands beside any file that they name, be it inventory or playbook."""
    if any(word.startswith(("-M", "--mod", "--playbook-dir")) for word in arguments):
        return True
    folders = {os.path.dirname(os.path.abspath(word)) for word in arguments if os.path.isfile(word)}
    return any(name in BESIDE or name.endswith("_plugins") for folder in folders for name in os.listdir(folder))
