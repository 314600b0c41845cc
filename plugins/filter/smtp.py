# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters: the settings of one application as data, as files, and the probes that prove its relays."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.smarthost.mail.plugins.module_utils._shared import internal_error
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue import platforms
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import plain_values, resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, FilePlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan, refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render
from ansible_collections.smarthost.mail.plugins.plugin_utils.verification import probes

CREDENTIALS = ("current", "next")


def smtp_settings(
    relay: t.Any, app: t.Any, form: str | None = None, catalogue: t.Sequence[str] = (), credential: str = "current"
) -> t.Any:
    """One application's settings as data (secrets in the clear): for an ``env:`` or a Secret. See the filter's documentation."""
    return _guarded(lambda: _settings(_plan(relay, app, form, catalogue, credential)))


def _settings(planned: AppPlan) -> t.Any:
    refused = render.cannot_hold(planned)
    if refused:
        raise AnsibleFilterError("\n".join(str(refusal.problem(item)) for item in refused))
    files = [file for file in planned.files if file.readers is None and file.path != planned.presence.dropin]
    trees = {file.path: _data(file) for file in files}
    return next(iter(trees.values())) if len(trees) == 1 else trees


def smtp_files(
    relay: t.Any, app: t.Any, form: str | None = None, catalogue: t.Sequence[str] = (), credential: str = "current"
) -> dict[str, str]:
    """One application's files as ``{path: text}``. See the filter's documentation."""
    found: dict[str, str] = _guarded(lambda: _files(_plan(relay, app, form, catalogue, credential)))
    return found


def _files(planned: AppPlan) -> dict[str, str]:
    rendered, refusals, problems = render.render_app(planned, {})
    problems += [refusal.problem(item) for item in refusals]
    if problems:
        raise AnsibleFilterError("\n".join(map(str, problems)))
    return {item.file.path: item.text for item in rendered}


def smtp_probes(
    relay: t.Any, apps: t.Any = None, credential_ids: t.Mapping[str, str] | None = None, level: str | None = None
) -> list[dict[str, t.Any]]:
    """The options of ``smtp_probe`` for every relay that the applications use. See the filter's documentation."""
    found: list[dict[str, t.Any]] = _guarded(lambda: _probes(relay, apps, credential_ids, level))
    return found


def _probes(
    relay: t.Any, apps: t.Any, credential_ids: t.Mapping[str, str] | None, level: str | None
) -> list[dict[str, t.Any]]:
    try:
        return (
            []
            if apps is not None and not apps
            else probes.probes(resolve.load(relay, apps), plain_values.plain(credential_ids or {}), str(level or ""))
        )
    except ProblemsError as error:
        raise AnsibleFilterError(str(error)) from None


def _data(file: FilePlan) -> t.Any:
    """A file's settings as data: variables are text, as no environment holds anything else."""
    variables = platforms.as_variables(file)
    return render.reveal(file.tree if variables is None else variables, render.secret_marker(file))


def _plan(relay: t.Any, app: t.Any, form: str | None, catalogue: t.Sequence[str], credential: str) -> AppPlan:
    item = plain_values.plain({"name": app} if isinstance(app, str) else app)
    if form and isinstance(item, dict):
        item["form"] = plain_values.plain(form)
    if credential not in CREDENTIALS:
        raise AnsibleFilterError(f"credential: one of {', '.join(CREDENTIALS)} is expected")
    try:
        declared = resolve.load(relay, [item])
        planned = plan.plan_host(
            declared, Catalogue([catalogue] if isinstance(catalogue, str) else list(catalogue)), credential
        )
    except ProblemsError as error:
        raise AnsibleFilterError(str(error)) from None
    if planned.refusals:
        raise AnsibleFilterError("\n".join(str(refusal.problem(item)) for item in planned.refusals))
    if not planned.apps:
        raise AnsibleFilterError("only an application with state: present has settings")
    return planned.apps[0]


def _guarded(work: t.Callable[[], t.Any]) -> t.Any:
    """What nobody expected is an error without the text that it may have from a secret."""
    try:
        return work()
    except Exception as error:
        if internal_error.is_ansibles(error):
            raise
        found = internal_error.problem(error)
    raise AnsibleFilterError(str(found))


class FilterModule:
    """Filters of smarthost.mail."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters by name."""
        return {"smtp_settings": smtp_settings, "smtp_files": smtp_files, "smtp_probes": smtp_probes}
