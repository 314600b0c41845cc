# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph in the place of SMTP, played by a real HTTPS server with the answers that Microsoft documents."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import Authority
from smtp_rig import options
from test_oauth2 import shows_no_secret
from web import CLIENT_SECRET, GRAPH_TOKEN, Page, Web, granted, graph_error, microsoft, web

SENDER = "noreply@example.com"
USER = "/v1.0/users/noreply@example.com"
FOUND = json.dumps(
    {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(mail)/$entity", "mail": SENDER}
).encode()
NO_RIGHT = Page(403, graph_error("Authorization_RequestDenied", "Insufficient privileges to complete the operation."))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(authority: Authority) -> t.Iterator[Web]:
    with web(authority.issue("graph")) as running:
        running.pages["POST /t/token"] = Page(200, granted(GRAPH_TOKEN))
        running.pages["GET " + USER] = NO_RIGHT
        running.pages[f"POST {USER}/sendMail"] = Page(202, b"")
        yield running


def probe(authority: Authority, server: Web, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    oauth2 = {
        "tenant_id": "t",
        "client_id": "c",
        "client_secret": CLIENT_SECRET,
        "token_url": server.origin + "/t/token",
        "ca_path": str(authority.path),
    }
    asked = {
        "type": "ms_graph",
        "host": None,
        "graph_url": server.origin,
        "ca_path": str(authority.path),
        "from_": SENDER,
        "oauth2": oauth2,
        "timeout": 5,
    }
    result = probe_all([options(**dict(asked, **given))], check_mode)[0]
    shows_no_secret(result, GRAPH_TOKEN, GRAPH_TOKEN.rpartition(".")[2])
    return result


def test_a_token_that_graph_takes_proves_the_login_with_mail_send_alone(authority: Authority, server: Web) -> None:
    result = probe(authority, server)
    assert (result["ok"], result["category"], result["level_reached"], result["changed"]) == (True, "ok", "auth", False)
    assert [step["name"] for step in result["steps"]] == ["token", "resolve", "connect", "tls", "mailbox"]
    assert server.asked[0].form["scope"] == "https://graph.microsoft.com/.default"
    asked = server.asked[1]
    assert (asked.method, asked.path, asked.headers["authorization"]) == (
        "GET",
        USER + "?$select=mail",
        "Bearer " + GRAPH_TOKEN,
    )
    assert "whether the mailbox exists" in result["blind_spots"][0] and result["auth"]["token"]["roles"] == [
        "Mail.Send"
    ]
    assert result["tls"]["verified"] and result["host"] == "127.0.0.1" and result["port"] == server.port


def test_a_mailbox_that_may_be_read_is_seen(authority: Authority, server: Web) -> None:
    server.pages["GET " + USER] = Page(200, FOUND)
    result = probe(authority, server, level="envelope", to=["ops@example.com"])
    assert (result["ok"], result["level_reached"]) == (True, "envelope")
    assert "access policy" in result["blind_spots"][0] and not [
        text for text in result["blind_spots"] if "mailbox exists" in text
    ]


def test_the_message_arrives_as_it_was_composed(authority: Authority, server: Web, tmp_path: pathlib.Path) -> None:
    result = probe(authority, server, send="always", to=["ops@example.com"], state_dir=str(tmp_path))
    assert (result["ok"], result["changed"], result["message"]["sent"], result["level_reached"]) == (
        True,
        True,
        True,
        "message",
    )
    asked = server.asked[-1]
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", USER + "/sendMail", "text/plain")
    message = email.message_from_bytes(base64.b64decode(asked.body, validate=True), policy=email.policy.default)
    assert (message["From"], message["To"], message["Message-ID"]) == (
        SENDER,
        "ops@example.com",
        result["message"]["message_id"],
    )
    assert (result["reply"]["code"], result["reply"]["meaning"]) == (202, "the message is accepted")


def test_on_change_sends_once_and_check_mode_never(authority: Authority, server: Web, tmp_path: pathlib.Path) -> None:
    asked = {"send": "on_change", "to": ["ops@example.com"], "state_dir": str(tmp_path / "state")}
    changed = [probe(authority, server, mode, **asked)["changed"] for mode in (True, False, False, True)]
    sent = [one for one in server.asked if one.path.endswith("/sendMail")]
    assert (changed, len(sent)) == ([True, True, False, False], 1)


def test_a_token_without_mail_send_never_gets_to_graph(authority: Authority, server: Web) -> None:
    server.pages["POST /t/token"] = Page(200, granted(microsoft("User.Read.All", "https://graph.microsoft.com")))
    result = probe(authority, server)
    assert (result["category"], result["stage"], len(server.asked)) == ("token_wrong_scope", "token", 1)
    assert (
        "roles User.Read.All; needed is Mail.Send" in result["diagnosis"]
        and "Mail.Send of Microsoft Graph" in result["remedies"][0]
    )


LOOKS = [
    (
        Page(401, graph_error("InvalidAuthenticationToken", "Access token has expired or is not yet valid.")),
        "auth_failed",
        "auth",
    ),
    (Page(401, b""), "auth_failed", "auth"),
    (
        Page(
            404,
            graph_error(
                "Request_ResourceNotFound",
                "Resource 'noreply@example.com' does not exist or one of its queried reference-property objects are not present.",
            ),
        ),
        "sender_rejected",
        "mailbox",
    ),
    (
        Page(429, graph_error("TooManyRequests", "Please retry again later."), {"Retry-After": "10"}),
        "rate_limited",
        "mailbox",
    ),
    (
        Page(429, graph_error("ApplicationThrottled", "Application is over its MailboxConcurrency limit.")),
        "rate_limited",
        "mailbox",
    ),
    (Page(503, b"<html>", {"Content-Type": "text/html"}), "server_busy", "mailbox"),
    (Page(200, b"<html>", {"Content-Type": "text/html"}), "protocol_error", "mailbox"),
    (Page(403, b"<html>blocked by a proxy", {"Content-Type": "text/html"}), "protocol_error", "mailbox"),
    (Page(404, b"<html>", {"Content-Type": "text/html"}), "protocol_error", "mailbox"),
    (Page(302, b"", {"Location": "https://example.org/"}), "protocol_error", "mailbox"),
]
SENDS = [
    (Page(403, graph_error("ErrorAccessDenied", "Access is denied. Check credentials and try again.")), "send_as_denied"),
    (Page(403, graph_error("ErrorSendAsDenied", "The user account does not have the right to send mail.")), "send_as_denied"),
    (Page(403, graph_error("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")), "send_as_denied"),
    (Page(404, graph_error("ErrorInvalidUser", "The requested user 'noreply@example.com' is invalid.")), "sender_rejected"),
    (Page(404, graph_error("MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")), "sender_rejected"),
    (Page(400, graph_error("ErrorInvalidRecipients", "At least one recipient is not valid.")), "recipient_rejected"),
    (Page(413, graph_error("ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")), "message_too_large"),
    (Page(413, b""), "message_too_large"),
    (Page(507, graph_error("ErrorQuotaExceeded", "The mailbox has exceeded its quota.")), "quota_exceeded"),
    (Page(429, graph_error("ErrorExceededMessageLimit", "Cannot send mail. Follow the instructions in your Inbox to verify your account.")), "quota_exceeded"),
    (Page(403, graph_error("ErrorMessageSubmissionBlocked", "Cannot send mail. Your account has been blocked.")), "auth_account_blocked"),
    (Page(400, graph_error("ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")), "message_rejected"),
    (Page(200, b"{}"), "message_rejected"),
]  # fmt: skip


@pytest.mark.parametrize("page, category, stage", LOOKS)
def test_what_graph_says_of_the_mailbox_has_a_name(
    authority: Authority, server: Web, page: Page, category: str, stage: str
) -> None:
    server.pages["GET " + USER] = page
    result = probe(authority, server)
    assert (result["ok"], result["category"], result["stage"]) == (False, category, stage)
    assert (result["reply"]["code"], result["steps"][-1]["name"]) == (page.status, "mailbox") and result["remedies"]
    assert ("Wait 10 seconds." == result["remedies"][0]) == ("Retry-After" in page.headers)


@pytest.mark.parametrize("page, category", SENDS)
def test_what_graph_says_of_the_message_has_a_name(
    authority: Authority, server: Web, tmp_path: pathlib.Path, page: Page, category: str
) -> None:
    server.pages[f"POST {USER}/sendMail"] = page
    result = probe(authority, server, send="always", to=["ops@example.com"], state_dir=str(tmp_path))
    assert (result["ok"], result["changed"], result["message"]["sent"]) == (False, False, False)
    assert (result["category"], result["stage"], result["reply"]["code"]) == (category, "message", page.status)


def test_a_sender_with_odd_characters_is_one_part_of_the_path(authority: Authority, server: Web) -> None:
    probe(authority, server, from_="o'brien/../x?y#z+ü@example.com")
    assert server.asked[-1].path == "/v1.0/users/o%27brien%2F..%2Fx%3Fy%23z%2B%C3%BC@example.com?$select=mail"


def test_connect_and_tls_need_no_token(authority: Authority, server: Web) -> None:
    for level in ("connect", "tls"):
        result = probe(authority, server, level=level)
        assert (result["ok"], result["level_reached"]) == (True, level)
    assert ["authorization" in one.headers for one in server.asked] == [False, False]


def test_a_bad_certificate_of_graph_keeps_the_token_here(authority: Authority, server: Web) -> None:
    with web(authority.issue("graph-expired", end=-1, start=-9)) as expired:
        result = probe(authority, server, graph_url=expired.origin)
        assert (result["category"], result["stage"], expired.asked) == ("cert_expired", "tls", [])
