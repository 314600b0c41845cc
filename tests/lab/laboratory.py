# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as a whole: up, down, and finding what a killed one has left."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import typing as t

from lab import needs, network, pki, processes, skeleton
from lab.host import Host
from lab.inventory import write_inventory
from lab.places import MOST_HOSTS, NAME, RELAY, RUN, SLOTS, Places, host_names
from lab.processes import Failed, Process, run
from lab.relay import HOSTNAME, Relay
from lab.skeleton import FILES


@dataclasses.dataclass(frozen=True)
class Lab:
    """A lab that is up. hosts: without the relay."""

    places: Places
    hosts: tuple[Host, ...]

    @property
    def relay(self) -> Relay:
        """Its relay."""
        return Relay(Host(self.places, RELAY))

    @property
    def all_hosts(self) -> list[Host]:
        """The relay and the hosts."""
        return [self.relay.host, *self.hosts]

    def host(self, name: str) -> Host:
        """Return the host with this name, "relay" among them; Failed when there is none."""
        for host in self.all_hosts:
            if host.name == name:
                return host
        raise Failed(
            "there is no host {}; there are relay, {}".format(name, ", ".join(host.name for host in self.hosts))
        )

    @property
    def inventory(self) -> pathlib.Path:
        """Ansible's inventory: groups targets (h001 and so on) and mtas (those that run Postfix)."""
        return self.places.folder / "inventory.yml"

    @property
    def authority(self) -> pathlib.Path:
        """The CA that issued the relay's certificate; the hosts trust it, this machine does not."""
        return self.places.folder / "pki" / "ca.pem"

    def controller(self, *words: object) -> list[str]:
        """Return the command that runs `words` on this machine, but for them the relay's name is known and its certificate is good."""
        return [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            str(FILES / "controller.sh"),
            str(self.places.folder / "controller"),
            *map(str, words),
        ]

    def down(self) -> None:
        """End every process of the lab and remove all of it but the guard route."""
        with locked():
            remove(self.places.name)


def up(count: int, name: str = "lab", mtas: int = 1, owner: t.Optional[Process] = None, systemd: bool = False) -> Lab:
    """Start a lab of `count` hosts and a relay; return when all have started.

    name: of the lab; several with different names can be up. mtas: how many of the hosts, from the first, run Postfix.
    owner: a process without which the lab is a leftover, which the next `up` or `down` of any lab removes; None for one that stays.
    systemd: the hosts' process 1 is systemd, not a small script that starts init scripts.
    Failed when a lab of that name is up; needs.Missing when the machine cannot run one.
    """
    needs.check()
    if not NAME.fullmatch(name):
        raise Failed(f"{name!r} is no name for a lab: at most 20 small letters, digits and dashes")
    if not 1 <= count <= MOST_HOSTS:
        raise Failed("a lab has 1 to %d hosts" % MOST_HOSTS)
    with locked():
        remove_leftovers()
        if (RUN / name).exists():
            raise Failed(f"the lab {name} is up; `down` ends it")
        lab = reserve(name, count, owner)
    try:
        build(lab, mtas, systemd)
        note(lab, owner, maker=None)
    except BaseException:
        lab.down()
        raise
    return lab


def reserve(name: str, count: int, owner: t.Optional[Process]) -> Lab:
    """Give a new lab its folder and a slot that no other has."""
    taken = {found["slot"] for found in map(read_note, RUN.iterdir()) if found}
    free = [slot for slot in range(SLOTS) if slot not in taken]
    if not free:
        raise Failed("there are %d labs up, which is all there can be" % SLOTS)
    places = Places(name, free[0])
    places.folder.mkdir(mode=0o711)
    run("mount", "-t", "tmpfs", "-o", "mode=711", "lab", places.folder)
    lab = Lab(places, tuple(Host(places, each) for each in host_names(count)))
    note(lab, owner, maker=Process.of(os.getpid()))
    return lab


def build(lab: Lab, mtas: int, systemd: bool) -> None:
    """Make everything of a lab that has its folder, and wait until it runs."""
    places, folder = lab.places, lab.places.folder
    names = [host.name for host in lab.hosts]
    pki.make(folder / "pki", HOSTNAME)
    for key in ("id_ed25519", "host_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", folder / key)
    skeleton.make(folder / "skeleton", places, names, (folder / "id_ed25519.pub").read_text(encoding="ascii"))
    shutil.copy(
        folder / "host_key", folder / "skeleton/etc/ssh/ssh_host_ed25519_key"
    )  # one for all: making a thousand takes long
    network.make(places, [RELAY, *names])
    if systemd:
        allow_watches(len(names))
    lab.relay.prepare()
    for number, host in enumerate(lab.hosts):
        host.prepare(["postfix", "notifier"] if number < mtas else ["notifier"], systemd=systemd)
    write_inventory(folder, lab.hosts, mtas)
    write_controller(folder)
    for host in lab.all_hosts:
        host.start()
    for host in lab.all_hosts:
        host.wait()


