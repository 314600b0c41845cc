# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Zabbix's API, after ui/include/classes/api/services/CMediatype.php: get and update of media types, by token."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t

TOKEN = "dummy-token"
FIELDS = {
    "smtp_server",
    "smtp_helo",
    "smtp_email",
    "username",
    "passwd",
    "smtp_port",
    "smtp_security",
    "smtp_verify_peer",
    "smtp_verify_host",
}
NUMBERS = {"type", "status", "smtp_authentication"}


class Zabbix:
    """Serves on loopback while in a ``with``. has: the media types; seen: what each request's Authorization was."""

    def __init__(self, *has: t.Dict[str, t.Any]) -> None:
        self.has = list(has)
        self.seen: t.List[t.Any] = []
        self.instead: t.Optional[t.Callable[[t.Any], None]] = None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/zabbix/api_jsonrpc.php"

    def __enter__(self) -> Zabbix:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_why: t.Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def call(self, method: str, params: t.Dict[str, t.Any]) -> t.Any:
        """The result, or ValueError as the API would refuse."""
        if method == "mediatype.get":
            ((key, values),) = params["filter"].items()
            return [dict(one) for one in self.has if one[key] in values]
        if method != "mediatype.update":
            raise ValueError("Incorrect API method")
        (one,) = [one for one in self.has if one["mediatypeid"] == params["mediatypeid"]]
        changes = {key: value for key, value in params.items() if key != "mediatypeid"}
        if (
            not set(changes) <= FIELDS | NUMBERS
            or not all(isinstance(value, str) for value in changes.values())
            or not changes["smtp_server"]
        ):
            raise ValueError(f"Invalid params: {changes}")
        one.update(changes)
        return {"mediatypeids": [one["mediatypeid"]]}


def _handler(zabbix: Zabbix) -> t.Type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            zabbix.seen.append(self.headers["Authorization"])
            if zabbix.instead:
                zabbix.instead(self)
                return
            told: t.Dict[str, t.Any] = {"jsonrpc": "2.0", "id": body["id"]}
            try:
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    raise ValueError("Not authorized.")
                told["result"] = zabbix.call(body["method"], body["params"])
            except ValueError as error:
                told["error"] = {"code": -32602, "message": "Invalid params.", "data": str(error)}
            self.answer(200, json.dumps(told).encode())

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: t.Any) -> None:
            """Nothing."""

    return Handler
