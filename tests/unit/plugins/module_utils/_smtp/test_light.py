# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light NamedTuple does what typing's does."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared import light


class Light(light.NamedTuple):
    """A step."""

    name: str
    reply: t.Optional[int]
    ms: float = 0.5

    @property
    def slow(self) -> bool:
        return self.ms > 1

    @classmethod
    def of(cls, name: str) -> t.Any:
        return cls(name, None)


class Typed(t.NamedTuple):
    """A step."""

    name: str
    reply: t.Optional[int]
    ms: float = 0.5


class Empty(light.NamedTuple):
    """Nothing to say."""


def test_values_are_given_by_place_or_by_name_and_may_be_left_out_where_there_is_a_default() -> None:
    for values, named in (
        (("a", 1, 2.0), {}),
        (("a", 1), {}),
        (("a",), {"reply": 1}),
        ((), {"ms": 2.0, "name": "a", "reply": None}),
    ):
        light_one, typed = Light(*values, **named), Typed(*values, **named)
        assert tuple(light_one) == tuple(typed) and t.cast(t.Any, light_one) == typed and hash(light_one) == hash(typed)
        assert (light_one.name, light_one.reply, light_one.ms) == (typed.name, typed.reply, typed.ms)
        assert repr(light_one) == repr(typed).replace("Typed", "Light")
        assert light_one._asdict() == typed._asdict()


@pytest.mark.parametrize(
    "values, named, said",
    [
        (("a",), {}, "Light: lacks 'reply'"),
        (("a", 1, 2, 3), {}, "Light: has no place for so many values"),
        (("a", 1), {"speed": 1}, "Light: has no place for speed"),
        (("a", 1), {"name": "b"}, "Light: has no place for name"),
    ],
    ids=["too few", "too many", "unknown", "twice"],
)
def test_values_that_do_not_fit_are_refused(values: t.Any, named: t.Any, said: str) -> None:
    with pytest.raises(TypeError) as raised:
        Light(*values, **named)
    assert str(raised.value) == said
    with pytest.raises(TypeError):
        Typed(*values, **named)


def test_a_changed_copy_is_of_the_same_class_and_the_first_stays() -> None:
    first = Light("a", 1)
    changed = first._replace(ms=3.0)
    assert (type(changed), changed, first) == (Light, ("a", 1, 3.0), ("a", 1, 0.5))
    with pytest.raises(TypeError):
        t.cast(t.Any, first)._replace(speed=1)


def test_nothing_can_be_set() -> None:
    one = Light("a", 1)
    for name in ("name", "speed"):
        with pytest.raises(AttributeError):
            setattr(one, name, "b")


def test_a_class_keeps_what_else_its_body_has() -> None:
    assert Light.__doc__ == "A step." and Light.of("a") == ("a", None, 0.5) and Light("a", 1, 2.0).slow
    assert Empty() == () and repr(Empty()) == "Empty()"


def test_a_copy_is_equal_and_of_the_same_class() -> None:
    one = Light("a", 1)
    for other in (copy.copy(one), copy.deepcopy(one)):
        assert (type(other), other) == (Light, one)
