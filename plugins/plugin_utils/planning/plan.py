# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of one host: which application gets which files with which content, or why it cannot (DESIGN sections 3 and 4)."""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t

from ..catalogue import platforms, presence
from ..catalogue.loader import Catalogue
from ..catalogue.command import command, tool_problems
from ..catalogue.context import expression_context
from ..declaration.resolve import override
from ..catalogue.expressions import SECRET_NAMES, ExpressionError, compute, evaluate, names_in_tree
from ..declaration.model import (
    SECURITY,
    AppPlan,
    Application,
    DeclaredCredential,
    Declaration,
    FileForm,
    FilePlan,
    Form,
    Gap,
    HostPlan,
    Refusal,
    Relay,
    ApplicationRequest,
)
from ..problems import Problem, ProblemsError, did_you_mean, one_of
from .refusal import acceptable, problem

CREDENTIALS = ("in_force", "current", "next")
PREFERENCES = (
    "from", "from_name", "reply_to", "helo", "timeout", "tls_min_version", "auth_mechanisms",
    "charset", "plain_text", "max_attachment_mb", "signature",
)
# Few applications can, so no entry need say that it cannot.
NO_CLIENT_CERT = Gap("client_cert", "no-client-cert", "its entry has no settings for one")
NO_SECRET_FILE = Gap("secret_file", "no-secret-file", "it has no setting that names one")
SECRETS = "/etc/smarthost/secrets"
_MAPPED_BY = {
    "client_cert": {"client_cert"},
    "no_verify": {"validate_certs"}, "ca_path": {"ca_path"}, "tls_server_name": {"tls_server_name"}, "login": {"password"},
    "oauth2": {"client_secret", "refresh_token", "client_id"}, "ms_graph": {"client_secret", "client_id"},
}
_EXPRESSED_BY = {
    "from": {"from", "from_address", "from_local"}, "from_name": {"from", "from_name"}, "reply_to": {"reply_to", "reply_to_address"},
}


