# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forms that wrap an application's variables for Kubernetes and Docker Compose: for every entry that has variables, with any secret."""

from __future__ import annotations

import re
import typing as t

import pytest
import ruamel.yaml
import yaml
from ansible_collections.smarthost.mail.plugins.filter.smtp import smtp_files, smtp_settings
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue import platforms
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import checks, resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, HostPlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import dialect
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.docker_env import quote as plain_variable
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.plan import plan_host
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render
from catalogue import oracles
from catalogue.cases import APPS, CATALOGUE, MATRIX, rows
from catalogue.hostile import HOSTILE

WRAPPED = [app for app in APPS if platforms.wrapped_form(CATALOGUE.find(app, ""))]
RELAY = {
    "host": "smtp.example.com",
    "username": "apps@example.com",
    "password": "dummy-secret",
    "from": "noreply@example.com",
}
READERS: dict[str, t.Callable[[str], t.Any]] = {
    "pyyaml": yaml.safe_load,
    "ruamel": lambda text: ruamel.yaml.YAML(typ="safe", pure=True).load(text),
    "go": oracles.go_yaml,
}


def planned(
    app: str, form: str, item: dict[str, t.Any] | None = None, relay: t.Any = None, credential: str = "in_force"
) -> HostPlan:
    return plan_host(resolve.load(relay or RELAY, [{"name": app, "form": form, **(item or {})}]), CATALOGUE, credential)


def text_of(plan: AppPlan) -> str:
    rendered, refusals, problems = render.render_app(plan, {})
    assert not refusals and not problems
    return rendered[0].text


def one(app: str, form: str, item: dict[str, t.Any] | None = None, relay: t.Any = None) -> AppPlan:
    [plan] = planned(app, form, item, relay).apps
    return plan


def test_every_entry_with_a_form_of_variables_has_them() -> None:
    assert len(WRAPPED) > 20 and {"gitea", "grafana", "laravel", "symfony"} <= set(WRAPPED)
    assert not {"postfix", "nextcloud"} & set(WRAPPED)


@pytest.mark.parametrize("app", WRAPPED)
def test_they_hold_what_the_form_of_variables_holds_or_are_refused_as_it_is(app: str) -> None:
    application = CATALOGUE.find(app, "")
    form = platforms.wrapped_form(application)
    assert form is not None
    spell = getattr(dialect(form.files[0].dialect), "variable", plain_variable)
    for row, given in rows(app).items():
        item = {"accept": MATRIX["accept"], **given.get("application", {})}
        how = given["relay"], given.get("credential", "in_force")
        env, secret, compose = (planned(app, name, item, *how) for name in (form.name, "k8s_secret", "compose"))
        alone = planned(app, form.name, {**item, "secret": "inline"}, *how)  # in a Secret the secret is never by file
        said = [[refusal.gap for refusal in each.refusals] for each in (env, secret, compose, alone)]
        assert said[0] == said[2] and said[1] == said[3], row
        if env.refusals or alone.refusals:
            continue
        read = {"k8s_secret": lambda text: yaml.safe_load(text)["stringData"]}
        read["compose"] = lambda text: dialect("compose").read(text)["services"][app]["environment"]
        for like, plan in ((alone.apps[0], secret.apps[0]), (env.apps[0], compose.apps[0])):
            wanted = {name: spell(value) for name, value in render.reveal(like.files[0].tree).items()}
            assert read[plan.form](text_of(plan)) == wanted, row
            assert render.holds_secret(plan.files[0]) == render.holds_secret(like.files[0])
            assert {key[-1] for key in plan.files[0].secrets} == {key[-1] for key in like.files[0].secrets}
            assert plan.files[0].mode == "0600" and not plan.files[0].shared
            assert plan.activate["how"] == "none" and plan.activate["reason"]


@pytest.mark.parametrize("reader", READERS)
def test_a_secret_of_kubernetes_carries_every_hostile_secret(reader: str) -> None:
    for name, value in HOSTILE.items():
        if checks.CONTROL.search(value):
            continue
        manifest = READERS[reader](text_of(one("vaultwarden", "k8s_secret", relay={**RELAY, "password": value})))
        assert manifest["stringData"]["SMTP_PASSWORD"] == value, name
        if reader == "go" and name == "all quotes":
            break  # a process each


def test_a_secret_of_kubernetes_is_one() -> None:
    for app in WRAPPED:
        for plan in planned(app, "k8s_secret", {"accept": MATRIX["accept"]}, {**RELAY, "security": "starttls"}).apps:
            manifest = yaml.safe_load(text_of(plan))
            assert (manifest["apiVersion"], manifest["kind"], manifest["type"]) == ("v1", "Secret", "Opaque")
            assert set(manifest) == {"apiVersion", "kind", "metadata", "type", "stringData"}
            assert re.fullmatch("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", manifest["metadata"]["name"])
            assert all(
                re.fullmatch("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", label)
                for label in manifest["metadata"]["labels"].values()
            )
            assert all(
                re.fullmatch("[-._a-zA-Z0-9]+", key) and isinstance(value, str)
                for key, value in manifest["stringData"].items()
            )


