# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain publishes for MTA-STS (RFC 8461): the record that announces a policy, and the policy itself."""

from __future__ import annotations

import re
import typing as t

from ..._shared.light import NamedTuple

MODES = ("enforce", "testing", "none")
LONGEST = 31557600  # seconds, about a year (RFC 8461 3.2)
DAY = 86400
MOST_SHOWN = 80
MOST_HOSTS = 50

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z"
_HOST = r"(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.)+[A-Za-z0-9-]+\Z"


class UnusablePolicy(Exception):
    """It is there, and a sender has to do as if it were not. The text says why."""


class Policy(NamedTuple):
    """``max_age`` is in seconds; ``mx`` are names and patterns; ``remarks`` is what could be better, in words."""

    mode: str
    max_age: int
    mx: t.Tuple[str, ...]
    remarks: t.Tuple[str, ...]


def announced(records: t.Sequence[bytes]) -> str:
    """The id in the one record that announces a policy, or an empty text if none does (RFC 8461 3.1). Raises :class:`UnusablePolicy`."""
    ours = [record.decode("latin-1") for record in records if re.match(rb"v=STSv1[ \t]*(?:;|\Z)", record)]
    if not ours:
        return ""
    if len(ours) > 1:
        raise UnusablePolicy("%d records announce a policy, and only one may" % len(ours))
    found = re.search(r";[ \t]*id=([^;]*)", ours[0])
    if found is None or not re.match(r"[A-Za-z0-9]{1,32}\Z", found.group(1).strip(" \t")):
        raise UnusablePolicy(f"its record has no id of 1 to 32 letters and digits: {shown(ours[0])}")
    return found.group(1).strip(" \t")


def parse(body: bytes) -> Policy:
    """The policy that a file holds (RFC 8461 3.2). Raises :class:`UnusablePolicy`."""
    fields = _fields(body)
    version, mode, age = (fields.get(key, [""])[0] for key in ("version", "mode", "max_age"))
    mx = tuple(fields.get("mx", ()))
    wrong = [pattern for pattern in mx if not re.match(_HOST, pattern)]
    if version != "STSv1":
        raise UnusablePolicy("its version is %s and not STSv1" % (shown(version) or "missing"))
    if mode not in MODES:
        raise UnusablePolicy("its mode is {} and not one of {}".format(shown(mode) or "missing", ", ".join(MODES)))
    if not re.match(r"[0-9]{1,10}\Z", age):
        raise UnusablePolicy("its max_age is %s and not a number of seconds" % (shown(age) or "missing"))
    if wrong:
        raise UnusablePolicy(f"{shown(wrong[0])} is not a host, nor *. and a domain")
    if not mx and mode != "none":
        raise UnusablePolicy("it names no mx")
    return Policy(mode, int(age), mx, tuple(_remarks(mode, int(age), fields)))


def _fields(body: bytes) -> dict[str, list[str]]:
    """Every line as ``name: value``, the values of a name in their order."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnusablePolicy("it is not text in UTF-8") from None
    fields: dict[str, list[str]] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        # By hand: a pattern that leaves out blanks at the end takes quadratic time for a line of blanks.
        name, colon, value = line.partition(":")
        good = colon and re.match(_NAME, name.rstrip(" \t"))
        if line.strip(" \t") and not (good and line.replace("\t", " ").isprintable()):
            raise UnusablePolicy(
                "line %d is not of the form name: value, as in mode: enforce: %s" % (number, shown(line))
            )
        if good:
            fields.setdefault(name.rstrip(" \t").lower(), []).append(value.strip(" \t"))
    return fields


def _remarks(mode: str, age: int, fields: t.Mapping[str, list[str]]) -> t.Iterator[str]:
    if age > LONGEST:
        yield "max_age is more than a year (%d seconds), which senders cut down to it" % LONGEST
    if age < DAY and mode == "enforce":
        yield "max_age is %d seconds: senders forget the policy within a day, and weeks are usual" % age
    for key in ("version", "mode", "max_age"):
        if len(fields[key]) > 1:
            yield "%s stands there %d times, and only the first counts" % (key, len(fields[key]))


def covers(pattern: str, host: str) -> bool:
    """Whether ``pattern`` names this host; ``*.`` stands for exactly one label (RFC 8461 4.1)."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    return pattern == host or (pattern.startswith("*.") and pattern[2:] == host.partition(".")[2])


def shown(text: str) -> str:
    """As much of it as a report may hold."""
    return "".join(character if character.isprintable() else "?" for character in text)[:MOST_SHOWN]
