# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay that counts logins and connections, and answers MAIL and RCPT as a test says."""

from __future__ import annotations

import pathlib
import typing as t

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from report.fleet import PASSWORD, EmbeddedRelay

USER = "apps@example.com"


class PickyRelay(EmbeddedRelay):  # type: ignore[misc]  # found by the path that fleet sets
    """A context manager. ``logins``: for each try whether it was taken; ``senders``: of each MAIL. ``mail``, ``rcpt``: an answer instead of 250."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(folder, USER, PASSWORD)
        self.logins: t.List[bool] = []
        self.senders: t.List[str] = []
        self.mail: t.Dict[str, str] = {}
        self.rcpt: t.Dict[str, str] = {}
        for controller in self._controllers:
            controller.handler.handle_MAIL = self._mail
            controller.handler.handle_RCPT = self._rcpt

    def forget(self) -> None:
        """Begin to count anew."""
        self.logins.clear()
        self.senders.clear()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: t.Any
    ) -> AuthResult:
        result = super()._authenticate(_server, _session, _envelope, _mechanism, data)
        self.logins.append(bool(result.success))
        found: AuthResult = result
        return found

    async def _mail(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: t.List[str]
    ) -> str:
        self.senders.append(address)
        if address in self.mail:
            return self.mail[address]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def _rcpt(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: t.List[str]
    ) -> str:
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"
