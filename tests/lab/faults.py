# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be broken in a lab on purpose, by name, and mended again."""

from __future__ import annotations

import contextlib
import os
import typing as t

from lab import network, slow_cable
from lab.host import Host
from lab.laboratory import Lab
from lab.places import RELAY
from lab.processes import Failed
from lab.skeleton import make_old

AT_CONNECT, AT_EACH_STEP = "at_connect", "at_each_step"
BROKEN_SCRIPT = """#!/bin/sh
# The lab's fault no-restart: it stops as ever, and does not start.
case $1 in
  status) exec /run/lab-{service}-script status ;;
  stop) exec /run/lab-{service}-script stop ;;
  restart) /run/lab-{service}-script stop ;;
esac
echo "{service}: cannot $1: the lab's fault no-restart" >&2
exit 1
"""
BROKEN_UNIT = "[Service]\nExecStart=\nExecStart=/bin/false\nExecReload=\nExecReload=/bin/false\n"


class Fault(t.NamedTuple):
    """begin: gets the lab, the host and further words. end: gets the lab and the host. words: what the user says after its name."""

    what: str
    words: str
    begin: t.Callable[..., None]
    end: t.Callable[[Lab, Host], None]


def kill_relay(lab: Lab, host: Host) -> None:
    host.kill()


def start(lab: Lab, host: Host) -> None:
    host.start()
    host.wait()


def hang(lab: Lab, host: Host) -> None:
    host.freeze()


def go_on(lab: Lab, host: Host) -> None:
    host.freeze(False)


def delay(lab: Lab, host: Host, milliseconds: str) -> None:
    slow_cable.put(lab.places, host, float(milliseconds), 0.0)


def lose(lab: Lab, host: Host, percent: str) -> None:
    slow_cable.put(lab.places, host, 0.0, float(percent))


def slow_down(lab: Lab, host: Host, milliseconds: str, percent: str) -> None:
    slow_cable.put(lab.places, host, float(milliseconds), float(percent))


def good_cable(lab: Lab, host: Host) -> None:
    slow_cable.take_away(lab.places, host)


def pull(lab: Lab, host: Host) -> None:
    network.pull(lab.places, host.name)


def plug(lab: Lab, host: Host) -> None:
    network.plug(lab.places, host.name)


def busy(lab: Lab, host: Host) -> None:
    answer(lab, AT_CONNECT, host, "421 4.3.2 Busy, try again later")


def tarpit(lab: Lab, host: Host, seconds: str) -> None:
    answer(lab, AT_CONNECT, host, "sleep %d" % int(seconds))
    answer(lab, AT_EACH_STEP, host, "sleep %d" % int(seconds))


def answer_as_ever(lab: Lab, host: Host) -> None:
    answer(lab, AT_CONNECT, host, "")
    answer(lab, AT_EACH_STEP, host, "")


def answer(lab: Lab, table: str, host: Host, action: str) -> None:
    """Let the relay do something special when this host connects, or any host where it is the relay itself; "" for nothing."""
    relay = lab.relay.host
    who = str(lab.places.network) if host.name == RELAY else host.address
    path = relay.reach("etc/postfix/" + table)
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if line.split()[0] != who]
    path.write_text(
        "".join(line + "\n" for line in [*lines, *([f"{who} {action}"] if action else [])]), encoding="ascii"
    )
    if relay.ready():
        relay.run("postfix", "reload")


def ask_nobody(lab: Lab, host: Host) -> None:
    """Let Postfix ask Cyrus' daemon about logins, which does not run: the one way to its own 454 (Dovecot's troubles end in 535)."""
    reconfigure(host, "smtpd_sasl_type=cyrus", "smtpd_sasl_path=smtpd")


def ask_dovecot(lab: Lab, host: Host) -> None:
    reconfigure(host, "smtpd_sasl_type=dovecot", "smtpd_sasl_path=private/auth")


def reconfigure(host: Host, *settings: str) -> None:
    """Change settings of a host's Postfix, which takes them up at once."""
    host.run("postconf", "-e", *settings)
    make_old(host.reach("etc/postfix"))
    host.run("postfix", "reload")


def fill(lab: Lab, host: Host) -> None:
    """Take all that is left of its disk by a file that the host does not see."""
    with open(host.disk / "filler", "wb") as filler:
        left = os.statvfs(host.disk)
        if left.f_bavail:
            os.posix_fallocate(filler.fileno(), 0, left.f_bavail * left.f_frsize)


def empty(lab: Lab, host: Host) -> None:
    (host.disk / "filler").unlink()


