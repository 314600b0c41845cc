# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an old credential is dead: no host has it in force, and a login with it is refused *as a login*."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._host.notes.fields import DamagedError
from ...module_utils._host.notes.ownership import OwnershipRecord
from ...module_utils._shared.secret import Secret
from ..declaration import app_lists
from ..declaration.model import DeclaredCredential, Relay
from ..declaration.resolve import load
from ..problems import HOSTS, Problem, ProblemsError, by_host, did_you_mean, one_of
from ..verification.probes import options_of

Variables = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]
# What a login is refused by for good (RFC 4954 section 6): 535, or its enhanced code under another 5xx.
REFUSED, REFUSED_ENHANCED = 535, "5.7.8"
# The steps of a probe at which the relay has been reached, and takes or refuses a login.
FROM_LOGIN_ON = ("token", "auth", "mail", "rcpt", "message", "quit")


class Old(t.NamedTuple):
    """The credential that is to be dead, and the relay to try it at. id: None where nobody said it."""

    relay: Relay
    credential: DeclaredCredential
    id: str | None


class RevocationVerdict(t.NamedTuple):
    """word: ``revoked``, ``not_revoked``, ``open`` (the relay takes any password) or ``unknown``."""

    word: str
    sentence: str


def old(hosts: t.Mapping[str, Variables], given: t.Mapping[str, t.Any] | None) -> Old:
    """The old credential: as given, or the current one of the relay that still has a next one. Raises ProblemsError."""
    relays = load(next(iter(hosts.values())).get("smtp_relay"), []).relays
    name = (given or {}).get("relay") or _only(relays)
    if name not in relays:
        what = f'there is no relay "{name}" in the declaration.{did_you_mean(name, relays)}'
        raise ProblemsError([Problem("smtp_relay_revoked.relay", what, "unknown-relay", one_of(relays))])
    relay = relays[name]
    if given and given.get("password"):
        username = given.get("username") or (relay.credential.username if relay.credential else "")
        return Old(relay, DeclaredCredential("", username, Secret(given["password"])), given.get("id"))
    if relay.next is None or relay.credential is None:
        hint = (
            'Give it, from the vault: smtp_relay_revoked: {username: apps, password: "{{ vault_old }}", id: "2026-08"}'
        )
        raise ProblemsError(
            [Problem("smtp_relay_revoked", "nothing says which credential is to be dead.", "revoked-unsaid", hint)]
        )
    return Old(relay, relay.credential, relay.credential.id)


def _only(relays: t.Mapping[str, Relay]) -> str:
    rotating = [name for name, relay in relays.items() if relay.next is not None]
    return rotating[0] if len(rotating) == 1 else next(name for name, relay in relays.items() if relay.default)


def guard(hosts: t.Mapping[str, Variables], dead: Old) -> list[Problem]:
    """Every host whose record still has the old credential in force, or whose record could not be read."""
    found: dict[str, list[Problem]] = {}
    unlabelled = dead.id not in (None, "") and "" not in _known(dead)
    for name, given in hosts.items():
        record = _record(given.get("smtp_relay_state") or {})
        if record is None:
            found[name] = _unread(given.get("smtp_relay_state") or {})
            continue
        listed = _listed(given)
        for app, noted in record.apps.items():
            if noted.relay == dead.relay.name and _has(noted.credential_id, dead):
                what = "the old credential is in force here, by the host's record."
                found.setdefault(name, []).append(
                    Problem(app, what, "still-in-force", _ending(dead, listed is None or app in listed))
                )
            elif noted.relay == dead.relay.name and unlabelled and not noted.credential_id:
                what = "the old credential may be in force here: the host's record has no id of the one that is."
                hint = "Put the current one in force, with its id: smarthost.mail.apply"
                found.setdefault(name, []).append(Problem(app, what, "still-in-force", hint))
    return by_host(found)


