# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in a temporary folder: real files, deployed to by the real code."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import (
    new_key,
    original_label,
    read_label,
    seal_contents,
    unseal,
)
from leave_out import need_root

Answer = t.Dict[str, t.Any]


class Host:
    """``root`` is what applications see; our state lies beside it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.state_dir = folder / "state"
        self.key = new_key()

    def path(self, name: str) -> str:
        return str(self.root / name)

    def put(self, name: str, text: str, mode: int = 0o644) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return str(path)

    def change(self, name: str, action: str = "write", **options: t.Any) -> Answer:
        return {"app": "wiki", "path": self.path(name), "action": action, **options}

    def request_for(
        self, texts: t.Mapping[str, str], *changes: Answer, state: str = "present", **options: t.Any
    ) -> DeployCall:
        """``texts``: by the whole path or name, each with one of the ``changes``."""
        sealed = seal_contents(self.key, {path: text.encode("utf-8") for path, text in texts.items()})
        return DeployCall(state, str(self.state_dir), changes=changes, seal_key=self.key, contents=sealed, **options)

    def request(
        self, texts: t.Optional[t.Mapping[str, str]] = None, *changes: Answer, state: str = "present", **options: t.Any
    ) -> DeployCall:
        """``texts``: files to write by name, with default options; ``changes``: what needs others."""
        named = {change["path"] for change in changes}
        texts = texts or {}
        plain = [self.change(name) for name in texts if self.path(name) not in named]
        contents = {self.path(name): text.encode("utf-8") for name, text in texts.items()}
        sealed = seal_contents(self.key, contents)
        return DeployCall(
            state, str(self.state_dir), changes=(*plain, *changes), seal_key=self.key, contents=sealed, **options
        )

    def deploy(self, texts: t.Optional[t.Mapping[str, str]] = None, *changes: Answer, **options: t.Any) -> Answer:
        return run(self.request(texts, *changes, **options))

    def query(self, *names: str, **options: t.Any) -> Answer:
        read = tuple({"path": self.path(name), "original": True} for name in names)
        return run(DeployCall("query", str(self.state_dir), read=read, seal_key=self.key, **options))

    def told_at(self, name: str) -> str:
        """What a tool reads, by the name that the record has for it."""
        sealed = run(DeployCall("query", str(self.state_dir), read=({"path": name},), seal_key=self.key))["read"][name][
            "content"
        ]
        return unseal(self.key, read_label(name), sealed).decode("utf-8")

    def told(self, name: str, part: str = "content") -> t.Optional[str]:
        sealed = self.query(name)["read"][self.path(name)][part]
        label = read_label(self.path(name)) if part == "content" else original_label(self.path(name))
        return None if sealed is None else unseal(self.key, label, sealed).decode("utf-8")

    def tree(self) -> dict[str, tuple[t.Any, ...]]:
        """Everything that applications can see: by name the mode, owner, group and bytes, or the target of a link."""
        return {str(path.relative_to(self.root)): _shape(path) for path in sorted(self.root.rglob("*"))}

    def notes(self) -> dict[str, int]:
        """Every file and folder of our state with its permissions."""
        return {
            str(path.relative_to(self.state_dir)): stat.S_IMODE(path.lstat().st_mode)
            for path in self.state_dir.rglob("*")
        }


def _shape(path: pathlib.Path) -> tuple[t.Any, ...]:
    status = path.lstat()
    if path.is_symlink():
        return ("link", os.readlink(path))
    body = path.read_bytes() if path.is_file() else None
    return (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, body)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def as_root() -> None:
    """For what only root can set up."""
    need_root("only root can prepare this case")


def codes(answer: Answer) -> list[str]:
    return [problem["code"] for problem in answer["problems"]]
