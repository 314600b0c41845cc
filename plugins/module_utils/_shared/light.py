# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A NamedTuple that costs a tenth of typing's to define, and the rules that keep a start of the probe cheap.

A probe talks for a few milliseconds; before that Python loads what it is made of, which takes longer, and a module is compiled anew on
each run. What AnsibleModule has loaded by then, such as typing, costs nothing more; what is ours does. Three rules hold in this package,
and ``test_start.py`` of the architecture and unit tests hold them:

1. Records are this module's ``NamedTuple``.
2. No pattern is compiled while loading: ``re.match("...", text)`` compiles it, and keeps it, where it is used.
3. What a verified login with a password does not need is imported in the function that needs it, our own files first of all.
"""

from __future__ import annotations

import typing as t
from operator import itemgetter

__all__ = ("NamedTuple",)

if t.TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Record(type):
        """Makes a class of tuples from a class body with annotations."""

        def __new__(mcs, name, bases, space):
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            space.update((field, property(itemgetter(place))) for place, field in enumerate(fields))
            space.update(__slots__=(), _fields=fields, _field_defaults=defaults)
            return super().__new__(mcs, name, bases, space)

    class NamedTuple(tuple, metaclass=_Record):
        """In use the same as :class:`typing.NamedTuple`, of which it has what is used here."""

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = cls._complete(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _complete(cls, values, named):
            """All values in their places, from those given by place and by name."""
            rest = cls._fields[len(values) :]
            try:
                values += tuple([named.pop(field) if field in named else cls._field_defaults[field] for field in rest])
            except KeyError as exc:
                raise TypeError(f"{cls.__name__}: lacks {exc}") from None
            if named or len(values) > len(cls._fields):
                raise TypeError("{}: has no place for {}".format(cls.__name__, ", ".join(named) or "so many values"))
            return values

        def __repr__(self):
            return "{}({})".format(
                type(self).__name__, ", ".join("{}={!r}".format(*pair) for pair in zip(self._fields, self))
            )

        def __getnewargs__(self):
            """What a copy is made from."""
            return tuple(self)

        def _asdict(self):
            return dict(zip(self._fields, self))

        def _replace(self, **changes):
            return type(self)(**dict(self._asdict(), **changes))
