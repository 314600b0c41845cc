# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login in the files of every application is read back, whatever is in it: what the proof of a rotation logs in with."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import names_in_tree
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, DeclaredCredential
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.plan import plan_app, plan_host
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.readback import (
    BY_HAND,
    NO_SECRET,
    NOT_THERE,
    NOT_UNDERSTOOD,
    read_back,
)
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.render import render_app
from catalogue.cases import APPS, CATALOGUE, MATRIX, rows

# Each is carried by some dialects and refused by others; what is carried must come back.
SECRETS = (
    "plain",
    "p@ss w\"o'r\\d",
    "%41 100%",
    "a:b@c/d?e#f;g",
    "^${x} $HOME",
    "a'b\\'c",
    "üñ",
    "=x==",
    '"quoted"',
    "smarthost",
)
# A person enters it at a web form.
FOR_PEOPLE = {"alloy_navigator", "platform", "polarity"}


def _with(plan: AppPlan, credential: DeclaredCredential) -> t.Optional[AppPlan]:
    again = plan_app(
        dataclasses.replace(plan.request, form=plan.form),
        dataclasses.replace(plan.relay, credential=credential),
        plan.application,
    )
    return again if isinstance(again, AppPlan) else None


def _texts(plan: AppPlan) -> t.Optional[t.Dict[str, str]]:
    rendered, refusals, problems = render_app(plan, {})
    return None if refusals or problems else {item.file.path: item.text for item in rendered}


@functools.lru_cache(maxsize=None)
def _readable(app: str) -> t.Tuple[AppPlan, ...]:
    """One plan for each form: of the first row with a login that it can express."""
    found = []
    for form in CATALOGUE.find(app, "test").forms:
        for given in rows(app).values():
            item = {"name": app, "form": form, **given.get("application", {}), "accept": list(MATRIX["accept"])}
            plans = plan_host(resolve.load(given["relay"], [item]), CATALOGUE).apps
            if plans and plans[0].relay.credential and plans[0].relay.sends:
                found.append(plans[0])
                break
    return tuple(found)


@pytest.mark.parametrize("app", APPS)
def test_the_login_in_the_files_of_every_application_is_read_back(app: str) -> None:
    plans = _readable(app)
    entry = CATALOGUE.find(app, "test")
    with_secret = [
        form.name
        for form in entry.forms.values()
        if "password" in names_in_tree([file.settings for file in form.files])
    ]
    assert with_secret == [plan.form for plan in plans if plan.form in with_secret] and plans, (
        "no row of the matrix gives it a login"
    )
    for plan in plans:
        texts = _texts(plan)
        assert texts is not None and plan.relay.credential is not None
        found = read_back(plan, texts)
        if app in FOR_PEOPLE:
            assert found == (None, BY_HAND)
        elif plan.form not in with_secret:
            assert found == (None, NO_SECRET)
        else:
            wanted = plan.relay.credential
            assert found.credential == DeclaredCredential("", wanted.username, wanted.password), (
                f"{plan.form}: {found.why}"
            )


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_whatever_secret_a_file_can_hold_comes_back_as_it_is(secret: str) -> None:
    carried = 0
    for app in sorted(set(APPS) - FOR_PEOPLE):
        plan = next(iter(_readable(app)))
        again = _with(plan, DeclaredCredential("", "apps@example.com", Secret(secret)))
        texts = again and _texts(again)
        if again is None or not texts or read_back(plan, _texts(plan) or {}).credential is None:
            continue
        assert read_back(plan, texts).credential == DeclaredCredential("", "apps@example.com", Secret(secret)), (
            f"{app}: {read_back(plan, texts).why}"
        )
        carried += 1
    assert carried > 20


def test_a_setting_that_is_gone_is_told_and_no_other_value_taken_for_it() -> None:
    plan = next(plan for plan in _readable("gitea") if plan.form == "env")
    texts = _texts(plan) or {}
    gone = {
        path: "".join(line for line in text.splitlines(True) if "PASSWD" not in line) for path, text in texts.items()
    }
    assert read_back(plan, gone) == (None, NOT_THERE)
    assert read_back(plan, dict.fromkeys(texts)) == (None, NOT_THERE), "nor is there a file"


def test_a_setting_that_somebody_has_torn_is_not_taken_for_a_login() -> None:
    plan = next(plan for plan in _readable("postfix"))
    texts = _texts(plan) or {}
    path = next(path for path in texts if path.endswith("sasl_passwd"))
    torn = {**texts, path: texts[path].replace("apps@example.com:", "apps@example.com ")}
    assert read_back(plan, texts).credential is not None
    assert read_back(plan, torn) == (None, NOT_UNDERSTOOD)
