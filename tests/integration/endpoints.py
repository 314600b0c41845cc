# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web side of a login by token: an HTTPS server that gives tokens to those who know the secret, and plays Graph for them."""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import sys
import threading
import typing as t
import urllib.parse

from integration.pki import Leaf

GRAPH_AUDIENCE = "https://graph.microsoft.com"


def graph_token() -> str:
    """What Entra gives out for Graph, as far as anybody but Graph reads it."""
    parts = ({"typ": "JWT", "alg": "RS256"}, {"aud": GRAPH_AUDIENCE, "roles": ["Mail.Send"], "exp": 4102444800})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + ".c2lnbmF0dXJl"
    )


class Endpoints:
    """``/token`` gives ``token`` to the client of ``secret``, ``/graph-token`` one for Graph; ``/v1.0/users/...`` is Graph.

    ``asked`` is what came, as ``METHOD path``; ``sent`` is what Graph was given to send, as it is.
    """

    def __init__(self, leaf: Leaf, secret: str, token: str) -> None:
        self.asked: t.List[str] = []
        self.sent: t.List[bytes] = []
        self._secret, self._tokens = secret, {"/token": token, "/graph-token": graph_token()}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(leaf.chain))
        self._server = Server(("127.0.0.1", 0), self._handler())
        self.origin = "https://localhost:%d" % self._server.server_address[1]
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Endpoints:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> t.Tuple[int, t.Mapping[str, t.Any]]:
        """Status and JSON."""
        if path in self._tokens:
            form = dict(urllib.parse.parse_qsl(body.decode()))
            if (form.get("client_id"), form.get("client_secret")) != ("c", self._secret):
                return 401, {
                    "error": "invalid_client",
                    "error_description": "AADSTS7000215: Invalid client secret provided.",
                }
            return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": self._tokens[path]}
        if authorization != "Bearer " + self._tokens["/graph-token"]:
            return 401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty or wrong."}}
        if method == "POST" and path.endswith("/sendMail"):
            self.sent.append(base64.b64decode(body, validate=True))
            return 202, {}
        return 200, {"mail": path.rpartition("/")[2]}

    def _handler(self) -> t.Type[http.server.BaseHTTPRequestHandler]:
        endpoints = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def log_message(self, format: str, *args: t.Any) -> None:
                return

            def handle_any(self) -> None:
                path = self.path.partition("?")[0]
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                endpoints.asked.append(f"{self.command} {path}")
                status, said = endpoints.answer(self.command, path, self.headers.get("Authorization", ""), body)
                data = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any

        return Handler


class Server(http.server.ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
