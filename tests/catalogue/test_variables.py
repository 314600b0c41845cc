# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every form of variables as the filter `smtp_settings` gives it: text, just what a process sees whose file of variables holds the same."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.smarthost.mail.plugins.filter.smtp import smtp_files, smtp_settings
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import dialect
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.phpdotenv import _WRAPPED
from catalogue.cases import APPS, CATALOGUE

VARIABLES = ("docker_env", "systemd_env", "phpdotenv", "symfony_dotenv")
ACCEPT = ["starttls-strippable", "no-ca-path", "no-verify", "always-verifies", "name-not-checked"]
FORMS = [
    (app, form.name, form.files[0].dialect)
    for app in APPS
    for form in CATALOGUE.find(app, "test").forms.values()
    if len(form.files) == 1 and form.files[0].dialect in VARIABLES
]
HOSTILE = {
    "plain": "s3cret",
    "quotes": """it's "quoted" here""",
    "wrapped": '"wrapped"',
    "single": "'wrapped'",
    "spaces": "  two  spaces  ",
    "dollar": "$HOME ${x} $$",
    "hash": "a #b;c",
    "backslash": "back\\slash\\n",
    "word": "true",
    "number": "0587",
    "equals": "=a=b=",
    "percent": "%s%20",
    "backtick": "`id`",
    "braces": "{{ x }} {% y %}",
}


def relay(password: str, app: str = "", **more: t.Any) -> t.Dict[str, t.Any]:
    port, security = (587, "starttls") if app == "solidpoint" else (465, "tls")
    return {
        "host": "smtp.example.com",
        "port": port,
        "security": security,
        "username": "apps@example.com",
        "password": password,
        "from": "Example Apps <noreply@example.com>",
        "timeout": 15,
        **more,
    }


def seen(kind: str, file: str) -> t.Dict[str, str]:
    """The variables that the reader of such a file ends up with."""
    return {str(key): str(value) for key, value in dialect(kind).read(file).items()}


def test_the_catalogue_has_forms_of_every_kind_of_variables() -> None:
    assert len(FORMS) > 25 and {kind for _app, _form, kind in FORMS} == set(VARIABLES)


@pytest.mark.parametrize("password", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("app", "form", "kind"), FORMS, ids=[f"{app}-{form}" for app, form, _kind in FORMS])
def test_settings_are_text_as_the_process_sees_it(app: str, form: str, kind: str, password: str) -> None:
    item = {"name": app, "accept": ACCEPT}
    try:
        settings = smtp_settings(relay(password, app), item, form=form)
    except AnsibleFilterError as error:
        # An application that cannot take it (a space, a quote) says so in its file as well, and shows no secret.
        with pytest.raises(AnsibleFilterError):
            smtp_files(relay(password, app), item, form=form)
        assert password != HOSTILE["plain"] and "-not-carried]" in str(error), str(error)
        assert len(password) < 6 or password not in str(error)  # a short word may stand in any sentence
        return
    assert settings and all(type(key) is str and type(value) is str for key, value in settings.items())
    files = smtp_files(relay(password, app), item, form=form)
    # A service has a drop-in beside its variables, which names their file and holds no setting.
    (text,) = [text for path, text in files.items() if not path.startswith("/etc/systemd/system/")]
    # Laravel's env() takes one pair of quotes off, of a variable too.
    as_read = {
        key: value[1:-1] if kind == "phpdotenv" and _WRAPPED.fullmatch(value) else value
        for key, value in settings.items()
    }
    assert seen(kind, text) == as_read


@pytest.mark.parametrize(("app", "form", "kind"), FORMS, ids=[f"{app}-{form}" for app, form, _kind in FORMS])
@pytest.mark.parametrize("char", ["\n", "\r", "\0"], ids=repr)
def test_a_line_break_is_refused_without_the_secret(app: str, form: str, kind: str, char: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        smtp_settings(relay(f"canary{char}FORGED=1", app), {"name": app, "accept": ACCEPT}, form=form)
    assert "canary" not in str(caught.value) and "FORGED" not in str(caught.value)


@pytest.mark.parametrize(("app", "form", "kind"), FORMS, ids=[f"{app}-{form}" for app, form, _kind in FORMS])
def test_turned_off_it_is_text_too(app: str, form: str, kind: str) -> None:
    try:
        settings = smtp_settings({**relay("x", app), "enabled": False}, {"name": app, "accept": ACCEPT}, form=form)
    except AnsibleFilterError as error:
        assert "[no-off]" in str(error)
        return
    assert all(type(value) is str for value in settings.values())


def test_other_forms_keep_numbers_and_booleans() -> None:
    assert smtp_settings(relay("x"), "immich")["notifications"]["smtp"]["transport"]["port"] == 465
