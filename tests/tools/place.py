# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a suite runs: the copy of the checkout that Ansible's tools accept, a virtual environment per tool, a home of its own."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import setup

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"
COLLECTIONS = CACHE / "tree"
TREE = COLLECTIONS / "ansible_collections" / "smarthost" / "mail"
HOME = CACHE / "home"
# ansible-test 2.18 and 2.19 look for the first, 2.20 to 2.22 for the second, and download what they do not find.
GET_PIP = ("get_pip_24_2.py", "get_pip_25_2.py")


def copy_tree() -> None:
    """Copy what git would commit to .../ansible_collections/smarthost/mail, with a repository of its own.

    ansible-test refuses a symlinked folder, and without the repository it counts every file as ignored by the checkout around
    it, skips everything and reports success.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    shutil.rmtree(TREE, ignore_errors=True)
    for name in filter(None, names):
        source, target = ROOT / name, TREE / name
        if source.is_symlink() or source.is_file():  # a file deleted but not yet committed is neither
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", "."], cwd=TREE, check=True)


def make_home() -> None:
    """Make the home that tools see: pip's settings and downloads are the user's, everything else is new."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP:
        text = (ROOT / "tests" / "tools" / "get_pip_shim.py").read_text(encoding="utf-8")
        (cache / name).write_text(
            text.replace('WHEELS = ""', "WHEELS = {!r}".format(str(setup.WHEELS / "usr/share/python-wheels"))),
            encoding="utf-8",
        )
    for name in (".config/pip", ".cache/pip", ".pip"):
        mine, users = HOME / name, pathlib.Path.home() / name
        if users.is_dir() and not mine.is_symlink():
            mine.parent.mkdir(parents=True, exist_ok=True)
            mine.symlink_to(users)


def pythons() -> list[str]:
    """Return the folders of the Pythons that pyenv keeps, oldest first: its shims answer for versions that then do not run."""

    def age(folder: pathlib.Path) -> list[int]:
        return [int(part) for part in folder.parent.name.split(".") if part.isdigit()]

    return [str(folder) for folder in sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin"), key=age)]


def make_venv(name: str, requirements: t.Sequence[str], log: t.IO[str], python: str = sys.executable) -> pathlib.Path:
    """Return the bin folder of .cache/venvs/<name>, made anew when its requirements or its Python are others than last time."""
    venv = CACHE / "venvs" / name
    stamp = venv / "made-from.txt"
    made_from = "\n".join([os.path.realpath(python), *requirements])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != made_from:
        setup.new_venv(os.path.realpath(python), venv, log)
        # Most of what is installed is never imported, and Python compiles the rest when it is.
        pip = [
            str(venv / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--no-compile",
        ]
        subprocess.run([*pip, *requirements], check=True, stdout=log, stderr=log)
        stamp.write_text(made_from, encoding="utf-8")
    return venv / "bin"


def environment(bin_folder: pathlib.Path, place: str) -> dict[str, str]:
    """Return the environment of a suite: its venv first on PATH, and for tools in the tree the private home."""
    path = [str(bin_folder), *pythons(), os.environ.get("PATH", "")]
    changed = {
        "PATH": os.pathsep.join(path),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    if place == "tree":
        changed.update(HOME=str(HOME), ANSIBLE_HOME=str(HOME / ".ansible"), ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    return {**os.environ, **changed}
