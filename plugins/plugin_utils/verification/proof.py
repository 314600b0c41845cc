# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the probes of one host say of its applications: how far each was shown to work, and which must not be written."""

from __future__ import annotations

import dataclasses
import typing as t

from ..declaration.model import AppPlan, Declaration, Relay
from ..planning.plan import with_credential
from ..rendering.readback import NO_SECRET, read_back
from .probes import Joined, level_of, options_of

Result = t.Dict[str, t.Any]
Results = t.Sequence[t.Mapping[str, t.Any]]

LEVELS = ("connect", "tls", "auth", "envelope")
NOT_TESTED = "not_tested"
PASSED, REFUSED, TEMPORARY = "passed", "refused", "temporary"

_TLS = (
    "starttls_not_offered",
    "starttls_masked",
    "starttls_refused",
    "starttls_injection",
    "tls_mode_mismatch",
    "tls_version",
    "tls_cipher",
    "client_cert_required",
    "cert_unknown_ca",
    "cert_self_signed",
    "cert_expired",
    "cert_not_yet_valid",
    "cert_hostname",
    "cert_pin",
    "cert_strict",
)
_LOGIN = (
    "auth_not_offered",
    "auth_mechanism_unsupported",
    "auth_mechanism_too_weak",
    "auth_requires_tls",
    "auth_required",
    "auth_failed",
    "auth_server_unproven",
    "auth_app_password_required",
    "auth_basic_disabled",
    "auth_tenant_disabled",
    "auth_policy_blocked",
    "auth_account_blocked",
    "token_wrong_scope",
)
_SENDER = ("sender_rejected", "send_as_denied", "sender_unverified")
DEFINITE = frozenset((*_TLS, *_LOGIN, *_SENDER))
# Where HTTP is spoken, 401 and 403 are as definite as an SMTP server's 535.
_HTTP_STAGES = ("token", "mailbox")


def verdict(result: t.Mapping[str, t.Any]) -> str:
    """``passed``; ``refused``: a definite refusal of TLS, login or sender; ``temporary``: all else, which another try may mend."""
    if result.get("ok"):
        return PASSED
    code = (result.get("reply") or {}).get("code") or 0
    put_off = 400 <= code < 500 and result.get("stage") not in _HTTP_STAGES
    if result.get("category") == "auth_failed" and code in (401, 403):
        put_off = False
    return REFUSED if result.get("category") in DEFINITE and not put_off else TEMPORARY


class Probes(t.NamedTuple):
    """direct: the relays that applications use, and those that their local MTA forwards to. local: the local MTAs themselves."""

    direct: Joined
    local: Joined

    @classmethod
    def of(cls, plans: t.Sequence[AppPlan], declared: Declaration, level: str = "", to: t.Sequence[str] = ()) -> Probes:
        """The probes of a host's applications with what will be in force. level: how far at most, empty for as far as each goes."""
        found = cls(Joined(level, to), Joined(level, to))
        for plan in plans:
            relay = plan.relay
            if not relay.sends:
                continue
            if relay.type != "local_mta":
                found.direct.add(relay, plan.request.name)
                continue
            found.local.add(relay, plan.request.name)
            if relay.via is not None and declared.relays[relay.via].sends:
                found.direct.add(_behind(relay, plans, declared), plan.request.name)
        return found


def _behind(queue: Relay, plans: t.Sequence[AppPlan], declared: Declaration) -> Relay:
    """The relay that a local MTA forwards to, with the credential that the MTA of this host has of it, and the sender of who queues."""
    name = t.cast(str, queue.via)
    used = next((plan.relay for plan in plans if plan.relay.name == name), None)
    relay = declared.relays[name]
    chosen = (
        dataclasses.replace(relay, credential=used.credential)
        if used is not None
        else with_credential(relay, "in_force", None)
    )
    return dataclasses.replace(chosen, from_=queue.from_ or chosen.from_)


class Proof(t.NamedTuple):
    """How far one application was shown to work. why: what was not shown, and what would show it; empty when the wanted level was reached."""

    level: str
    wanted: str
    why: str = ""
    refused: bool = False

    @property
    def reached(self) -> bool:
        """Whether the declared level was reached."""
        return self.level == self.wanted or not self.wanted

    def as_dict(self) -> Result:
        """For the result of a task."""
        return {"proof": self.level, "proof_wanted": self.wanted, "proof_why": self.why}


def untested(plan: AppPlan) -> Proof:
    """Where nothing was probed."""
    return (
        Proof(NOT_TESTED, level_of(options_of(plan.relay)), "nothing was probed")
        if plan.relay.sends
        else Proof(NOT_TESTED, "")
    )


def proofs(
    plans: t.Sequence[AppPlan], probes: Probes, direct: Results, local: Results | None, level: str = ""
) -> dict[str, Proof]:
    """Each application's proof by the results of its probes. local: None where the local MTAs are proven later."""
    by_direct, by_local = probes.direct.by_user(direct), probes.local.by_user(local or ())
    return {plan.request.name: _proof(plan, by_direct, by_local, level) for plan in plans}


def _proof(plan: AppPlan, direct: t.Mapping[str, Result], local: t.Mapping[str, Result], level: str) -> Proof:
    relay, name = plan.relay, plan.request.name
    if not relay.sends:
        return Proof(NOT_TESTED, "", "")
    wanted = level_of(options_of(relay), level)
    if relay.type != "local_mta":
        return _by(direct.get(name), wanted, f"relay {relay.name}")
    behind = (
        _by(direct.get(name), wanted, f"relay {relay.via}, to which the local mail server forwards")
        if relay.via is not None
        else None
    )
    if behind is not None and not behind.reached:
        return behind
    return _by(local.get(name), wanted, "the local mail server")


def _by(result: t.Mapping[str, t.Any] | None, wanted: str, what: str) -> Proof:
    if result is None:
        return Proof(NOT_TESTED, wanted, f"{what} was not tried")
    if result["ok"]:
        reached = str(result.get("level_reached") or NOT_TESTED)
        enough = reached == "message" or (reached in LEVELS and LEVELS.index(reached) >= LEVELS.index(wanted))
        return Proof(wanted if enough else reached, wanted, "" if enough else f"{what} was proven up to {reached} only")
    reached = str(result.get("level_reached") or NOT_TESTED)
    said = str(result.get("diagnosis") or result.get("category"))
    known = reached if reached in LEVELS and LEVELS.index(reached) < LEVELS.index(wanted) else NOT_TESTED
    return Proof(known, wanted, f"{what}: {said}", verdict(result) == REFUSED)


def holds_what_was_proven(plan: AppPlan, texts: t.Mapping[str, str | None], written: t.Mapping[str, str]) -> str:
    """Why the login that was tried is not the one that stands in the application's own files; empty where it is.

    texts: its files as they stand. written: as they were rendered.
    """
    wanted = plan.relay.credential if plan.relay.sends else None
    if wanted is None or plan.relay.type == "local_mta":
        return ""
    found = read_back(plan, texts)
    if found.credential is not None:
        return "" if found.credential[1:] == wanted[1:] else "its files hold another login than the declared one"
    same = all(texts.get(file.path) == written.get(file.path) for file in plan.files if file.path in written)
    return "" if same and found.why != NO_SECRET else found.why
