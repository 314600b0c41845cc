# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields: JSON that may be damaged, read strictly. Every fault names its place and what was expected there, and never a value."""

from __future__ import annotations

import json
import math
import os
import typing as t

_LONGEST_PLACE = 200
_LONGEST_PATH = 4096  # PATH_MAX with its last zero byte, limits.h(0p)
_MOST_DIGITS = 20
_NOBODY = 0xFFFFFFFF  # -1, which chown(2) takes for "leave it"

T = t.TypeVar("T")
#: Turns a value, whose place is named, into what it should be. Raises DamagedError.
Reader = t.Callable[[object, str], T]


class DamagedError(Exception):
    """What was read cannot be what was written. ``newer``: a later version of this collection wrote it."""

    def __init__(self, what: str, newer: bool = False) -> None:
        super().__init__(what)
        self.newer = newer


class Fields:
    """One JSON object, read key by key; ``end`` refuses what nobody asked for."""

    def __init__(self, value: object, place: str) -> None:
        self._left, self._place = dict(mapping(value, place)), place

    def take(self, key: str, read: Reader[T]) -> T:
        """The value of a key that must be there."""
        if key not in self._left:
            raise DamagedError(f"{shown(self._place)} has no {key}")
        return read(self._left.pop(key), f"{self._place}.{key}")

    def maybe(self, key: str, read: Reader[T], default: T) -> T:
        """The value of a key that may be left out."""
        return self.take(key, read) if key in self._left else default

    def optional(self, key: str, read: Reader[T]) -> t.Optional[T]:
        """The value of a key that may be null or left out."""
        return self.maybe(key, nullable(read), None)

    def rest(self) -> t.Dict[str, object]:
        """Every key that was not asked for."""
        left, self._left = self._left, {}
        return left

    def end(self) -> None:
        """There is no other key."""
        if self._left:
            raise DamagedError(f"{shown(self._place)} has an unknown key")


def parse(data: bytes) -> object:
    """The value of a JSON text. Raises DamagedError, also for what other parsers take: a key twice, NaN, a number beyond all bounds."""
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except ValueError:  # its message may quote the text
        raise DamagedError("it is not JSON") from None
    except (RecursionError, MemoryError):
        raise DamagedError("it is nested too deeply") from None
    return value


def shown(place: str) -> str:
    """A place as a message may have it: no control character, and not for ever."""
    text = place.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _LONGEST_PLACE else text[:_LONGEST_PLACE] + "..."


def mapping(value: object, place: str) -> t.Dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _wrong(place, "an object")
    return value


def raw(value: object, place: str) -> str:
    """A text of any characters, of which somebody else says what is wrong with them."""
    if not isinstance(value, str):
        raise _wrong(place, "a text")
    return value


def text(value: object, place: str) -> str:
    """A text, which an answer to the controller can hold: half a character (a surrogate) is none."""
    found = raw(value, place)
    if not is_text(found):
        raise _wrong(place, "a text")
    return found


def is_text(found: str) -> bool:
    """Whether UTF-8 can hold it: Ansible takes no other answer."""
    try:
        found.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def path(value: object, place: str) -> str:
    """A path that the system takes."""
    found = raw(value, place)
    if not is_path(found):
        raise _wrong(place, "an absolute path")
    return found


def is_path(found: str) -> bool:
    """Whether this can be the path of a file: absolute, without a zero byte, of a length and in characters that the system takes.

    Its bytes need not be UTF-8: folders of the host are called anything. Such a byte is a surrogate here (PEP 383).
    """
    try:
        return found.startswith("/") and "\0" not in found and len(os.fsencode(found)) < _LONGEST_PATH
    except UnicodeEncodeError:  # a surrogate that stands for no byte (PEP 383)
        return False


def flag(value: object, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise _wrong(place, "true or false")
    return value


def whole(value: object, place: str) -> int:
    """A number without a fraction, from 0 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong(place, "a whole number")
    return value


def account(value: object, place: str) -> int:
    """The number of a user or group."""
    if whole(value, place) >= _NOBODY:
        raise _wrong(place, "the number of an account")
    return whole(value, place)


def moment(value: object, place: str) -> float:
    """Seconds since 1970."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(place, "a time")
    return value


def array(value: object, place: str) -> t.List[object]:
    """A JSON array."""
    if not isinstance(value, (list, tuple)):
        raise _wrong(place, "a list")
    return list(value)


def nullable(read: Reader[T]) -> Reader[t.Optional[T]]:
    """null, or what ``read`` reads."""
    return lambda value, place: None if value is None else read(value, place)


def tuple_of(read: Reader[T]) -> Reader[t.Tuple[T, ...]]:
    """A list of what ``read`` reads."""
    return lambda value, place: tuple(
        read(item, f"{place}[{number}]") for number, item in enumerate(array(value, place))
    )


def mapping_of(read: Reader[T], name: t.Optional[Reader[str]] = None) -> Reader[t.Dict[str, T]]:
    """An object whose values are what ``read`` reads; ``name``: what its keys are, any text without it."""

    def one(key: str, item: object, place: str) -> t.Tuple[str, T]:
        here = f"{place}[{key[:_LONGEST_PLACE]!r}]"
        return (name or text)(key, f"the name of {here}"), read(item, here)

    return lambda value, place: dict(one(key, item, place) for key, item in mapping(value, place).items())


def anything(value: object, place: str) -> object:
    """What JSON can be, whose texts, names included, are texts."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            text(item, place)
        elif isinstance(item, (list, tuple)):
            left += item
        elif isinstance(item, dict):
            left += [*item.keys(), *item.values()]
    return value


def _wrong(place: str, expected: str) -> DamagedError:
    return DamagedError(f"{shown(place)} is not {expected}")


def _object(pairs: t.List[t.Tuple[str, object]]) -> t.Dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _constant(_name: str) -> t.NoReturn:
    raise ValueError("no number")


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("too long a number")  # quadratic to read in older Pythons, and no number of ours
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("too large a number")
    return number
