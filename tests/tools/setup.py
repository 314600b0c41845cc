# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes .venv from a Python that ansible-core 2.19 supports, installs a requirements file there and links this checkout as smarthost.mail."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
SUPPORTED = ("3.11", "3.12", "3.13")
SAY = "import sys; print('%d.%d' % sys.version_info[:2])"


def version_of(python: str) -> str:
    """Return "3.11" for a Python that really runs (a pyenv shim may be on PATH and run nothing), else ""."""
    try:
        done = subprocess.run([python, "-c", SAY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def candidates() -> t.Iterator[str]:
    """Name the Pythons to try: the one running this, those on PATH, those that pyenv keeps."""
    yield sys.executable
    for version in SUPPORTED:
        found = shutil.which("python" + version)
        if found:
            yield found
        for folder in sorted(pathlib.Path.home().glob(".pyenv/versions/%s.*/bin" % version)):
            yield str(folder / "python")


def supported_python() -> str:
    """Return a Python for the controller, or leave with what to install."""
    for python in candidates():
        if version_of(python) in SUPPORTED:
            return python
    sys.exit(
        "ansible-core 2.19 needs Python %s on the controller, and python3 here is %s. "
        "Install one of them (Debian 12: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11"
        % (", ".join(SUPPORTED), version_of("python3") or "missing")
    )


def make_venv(python: str) -> None:
    """Make .venv unless a usable one is there; Debian ships venv's pip in a package of its own."""
    if version_of(str(VENV / "bin" / "python")) in SUPPORTED:
        return
    if subprocess.run([python, "-c", "import ensurepip, venv"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        install_venv_package(python)
    subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)


def install_venv_package(python: str) -> None:
    """Install Debian's python3-venv where we may, or leave with the command to run."""
    sys.path.insert(0, str(ROOT / "tests" / "tools"))
    import packages

    wanted = "python%s-venv" % version_of(python)
    why_not = packages.install([wanted])
    if why_not:
        sys.exit("%s has no venv module that can install pip, and %s. Install it: apt install %s" % (python, why_not, wanted))


def main(requirements: str) -> None:
    """Set up .venv with one requirements file; safe to run again."""
    make_venv(supported_python())
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run(pip + ["-r", str(ROOT / requirements)], check=True)
    link = VENV / "collections" / "ansible_collections" / "smarthost" / "mail"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or os.readlink(str(link)) != str(ROOT):
        if link.is_symlink():
            link.unlink()
        link.symlink_to(ROOT)


if __name__ == "__main__":
    if sys.version_info < (3, 8):
        sys.exit("Run this with Python 3.8 or newer; it then finds one of %s for the controller." % ", ".join(SUPPORTED))
    try:
        main(sys.argv[1])
    except subprocess.CalledProcessError as error:
        sys.exit("Setting up .venv stopped: `%s` ended with %d; its own words are above." % (" ".join(error.cmd), error.returncode))