def plan_host(
    declaration: Declaration, catalogue: Catalogue, credential: str = "in_force", in_force: t.Mapping[str, str] | None = None,
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
    by_state = {state: tuple(request for request in declaration.requests if request.state == state) for state in ("absent", "unmanaged")}
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
        named = names_in_tree([file.settings for file in form.files]) | names_in_tree(dict(form.environment))
        gaps, accepted = _sort_gaps(_gaps(relay, application, form, named) + _no_secret_file(relay, application, form, request), relay.accept)
    except ExpressionError as error:
        raise _broken(request, error) from None
    mode = next((gap.instead for gap in accepted if gap.instead and gap.capability == relay.security), relay.security)
    platform = platforms.platform_of(request, application)
    path = request.path or (platform or form).path.replace("{name}", request.name)
    by_file = relay.secret == "file" and relay.sends and relay.credential and form.secret_file == "file"
    secret_file = f"{SECRETS}/{relay.name}" if by_file and not any(gap.capability == "secret_file" for gap in accepted) else None
    files = {file.label: f"{path.rstrip('/')}/{file.path}" if file.path else path for file in form.files}
    try:
        context = expression_context(request, relay, application, mode, path, files, secret_file)
        rules = [rule.gap for rule in application.rules if form.name in rule.forms and relay.sends and compute(rule.when, context)]
        broken, more = _sort_gaps(rules, relay.accept)
        if gaps or broken:
            return [Refusal(request.where, request.name, application.title, gap) for gap in gaps + broken]
        planned = [_file(file, files[file.label], request, relay, context) for file in form.files]
        if platform:
            planned = [platforms.wrap(platform, file, request, secret_file) for file in planned]
        present = presence.presence_of(request, application, form, platform, path)
        dropin = presence.dropin_file(present)
        planned += [dropin] if dropin else []
        planned += [_secret_file(secret_file, relay, request, form)] if secret_file else []
        environment = evaluate(dict(form.environment), context) if relay.sends else {}
    except ExpressionError as error:
        raise _broken(request, error) from None
    return AppPlan(
        request, application, platform.name if platform else form.name, relay, mode, path, tuple(file for file in planned if file.tree is not None),
        _unexpressed(relay, named), tuple(accepted + more), environment,
        presence.activation(request, form, platform), form.live, present,
    )


def _broken(request: ApplicationRequest, error: ExpressionError) -> ProblemsError:
    return ProblemsError([Problem(f"{request.app}/app.yml", f"{error}.", "entry-invalid", f"It is needed for {request.where} ({request.name}).")])


def capabilities_asked(relay: Relay) -> list[str]:
    """The security capabilities that a declaration asks of an application; each is mapped or lacking."""
    if not relay.sends:
        return ["mail_off"]
    if relay.type == "ms_graph":
        return ["ms_graph"]
    asked: list[str] = [relay.security]
    if relay.security in ("starttls", "tls"):
        asked.append("verify" if relay.validate_certs else "no_verify")
        asked += [name for name in ("ca_path", "tls_server_name") if getattr(relay, name) and relay.validate_certs]
    if relay.client_cert:
        asked.append("client_cert")
    if relay.oauth2 is not None:
        asked.append("oauth2")
    else:
        asked.append("login" if relay.credential else "anonymous")
    return asked


def preferences_asked(relay: Relay) -> list[str]:
    """The preferences that the user wrote; one that an application lacks is reported and does not refuse."""
    # A login domain belongs to one mechanism, as the order of mechanisms does: without it a login may fail, and never be less safe.
    named = ("from", "reply_to", "helo", "timeout", "tls_min_version", "auth_mechanisms", "auth_domain")
    asked = [name for name in named if name in relay.declared]
    if relay.from_ is not None and relay.from_.name:
        asked.append("from_name")
    return asked + [name for name, value in relay.message._asdict().items() if value is not None]


def _gaps(relay: Relay, application: Application, form: Form, named: frozenset[str]) -> list[Gap]:
    gaps = []
    named |= names_in_tree([f"={rule.when}" for rule in application.rules if form.name in rule.forms])
    for capability in capabilities_asked(relay):
        gap = form.lacks.get(capability)
        if gap is None and not _mapped(capability, application, form, named):
            neither = Gap(capability, "entry-invalid", f"the entry neither maps nor explains {capability}")
            gap = NO_CLIENT_CERT if capability == "client_cert" else neither
        if gap is not None and gap.instead is not None and gap.instead not in application.security:
            gap = Gap(capability, "entry-invalid", f"the entry has no word for {gap.instead}, which it writes instead")
        gaps += [gap] if gap is not None else []
    return gaps


def _no_secret_file(relay: Relay, application: Application, form: Form, request: ApplicationRequest) -> list[Gap]:
    """Why the secret cannot stand in a file of its own, where that is asked for."""
    platform = platforms.platform_of(request, application)
    if relay.secret != "file" or not relay.sends or not (relay.credential or relay.oauth2):
        return []
    if form.secret_file and not relay.oauth2 and (platform is None or platform.files):
        return []
    others = [other.name for other in application.forms.values() if other.secret_file and other.name != form.name and not relay.oauth2]
    gap = form.lacks.get("secret_file", NO_SECRET_FILE)
    return [gap._replace(hint=f"Use form: {others[0]}") if others and not gap.hint else gap]


def _secret_file(path: str, relay: Relay, request: ApplicationRequest, form: Form) -> FilePlan:
    """The file with the relay's secret and nothing else, for whoever reads the application's own file."""
    file = form.files[0]
    group, owner = request.group or (None if request.owner else form.reader or file.group), request.owner or file.owner
    reader = f"group:{group}" if group else f"user:{owner}"
    readers = (reader,) if (group or owner or "root") not in ("root", "0") else ()
    secret = t.cast(DeclaredCredential, relay.credential).password
    return FilePlan(path, "whole", False, secret, (), frozenset({()}), None, None, None, None, readers=readers)


def _mapped(capability: str, application: Application, form: Form, named: frozenset[str]) -> bool:
    """Whether the entry does something about a capability that it does not lack; else it would be dropped in silence."""
    if capability in SECURITY:
        return capability in application.security
    if capability == "mail_off":
        return all(file.mail_off is not None for file in form.files)
    if capability == "no_verify" and "verify" in form.lacks:
        return True  # what verifies nothing need not be told so
    return capability not in _MAPPED_BY or bool(named & _MAPPED_BY[capability])


def _sort_gaps(gaps: t.Iterable[Gap], accept: frozenset[str]) -> tuple[list[Gap], list[Gap]]:
    """Gaps that refuse, and gaps that the user has accepted by code. A mode with nothing to write instead is never accepted."""
    refused: list[Gap] = []
    accepted: list[Gap] = []
    for gap in gaps:
        (accepted if gap.code in accept and acceptable(gap) else refused).append(gap)
    return refused, accepted


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
        meant = [other.name for other in application.forms.values() if other.files[0].shared and other.path.rpartition("/")[2] == base]
        if meant:
            what = f"{base} is the file that form {meant[0]} edits; form {name}, the first, would replace it whole."
            raise ProblemsError([Problem(f"{request.where}.form", what, "form-unsaid", f"Say form: {meant[0]} (or form: {name}).")])
    return form


def _file(file: FileForm, path: str, request: ApplicationRequest, relay: Relay, context: t.Mapping[str, t.Any]) -> FilePlan:
    # The keys that turn mail off are ours as well: else they would stay in force when it is turned on again.
    # So are those that name a secret's file, and those that hold the secret where that is not so.
    leaves = {**dict(key_paths(file.mail_off or {})), **dict(key_paths(file.by_file or {})), **dict(key_paths(file.settings))}
    secrets = frozenset(key for key, value in leaves.items() if names_in_tree(value) & SECRET_NAMES)
    name, asked = command(file.command, leaves, secrets, path, request) if file.command else (path, None)
    settings = file.by_file if context["secret_file"] and file.by_file is not None else file.settings
    return FilePlan(
        name, file.dialect, file.shared, evaluate(settings if relay.sends else file.mail_off, context),
        tuple(leaves) if file.shared else (), secrets,
        # The user's file keeps its place in the world; only one that everybody may read gets the application's group instead.
        request.owner or (None if file.shared else file.owner), request.group or (None if file.shared else file.group),
        request.mode or (None if file.shared else file.mode), file.group if file.shared else None, asked,
    )


def key_paths(tree: t.Any, above: tuple[str, ...] = ()) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    """The path and value of every key of a tree of settings."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from key_paths(value, (*above, str(key)))
    else:
        yield above, tree


def _unexpressed(relay: Relay, named: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in preferences_asked(relay) if relay.sends and not named & _EXPRESSED_BY.get(name, {name}))


def _same_files(plans: t.Sequence[AppPlan]) -> list[Problem]:
    """A problem for each application that writes where an earlier one does; only a secret file may be had in common."""
    writers: dict[str, str] = {}
    problems = []
    for plan in plans:
        paths = {_normal(file.path): file for file in plan.files}
        problems += [
            Problem(
                f"{plan.request.where} ({plan.request.name})", f"{file.path} is already written for {writers[path]}.", "same-file",
                "Say the unit of one of them: unit." if path == plan.presence.dropin else "Give one of them another path.",
            )
            for path, file in paths.items() if file.readers is None and path in writers
        ]
        for path in paths:
            writers.setdefault(path, plan.request.name)
    return problems


def _normal(path: str) -> str:
    # POSIX lets two slashes at the start mean something else; no system here does.
    return posixpath.normpath("/" + path.lstrip("/"))