def test_name_namespace_and_labels_are_the_users() -> None:
    given = {"name": "mail", "namespace": "git", "labels": {"team": "platform", "app.kubernetes.io/name": "forge"}}
    metadata = yaml.safe_load(text_of(one("gitea", "k8s_secret", {"k8s_secret": given})))["metadata"]
    assert metadata == {
        "name": "mail",
        "namespace": "git",
        "labels": {
            "app.kubernetes.io/name": "forge",
            "app.kubernetes.io/managed-by": "smarthost.mail",
            "team": "platform",
        },
    }
    plan = one("Git_internal-", "k8s_secret", {"app": "gitea"})
    assert yaml.safe_load(text_of(plan))["metadata"]["name"] == "git-internal-mail"
    assert plan.path == "/etc/smarthost/k8s/Git_internal-.yml"


def test_compose_gives_each_service_what_was_declared() -> None:
    """docker-compose itself reads the override after a project's own file, and prints what the containers would get."""
    carried = {name: value for name, value in HOSTILE.items() if not checks.CONTROL.search(value)}
    assert len(carried) >= 40
    plan = one("authentik", "compose", {"compose": {"services": ["server", "worker"]}, "path": "/srv/mail.yml"})
    assert plan.path == "/srv/mail.yml"
    assert set(oracles.compose(text_of(plan), ["server", "worker"])) == {"server", "worker"}
    spoken = dialect("compose")
    names = {f"V{number}": value for number, value in enumerate(carried.values())}
    text = spoken.write(platforms.PLATFORMS["compose"].wrap(names, plan.request, None))
    for service in oracles.compose(text, ["server", "worker"]).values():
        assert service == names


def test_a_word_that_laravel_turns_into_a_type_is_wrapped_for_it() -> None:
    manifest = yaml.safe_load(text_of(one("bookstack", "k8s_secret", relay={**RELAY, "password": "null"})))
    assert manifest["stringData"]["MAIL_PASSWORD"] == '"null"'


def test_a_service_of_compose_is_given_the_secret_file_and_a_secret_of_kubernetes_has_none() -> None:
    plan = one("gitea", "compose", {"secret": "file", "relay": "main"}, {"default": "main", "relays": {"main": RELAY}})
    service = yaml.safe_load(text_of(plan))["services"]["gitea"]
    assert service["volumes"] == ["/etc/smarthost/secrets/main:/etc/smarthost/secrets/main:ro"]
    assert service["environment"]["GITEA__mailer__PASSWD__FILE"] == plan.files[1].path == "/etc/smarthost/secrets/main"
    [refusal] = planned("gitea", "k8s_secret", {"secret": "file"}).refusals
    assert refusal.gap.code == "no-secret-file"


def test_the_filters_serve_them_too() -> None:
    manifest = smtp_settings(RELAY, "vikunja", "k8s_secret")
    assert manifest["stringData"]["VIKUNJA_MAILER_PASSWORD"] == RELAY["password"]
    assert {str} == set(map(type, manifest["stringData"].values()))
    assert smtp_files(RELAY, "vikunja", "compose").keys() == {"/etc/smarthost/compose/vikunja.yml"}


def test_what_has_no_variables_says_so() -> None:
    with pytest.raises(ProblemsError) as error:
        planned("postfix", "compose")
    assert [problem.code for problem in error.value.problems] == ["unknown-form"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"form": "env", "compose": {"services": ["web"]}}, "not-for-form"),
        ({"k8s_secret": {"name": "mail"}}, "not-for-form"),
        ({"form": "k8s_secret", "k8s_secret": {"name": "Mail"}}, "not-a-name"),
        ({"form": "k8s_secret", "k8s_secret": {"labels": {"a b": "c"}}}, "not-a-name"),
        ({"form": "k8s_secret", "k8s_secret": {"labels": {"a": "-"}}}, "not-a-name"),
        ({"form": "compose", "compose": {"services": []}}, "out-of-range"),
        ({"form": "compose", "compose": {"service": "web"}}, "unknown-key"),
    ],
)
def test_what_does_not_fit_is_named(item: dict[str, t.Any], code: str) -> None:
    with pytest.raises(ProblemsError) as error:
        resolve.load(RELAY, [{"name": "gitea", **item}])
    assert [problem.code for problem in error.value.problems] == [code]
