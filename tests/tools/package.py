# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection, installs the tarball into an empty folder, keeps only what Ansible promises to keep, asks for every page
of documentation, and lets ansible-builder read what an execution environment needs."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

# "A collection must work if every file is deleted except those in these folders": the community requirements.
KEPT = ("meta", "plugins", "roles", "playbooks", "MANIFEST.json", "FILES.json")
# What people read, or point their editor to.
READ = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs", "schemas", "changelogs")


def run(*command: str, **more: str) -> str:
    """Run a command, print it, return its standard output; its failure ends this program."""
    print("$", *command, flush=True)
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, universal_newlines=True, env={**os.environ, **more}
    ).stdout


def install(folder: pathlib.Path) -> pathlib.Path:
    """Build here, install there, without the network; return the installed collection."""
    run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    (tarball,) = folder.glob("*.tar.gz")
    run(
        "ansible-galaxy",
        "collection",
        "install",
        str(tarball),
        "--offline",
        "-p",
        str(folder),
        ANSIBLE_COLLECTIONS_PATH=str(folder),
    )
    return folder / "ansible_collections" / "smarthost" / "mail"


def needless(collection: pathlib.Path) -> list[str]:
    """Return what the tarball holds and no user of the collection uses: tests, scenarios, what CI and editors need."""
    found = [entry.name for entry in collection.iterdir() if entry.name not in (*KEPT, *READ)]
    found += [
        str(path.relative_to(collection))
        for path in collection.rglob("*")
        if path.name in ("__pycache__", "tests") or path.name.startswith(".")
    ]
    return [f"the tarball holds {name}, which nobody uses who installs it" for name in sorted(found)]


def strip(collection: pathlib.Path) -> None:
    """Delete everything that a plugin may not rely on."""
    for entry in collection.iterdir():
        if entry.name not in KEPT:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def names_of(collection: pathlib.Path) -> dict[str, list[str]]:
    """Return every name that a playbook may write, per kind of ansible-doc; a filter's is what its plugin registers, not its file's."""
    sys.path.insert(0, str(collection.parent.parent.parent))
    filters: set[str] = set()
    for path in (collection / "plugins" / "filter").glob("*.py"):
        plugin = importlib.import_module("ansible_collections.smarthost.mail.plugins.filter." + path.stem)
        filters.update(plugin.FilterModule().filters())
    return {
        "module": sorted(path.stem for path in (collection / "plugins" / "modules").glob("*.py")),
        "filter": sorted(filters),
        "callback": sorted(path.stem for path in (collection / "plugins" / "callback").glob("*.py")),
        "role": sorted(path.name for path in (collection / "roles").glob("*") if path.is_dir()),
    }


def documented(collection: pathlib.Path, kind: str, names: list[str]) -> list[str]:
    """Return the problems of one kind: a page that is missing, or has no description."""
    full = ["smarthost.mail." + name for name in names]
    pages = json.loads(
        run("ansible-doc", "--json", "-t", kind, *full, ANSIBLE_COLLECTIONS_PATH=str(collection.parent.parent.parent))
    )
    problems = []
    for name in full:
        page = pages.get(name, {})
        good = (
            page.get("entry_points")
            if kind == "role"
            else page.get("doc", {}).get("description") and page.get("examples")
        )
        if not good:
            problems.append(f"{kind} {name}: ansible-doc has no full page for it")
    return problems


def execution_environment(collection: pathlib.Path, folder: pathlib.Path) -> list[str]:
    """Return what ansible-builder does not take over from the collection's meta/ into an image."""
    wanted = set(
        filter(
            None,
            (
                line.partition("#")[0].strip()
                for line in (collection / "meta" / "ee-requirements.txt").read_text("utf-8").splitlines()
            ),
        )
    )
    told = yaml.safe_load(run("ansible-builder", "introspect", str(collection.parent.parent.parent)))
    taken = {text.partition("#")[0].strip() for text in told["python"]}
    definition = folder / "execution-environment.yml"
    galaxy = {"collections": [{"name": "smarthost.mail", "source": "smarthost.tar.gz", "type": "file"}]}
    image = {"name": "registry.example.com/ansible:latest"}
    definition.write_text(
        yaml.safe_dump({"version": 3, "images": {"base_image": image}, "dependencies": {"galaxy": galaxy}}),
        encoding="utf-8",
    )
    run(
        "ansible-builder",
        "create",
        "--file",
        str(definition),
        "--context",
        str(folder / "context"),
        "--output-filename",
        "Containerfile",
    )
    made = folder / "context" / "Containerfile"
    problems = (
        []
        if wanted and taken == wanted
        else [f"ansible-builder reads {sorted(taken)} from meta/, not {sorted(wanted)}"]
    )
    return problems + (
        []
        if made.is_file() and "ansible-galaxy collection install" in made.read_text("utf-8")
        else ["ansible-builder made no Containerfile"]
    )


def main() -> int:
    """Print what was found; return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        collection = install(pathlib.Path(name))
        problems = needless(collection)
        strip(collection)
        for kind, names in names_of(collection).items():
            problems += documented(collection, kind, names) if names else [f"the tarball holds no {kind}"]
        problems += execution_environment(collection, pathlib.Path(name))
        for playbook in sorted((collection / "playbooks").glob("*.yml")):
            run(
                "ansible-playbook",
                "--syntax-check",
                "smarthost.mail." + playbook.stem,
                "-i",
                "localhost,",
                ANSIBLE_COLLECTIONS_PATH=str(collection.parent.parent.parent),
            )
    print(
        "\n".join(problems)
        or "every module, filter, callback and role is documented, every playbook found, and ansible-builder takes what meta/ says"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
