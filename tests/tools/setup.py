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
WHEELS = ROOT / ".cache" / "wheels"
SUPPORTED = ("3.11", "3.12", "3.13")
SAY = "import sys; print('%d.%d' % sys.version_info[:2])"


def version_of(python: str) -> str:
    """Return "3.11" for a Python that really runs (a pyenv shim may be on PATH and run nothing), else ""."""
    try:
        done = subprocess.run(
            [python, "-c", SAY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, check=False
        )
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
        for folder in sorted(pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin")):
            yield str(folder / "python")


def supported_python() -> str:
    """Return a Python for the controller, or leave with what to install."""
    for python in candidates():
        if version_of(python) in SUPPORTED:
            return python
    sys.exit(
        "ansible-core 2.19 needs Python {} on the controller, and python3 here is {}. "
        "Install one of them (Debian 12: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11".format(
            ", ".join(SUPPORTED), version_of("python3") or "missing"
        )
    )


def make_venv(python: str) -> None:
    """Make .venv unless a usable one is there."""
    if version_of(str(VENV / "bin" / "python")) not in SUPPORTED or not (VENV / "bin" / "pip").exists():
        new_venv(python, VENV)


def new_venv(python: str, folder: pathlib.Path, log: t.Optional[t.IO[str]] = None) -> None:
    """Make a venv with pip, also where Debian's pip for it is a package that is missing and that this user may not install."""
    make = [python, "-m", "venv", "--clear", str(folder)]
    if has_ensurepip(python):
        subprocess.run(make, check=True, stdout=log, stderr=log)
        return
    wheels = pip_wheels()
    subprocess.run([*make, "--without-pip"], check=True, stdout=log, stderr=log)
    (pip,) = wheels.glob("pip-*.whl")
    install = [
        "install",
        "-qq",
        "--disable-pip-version-check",
        "--no-index",
        "--find-links",
        str(wheels),
        "pip",
        "setuptools",
    ]
    subprocess.run([str(folder / "bin" / "python"), str(pip / "pip"), *install], check=True, stdout=log, stderr=log)


def has_ensurepip(python: str) -> bool:
    """Whether this Python can put pip into a venv by itself; where it cannot, Debian's package that lets it is installed if we may."""
    asked = [python, "-c", "import ensurepip, venv"]
    if subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return True
    return (
        not debian().install([f"python{version_of(python)}-venv"])
        and subprocess.run(asked, check=False).returncode == 0
    )


def pip_wheels() -> pathlib.Path:
    """Return a folder with wheels of pip and setuptools, which are Debian's, unpacked and not installed; leave where that cannot be."""
    try:
        found = debian().unpacked(["python3-pip-whl", "python3-setuptools-whl"], WHEELS)
    except RuntimeError as error:
        sys.exit(
            f"python3 here has no ensurepip, so a virtual environment gets no pip, and Debian's cannot be had: {error}. "
            "Install it: apt install python3-venv"
        )
    answer: pathlib.Path = found / "usr" / "share" / "python-wheels"
    return answer


def debian() -> t.Any:
    """Return packages.py, which stands beside this file however this is called."""
    sys.path.insert(0, str(ROOT / "tests" / "tools"))
    import packages

    return packages


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
        sys.exit(
            "Run this with Python 3.8 or newer; it then finds one of {} for the controller.".format(
                ", ".join(SUPPORTED)
            )
        )
    try:
        main(sys.argv[1])
    except subprocess.CalledProcessError as error:
        sys.exit(
            "Setting up .venv stopped: `%s` ended with %d; its own words are above."
            % (" ".join(error.cmd), error.returncode)
        )
