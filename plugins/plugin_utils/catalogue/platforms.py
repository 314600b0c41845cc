# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Platforms: an application's variables wrapped for Kubernetes (a Secret) or Docker Compose (an override), for any entry with a form of variables."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._shared.secret import Secret
from ..declaration.model import Application, ApplicationRequest, FilePlan, Form
from ..dialects._registry import dialect
from ..dialects.base import CannotCarry
from ..dialects.docker_env import quote as plain_variable

MANAGER = "smarthost.mail"
# As a container gets them come first; the others write a file of variables that real ones win over.
_OF_VARIABLES = ("docker_env", "systemd_env", "phpdotenv", "symfony_dotenv")
_Keys = t.Tuple[str, ...]


class Platform(t.NamedTuple):
    """One way to wrap variables.

    wrap: variables, request and path of the secret file (or None) to tree. at: where in the tree a variable stands. files: whether what
    runs there can be given a file of the host.
    """

    name: str
    dialect: str
    path: str
    reason: str
    wrap: t.Callable[[t.Mapping[str, t.Any], ApplicationRequest, t.Optional[str]], dict[str, t.Any]]
    at: t.Callable[[ApplicationRequest], t.Sequence[_Keys]]
    files: bool


def _secret(
    variables: t.Mapping[str, t.Any], request: ApplicationRequest, _secret_file: str | None = None
) -> dict[str, t.Any]:
    """A Secret of Kubernetes: for ``envFrom``, which takes every value as it stands."""
    given = request.platforms.get("k8s_secret", {})
    labels = {
        "app.kubernetes.io/name": request.app.strip("_").replace("_", "-"),
        "app.kubernetes.io/managed-by": MANAGER,
        **given.get("labels", {}),
    }
    metadata = {
        "name": given.get("name", _dns_name(request.name) + "-mail"),
        "namespace": given.get("namespace"),
        "labels": labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {key: value for key, value in metadata.items() if value is not None},
        "type": "Opaque",
        "stringData": dict(variables),
    }


def _override(
    variables: t.Mapping[str, t.Any], request: ApplicationRequest, secret_file: str | None = None
) -> dict[str, t.Any]:
    """A file to name after the project's own: ``docker compose -f compose.yaml -f THIS``."""
    mounted = {"volumes": [f"{secret_file}:{secret_file}:ro"]} if secret_file else {}
    return {"services": {service: {"environment": dict(variables), **mounted} for service in _services(request)}}


def _services(request: ApplicationRequest) -> list[str]:
    return list(request.platforms.get("compose", {}).get("services", [request.name]))


def _dns_name(name: str) -> str:
    """RFC 1123: lower case, digits and dashes, neither first nor last a dash."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


PLATFORMS = {
    one.name: one
    for one in (
        Platform(
            "k8s_secret",
            "yaml",
            "/etc/smarthost/k8s/{name}.yml",
            "kubectl apply -f this file, then restart what takes its variables from it",
            _secret,
            lambda request: [("stringData",)],
            False,
        ),
        Platform(
            "compose",
            "compose",
            "/etc/smarthost/compose/{name}.yml",
            "docker compose up -d, with this file as one more -f after the project's own",
            _override,
            lambda request: [("services", service, "environment") for service in _services(request)],
            True,
        ),
    )
}


def wrapped_form(application: Application) -> Form | None:
    """The form whose variables a platform can wrap; None where the application has none."""
    alone = [
        form for form in application.forms.values() if len(form.files) == 1 and isinstance(form.files[0].settings, dict)
    ]
    return next((form for name in _OF_VARIABLES for form in alone if form.files[0].dialect == name), None)


def platform_of(request: ApplicationRequest, application: Application) -> Platform | None:
    """The platform that a request asks for by its form; None where the entry has a form of that name, or nothing to wrap."""
    if request.form is None or request.form in application.forms or wrapped_form(application) is None:
        return None
    return PLATFORMS.get(request.form)


def form_names(application: Application) -> list[str]:
    """Every form that may be asked for: the entry's own, and the platforms that can wrap one of them."""
    return [
        *application.forms,
        *(name for name in PLATFORMS if name not in application.forms and wrapped_form(application) is not None),
    ]


def wrap(platform: Platform, file: FilePlan, request: ApplicationRequest, secret_file: str | None) -> FilePlan:
    """The file that a platform takes in place of a file of variables."""
    variables = as_variables(file) or {}
    secrets = [(*above, *key) for above in platform.at(request) for key in file.secrets]
    return FilePlan(
        file.path,
        platform.dialect,
        False,
        platform.wrap(variables, request, secret_file),
        (),
        frozenset(secrets),
        request.owner,
        request.group,
        request.mode or "0600",
        None,
    )


def as_variables(file: FilePlan) -> dict[str, t.Any] | None:
    """What each variable holds, as text, for the process that is to see it; None for a file that is not one of variables.

    What cannot be such a text stays as it is, for render to refuse by its key.
    """
    if file.dialect not in _OF_VARIABLES or not isinstance(file.tree, t.Mapping):
        return None
    spell = getattr(dialect(file.dialect), "variable", plain_variable)
    return {name: _spelled(value, spell) for name, value in file.tree.items()}


def _spelled(value: t.Any, spell: t.Callable[[t.Any], str]) -> t.Any:
    """The text that the variable holds, for a secret in its wrapping; what cannot be one stays, for render to refuse by its key."""
    try:
        return Secret(spell(value.reveal())) if isinstance(value, Secret) else spell(value)
    except CannotCarry:
        return value