def forbid_etc(lab: Lab, host: Host) -> None:
    host.run("mount", "--bind", "/etc", "/etc")
    host.run("mount", "-o", "remount,ro,bind", "/etc")


def allow_etc(lab: Lab, host: Host) -> None:
    if host.process():  # a host that was killed has lost the mount
        host.run("umount", "--lazy", "/etc")


def break_service(lab: Lab, host: Host, service: str) -> None:
    if host.systemd:
        host.run("mkdir", "-p", f"/run/systemd/system/{service}.service.d")
        host.reach(f"run/systemd/system/{service}.service.d/lab.conf").write_text(BROKEN_UNIT, encoding="ascii")
        host.run("systemctl", "daemon-reload")
        return
    script = "/etc/init.d/" + service
    host.run("cp", "-p", script, f"/run/lab-{service}-script")
    host.run(
        "sh",
        "-c",
        'umask 022; cat > "$0" && chmod 755 "$0" && mount --bind "$0" "$1"',
        f"/run/lab-{service}-broken",
        script,
        given=BROKEN_SCRIPT.format(service=service),
    )


def mend_service(lab: Lab, host: Host) -> None:
    if host.process() and host.systemd:
        host.run("sh", "-c", "rm /run/systemd/system/*.service.d/lab.conf && systemctl daemon-reload")
    elif host.process():
        host.run("sh", "-c", 'grep -o " /etc/init.d/[a-z]* " /proc/self/mounts | xargs -r -n 1 umount')


FAULTS = {
    "relay-down": Fault("its processes are gone: connections are refused", "", kill_relay, start),
    "relay-hangs": Fault("its processes stand still: it accepts connections and says nothing", "", hang, go_on),
    "busy": Fault("the relay answers 421 to HOST, or with `relay` to all", "HOST", busy, answer_as_ever),
    "auth-down": Fault("the relay answers 454 to every login", "", ask_nobody, ask_dovecot),
    "tarpit": Fault(
        "the relay waits before each answer to HOST, or with `relay` to all", "HOST SECONDS", tarpit, answer_as_ever
    ),
    "delay": Fault("each packet of HOST takes that much longer, each way", "HOST MILLISECONDS", delay, good_cable),
    "loss": Fault("that share of the packets of HOST is lost, each way", "HOST PERCENT", lose, good_cable),
    "slow-wire": Fault("delay and loss", "HOST MILLISECONDS PERCENT", slow_down, good_cable),
    "unreachable": Fault("its cable is out: silence", "HOST", pull, plug),
    "disk-full": Fault("not a byte is left for its files, but in /tmp and /run", "HOST", fill, empty),
    "read-only-etc": Fault("nothing in /etc can be written", "HOST", forbid_etc, allow_etc),
    "no-restart": Fault("the service stops as ever, and does not start", "HOST SERVICE", break_service, mend_service),
}


def break_it(lab: Lab, name: str, *words: str) -> Host:
    """Begin a fault, with the words that FAULTS says; return the host that it is on. Failed when it stands there already."""
    fault = FAULTS[name]
    wanted = fault.words.split()
    if len(words) != len(wanted):
        raise Failed("fault {} wants {}".format(name, fault.words or "no words"))
    host = lab.host(words[0] if wanted else RELAY)
    mark = lab.places.folder / "faults" / (f"{name} {host.name}")
    if mark.exists():
        raise Failed(f"{name} stands on {host.name} already")
    mark.parent.mkdir(exist_ok=True)
    mark.touch()  # first, so that one that begins by halves is ended too
    fault.begin(lab, host, *words[1:])
    return host


def heal(lab: Lab, name: t.Optional[str] = None, on: t.Optional[str] = None) -> None:
    """End the faults that stand: all, those of one name, or one on one host. None is no mistake."""
    for fault, host in standing(lab):
        if name in (None, fault) and on in (None, host):
            FAULTS[fault].end(lab, lab.host(host))
            (lab.places.folder / "faults" / (f"{fault} {host}")).unlink()


def standing(lab: Lab) -> list[tuple[str, str]]:
    """Return the name and the host of every fault that stands."""
    return sorted((path.name.split()[0], path.name.split()[1]) for path in (lab.places.folder / "faults").glob("*"))


@contextlib.contextmanager
def broken(lab: Lab, name: str, *words: str) -> t.Iterator[Host]:
    """`with broken(lab, "delay", "h001", "200"):` a fault for a while."""
    host = break_it(lab, name, *words)
    try:
        yield host
    finally:
        heal(lab, name, host.name)
