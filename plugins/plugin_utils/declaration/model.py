# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that travel between the stages: frozen, typed, and unable to print a secret."""

from __future__ import annotations

import dataclasses
import email.headerregistry
import typing as t

from ...module_utils._shared.secret import Secret

SECURITY = ("none", "opportunistic", "starttls", "tls")
RELAY_TYPES = ("smtp", "ms_graph", "local_mta", "none")
Security = t.Literal["none", "opportunistic", "starttls", "tls"]


class Mailbox(t.NamedTuple):
    """An address with an optional display name (RFC 5322 section 3.4)."""

    address: str
    name: str = ""

    @property
    def local(self) -> str:
        """The part before the last ``@``."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The part after the last ``@``."""
        return self.address.rpartition("@")[2]

    @property
    def mailbox(self) -> str:
        """``Name <address>``, the name quoted where RFC 5322 demands it, or the bare address."""
        if not self.name:
            return self.address
        return str(email.headerregistry.Address(self.name, self.local, self.domain))


class DeclaredCredential(t.NamedTuple):
    """Id (a label, never secret), user name and secret of one login."""

    id: str
    username: str
    password: Secret


class OAuth2Settings(t.NamedTuple):
    """What a client needs to fetch an access token (RFC 6749)."""

    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    token_url: str | None = None
    scope: str | None = None
    refresh_token: Secret | None = None
    jwt_key: Secret | None = None
    jwt_thumbprint: str | None = None
    grant: str | None = None
    ca_path: str | None = None
    account: str | None = None  # whom the token is for, where that is not the sender


class MessagePreferences(t.NamedTuple):
    """Preferences for what applications write."""

    charset: str | None = None
    plain_text: bool | None = None
    max_attachment_mb: int | None = None
    signature: str | None = None


@dataclasses.dataclass(frozen=True)
class Relay:
    """One relay, resolved: every default filled in. ``declared`` holds the keys that the user wrote."""

    name: str
    type: str = "smtp"
    enabled: bool = True
    default: bool = False
    host: str | None = None
    port: int | None = None
    security: Security = "tls"
    validate_certs: bool = True
    ca_path: str | None = None
    tls_server_name: str | None = None
    tls_min_version: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    tls_fingerprints: tuple[str, ...] = ()
    min_cert_days: int | None = None
    credential: DeclaredCredential | None = None
    next: DeclaredCredential | None = None
    auth_mechanisms: tuple[str, ...] = ()
    auth_domain: str | None = None
    oauth2: OAuth2Settings | None = None
    graph_url: str | None = None
    allow_plaintext_auth: bool = False
    from_: Mailbox | None = None
    reply_to: Mailbox | None = None
    helo: str | None = None
    timeout: int | None = None
    message: MessagePreferences = MessagePreferences()
    description: str | None = None
    via: str | None = None
    secret: t.Literal["inline", "file"] = "inline"
    overlap: bool = True
    accept_gap: bool = False
    accept: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()

    @property
    def sends(self) -> bool:
        """False where mail is to be turned off in the applications that use this relay."""
        return self.enabled and self.type != "none"


@dataclasses.dataclass(frozen=True)
class ApplicationRequest:
    """One item of ``smtp_relay_apps``: which application gets which relay, where, and what differs for it.

    where: the item that asks for it, as ``smtp_relay_apps_wiki[0]``. also: items of other variables that ask for the same.
    """

    name: str
    app: str
    where: str
    relay: str
    state: t.Literal["present", "absent", "unmanaged"] = "present"
    form: str | None = None
    path: str | None = None
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    activate: t.Mapping[str, t.Any] | None = None
    drift: t.Literal["report", "enforce", "adopt"] = "report"
    tool: tuple[str, ...] = ()
    object: str | None = None
    accept: frozenset[str] = frozenset()
    overrides: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    platforms: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)  # by form: k8s_secret, compose
    also: tuple[str, ...] = ()
    unit: str | None = None
    installed: bool = False  # declared, where it cannot be seen; so is wired
    wired: bool = False
    version: str | None = None

    @property
    def project(self) -> t.Mapping[str, t.Any] | None:
        """The Compose project of the host that it runs in: folder, services, files, program; None where none is named."""
        given = self.platforms.get("compose", {})
        return {**given, "services": list(given.get("services", [self.name]))} if "folder" in given else None


@dataclasses.dataclass(frozen=True)
class Declaration:
    """All relays by name, the default's name, and the applications of one host, in the user's order."""

    relays: t.Mapping[str, Relay]
    default: str
    requests: tuple[ApplicationRequest, ...]


class Gap(t.NamedTuple):
    """Something declared that an application cannot express.

    instead: the mode that is written when the user accepts the gap by its code (None: the setting is left out). server: what is missing on
    this host for a relay of type local_mta, where that is a way out.
    """

    capability: str
    code: str
    why: str
    hint: str = ""
    instead: str | None = None
    server: str = ""


