# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through a proxy: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110 9.3.6), as generators. The proxy looks the name up."""

from __future__ import annotations

import re
import typing as t

from ..._shared.light import NamedTuple
from ..protocol.failure import Failure
from .route import Proxy

MAX_HEAD = 8192


class Say(NamedTuple):
    """Send these bytes. Not answered."""

    data: bytes


class Take(NamedTuple):
    """Answered with exactly so many bytes: what follows them belongs to the relay."""

    size: int

    def satisfied_by(self, data: bytes) -> bool:
        """Whether this is all of it."""
        return len(data) >= self.size

    def next_bytes(self, data: bytes) -> int:
        """How many bytes may be read next."""
        return self.size - len(data)


class TakeHead(NamedTuple):
    """Answered with everything up to the first empty line, and nothing of what follows it. Raises :class:`Failure`."""

    def satisfied_by(self, data: bytes) -> bool:
        """Whether this is all of it."""
        if len(data) > MAX_HEAD:
            raise Failure("protocol_error", detail="its answer has no end")
        return data.endswith((b"\r\n\r\n", b"\n\n"))

    def next_bytes(self, data: bytes) -> int:
        """How many bytes may be read next: the end is only known when it is there."""
        return 1


Talk: t.TypeAlias = "t.Generator[t.Union[Say, Take, TakeHead], bytes, None]"

# RFC 1928 6. What a refused "rule set" is to a proxy, a firewall is elsewhere.
SOCKS_ERRORS = {
    1: ("network_unreachable", "general failure"),
    2: ("port_blocked", "its rules forbid it"),
    3: ("network_unreachable", "network unreachable"),
    4: ("network_unreachable", "host unreachable or unknown"),
    5: ("connect_refused", "connection refused"),
    6: ("connect_timeout", "no answer in time"),
    7: ("protocol_error", "it knows no CONNECT"),
    8: ("protocol_error", "it knows no such kind of address"),
}
HTTP_ERRORS = {
    403: "port_blocked",
    405: "port_blocked",
    407: "port_blocked",
    502: "network_unreachable",
    503: "network_unreachable",
    504: "connect_timeout",
}
_NO_LOGIN, _LOGIN, _NONE_OF_THEM = 0, 2, 0xFF
_ADDRESS_LENGTH = {1: 4, 4: 16}


def tunnel(proxy: Proxy, host: str, port: int) -> Talk:
    """Have ``proxy`` connect to the relay. Raises :class:`Failure`; after its end the connection is the relay's."""
    return (_socks5 if proxy.kind == "socks5" else _http)(proxy, host, port)


def _socks5(proxy: Proxy, host: str, port: int) -> Talk:
    yield Say(bytes((5, 2, _NO_LOGIN, _LOGIN)) if proxy.username else bytes((5, 1, _NO_LOGIN)))
    version, method = yield Take(2)
    if version != 5:
        raise Failure("protocol_error", detail="it does not speak SOCKS5")
    if method == _LOGIN and proxy.username:
        name, password = proxy.username.encode("utf-8"), proxy.password.reveal().encode("utf-8")
        yield Say(bytes((1, len(name))) + name + bytes((len(password),)) + password)
        if (yield Take(2))[1] != 0:
            raise Failure("port_blocked", detail="it does not accept the login given in proxy")
    elif method != _NO_LOGIN:
        wanted = "it wants another login than name and password" if proxy.username else "it wants a login"
        raise Failure("port_blocked", detail=wanted)
    yield Say(b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"))
    version, status, _reserved, kind = yield Take(4)
    if version != 5:
        raise Failure("protocol_error", detail="it does not speak SOCKS5")
    if status:
        category, text = SOCKS_ERRORS.get(status, ("protocol_error", "error %d" % status))
        raise Failure(category, detail=text)
    length = _ADDRESS_LENGTH[kind] if kind in _ADDRESS_LENGTH else (yield Take(1))[0]
    yield Take(length + 2)


def _address(host: str) -> bytes:
    # Imported here: few connections go through a proxy.
    import ipaddress

    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        name = _ascii(host)
        return bytes((3, len(name))) + name
    return bytes((1 if ip.version == 4 else 4,)) + ip.packed


def _ascii(host: str) -> bytes:
    try:
        name = host.encode("idna")
    except UnicodeError:
        name = b""
    if not 0 < len(name) < 256:
        raise Failure("dns_failure", detail="not a name that can be looked up")
    return name


def _http(proxy: Proxy, host: str, port: int) -> Talk:
    where = "%s:%d" % (f"[{host}]" if ":" in host else _ascii(host).decode("ascii"), port)
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.username:
        lines.append(f"Proxy-Authorization: Basic {proxy.basic}")
    yield Say("".join(line + "\r\n" for line in [*lines, ""]).encode("ascii"))
    first = (yield TakeHead()).partition(b"\n")[0].strip().decode("latin-1")
    found = re.match(r"HTTP/1\.[01] (\d{3})(?: |\Z)", first)
    if found is None:
        raise Failure("protocol_error", detail="it does not speak HTTP")
    status = int(found.group(1))
    if status // 100 != 2:
        printable = re.sub(r"[^ -~]", "?", first)[:120]
        raise Failure(HTTP_ERRORS.get(status, "protocol_error"), detail=f'it answered "{printable}"')
