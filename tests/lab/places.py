# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab lives on the machine: its folder, its namespaces and its addresses, all of which follow from its name and its slot."""

from __future__ import annotations

import ipaddress
import pathlib
import re
import typing as t

RUN = pathlib.Path("/run/smarthost-lab")
# RFC 2544 keeps these for tests of networks: they are nobody's on the internet, and seldom in use on a site. Each lab has a part.
ALL_ADDRESSES = ipaddress.IPv4Network("198.18.0.0/15")
PREFIX = 20
SLOTS = 2 ** (PREFIX - ALL_ADDRESSES.prefixlen)
MOST_HOSTS = 1000  # a Linux bridge has 1,023 ports
DOMAIN = "lab.test"
RELAY = "relay"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


class Places(t.NamedTuple):
    """name: of the lab. slot: its part of the addresses, 0 to SLOTS - 1, which no other lab has at the same time."""

    name: str
    slot: int

    @property
    def folder(self) -> pathlib.Path:
        """The lab's folder, a tmpfs of its own while it is up."""
        return RUN / self.name

    def namespace(self, host: str) -> str:
        """Return the name of a host's network namespace; "switch" is the one with the bridge. A dot is in no lab's name."""
        return f"lab.{self.name}.{host}"

    @property
    def network(self) -> ipaddress.IPv4Network:
        """All addresses of this lab."""
        return list(ALL_ADDRESSES.subnets(new_prefix=PREFIX))[self.slot]

    def address(self, host: str) -> str:
        """Return the address of h001 (the first), of the relay, or of this machine as the "controller"."""
        last = int(self.network.broadcast_address)
        number = {RELAY: last - 2, "controller": last - 1}.get(host) or int(self.network.network_address) + int(
            host[1:]
        )
        return str(ipaddress.ip_address(number))

    @property
    def interface(self) -> str:
        """This machine's end of the cable to the lab's switch."""
        return "labswitch%d" % self.slot

    def hardware(self, host: str) -> str:
        """Return a host's hardware address: the same whatever its cable, so that nobody's table of neighbours goes stale."""
        return "02:4c:" + ":".join(f"{int(part):02x}" for part in self.address(host).split("."))


def host_names(count: int) -> list[str]:
    """Return h001, h002 and so on."""
    return ["h%03d" % number for number in range(1, count + 1)]