class FileForm(t.NamedTuple):
    """One file of a form, as its entry describes it.

    command: an application's tool takes these settings instead, as the schema says. by_file: the settings that refer to a file with the
    secret; None: none can.
    """

    label: str
    dialect: str
    path: str
    settings: t.Any
    mail_off: t.Any
    shared: bool = False
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    command: t.Mapping[str, t.Any] | None = None
    by_file: t.Any = None


class Detect(t.NamedTuple):
    """By what one sees on a host that an application is there, and its version (package, file, run, find)."""

    units: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    version: t.Mapping[str, t.Any] | None = None


class Ways(t.NamedTuple):
    """What makes an application read the file of a form; any of these is enough (the schema says what each is).

    tool: its own tool takes and shows the settings, so there is nothing to wire. compose_file: containers are made with the file.
    """

    native: str | None = None
    beside: tuple[str, ...] = ()
    unit: str | None = None
    argument: str | None = None
    line: t.Mapping[str, str] | None = None
    container: bool = False
    manual: str | None = None
    add: str | None = None
    tool: bool = False
    compose_file: bool = False


class Presence(t.NamedTuple):
    """What to look for of one application on its host, all places filled in.

    path: the file that it is to read. native: that file is worth nothing without the application, so it is not written where nothing of it
    is there. usual: the file is where the entry has it, and nothing is said of where the application runs. findable: and the entry says how
    it is seen; else what is not seen may be somewhere else. dropin: the path of our drop-in that makes its unit read the file.
    required_unit: that unit, full name, where it must be there: a drop-in of a unit that is not is read by nobody.
    """

    path: str
    detect: Detect
    ways: Ways
    native: bool
    usual: bool
    findable: bool
    dropin: str | None = None
    required_unit: str | None = None


class Form(t.NamedTuple):
    """One way an application takes settings: one file, or several below one folder. activate: how they come into force.

    secret_file: ``file`` where it can refer to a secret in a file of its own, ``own`` where the login stands in such a file anyway.
    live: that file is read at each use, so that a new secret in it needs no activation. reader: the group that reads it, where that is not
    the group of the application's own file.
    """

    name: str
    path: str
    files: tuple[FileForm, ...]
    lacks: t.Mapping[str, Gap]
    environment: t.Mapping[str, t.Any]
    activate: t.Mapping[str, t.Any]
    secret_file: t.Literal["", "file", "own"] = ""
    live: bool = False
    reader: str | None = None
    detect: Detect = Detect()
    ways: Ways = Ways()


class RefusalRule(t.NamedTuple):
    """A refusal that depends on values: ``when`` is an expression over the resolved relay."""

    when: str
    gap: Gap
    forms: tuple[str, ...]


class Application(t.NamedTuple):
    """One entry of the catalogue."""

    name: str
    title: str
    forms: t.Mapping[str, Form]
    security: t.Mapping[str, t.Any]
    rules: tuple[RefusalRule, ...]
    activate: t.Mapping[str, t.Any]
    evidence: str
    test: str
    entry: t.Mapping[str, t.Any]


class Refusal(t.NamedTuple):
    """The plan's answer when an application cannot express what was declared."""

    where: str
    name: str
    title: str
    gap: Gap


class FilePlan(t.NamedTuple):
    """One file of the plan: where, in which dialect, and the tree whose secrets cannot print themselves.

    owns: the key paths that are ours in a shared file. secrets: the key paths that hold a secret whenever they are there.
    group_if_open: the group that a shared file gets when everybody may read it, and it is to hold a secret.
    command: how the host asks the tool that takes these settings (module_utils files.commands.Command); ``path`` is its name then.
    readers: for a secret file, which several applications may have in common: who must be able to read it (``user:git``, ``group:git``).
    """

    path: str
    dialect: str
    shared: bool
    tree: t.Any
    owns: tuple[tuple[str, ...], ...]
    secrets: frozenset[tuple[str, ...]]
    owner: str | None
    group: str | None
    mode: str | None
    group_if_open: str | None
    command: t.Mapping[str, t.Any] | None = None
    readers: tuple[str, ...] | None = None


class AppPlan(t.NamedTuple):
    """What one application gets. ``security`` is the mode that is written: the declared one, or the one of an accepted gap.

    forwards: why it is not known whether the local MTA forwards its mail to the relay behind it; empty where it is. forwarder: the name of
    the mail server on this host that is to.
    """

    request: ApplicationRequest
    application: Application
    form: str
    relay: Relay
    security: str
    path: str
    files: tuple[FilePlan, ...]
    unexpressed: tuple[str, ...]
    accepted: tuple[Gap, ...]
    environment: t.Mapping[str, t.Any]
    activate: t.Mapping[str, t.Any]
    live: bool
    presence: Presence
    forwards: str = ""
    forwarder: str = ""


class HostPlan(t.NamedTuple):
    """What one host gets: plans and refusals, and the requests that take back or leave alone."""

    apps: tuple[AppPlan, ...]
    refusals: tuple[Refusal, ...]
    absent: tuple[ApplicationRequest, ...]
    unmanaged: tuple[ApplicationRequest, ...]
