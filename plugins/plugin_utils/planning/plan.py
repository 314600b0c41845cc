# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of one host: which application gets which files with which content, or why it cannot (DESIGN sections 3 and 4)."""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t

from ..catalogue import platforms, presence
from ..catalogue.command import tool_problems
from ..catalogue.context import expression_context
from ..catalogue.expressions import ExpressionError, compute, evaluate, names_in_tree
from ..catalogue.loader import Catalogue
from ..catalogue.platforms import Platform
from ..declaration.model import (
    Application,
    ApplicationRequest,
    AppPlan,
    Declaration,
    FilePlan,
    Form,
    Gap,
    HostPlan,
    Refusal,
    Relay,
)
from ..declaration.settings import override
from ..problems import Problem, ProblemsError, did_you_mean, one_of
from .files import SECRETS, file_plan, secret_file_plan
from .gaps import gaps_of, sort_gaps, unexpressed
from .refusal import problem

CREDENTIALS = ("in_force", "current", "next")


def plan_host(
    declaration: Declaration,
    catalogue: Catalogue,
    credential: str = "in_force",
    in_force: t.Mapping[str, str] | None = None,
) -> HostPlan:
    """Plan every requested application.

    credential: ``in_force`` keeps the one whose id ``in_force`` (application name: credential id, from the host's
    record) names; ``current`` and ``next`` choose. Raises ProblemsError for what is wrong with the request itself
    (unknown application or form, two applications on one file), with what is refused besides; alone, what an application cannot express
    is a refusal.
    """
    plans: list[AppPlan] = []
    refusals: list[Refusal] = []
    problems: list[Problem] = []
    known = _in_force(declaration, in_force or {})
    for request in declaration.requests:
        if request.state != "present":
            continue
        relay = with_credential(override(declaration.relays[request.relay], request), credential, known(request))
        try:
            answer = plan_app(request, relay, catalogue.find(request.app, request.where))
        except ProblemsError as error:
            problems += error.problems
            continue
        if isinstance(answer, AppPlan):
            plans.append(answer)
        else:
            refusals += answer
    problems += _same_files(plans)
    if problems:
        raise ProblemsError([*problems, *map(problem, refusals)])
    by_state = {
        state: tuple(request for request in declaration.requests if request.state == state)
        for state in ("absent", "unmanaged")
    }
    return HostPlan(tuple(plans), tuple(refusals), by_state["absent"], by_state["unmanaged"])


def _in_force(declaration: Declaration, in_force: t.Mapping[str, str]) -> t.Callable[[ApplicationRequest], str | None]:
    """The id of the credential that an application has. Those with one secret file in common have one: the next one as soon as any has it."""
    by_relay: dict[str, set[str]] = {}

    def by_file(request: ApplicationRequest) -> bool:
        return request.state == "present" and override(declaration.relays[request.relay], request).secret == "file"

    for request in declaration.requests:
        if request.name in in_force and by_file(request):
            by_relay.setdefault(request.relay, set()).add(in_force[request.name])

    def found(request: ApplicationRequest) -> str | None:
        following = declaration.relays[request.relay].next
        in_common = following is not None and following.id in by_relay.get(request.relay, ()) and by_file(request)
        return following.id if following is not None and in_common else in_force.get(request.name)

    return found


def with_credential(relay: Relay, choice: str, in_force: str | None) -> Relay:
    """The relay with the chosen credential as its only one. A relay without ``next`` keeps what it has."""
    use_next = relay.next is not None and (choice == "next" or (choice == "in_force" and in_force == relay.next.id))
    return dataclasses.replace(relay, credential=relay.next) if use_next else relay


def plan_app(request: ApplicationRequest, relay: Relay, application: Application) -> AppPlan | list[Refusal]:
    """One application: its plan, or every reason why it cannot. Raises ProblemsError for an unknown form or a broken entry."""
    form = _form(request, application)
    problems = tool_problems(request, form, application)
    if problems:
        raise ProblemsError(problems)
    try:
        return _planned(request, relay, application, form)
    except ExpressionError as error:
        what = f"It is needed for {request.where} ({request.name})."
        raise ProblemsError([Problem(f"{request.app}/app.yml", f"{error}.", "entry-invalid", what)]) from None


