# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: a bridge in a namespace of its own, a cable to each host and one to this machine."""

from __future__ import annotations

import typing as t

from lab.places import ALL_ADDRESSES, PREFIX, Places
from lab.processes import NAMESPACES, run

GUARD = ("unreachable", str(ALL_ADDRESSES), "metric", "99999")


def make(places: Places, hosts: t.Sequence[str]) -> None:
    """Make the switch, this machine's cable to it, and a namespace with a cable for every host."""
    guard()
    switch = places.namespace("switch")
    run("ip", "-batch", "-", given="".join(f"netns add {places.namespace(name)}\n" for name in ("switch", *hosts)))
    lines = ["link add br0 type bridge", "link set br0 up", "link set lo up"]
    for name in hosts:
        lines += [cable(places, name), f"link set {name} master br0 up"]
    run("ip", "-n", switch, "-batch", "-", given="\n".join(lines) + "\n")
    run("ip", "link", "add", places.interface, "type", "veth", "peer", "name", "controller", "netns", switch)
    run("ip", "-n", switch, "link", "set", "controller", "master", "br0", "up")
    run(
        "ip",
        "-batch",
        "-",
        given=f"addr add {places.address('controller')}/{PREFIX} dev {places.interface}\nlink set {places.interface} up\n",
    )
    for name in hosts:
        configure(places, name)


def cable(places: Places, host: str) -> str:
    """Return the `ip` command, for the switch's namespace, that makes a host's cable."""
    return f"link add {host} type veth peer name eth0 address {places.hardware(host)} netns {places.namespace(host)}"


def configure(places: Places, host: str) -> None:
    """Give a host's end of its cable its address. There is no route but that to the lab's own network."""
    lines = [
        "link set lo up",
        f"link set eth0 address {places.hardware(host)} up",
        "addr add %s/%d dev eth0" % (places.address(host), PREFIX),
    ]
    run("ip", "-n", places.namespace(host), "-batch", "-", given="\n".join(lines) + "\n")


def pull(places: Places, host: str) -> None:
    """Pull a host's cable out of the switch: silence, as from a power cut."""
    run("ip", "-n", places.namespace("switch"), "link", "set", host, "down")


def plug(places: Places, host: str) -> None:
    """Put a host's cable back into the switch."""
    run("ip", "-n", places.namespace("switch"), "link", "set", host, "up")


def guard() -> None:
    """Keep what is meant for a lab on this machine: while a lab is down, its addresses would leave by the default route."""
    run("ip", "route", "replace", *GUARD)


def unguard() -> None:
    """Remove the route that `guard` has set."""
    run("ip", "route", "del", *GUARD, check=False)


def namespaces(name: str) -> list[str]:
    """Return the names of all network namespaces of the lab with this name that exist."""
    return sorted(path.name for path in NAMESPACES.glob(f"lab.{name}.*"))


def remove(name: str, interface: t.Optional[str]) -> None:
    """Remove every namespace of the lab with this name, the cables with them. interface: this machine's end, where it is known."""
    names = namespaces(name)
    run("ip", "-force", "-batch", "-", given="".join(f"netns del {each}\n" for each in names), check=False)
    if interface:
        run("ip", "link", "del", interface, check=False)
