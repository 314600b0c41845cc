# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README's two commands on a machine that is really new: Debian 12 with python3, make, git and CA certificates, and nothing else.

debootstrap makes it below one folder, a clean clone of what is committed goes in, and the commands run there in namespaces of their own, so
that whatever they mount or start ends with them. How pip and apt find their packages is as on this machine. Needs root and Linux.

Usage: sudo python3 tests/tools/fresh.py [--keep] [--as demo|user|root]... [the suites that make test runs there]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

import packages
import stranger

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOGS = ROOT / "build" / "fresh"
RELEASE = "bookworm"
PACKAGES = "python3,make,git,ca-certificates"
USER = "stranger"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AS = ("demo", "user", "root")
# How packages are found and names resolved.
COPIED = (
    "etc/apt",
    "etc/pip.conf",
    "etc/xdg/pip",
    "etc/resolv.conf",
    "etc/hosts",
    "etc/ssl/certs/ca-certificates.crt",
    "usr/local/share/ca-certificates",
    "usr/share/keyrings",
)
# Runs as process 1 of namespaces of its own, with the new root as $1, the log's pipe as its output, and after it the command.
INSIDE = r"""
set -eu
root=$1; shift
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 run "$root/run"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}"; touch "$root$1"; fi
    mount --rbind "$1" "$root$1"
    mount -o remount,ro,bind "$root$1"
    shift
done
shift
mkdir -p "$root/.old"
cd "$root"
pivot_root . .old
exec chroot . sh -c 'umount -l /.old; exec "$@"' sh "$@"
"""


class Step(t.NamedTuple):
    """One command: its name and log, whether root runs it, and its words."""

    name: str
    root: bool
    words: tuple[str, ...]


def mirror() -> str:
    """Where this machine's apt gets Debian 12 from."""
    asked = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    shown = subprocess.run(asked, stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
    found = [line.split()[2] for line in shown.splitlines() if line.startswith(RELEASE + " main ")]
    return found[0] if found else sys.exit(f"This machine's apt has no source of Debian's {RELEASE}.")


def pip_paths() -> list[str]:
    """Files and folders of this machine that pip's settings name; the settings themselves are copied, or stand in the environment."""
    shown = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, universal_newlines=True, check=False
    ).stdout
    words = re.findall(
        r"(?:file://)?(/[^\s'\"]+)",
        " ".join([shown, *(value for name, value in os.environ.items() if name.startswith("PIP_"))]),
    )
    words = [re.sub(r"/simple/?$", "", word) for word in words]  # the files of an index stand beside its pages
    named = {word for word in words if not word.startswith("//") and pathlib.Path(word).exists()}
    # Only what is of a kind with "/opt/wheels": what every Debian has comes with the new machine, or is copied.
    return sorted(path for path in named if not path.startswith(("/etc/", "/usr/")))


def build(folder: pathlib.Path) -> pathlib.Path:
    """Make the new root below the folder, with this machine's ways to packages and nothing else of it."""
    root = folder / "root"
    base = ROOT / ".cache" / f"fresh-{RELEASE}.tar"
    if not base.is_file():
        with (LOGS / "debootstrap.log").open("w", encoding="utf-8") as log:
            command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root), mirror()]
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)
        base.parent.mkdir(exist_ok=True)
        subprocess.run(["tar", "--create", "--file", f"{base}.new", "--directory", str(root), "."], check=True)
        os.rename(f"{base}.new", base)
    else:
        root.mkdir()
        subprocess.run(
            [
                "tar",
                "--extract",
                "--preserve-permissions",
                "--numeric-owner",
                "--file",
                str(base),
                "--directory",
                str(root),
            ],
            check=True,
        )
    shutil.rmtree(root / "etc" / "apt")
    for name in COPIED:
        copy(pathlib.Path("/") / name, root / name)
    subprocess.run(["chroot", str(root), "useradd", "--create-home", USER], check=True)
    for home in (root / "root", root / "home" / USER):
        inside = stranger.clone(folder, f"checkout-{home.name}")
        shutil.copytree(inside, home / "checkout", symlinks=True)
        shutil.copytree(stranger.home(folder, f"home-{home.name}"), home, dirs_exist_ok=True)
    owner = (root / "home" / USER).stat()
    stranger.give(root / "home" / USER, owner.st_uid)
    return root


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a file or a folder of this machine's settings, where it has one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.is_file():
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)


def run(root: pathlib.Path, step: Step) -> bool:
    """Run a step in the new root, in namespaces of its own; what it printed is in the log, and the end of it here where it failed."""
    home = "/root" if step.root else f"/home/{USER}"
    user = [] if step.root else ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"]
    ways = [
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith("_proxy")
    ]
    ci = ["CI=true"] if step.root else []
    inside = [
        *user,
        "env",
        "-i",
        f"HOME={home}",
        f"PATH={PATH}",
        "LANG=C.UTF-8",
        *ci,
        *ways,
        "sh",
        "-c",
        'cd "$HOME/checkout" && exec "$@"',
        "sh",
    ]
    apart = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--propagation", "private"]
    command = [*apart, "sh", "-c", INSIDE, "sh", str(root), *pip_paths(), "--", *inside, *step.words]
    log = LOGS / f"{step.name}.log"
    started = time.monotonic()
    print(f"{' '.join(step.words)}, as {'root' if step.root else 'an ordinary user'} ...", flush=True)
    with log.open("w", encoding="utf-8") as file:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False
        ).returncode
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = (
        [line for line in lines if re.match(r"(ok|FAILED|left out|\d+ of \d+ suites) ", line)]
        if status == 0
        else lines[-200:]
    )
    print("\n".join(f"    {line}" for line in shown))
    print(
        f"{'ok' if status == 0 else 'FAILED'}: {step.name}, {time.monotonic() - started:.0f} s; all of it: {log.relative_to(ROOT)}",
        flush=True,
    )
    return status == 0


def main() -> int:
    """Make the machine, run the steps, remove it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the new machine's folder")
    parser.add_argument(
        "--as", dest="steps", action="append", choices=AS, help="only these; the default is all, in this order"
    )
    parser.add_argument("suites", nargs="*", help="only these suites")
    given = parser.parse_args()
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        sys.exit("A new machine is made by root, on Linux: sudo make fresh")
    why_not = packages.install(["debootstrap"])
    if why_not:
        sys.exit(f"debootstrap is missing, and {why_not}")
    only = (f"ONLY={' '.join(given.suites)}",) if given.suites else ()
    steps = {
        "demo": Step("demo", False, ("make", "demo")),
        "user": Step("test-user", False, ("make", "test", *only)),
        "root": Step("test-root", True, ("make", "test", *only)),
    }
    LOGS.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="smarthost-fresh-"))
    folder.chmod(0o755)
    try:
        root = build(folder)
        good = [run(root, steps[name]) for name in given.steps or AS]
    finally:
        if given.keep:
            print(f"The new machine is in {folder}/root.")
        else:
            shutil.rmtree(folder)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