def _unread(state: Result) -> list[Problem]:
    """Why the record of a host could not be read, as the host says it where it answered: with what it takes, such as become."""
    what = "its record could not be read, so nobody knows which credential it has"
    said = [Problem(**each) for each in state.get("problems") or ()]
    if said:
        return [Problem("", f"{what}: {each.where}: {each.what}", "revoked-unknown", each.hint) for each in said]
    hint = f"Run it again when the host is back, or leave the host out: --limit '!{HOSTS}'"
    return [Problem("", f"{what}.", "revoked-unknown", hint)]


def _listed(given: Variables) -> set[str] | None:
    """The applications that are declared for a host, None where its declaration cannot be read."""
    try:
        lists = {name: given[name] for name in app_lists.names(given)}
        return {request.name for request in load(given.get("smtp_relay"), lists).requests}
    except ProblemsError:
        return None


def _ending(dead: Old, declared: bool) -> str:
    """What puts the old credential out of force: rotate and apply pass over what is not declared, and without next there is nothing to rotate."""
    if not declared:
        return "It is not declared for this host any more. Take it back: smarthost.mail.apply -e smtp_relay_prune=true; or list it again."
    if dead.relay.next is not None:
        return "Finish the rotation first: smarthost.mail.rotate"
    return "Put the current one in force, with its id: smarthost.mail.apply"


def _record(state: Result) -> OwnershipRecord | None:
    """The record in the answer of a query, None without one that can be read."""
    try:
        return None if state.get("unreachable") else OwnershipRecord.from_answer(state.get("record"))
    except DamagedError:
        return None


def _known(dead: Old) -> set[str]:
    return {each.id for each in (dead.relay.credential, dead.relay.next) if each and each != dead.credential}


def _has(recorded: str, dead: Old) -> bool:
    """By its id; where nobody said that, whatever the declaration does not name is taken for the old one."""
    return recorded == dead.id if dead.id is not None else bool(recorded) and recorded not in _known(dead)


def options(dead: Old, password: str | None = None) -> Result:
    """Options of one login, with the old password or with another one."""
    credential = dead.credential if password is None else dead.credential._replace(password=Secret(password))
    found = options_of(dataclasses.replace(dead.relay, credential=credential))
    return {key: value for key, value in found.items() if key not in ("name", "from", "reply_to", "message_options")}


def answer_of(login: Result) -> Result:
    """What the relay said to the login itself: after one that works, the last reply is that to QUIT."""
    step = (
        next((step for step in reversed(login.get("steps") or ()) if step["name"] == "auth"), None)
        if login["ok"]
        else None
    )
    return {key: (step or login["reply"]).get(key, "") for key in ("code", "enhanced")}


def verdict(dead: Old, login: Result, nonsense: Result | None) -> RevocationVerdict:
    """login: what the relay said to the old credential; nonsense: what to a wrong one, tried only where the old one works."""
    reply = answer_of(login)
    said = f"{reply['code']} {reply['enhanced']}".strip() if reply["code"] else login["category"]
    where = f"{dead.relay.host}:{dead.relay.port}"
    if nonsense is not None and nonsense["ok"]:
        return RevocationVerdict(
            "open",
            f"UNKNOWN: {where} takes any password from here, as a relay does that trusts an address. Try it from elsewhere.",
        )
    if login["ok"]:
        what = f"NOT REVOKED: the old credential still logs in at {where} ({said}). Revoke it at the provider, then run this again."
        return RevocationVerdict("not_revoked", what)
    refused = reply["code"] == REFUSED or (str(reply["code"]).startswith("5") and reply["enhanced"] == REFUSED_ENHANCED)
    if login["stage"] == "auth" and login["category"] == "auth_failed" and refused:
        return RevocationVerdict("revoked", f"Revoked: the old credential is refused as a login at {where} ({said}).")
    more = (
        " Run this again."
        if login["stage"] in FROM_LOGIN_ON
        else (" Where only the hosts reach the relay, let one of them try: -e smtp_relay_revoked_from=HOST")
    )
    seen = login["category"] if said == login["category"] else f"{login['category']}, {said}"
    return RevocationVerdict(
        "unknown", f"UNKNOWN: {where} did not get as far as refusing the login ({seen}). That is no proof.{more}"
    )
