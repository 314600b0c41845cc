# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change: what shall become of one path, as it travels from the controller to the host. Both halves use this one definition.

What Ansible checks of it (``OPTIONS``) follows from its fields; what it means is in the documentation of smtp_deploy.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import fields, ownership
from .fields import DamagedError, Fields

ACTIONS = ("write", "restore", "delete")
POLICIES = ("report", "enforce", "adopt")


def _option(kind: str, read: fields.Reader[t.Any], default: t.Any = None, **more: t.Any) -> t.Any:
    """A field that is an option of smtp_deploy; ``read`` refuses what Ansible's types let through."""
    spec = {"type": kind, **({} if default is None else {"default": default}), **more}
    metadata = {"spec": spec, "read": read}
    given = {} if more.get("required") else {"default": default}
    return dataclasses.field(metadata=metadata, **given)  # pylint: disable=invalid-field-call


def _sealed(**field: t.Any) -> t.Any:
    """A field that travels sealed, in an option for all changes together, or is the key."""
    return dataclasses.field(repr=False, **field)  # pylint: disable=invalid-field-call


@dataclasses.dataclass(frozen=True)
class Change:
    """One element of the option ``changes``, and the content and facts that are handed over for it.

    readers: of a file that applications have in common. facts: of a shared file what our keys have there, ``wanted`` and ``present``.
    """

    app: str = _option("str", fields.text, required=True)
    path: str = _option("str", fields.raw, required=True)
    action: str = _option("str", fields.text, "write", choices=list(ACTIONS))
    owner: t.Optional[str] = _option("str", fields.raw)
    group: t.Optional[str] = _option("str", fields.raw)
    mode: t.Optional[str] = _option("str", fields.raw)
    secret: bool = _option("bool", fields.flag, False, no_log=False)
    shared: bool = _option("bool", fields.flag, False)
    based_on: t.Optional[str] = _option("str", fields.text)
    release: bool = _option("bool", fields.flag, False)
    drift: str = _option("str", fields.text, "report", choices=list(POLICIES))
    readers: t.Optional[t.Tuple[str, ...]] = _option("list", fields.tuple_of(fields.text), elements="str")
    command: t.Optional[ownership.Spec] = _option("dict", ownership.command)

    seal_key: str = _sealed(default="")
    content: t.Optional[bytes] = _sealed(default=None)
    facts: t.Mapping[str, t.Mapping[str, bytes]] = _sealed(default_factory=dict, compare=False)

    @classmethod
    def from_option(cls, value: object, place: str = "changes") -> Change:
        """Without what travels sealed. Raises DamagedError."""
        given = {
            name: item for name, item in fields.mapping(value, place).items() if item is not None
        }  # null: left out
        found = Fields(given, place)
        change = cls(**{field.name: _read(found, field) for field in _FIELDS})
        found.end()
        return change

    def to_option(self) -> t.Dict[str, t.Any]:
        """As the option has it; what is as by default is left out."""
        told = {
            field.name: getattr(self, field.name) for field in _FIELDS if getattr(self, field.name) != field.default
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}

    @property
    def writes_ours(self) -> bool:
        """Whether the path is ours afterwards."""
        return self.action == "write" and not self.release


def _read(found: Fields, field: dataclasses.Field[t.Any]) -> t.Any:
    if field.metadata["spec"].get("required"):
        return found.take(field.name, field.metadata["read"])
    value = found.maybe(field.name, field.metadata["read"], field.default)
    if value not in field.metadata["spec"].get("choices", [value]):
        raise DamagedError(f"{field.name} is none of {', '.join(field.metadata['spec']['choices'])}")
    return value


_FIELDS = tuple(field for field in dataclasses.fields(Change) if field.metadata)
#: What Ansible checks of one element of the option ``changes``.
OPTIONS: t.Dict[str, t.Dict[str, t.Any]] = {field.name: dict(field.metadata["spec"]) for field in _FIELDS}
