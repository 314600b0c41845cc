# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command."""

from __future__ import annotations

import argparse
import os
import sys
import time
import typing as t

import lab as package
from lab import laboratory, network
from lab.faults import FAULTS, break_it, heal, standing
from lab.needs import Missing
from lab.processes import Failed

ENDING = """
faults (`fault NAME HOST ...`; `heal` ends all, `heal NAME HOST` one):
%s

The lab needs root, Linux with overlayfs and network namespaces, and the Debian packages of tests/lab/packages.txt.
"""


def main(words: t.Sequence[str]) -> int:
    """Do what the words say; return the exit status."""
    options = parser().parse_args(words)
    try:
        return options.act(options) or 0
    except (Missing, Failed) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command's words."""
    faults = "\n".join("  %-40s %s" % (" ".join([name, fault.words]), fault.what) for name, fault in FAULTS.items())
    top = argparse.ArgumentParser(
        prog="lab",
        description=package.__doc__,
        epilog=ENDING % faults,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--name", default="lab", help="of the lab, when there is more than one (%(default)s)")
    verbs = top.add_subparsers(required=True, metavar="VERB")
    verb = verbs.add_parser("up", help="start so many hosts and the relay")
    verb.add_argument("hosts", type=int)
    verb.add_argument("--mtas", type=int, default=1, help="how many of them run Postfix (%(default)s)")
    verb.add_argument("--systemd", action="store_true", help="their process 1 is systemd")
    verb.set_defaults(act=up)
    verb = verbs.add_parser("down", help="end it, and remove what killed labs have left")
    verb.add_argument(
        "--guard", action="store_true", help="remove the route too that keeps the labs' addresses on this machine"
    )
    verb.set_defaults(act=down)
    verbs.add_parser("status", help="hosts, addresses, processes, faults").set_defaults(act=status)
    verb = verbs.add_parser("sh", help="a root shell in a host, or a command, without SSH")
    verb.add_argument("host")
    verb.add_argument("command", nargs=argparse.REMAINDER)
    verb.set_defaults(act=shell)
    verb = verbs.add_parser(
        "controller",
        help="a command on this machine, such as ansible-playbook, that knows the relay's name and trusts its CA",
    )
    verb.add_argument("command", nargs=argparse.REMAINDER)
    verb.set_defaults(act=controller)
    verb = verbs.add_parser(
        "cred", help="credentials of the relay: list | set USER SECRET | add USER SECRET | del USER [SECRET]"
    )
    verb.add_argument("what", choices=("list", "set", "add", "del"))
    verb.add_argument("words", nargs="*")
    verb.set_defaults(act=credentials)
    verb = verbs.add_parser("mail", help="what has arrived: sender's address, login, subject")
    verb.set_defaults(act=mail)
    verb = verbs.add_parser("fault", help="break something on purpose")
    verb.add_argument("fault", choices=FAULTS, metavar="NAME")
    verb.add_argument("words", nargs="*", metavar="WORD")
    verb.set_defaults(act=fault)
    verb = verbs.add_parser("heal", help="end a fault, or all")
    verb.add_argument("fault", nargs="?", choices=FAULTS, metavar="NAME")
    verb.add_argument("host", nargs="?", metavar="HOST")
    verb.set_defaults(act=mend)
    return top


def up(options: argparse.Namespace) -> None:
    """Start a lab that stays until `down`."""
    started = time.monotonic()
    lab = laboratory.up(options.hosts, options.name, options.mtas, systemd=options.systemd)
    print(
        "%d hosts and the relay in %.1f s; ansible -i %s targets -m ping"
        % (len(lab.hosts), time.monotonic() - started, lab.inventory)
    )


def down(options: argparse.Namespace) -> None:
    """End a lab."""
    laboratory.down(options.name)
    if options.guard:
        network.unguard()


def status(options: argparse.Namespace) -> None:
    """Print one line a host."""
    lab = laboratory.find(options.name)
    for host in lab.all_hosts:
        print(
            "%-6s %-15s %-4s %3d processes"
            % (host.name, host.address, "up" if host.ready() else "down", len(host.processes()))
        )
    for fault, where in standing(lab):
        print(f"fault {fault} on {where}")


def shell(options: argparse.Namespace) -> None:
    """Become a command in a host."""
    command = laboratory.find(options.name).host(options.host).command(*(options.command or ["bash", "-l"]))
    os.execvp(command[0], command)


def controller(options: argparse.Namespace) -> None:
    """Become a command on this machine."""
    command = laboratory.find(options.name).controller(*(options.command or ["bash"]))
    os.execvp(command[0], command)


def credentials(options: argparse.Namespace) -> int:
    """Show or change what the relay accepts."""
    relay = laboratory.find(options.name).relay
    least, most = {"list": (0, 0), "set": (2, 2), "add": (2, 2), "del": (1, 2)}[options.what]
    if not least <= len(options.words) <= most:
        print("lab: list | set USER SECRET | add USER SECRET | del USER [SECRET]", file=sys.stderr)
        return 2
    if options.what == "list":
        for user, secret in relay.credentials():
            print(user, secret)
    else:
        {"set": relay.set, "add": relay.add, "del": relay.revoke}[options.what](*options.words)
    return 0


def mail(options: argparse.Namespace) -> None:
    """Print one line a message."""
    for message in laboratory.find(options.name).relay.mail():
        print("%-15s %-20s %s" % (message.client, message.login, message.subject))


def fault(options: argparse.Namespace) -> None:
    """Begin a fault."""
    break_it(laboratory.find(options.name), options.fault, *options.words)


def mend(options: argparse.Namespace) -> None:
    """End faults."""
    heal(laboratory.find(options.name), options.fault, options.host)
