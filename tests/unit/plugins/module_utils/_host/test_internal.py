# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nobody expected is a message: where it was and how to report it, and never what the error itself says."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.notes import fields
from ansible_collections.smarthost.mail.plugins.module_utils._shared import internal_error

SECRET = "hunter2-hunter2"


def caught(work: t.Callable[[], t.Any]) -> Exception:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("it raised nothing")


def test_it_says_which_of_our_functions_and_what_that_called() -> None:
    found = internal_error.problem(caught(lambda: fields.shown(3)))  # type: ignore[arg-type]
    assert (
        found.code == "internal-error"
        and "AttributeError: plugins/module_utils/_host/notes/fields.py, line " in found.what
        and ", in shown)" in found.what
    )
    assert internal_error.ISSUES in found.hint
    nested = internal_error.problem(
        caught(lambda: fields.tuple_of(lambda value, _place: json.loads(t.cast(str, value)))([f"{{{SECRET}"], "x"))
    )
    assert "decoder.py, line " in nested.what and SECRET not in str(nested)


def test_an_error_without_a_place_is_one_too() -> None:
    assert (
        internal_error.problem(RecursionError(SECRET)).what
        == "smarthost.mail met something that it does not expect (RecursionError: at an unknown place)."
    )


def test_a_filter_says_no_more_than_a_module_does() -> None:
    pytest.importorskip("ansible.errors")
    from ansible.errors import AnsibleFilterError
    from ansible_collections.smarthost.mail.plugins.filter.smtp import FilterModule

    class Odd(dict):  # type: ignore[type-arg]
        def items(self) -> t.Any:
            raise ValueError(SECRET)

        __iter__ = keys = values = items

    for name, arguments in (("smtp_settings", ("gitea",)), ("smtp_files", ("gitea",)), ("smtp_probes", ())):
        with pytest.raises(AnsibleFilterError) as caught_here:
            FilterModule().filters()[name](Odd(host="smtp.example.com"), *arguments)
        assert (
            "internal-error" in str(caught_here.value)
            and SECRET not in repr(caught_here.value)
            and caught_here.value.__context__ is None
        )
