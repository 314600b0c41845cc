# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A message: its length in four bytes, then what marshal makes of it. Files travel with the first byte.

marshal is a part of the interpreter, which at both ends is the same: importing json would cost every start some 10 ms.
"""

from __future__ import annotations

import marshal
import socket
import struct

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing, which costs every start some milliseconds
if TYPE_CHECKING:
    import typing as t

LENGTH = struct.Struct("!I")


def send(connection: socket.socket, value: t.Any, files: t.Sequence[int] = ()) -> None:
    """Sends a value, and open files with it."""
    data = marshal.dumps(value)
    if files:
        socket.send_fds(connection, [LENGTH.pack(len(data))], list(files))
    else:
        connection.sendall(LENGTH.pack(len(data)))
    connection.sendall(data)


def receive(connection: socket.socket, files: int = 0) -> t.Tuple[t.Any, t.List[int]]:
    """The next value, and as many open files; EOFError when the other end is gone before that."""
    start, received, _flags, _address = socket.recv_fds(connection, LENGTH.size, files)
    start += _bytes(connection, LENGTH.size - len(start))
    return marshal.loads(_bytes(connection, LENGTH.unpack(start)[0])), list(received)


def listening(path: str) -> socket.socket:
    """A socket on which others wait until it is their turn."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


def connected(path: str) -> socket.socket:
    """A connection to a socket of that path."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def _bytes(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise EOFError("the other end is gone")
        found += more
    return found