def allow_watches(hosts: int) -> None:
    """Let the machine have enough inotify instances: each systemd holds about five, and Linux gives root 128 in all."""
    limit = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
    wanted = 128 + 8 * hosts
    if int(limit.read_text(encoding="ascii")) < wanted:
        limit.write_text(str(wanted), encoding="ascii")


def write_controller(folder: pathlib.Path) -> None:
    """Write what a command of `Lab.controller` sees in the place of this machine's own: with the lab's names and CA added."""
    made = folder / "controller"
    made.mkdir(mode=0o755)
    authority, bundle = folder / "pki" / "ca.pem", pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    for name, own, added in (
        ("hosts", pathlib.Path("/etc/hosts"), folder / "skeleton/etc/hosts"),
        ("ca-certificates.crt", bundle, authority),
    ):
        (made / name).write_bytes((own.read_bytes() if own.exists() else b"") + b"\n" + added.read_bytes())


def find(name: str = "lab") -> Lab:
    """Return the lab with this name; Failed when it is not up."""
    found = read_note(RUN / name)
    if not found or found["maker"]:
        raise Failed(f"the lab {name} is not up")
    places = Places(name, found["slot"])
    return Lab(places, tuple(Host(places, each) for each in host_names(found["hosts"])))


def down(name: str = "lab") -> None:
    """End the lab with this name in whatever state it is, and remove all that killed labs have left."""
    with locked():
        remove_leftovers()
        remove(name)


def remove_leftovers() -> None:
    """Remove every lab whose maker was killed while making it, or whose owner is gone. To be called with the lock held."""
    for folder in RUN.iterdir():
        if folder.is_dir():
            found = read_note(folder)
            needed = [Process(*found[role]) for role in ("maker", "owner") if found[role]] if found else []
            if not found or not all(process.alive() for process in needed):
                remove(folder.name)


def remove(name: str) -> None:
    """End and remove what there is of the lab with this name. To be called with the lock held."""
    folder = RUN / name
    found = read_note(folder)
    for socket in folder.glob("ssh/*"):
        run("ssh", "-o", f"ControlPath={socket}", "-O", "exit", "lab", check=False)
    processes.end(lambda: processes.inside(network.namespaces(name)))
    remove_control_groups(name)
    network.remove(name, Places(name, found["slot"]).interface if found else None)
    unmount(folder)
    if folder.exists():
        shutil.rmtree(folder)


def remove_control_groups(name: str) -> None:
    """Remove the control groups of the hosts that ran systemd; whoever was in them has just ended."""
    for top in (
        each
        for tree in ("", "unified", "systemd")
        for each in pathlib.Path("/sys/fs/cgroup", tree).glob(f"lab.{name}.*")
    ):
        processes.wait_until(_is_gone(top), f"the control group {top} empties")


def _is_gone(top: pathlib.Path) -> t.Callable[[], bool]:
    return lambda: not gone_or_left(top)


def gone_or_left(top: pathlib.Path) -> bool:
    """Remove a control group and those below it; return whether some are left, as somebody in them is still dying."""
    for folder in [*(pathlib.Path(path) for path, below, files in os.walk(top, topdown=False))]:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return top.exists()


def unmount(folder: pathlib.Path) -> None:
    """Unmount the lab's folder and all disks below it."""
    mounted = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    for path in reversed(mounted):
        if path == str(folder) or path.startswith(f"{folder}/"):
            run("umount", "--lazy", path)


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """Hold the lock that lets one process at a time look for slots and leftovers. The kernel frees it when the process is killed."""
    RUN.mkdir(mode=0o711, exist_ok=True)
    with open(RUN / ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def note(lab: Lab, owner: t.Optional[Process], maker: t.Optional[Process]) -> None:
    """Write down what a later command must know. maker: who is making the lab, None as soon as it is up."""
    path = lab.places.folder / "lab.json"
    new = path.with_suffix(".new")
    new.write_text(
        json.dumps({"slot": lab.places.slot, "hosts": len(lab.hosts), "owner": owner, "maker": maker}), encoding="ascii"
    )
    new.rename(path)


def read_note(folder: pathlib.Path) -> t.Optional[dict[str, t.Any]]:
    """Return what `note` wrote, None where nothing is: then the maker was killed at once."""
    try:
        found: dict[str, t.Any] = json.loads((folder / "lab.json").read_text(encoding="ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found
