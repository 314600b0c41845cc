# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON-RPC 2.0 over HTTP: the settings of an application that has an API in place of a tool (Zabbix). No redirect, no proxy."""

from __future__ import annotations

import json
import typing as t

from ..._shared import regular_file
from ..._shared.problem import Problem, ProblemsError
from .tool_command import ToolCommand, Tree, parsed

MOST_ANSWER = 8 << 20
_THIS_HOST = ("localhost", "127.0.0.1", "::1")


def read(command: ToolCommand, timeout: float) -> Tree:
    """The one object that ``read`` (method, key, value) selects. Raises ProblemsError."""
    method, key, value = command.read
    found = _call(command, method, {"filter": {key: [value]}, "output": "extend"}, timeout)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        what = f'{method} does not find exactly one with {key} "{value}".'
        raise ProblemsError(
            [Problem(command.place, what, "tool-output", "Say object: with the name of one that is there.")]
        )
    return found[0]


def write(command: ToolCommand, body: Tree, timeout: float) -> None:
    """These keys of that object, by ``write`` (method, key of its id). Raises ProblemsError."""
    method, key = command.write
    found = read(command, timeout)
    if key not in found:
        what = f'{command.read[0]} answers without "{key}", so nothing says which one to write.'
        raise ProblemsError(
            [Problem(command.place, what, "tool-output", "See whether the user of the token may read it.")]
        )
    _call(command, method, {**body, key: found[key]}, timeout)


def _call(command: ToolCommand, method: str, params: Tree, timeout: float) -> t.Any:
    # Half a megabyte of modules, for hosts that have such an application only.
    import urllib.error
    import urllib.request

    class _NoRedirect(urllib.request.HTTPRedirectHandler):
        """The token is for this address, not for whatever it names."""

        def redirect_request(self, *_args: t.Any) -> None:
            return None

    body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    headers = {"Content-Type": "application/json-rpc", "Authorization": f"Bearer {_token(command)}"}
    request = urllib.request.Request(_address(command), json.dumps(body).encode("ascii"), headers)
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))

    def asked() -> bytes:
        with opener.open(request, timeout=timeout) as answer:
            return bytes(answer.read(MOST_ANSWER + 1))

    try:
        text = _within(timeout, asked)
    except urllib.error.HTTPError as error:
        error.close()
        raise ProblemsError(
            [Problem(command.place, f"{method} is answered with HTTP status {error.code}.", "tool-failed")]
        ) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ProblemsError([Problem(command.place, f"This cannot be reached: {reason}.", "tool-failed")]) from None
    return _result(command, method, text)


def _within(seconds: float, work: t.Callable[[], bytes]) -> bytes:
    """What it returns or raises; TimeoutError where it takes longer, and is left behind. A timeout of urllib's is for silence only."""
    import threading

    done: list[t.Callable[[], bytes]] = []

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: B902
            done.append(_raiser(error))
        else:
            done.append(lambda: found)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        raise TimeoutError(f"there was no whole answer within {seconds:g} seconds")
    return done[0]()


def _raiser(error: Exception) -> t.Callable[[], bytes]:
    def again() -> bytes:
        raise error

    return again


def _result(command: ToolCommand, method: str, text: bytes) -> t.Any:
    told = parsed(text) if len(text) <= MOST_ANSWER else None
    if not isinstance(told, dict) or not {"result", "error"} & set(told):
        what = f"What {method} is answered with is no JSON-RPC."
        raise ProblemsError([Problem(command.place, what, "tool-output", "Correct the address.")])
    if "error" in told:
        # Its message may quote what it does not like; its code is a number.
        code = told["error"].get("code") if isinstance(told["error"], dict) else None
        what = f"{method} is refused with error {code}."
        hint = "See whether the token is in force, and its user may change this."
        raise ProblemsError([Problem(command.place, what, "tool-failed", hint)])
    return told["result"]


def _address(command: ToolCommand) -> str:
    import urllib.parse

    address = command.tool[0]
    url = urllib.parse.urlsplit(address)
    if url.scheme != "https" and url.hostname not in _THIS_HOST:
        what = "The token and the password would cross the network in clear text."
        raise ProblemsError(
            [Problem(command.place, what, "plaintext-auth", "Say tool: with an address that begins with https.")]
        )
    return address


def _token(command: ToolCommand) -> str:
    path = str(command.token)
    try:
        token = regular_file.read_file(path)[0].decode("ascii").strip()
        if not token.isprintable():
            raise ValueError("a line end or the like within the token")
        return token
    except (OSError, ValueError) as error:
        what = f"The token of its API cannot be read ({type(error).__name__})."
        raise ProblemsError(
            [Problem(path, what, "tool-missing", "Put it there, 0600, or say path: with where it is.")]
        ) from None
