# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages: which of some names are installed, and in which version, as the host's own package database has it (dpkg, apk, rpm)."""

from __future__ import annotations

import re
import typing as t

from ..tools import safe_command
from ..tools.small_file import read_small

DPKG = "/var/lib/dpkg/status"
APK = "/lib/apk/db/installed"
_LARGEST = 64 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,199}")

#: By package its version as upstream counts it; a reason where the database could not be read.
Found = t.Tuple[t.Dict[str, str], str]


def installed(names: t.Collection[str], timeout: float) -> Found:
    """Which of these packages are installed."""
    wanted = sorted({name for name in names if _NAME.fullmatch(name)})
    if not wanted:
        return {}, ""
    for path, start, find in ((DPKG, b"Package: ", _dpkg), (APK, b"P:", _apk)):
        data = read_small(path, _LARGEST)
        if data is not None:
            blocks = {name: _block(data, start + name.encode("ascii")) for name in wanted}
            found = {name: find(block) for name, block in blocks.items() if block is not None}
            return {name: upstream(version) for name, version in found.items() if version}, ""
    return _rpm(wanted, timeout)


def upstream(version: str) -> str:
    """The version of the program alone: ``2:1.4.6+dfsg-1~bpo12`` is 1.4.6."""
    found = re.search(r"[0-9]+(?:\.[0-9]+)*", version.partition(":")[2] or version)
    return found.group(0)[:40] if found else ""


def _block(data: bytes, line: bytes) -> t.Optional[bytes]:
    """The paragraph that has this line."""
    at = 0 if data.startswith(line + b"\n") else data.find(b"\n" + line + b"\n")
    if at < 0:
        return None
    begin, end = data.rfind(b"\n\n", 0, at + 1), data.find(b"\n\n", at + 1)
    return data[max(begin, 0) : end if end >= 0 else len(data)]


def _dpkg(block: bytes) -> str:
    fields = _fields(block, ": ")
    return fields.get("Version", "") if fields.get("Status", "").endswith(" installed") else ""


def _apk(block: bytes) -> str:
    return _fields(block, ":").get("V", "")


def _fields(block: bytes, separator: str) -> t.Dict[str, str]:
    pairs = [line.partition(separator) for line in block.decode("utf-8", "replace").splitlines()]
    return {name: value.strip() for name, _separator, value in pairs if value}


def _rpm(wanted: t.Sequence[str], timeout: float) -> Found:
    if safe_command.find("rpm") is None:
        return {}, ""  # a host without packages, as far as we know them
    # One answer for all, a line a name; rpm ends with the number of those that are not installed, so its status says nothing.
    asked = ["rpm", "--query", "--queryformat", "%{NAME}\t%{VERSION}\n", *wanted]
    output, why = safe_command.run(asked, timeout, _LARGEST, any_status=True)
    if output is None:
        return {}, f"the package database could not be read: {why}"
    lines = output.decode("utf-8", "replace").splitlines()
    if len(lines) < len(wanted):
        return {}, "the package database could not be read: rpm does not answer for each name"
    pairs = [line.split("\t") for line in lines]
    return {pair[0]: upstream(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] in wanted}, ""
