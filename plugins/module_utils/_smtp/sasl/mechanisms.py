# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login mechanisms, as a table: what each needs, and which may be tried in what order (RFC 4954)."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from .credential import Credential, Exchange, Session, require_md5


def plain(session: Session) -> Exchange:
    """RFC 4616, UTF-8 as its section 2 demands."""
    yield ("\0" + session.credential.username + "\0" + session.credential.password.reveal()).encode("utf-8")


def login(session: Session) -> Exchange:
    """draft-murchison-sasl-login. Servers disagree on the prompts ("Username:", "User Name" and a NUL): ignore them."""
    yield None
    yield session.credential.username.encode("utf-8")
    yield session.credential.password.reveal().encode("utf-8")


def cram_md5(session: Session) -> Exchange:
    """RFC 2195: a keyed digest of the server's challenge."""
    require_md5()
    challenge = yield None
    import hmac

    digest = hmac.new(session.credential.password.reveal().encode("utf-8"), challenge, "md5").hexdigest()
    session.hide(digest)
    yield (session.credential.username + " " + digest).encode("utf-8")


def external(session: Session) -> Exchange:
    """RFC 4422 appendix A: TLS has shown the certificate; the name, if any, is whom to act as."""
    yield session.credential.username.encode("utf-8")


# The larger mechanisms are imported where they are used: most logins use none of them.


def _scram(algorithm: str, plus: bool) -> t.Callable[[Session], Exchange]:
    def exchange(session: Session) -> Exchange:
        from . import scram

        return scram.scram(session, algorithm, plus)

    return exchange


def _xoauth2(session: Session) -> Exchange:
    from . import bearer

    return bearer.xoauth2(session)


def _oauthbearer(session: Session) -> Exchange:
    from . import bearer

    return bearer.oauthbearer(session)


def _ntlm(session: Session) -> Exchange:
    from . import ntlm

    return ntlm.ntlm(session)


class Mechanism(NamedTuple):
    """One row of the table below.

    ``needs`` is a word of :meth:`Credential.holds`. ``binds``: only over TLS, to which it ties the login. ``proves``: the
    server shows that it knows the password, and is not believed before. ``last_resort``: only where nothing else is offered.
    """

    name: str
    exchange: t.Callable[[Session], Exchange]
    needs: str = "password"
    binds: bool = False
    proves: bool = False
    last_resort: bool = False


# Strongest first; this order is the preference. One more mechanism: one function, one row, one transcript.
MECHANISMS = (
    Mechanism("SCRAM-SHA-256-PLUS", _scram("sha256", True), binds=True, proves=True),
    Mechanism("SCRAM-SHA-256", _scram("sha256", False), proves=True),
    Mechanism("SCRAM-SHA-1-PLUS", _scram("sha1", True), binds=True, proves=True),
    Mechanism("SCRAM-SHA-1", _scram("sha1", False), proves=True),
    Mechanism("CRAM-MD5", cram_md5),
    Mechanism("PLAIN", plain),
    Mechanism("LOGIN", login),
    Mechanism("NTLM", _ntlm, last_resort=True),
    Mechanism("XOAUTH2", _xoauth2, needs="token"),
    Mechanism("OAUTHBEARER", _oauthbearer, needs="token"),
    Mechanism("EXTERNAL", external, needs="certificate"),
)
NAMES = tuple(mechanism.name for mechanism in MECHANISMS)


def candidates(
    offered: t.Collection[str], allowed: t.Sequence[str], credential: Credential, bindable: bool
) -> list[Mechanism]:
    """What may be tried, in order: the user's order where ``allowed`` is given, else strongest first.

    ``bindable``: the connection has something to tie a login to.
    """
    by_name = {mechanism.name: mechanism for mechanism in MECHANISMS}
    found = [by_name[name] for name in allowed or NAMES if name in by_name and name in offered]
    found = [mechanism for mechanism in found if bindable or not mechanism.binds]
    if allowed:
        return [mechanism for mechanism in found if credential.holds(mechanism.needs)]
    found = [mechanism for mechanism in found if mechanism.needs == credential.kind]
    return [mechanism for mechanism in found if not mechanism.last_resort] or found
