# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `make demo` as a stranger would: an unprivileged user, a clean clone, a home of its own. Started by root it takes a user id; no user is made.

Usage: python3 tests/tools/stranger.py [the words of a command, instead of make demo]
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t

import setup

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# A number that no account of a Debian system has; some do: then the next one.
FIRST_FREE = 61_184
SECONDS = 600


def free_user() -> int:
    """Return a user id without an account."""
    import pwd

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(number for number in range(FIRST_FREE, 65_000) if number not in taken)


def as_user(user: int | None, command: t.Sequence[str]) -> list[str]:
    """The command run as a user without any group, and never more than that again."""
    if user is None:
        return list(command)
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", *command]


def python_for(user: int | None) -> str:
    """Return a supported Python that this user can run (the one on root's PATH may lie in root's home), or leave."""
    system = [shutil.which(f"python{version}", path=SYSTEM_PATH) for version in ("3", *setup.SUPPORTED)]
    own = [sys.executable, *(str(folder / "python3") for folder in pathlib.Path.home().glob(".pyenv/versions/3.*/bin"))]
    for python in [*filter(None, system), *own]:
        try:
            done = subprocess.run(
                as_user(user, [python, "-c", setup.SAY]),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                check=False,
            )
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.decode().strip() in setup.SUPPORTED:
            setup.has_ensurepip(
                python
            )  # as root, Debian's package for it is installed now, and need not be unpacked by the user
            return python
    sys.exit(f"No Python {' or '.join(setup.SUPPORTED)} is there for an unprivileged user: apt install python3")


def clone(folder: pathlib.Path, name: str = "checkout") -> pathlib.Path:
    """A clean clone of what is committed here, whoever owns this checkout: git refuses another user's unless told that it is safe."""
    settings = folder / "gitconfig"
    settings.write_text(f"[safe]\n\tdirectory = {ROOT}\n\tdirectory = {ROOT}/.git\n", encoding="utf-8")
    target = folder / name
    command = ["git", "clone", "--quiet", "--no-hardlinks", "--depth=1", ROOT.as_uri(), str(target)]
    subprocess.run(
        command, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": str(settings)}, stdin=subprocess.DEVNULL
    )
    return target


def home(folder: pathlib.Path, name: str = "home") -> pathlib.Path:
    """An empty home but for how pip finds its packages on this machine."""
    target = folder / name
    target.mkdir()
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        settings = pathlib.Path.home() / name
        if settings.is_file():
            (target / name).parent.mkdir(parents=True)
            shutil.copyfile(settings, target / name)
    return target


def environment(own_home: pathlib.Path) -> dict[str, str]:
    """Nothing of the caller's but language, CI and what leads pip to its packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("LANG", "LC_ALL", "CI") or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(own_home), "PATH": SYSTEM_PATH, "TMPDIR": str(own_home.parent / "tmp")}


def give(folder: pathlib.Path, user: int) -> None:
    """Let everything below a folder belong to a user."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)


def run(command: t.Sequence[str], folder: pathlib.Path, user: int | None) -> int:
    """Run it in the clone; end whatever it left running. Returns its status."""
    env = environment(home(folder))
    (folder / "tmp").mkdir()
    checkout = clone(folder)
    if user is not None:
        give(folder, user)
    process = subprocess.Popen(
        as_user(user, command), cwd=checkout, env=env, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print(f"It took longer than {SECONDS} s and was ended.")
        return 1
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def main(words: t.Sequence[str]) -> int:
    """Run the command, and leave nothing behind."""
    user = free_user() if os.geteuid() == 0 else None
    command = [*(words or ("make", "demo")), f"PYTHON={python_for(user)}"]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="smarthost-stranger-"))
    try:
        print(
            "As user %d, in a clean clone with a home of its own: %s"
            % (os.geteuid() if user is None else user, " ".join(command)),
            flush=True,
        )
        return run(command, folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # what a process that has just ended was still writing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
