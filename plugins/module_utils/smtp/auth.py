# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SASL mechanisms as generators: challenges in, answers out, all unencoded (RFC 4954)."""

from __future__ import annotations

import hmac
import typing as t

from .secret import Secret


class Credential(t.NamedTuple):
    """Who logs in. Printing it does not print the password."""

    username: str
    password: Secret


class Unusable(Exception):
    """This host cannot run the mechanism; the text says why."""


# The first value yielded is the initial response (None: there is none). After that, each challenge sent in
# yields the answer to it. A mechanism that has no more answers ends, and the dialogue then cancels the exchange.
Exchange = t.Generator[t.Optional[bytes], bytes, None]


def plain(credential: Credential) -> Exchange:
    """RFC 4616, UTF-8 as its section 2 demands."""
    yield ("\0" + credential.username + "\0" + credential.password.reveal()).encode("utf-8")


def login(credential: Credential) -> Exchange:
    """draft-murchison-sasl-login. Servers disagree on the prompts ("Username:", "User Name" and a NUL): ignore them."""
    yield None
    yield credential.username.encode("utf-8")
    yield credential.password.reveal().encode("utf-8")


def cram_md5(credential: Credential) -> Exchange:
    """RFC 2195: a keyed digest of the server's challenge."""
    challenge = yield None
    try:
        digest = hmac.new(credential.password.reveal().encode("utf-8"), challenge, "md5").hexdigest()
    except ValueError as exc:
        raise Unusable("this host's OpenSSL does not allow MD5 (FIPS mode)") from exc
    yield (credential.username + " " + digest).encode("utf-8")


class Mechanism(t.NamedTuple):
    """One row of the table below."""

    name: str
    exchange: t.Callable[[Credential], Exchange]
    reveals_secret: bool


# Strongest first; this order is the preference. One more mechanism: one function, one row, one transcript.
MECHANISMS = (
    Mechanism("CRAM-MD5", cram_md5, reveals_secret=False),
    Mechanism("PLAIN", plain, reveals_secret=True),
    Mechanism("LOGIN", login, reveals_secret=True),
)
NAMES = tuple(mechanism.name for mechanism in MECHANISMS)


def candidates(offered: t.Collection[str], allowed: t.Sequence[str] = ()) -> list[Mechanism]:
    """What may be tried, in order: the user's order where ``allowed`` is given, else strongest first."""
    by_name = {mechanism.name: mechanism for mechanism in MECHANISMS}
    return [by_name[name] for name in allowed or NAMES if name in by_name and name in offered]
