# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTPS server on loopback that plays token endpoints and Microsoft Graph with their documented answers."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import pathlib
import sys
import threading
import time
import typing as t
import urllib.parse

from servers import server_context

CLIENT_SECRET = 'q7w8Q~cl"ient%s&ecret ü'
REFRESH_TOKEN = "1//0g-refresh-token-of-a-test"


def jwt(**claims: t.Any) -> str:
    """As an authority would make it; nobody verifies the signature here, but its bytes must not show either."""
    parts = [{"typ": "JWT", "alg": "RS256", "kid": "k1"}, claims]
    text = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join(text + ["c2lnbmF0dXJlLW9mLWEtdGVzdC10b2tlbg"])


def microsoft(role: str, audience: str, **more: t.Any) -> str:
    """The claims of an application's token (v1.0 format), as Exchange Online and Graph get them."""
    now = int(time.time())
    claims = dict(
        aud=audience,
        iss="https://sts.windows.net/t/",
        iat=now,
        nbf=now,
        exp=now + 3599,
        appid="c",
        roles=[role],
        tid="t",
        ver="1.0",
    )
    return jwt(**dict(claims, **more))


OUTLOOK_TOKEN = microsoft("SMTP.SendAsApp", "https://outlook.office365.com")
GRAPH_TOKEN = microsoft("Mail.Send", "https://graph.microsoft.com")


def granted(token: str, **more: t.Any) -> bytes:
    return json.dumps(
        dict({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}, **more)
    ).encode()


def refused(error: str, description: str, **more: t.Any) -> bytes:
    return json.dumps(dict({"error": error, "error_description": description}, **more)).encode()


def graph_error(code: str, message: str) -> bytes:
    inner = {"date": "2026-11-21T06:00:00", "request-id": "5d1b", "client-request-id": "5d1b"}
    return json.dumps({"error": {"code": code, "message": message, "innerError": inner}}).encode()


class Page(t.NamedTuple):
    """One answer."""

    status: int
    body: bytes
    headers: t.Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}


class Asked(t.NamedTuple):
    """One request, as it arrived."""

    method: str
    path: str
    headers: t.Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.body.decode(), strict_parsing=True))


class Server(http.server.ThreadingHTTPServer):
    """Says nothing of clients that refuse its certificate or hang up: that is what these tests are about."""

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Web:
    """``pages`` maps "METHOD /path" (without a query) to its answer; ``asked`` is what came."""

    def __init__(self, pem: pathlib.Path | None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self._server = Server(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self.origin = "%s://127.0.0.1:%d" % ("https" if pem else "http", self.port)
        if pem is not None:
            self._server.socket = server_context(pem).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def log_message(self, format: str, *args: t.Any) -> None:
                return

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                web.asked.append(
                    Asked(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body)
                )
                missing = Page(404, b"<html><title>Not Found</title></html>", {"Content-Type": "text/html"})
                page = web.pages.get("{} {}".format(self.command, self.path.partition("?")[0]), missing)
                self.send_response(page.status)
                for key, value in dict({"Content-Length": str(len(page.body))}, **page.headers).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(page.body)

            do_GET = do_POST = answer

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def web(pem: pathlib.Path | None) -> t.Iterator[Web]:
    running = Web(pem)
    try:
        yield running
    finally:
        running.close()
