# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request: the options of smtp_deploy, and what they come to once they are read."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .._shared.problem import Problem, ProblemsError
from .._shared.seal import unseal_contents, unseal_facts
from .notes import fields
from .notes.change import Change
from .notes.fields import DamagedError, Fields
from .notes.ownership import RecordChange, Spec, command


class Reading(t.NamedTuple):
    """One element of the option ``read``."""

    path: str
    original: bool = False
    command: t.Optional[Spec] = None

    @classmethod
    def from_option(cls, value: object, place: str) -> Reading:
        """Raises DamagedError."""
        found = Fields(value, place)
        original = found.optional("original", fields.flag)
        return cls(found.take("path", fields.raw), bool(original), found.optional("command", command))


@dataclasses.dataclass(frozen=True)
class DeployCall:
    """The options of ``smtp_deploy``; ``seal_key``, ``contents`` and ``facts`` are never shown."""

    state: str
    state_dir: str
    check: bool = False
    read: t.Tuple[t.Dict[str, t.Any], ...] = ()
    read_apps: t.Tuple[str, ...] = ()
    changes: t.Tuple[t.Dict[str, t.Any], ...] = ()
    record: t.Dict[str, t.Any] = dataclasses.field(default_factory=dict)
    generation: t.Optional[str] = None
    keep: int = 5
    lock_timeout: float = 60
    seal_key: str = dataclasses.field(default="", repr=False)
    contents: str = dataclasses.field(default="", repr=False)
    facts: str = dataclasses.field(default="", repr=False)

    @functools.cached_property
    def asked(self) -> t.Tuple[Change, ...]:
        """The changes with their contents. Raises ProblemsError and SealError."""
        contents = unseal_contents(self.seal_key, self.contents) if self.contents else {}
        facts = unseal_facts(self.seal_key, self.facts) if self.facts else {}
        plain = [_option(Change.from_option, value, f"changes[{number}]") for number, value in enumerate(self.changes)]
        _refuse_paths(plain)
        return tuple(
            dataclasses.replace(
                change, seal_key=self.seal_key, content=contents.get(change.path), facts=facts.get(change.path, {})
            )
            for change in plain
        )

    @functools.cached_property
    def noted(self) -> RecordChange:
        """What the record shall say of applications. Raises ProblemsError."""
        return _option(RecordChange.from_json, self.record, "record")

    @functools.cached_property
    def readings(self) -> t.Tuple[Reading, ...]:
        """What a query shall tell about. Raises ProblemsError."""
        found = tuple(_option(Reading.from_option, value, f"read[{number}]") for number, value in enumerate(self.read))
        _refuse_paths(found)
        return found


T = t.TypeVar("T")


def _option(read: t.Callable[[object, str], T], value: object, place: str) -> T:
    try:
        return read(value, place)
    except DamagedError as error:
        raise ProblemsError(
            [Problem(place, f"This option of smtp_deploy is not valid: {error}.", "bad-option")]
        ) from None


def _refuse_paths(items: t.Iterable[t.Union[Change, Reading]]) -> None:
    """What no system call, or no answer, takes; what is merely not absolute is told with the rest (see examine)."""
    what, hint = "No file can have this path: it is too long, or holds a character that is none.", "Correct the path."
    wrong = [item.path for item in items if not (fields.is_text(item.path) and (item.command or _can_be(item.path)))]
    if wrong:
        raise ProblemsError([Problem(fields.shown(path), what, "path-not-valid", hint) for path in wrong])


def _can_be(path: str) -> bool:
    return fields.is_path(path if path.startswith("/") else "/" + path)
