# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SASL mechanisms share (RFC 4422): who logs in, what a mechanism is told, and how one can fail."""

from __future__ import annotations

import hashlib
import os
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.secret import Secret

Random: t.TypeAlias = "t.Callable[[int], bytes]"


class Credential(NamedTuple):
    """Who logs in, and with what. Printing it shows neither the password nor the token.

    ``token`` is an OAuth2 bearer token; ``domain`` is NTLM's; ``certificate`` says that TLS shows a client certificate.
    """

    username: str
    password: Secret
    token: t.Optional[Secret] = None
    domain: str = ""
    certificate: bool = False

    @property
    def kind(self) -> str:
        """The one thing that logs in where the user named no mechanism: ``token``, ``password`` or ``certificate``."""
        if self.token is not None:
            return "token"
        return "password" if self.password.reveal() or not self.certificate else "certificate"

    def holds(self, kind: str) -> bool:
        """Whether it has what a mechanism of this kind needs."""
        return {
            "token": self.token is not None,
            "password": bool(self.password.reveal()),
            "certificate": self.certificate,
        }[kind]


class Session(NamedTuple):
    """What a mechanism is told. ``end_point`` is the channel binding ``tls-server-end-point``, empty where there is none;
    ``binding_offered`` says that the server has a ``-PLUS`` of this mechanism, which the user did not want.

    ``rest`` tells how many seconds there are for the login; ``hide`` is told what must not show should the server say it back, ``note``
    what people should read of the exchange and the category of a refusal after it (see :meth:`Record.remark`), ``warn`` what is not well
    and does not fail the login.
    """

    credential: Credential
    host: str = ""
    port: int = 0
    end_point: bytes = b""
    binding_offered: bool = False
    random: Random = os.urandom
    rest: t.Callable[[], float] = lambda: float("inf")
    hide: t.Callable[[str], None] = lambda text: None
    note: t.Callable[..., None] = lambda text, suspicion="": None
    warn: t.Callable[[str], None] = lambda text: None


class MechanismError(Exception):
    """The exchange cannot go on; the text says why. ``category`` is a word of :data:`diagnosis.CATEGORIES`."""

    category = "protocol_error"


class BadChallenge(MechanismError):
    """The server's challenge is not what the mechanism has there."""


class UnusableMechanism(MechanismError):
    """This host or this login cannot run the mechanism."""

    category = "auth_mechanism_unsupported"


class TooSlow(MechanismError):
    """There is no time for what the server asks this host to compute."""

    category = "deadline_exceeded"


class Unproven(MechanismError):
    """The server has not shown that it knows the password."""

    category = "auth_server_unproven"


def require_md5() -> None:
    """Raises :class:`UnusableMechanism` on a host that does not allow MD5, before anything is sent."""
    try:
        hashlib.new("md5")
    except ValueError as exc:
        raise UnusableMechanism("this host's OpenSSL does not allow MD5 (FIPS mode)") from exc


# The first value yielded is the initial response (None: there is none). After that, each challenge sent in
# yields the answer to it. A mechanism that has no more answers ends, and the dialogue then cancels the exchange.
Exchange: t.TypeAlias = "t.Generator[t.Optional[bytes], bytes, None]"
