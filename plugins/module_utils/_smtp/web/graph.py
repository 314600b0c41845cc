# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph in the place of SMTP: the token is taken, the mailbox answers, the message is accepted.

What can be known without sending, with no more right than Mail.Send: that Graph takes the token, and that it holds the role.
Reading the mailbox's user (GET /users/<from>) wants User.ReadBasic.All besides. It is tried all the same: 200 and 404 tell
whether there is such a user, and 403 still tells that the token was taken. A sendMail without recipients is not tried: nothing
documents that it leaves no trace, and a probe must not.
"""

from __future__ import annotations

import base64
import typing as t
import urllib.parse

from ..._shared.light import NamedTuple
from ..._shared.secret import Redactor, Secret
from ..network.transport import Deadline
from ..protocol.answer import HttpAnswer
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog
from .http import HttpRequest, HttpRoute, Response, Url, ask
from .oauth2 import retry_after

MOST_SHOWN = 400
UNSEEN = "whether the mailbox exists: the application may not read users (User.ReadBasic.All)"
UNPROVED = "whether an application access policy lets the application send from this mailbox"

_MAILBOX = (
    "Correct the sender: it must be the user principal name or address of a user with an Exchange Online mailbox.",
)
_ACCESS = (
    "Grant Mail.Send of Microsoft Graph to the application, with admin consent.",
    "Let the mailbox be within the application's access policy (RBAC for Applications in Exchange Online); a change takes up to an hour.",
)


class GraphError(NamedTuple):
    """One ``error.code`` of Graph: its category, what it means, what to do."""

    category: str
    sentence: str
    remedies: t.Tuple[str, ...] = ()


# Source: "Microsoft Graph error responses" and Exchange Online's response codes.
CODES = {
    "InvalidAuthenticationToken": GraphError(
        "auth_failed", "the token is not taken", ("Fetch the token for Microsoft Graph, at its own tenant.",)
    ),
    "ErrorAccessDenied": GraphError("send_as_denied", "the application may not send from this mailbox", _ACCESS),
    "ErrorSendAsDenied": GraphError(
        "send_as_denied",
        "this mailbox may not send as that address",
        ("Send as the mailbox itself, or grant Send As.",),
    ),
    "Authorization_RequestDenied": GraphError("send_as_denied", "the application lacks the permission", _ACCESS),
    "Request_ResourceNotFound": GraphError("sender_rejected", "the tenant has no such user", _MAILBOX),
    "ErrorInvalidUser": GraphError("sender_rejected", "the tenant has no such user", _MAILBOX),
    "MailboxNotEnabledForRESTAPI": GraphError(
        "sender_rejected", "the user has no mailbox in Exchange Online", _MAILBOX
    ),
    "ErrorInvalidRecipients": GraphError(
        "recipient_rejected", "a recipient is not an address", ("Correct the recipient.",)
    ),
    "ErrorMessageSizeExceeded": GraphError("message_too_large", "the message is too large"),
    "ErrorQuotaExceeded": GraphError("quota_exceeded", "the mailbox is full"),
    "ErrorExceededMessageLimit": GraphError("quota_exceeded", "the mailbox has sent as much as it may for now"),
    "ErrorMessageSubmissionBlocked": GraphError(
        "auth_account_blocked", "the account is blocked from sending, as after spam"
    ),
    "ApplicationThrottled": GraphError("rate_limited", "the application asks too often"),
}


class GraphClient(NamedTuple):
    """What to talk to and as whom. ``message`` is the whole message to send, or None."""

    url: Url
    way: HttpRoute
    sender: str
    token: t.Optional[Secret]
    message: t.Optional[bytes]

    def at(self, path: str) -> Url:
        """The address of something of this mailbox."""
        return self.url._replace(
            target="{}/v1.0/users/{}{}".format(self.url.target, urllib.parse.quote(self.sender, safe="@"), path)
        )

    def headers(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """With the token, which never leaves for another host: no redirect is followed."""
        if self.token is None:
            raise AssertionError("the token is fetched before the first request")
        return (("Authorization", "Bearer " + self.token.reveal()),) + more


def converse(mailbox: GraphClient, level: str, record: ConversationLog, redactor: Redactor, deadline: Deadline) -> None:
    """As far as ``level``, or to the end with a message. Never raises: how it ended is in ``record``."""
    try:
        if level in ("connect", "tls"):
            _look(mailbox, (), record, deadline)
            record.reached = level
            return
        response = _look(mailbox, mailbox.headers(), record, deadline)
        _judge_look(response, level, record, redactor)
        if mailbox.message is not None:
            _send(mailbox, mailbox.message, record, redactor, deadline)
    except Failure as failure:
        record.failure = failure


def _look(
    mailbox: GraphClient, headers: t.Tuple[t.Tuple[str, str], ...], record: ConversationLog, deadline: Deadline
) -> Response:
    return ask(HttpRequest("GET", mailbox.at("?$select=mail"), headers), mailbox.way, record, deadline, "mailbox")


def _judge_look(response: Response, level: str, record: ConversationLog, redactor: Redactor) -> None:
    record.reached = "tls"
    code, answer, found = _explained(response, redactor)
    record.reply = answer
    if response.status == 200 and response.json is not None:
        record.reached = "envelope" if level == "envelope" else "auth"
        record.unseen = (UNPROVED,)
    elif response.status == 403 and code in ("Authorization_RequestDenied", "ErrorAccessDenied"):
        # The token was taken, and may not read users: so it is with Mail.Send alone, as it should be.
        record.reached = "auth"
        record.unseen = (UNSEEN, UNPROVED)
    else:
        raise _failed(response, answer, found, "auth" if response.status == 401 else "mailbox", "protocol_error")


def _send(
    mailbox: GraphClient, message: bytes, record: ConversationLog, redactor: Redactor, deadline: Deadline
) -> None:
    """The message as it is, in base64 (Graph: "Send mail in MIME format"): what arrives is what was declared."""
    headers = mailbox.headers(("Content-Type", "text/plain"))
    own = ConversationLog(redactor)
    with record.during("message"):
        try:
            response = ask(
                HttpRequest("POST", mailbox.at("/sendMail"), headers, base64.b64encode(message)),
                mailbox.way,
                own,
                deadline,
                "message",
            )
        finally:
            record.include(own)
        _code, answer, found = _explained(response, redactor)
        record.reply = answer
        if response.status != 202:
            raise _failed(response, answer, found, "message", "message_rejected")
        record.accepted = answer


def _explained(response: Response, redactor: Redactor) -> tuple[str, HttpAnswer, GraphError | None]:
    """The error's code, the answer as it may be shown, and what it means, if that is known."""
    error = (response.json or {}).get("error")
    error = error if isinstance(error, dict) else {}
    code, words = (str(error.get(key, "")) for key in ("code", "message"))
    found = CODES.get(code)
    shown = (
        redactor.text(" ".join((f"{code}: {words}")[: 10 * MOST_SHOWN].split()))[:MOST_SHOWN]
        if code
        else "HTTP %d" % response.status
    )
    accepted = {200: "the mailbox answers", 202: "the message is accepted"}.get(response.status, "")
    return code, HttpAnswer(response.status, shown, found.sentence if found else accepted), found


def _failed(response: Response, answer: HttpAnswer, found: GraphError | None, stage: str, otherwise: str) -> Failure:
    """Its own code first, then what the status says of itself."""
    wait = retry_after(response)
    remedies = ((wait,) if wait else ()) + (found.remedies if found else ())
    by_status = {401: "auth_failed", 413: "message_too_large", 429: "rate_limited"}
    by_status.update({500: "server_busy", 502: "server_busy", 503: "server_busy", 504: "server_busy"})
    category = found.category if found else by_status.get(response.status, otherwise)
    if 300 <= response.status < 400:
        category = "protocol_error"
    detail = "it answers with HTTP %d" % response.status + (
        ", and a token is not sent elsewhere" if 300 <= response.status < 400 else ""
    )
    failure = Failure(category, answer, detail, remedies=remedies, mechanism="bearer token")
    failure.stage = stage
    return failure
