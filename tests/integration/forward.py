# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes connections on: to reach the relay by an address that a program insists on, also from within a network namespace.

As a program, inside the namespace: forward.py ADDRESS:PORT=SOCKET_PATH...
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import typing as t

Address = t.Union[str, t.Tuple[str, int]]  # the path of a Unix socket, which network namespaces share, or host and port


class Forward:
    """While open, everyone who connects to `listen` talks to `target`. A port of 0 is a free one: see `address`."""

    def __init__(self, listen: Address, target: Address) -> None:
        self._target = target
        self._socket = _socket(listen)
        self._socket.bind(listen)
        self._socket.listen()
        self.address: Address = self._socket.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Forward:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _address = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, _socket(self._target) as server, contextlib.suppress(OSError):
            server.connect(self._target)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join(30)


def _socket(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    if not isinstance(address, str):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            chunk = source.recv(65536)
            if not chunk:
                break
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def main(words: t.Sequence[str]) -> None:
    """Forwards until it is ended."""
    for word in words:
        listen, _equals, path = word.partition("=")
        host, _colon, port = listen.rpartition(":")
        Forward((host, int(port)), path)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
