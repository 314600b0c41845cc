# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of HAProxy's PROXY protocol, by which a relay behind a load balancer wants to be told who connects (versions 1 and 2)."""

from __future__ import annotations

import ipaddress

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21
_TCP = {4: 0x11, 6: 0x21}


def header(version: str, source: str, source_port: int, target: str, target_port: int) -> tuple[bytes, str]:
    """The bytes, and what a transcript may say of them. ``source`` empty: it is not told from where (v1 UNKNOWN, v2 LOCAL).

    Source: HAProxy, "The PROXY protocol", sections 2.1 and 2.2.
    """
    if not source:
        return (
            b"PROXY UNKNOWN\r\n" if version == "v1" else _SIGNATURE + bytes((_LOCAL, 0, 0, 0))
        ), "from an unknown address"
    ends = [ipaddress.ip_address(text.partition("%")[0]) for text in (source, target)]
    shown = "from %s port %d to %s port %d" % (ends[0], source_port, ends[1], target_port)
    if version == "v1":
        line = "PROXY TCP%d %s %s %d %d\r\n" % (ends[0].version, ends[0], ends[1], source_port, target_port)
        return line.encode("ascii"), shown
    body = ends[0].packed + ends[1].packed + source_port.to_bytes(2, "big") + target_port.to_bytes(2, "big")
    return _SIGNATURE + bytes((_PROXY, _TCP[ends[0].version])) + len(body).to_bytes(2, "big") + body, shown
