# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a probe is of: one relay, with everything decided."""

from __future__ import annotations

import typing as t

from ..._shared.light import NamedTuple
from ..network.route import Route
from ..network.tls import TlsSettings
from ..sasl.credential import Credential
from .message import MessageOptions

if t.TYPE_CHECKING:
    from ..web.http import Url
    from ..web.oauth2 import OAuth2
    from .mta_sts_options import Asked as MtaSts


class RelayTarget(NamedTuple):
    """One relay to probe, with everything decided. ``timeout`` is in seconds, for all of it."""

    name: str
    host: str
    port: int
    security: str
    tls: TlsSettings
    route: Route
    credential: t.Optional[Credential]
    mechanisms: t.Tuple[str, ...]
    allow_plaintext_auth: bool
    helo: str
    timeout: float
    sender: str
    recipients: t.Tuple[str, ...]
    level: str
    send: str
    message: MessageOptions
    expect: t.Dict[str, t.Any]
    min_cert_days: int
    diagnose: bool
    state_dir: str
    oauth2: t.Optional[OAuth2] = None
    graph: t.Optional[Url] = None  # where Graph is, in the place of SMTP
    credential_id: str = ""
    mta_sts: t.Optional[MtaSts] = None
    also_from: t.Tuple[str, ...] = ()
    own_recipient: bool = False  # no recipient was named, and the sender's own address stands in for one