def _planned(
    request: ApplicationRequest, relay: Relay, application: Application, form: Form
) -> AppPlan | list[Refusal]:
    named = names_in_tree([file.settings for file in form.files]) | names_in_tree(dict(form.environment))
    gaps, accepted = sort_gaps(gaps_of(relay, application, form, request, named), relay.accept)
    mode = next((gap.instead for gap in accepted if gap.instead and gap.capability == relay.security), relay.security)
    place = _place(request, relay, application, form, accepted)
    context = expression_context(request, relay, application, mode, place.path, place.files, place.secret_file)
    rules = [
        rule.gap
        for rule in application.rules
        if form.name in rule.forms and relay.sends and compute(rule.when, context)
    ]
    broken, more = sort_gaps(rules, relay.accept)
    if gaps or broken:
        return [Refusal(request.where, request.name, application.title, gap) for gap in gaps + broken]
    present = presence.presence_of(request, application, form, place.platform, place.path)
    return AppPlan(
        request=request,
        application=application,
        form=place.platform.name if place.platform else form.name,
        relay=relay,
        security=mode,
        path=place.path,
        files=tuple(
            file
            for file in _files(request, relay, form, place, presence.dropin_file(present), context)
            if file.tree is not None
        ),
        unexpressed=unexpressed(relay, named),
        accepted=tuple(accepted + more),
        environment=evaluate(dict(form.environment), context) if relay.sends else {},
        activate=presence.activation(request, form, place.platform),
        live=form.live,
        presence=present,
    )


class _Place(t.NamedTuple):
    """Where the settings of one application go: its path, its files by label, and the file that has the secret alone, if one is to."""

    platform: Platform | None
    path: str
    files: dict[str, str]
    secret_file: str | None


def _place(
    request: ApplicationRequest, relay: Relay, application: Application, form: Form, accepted: list[Gap]
) -> _Place:
    platform = platforms.platform_of(request, application)
    path = request.path or (platform or form).path.replace("{name}", request.name)
    files = {file.label: f"{path.rstrip('/')}/{file.path}" if file.path else path for file in form.files}
    by_file = relay.secret == "file" and relay.sends and relay.credential and form.secret_file == "file"
    alone = by_file and not any(gap.capability == "secret_file" for gap in accepted)
    return _Place(platform, path, files, f"{SECRETS}/{relay.name}" if alone else None)


def _files(
    request: ApplicationRequest,
    relay: Relay,
    form: Form,
    place: _Place,
    dropin: FilePlan | None,
    context: t.Mapping[str, t.Any],
) -> t.Iterator[FilePlan]:
    for file in form.files:
        planned = file_plan(file, place.files[file.label], request, relay, context)
        yield platforms.wrap(place.platform, planned, request, place.secret_file) if place.platform else planned
    if dropin:
        yield dropin
    if place.secret_file:
        yield secret_file_plan(place.secret_file, relay, request, form)


def _form(request: ApplicationRequest, application: Application) -> Form:
    name = request.form or next(iter(application.forms))
    if platforms.platform_of(request, application):
        return t.cast(Form, platforms.wrapped_form(application))
    if name not in application.forms:
        known = platforms.form_names(application)
        what = f'{application.title} has no form "{name}".{did_you_mean(name, known)}'
        raise ProblemsError([Problem(f"{request.where}.form", what, "unknown-form", one_of(known))])
    form = application.forms[name]
    if request.path and not request.form and not form.files[0].shared:
        # The form that is first replaces whole files; this path is one that the application shares with its user.
        base = request.path.rpartition("/")[2]
        meant = [
            other.name
            for other in application.forms.values()
            if other.files[0].shared and other.path.rpartition("/")[2] == base
        ]
        if meant:
            what = f"{base} is the file that form {meant[0]} edits; form {name}, the first, would replace it whole."
            raise ProblemsError(
                [Problem(f"{request.where}.form", what, "form-unsaid", f"Say form: {meant[0]} (or form: {name}).")]
            )
    return form


def _same_files(plans: t.Sequence[AppPlan]) -> list[Problem]:
    """A problem for each application that writes where an earlier one does; only a secret file may be had in common."""
    writers: dict[str, str] = {}
    problems = []
    for plan in plans:
        paths = {_normal(file.path): file for file in plan.files}
        problems += [
            Problem(
                f"{plan.request.where} ({plan.request.name})",
                f"{file.path} is already written for {writers[path]}.",
                "same-file",
                "Say the unit of one of them: unit."
                if path == plan.presence.dropin
                else "Give one of them another path.",
            )
            for path, file in paths.items()
            if file.readers is None and path in writers
        ]
        for path in paths:
            writers.setdefault(path, plan.request.name)
    return problems


def _normal(path: str) -> str:
    # POSIX lets two slashes at the start mean something else; no system here does.
    return posixpath.normpath("/" + path.lstrip("/"))
