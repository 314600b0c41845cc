# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``manifest.json`` of a rendered folder: for each file where it belongs on the host, and with which owner, group and mode."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ...problems import Problem, ProblemsError

NAME = "manifest.json"
VERSION = 1
WRITTEN_BY = "smarthost.mail.smtp_config"
_ANOTHER_FOLDER = "Render to a folder of its own, or move this one away."


@dataclasses.dataclass(frozen=True)
class ManifestFile:
    """One file below the folder, as its catalogue entry wants it on the host.

    file: its name below the folder. path: where it belongs on the host, or None with ``tool``, the command that takes these settings.
    owner, group, mode: None where the entry leaves them as they are on the host. group_if_readable: the group for a shared file that everybody
    may read there, and which holds a secret now. readers: who must be able to read a secret file that applications have in common.
    existed: whether it was in the folder before the first render. fingerprint: of what was written, keyed with the manifest's salt.
    """

    file: str
    path: str | None
    tool: str | None
    apps: tuple[str, ...]
    owner: str | None
    group: str | None
    mode: str | None
    group_if_readable: str | None
    readers: tuple[str, ...]
    secret: bool
    shared: bool
    existed: bool
    fingerprint: str


@dataclasses.dataclass(frozen=True)
class RenderManifest:
    """What smtp_config rendered to a folder for one host. folders: those that it made there, by name."""

    host: str
    salt: str
    folders: tuple[str, ...]
    files: tuple[ManifestFile, ...]

    def to_json(self) -> bytes:
        """The file's content."""
        found = {"version": VERSION, "written_by": WRITTEN_BY, **dataclasses.asdict(self)}
        return (json.dumps(found, indent=2, ensure_ascii=True) + "\n").encode("ascii")

    @classmethod
    def from_json(cls, data: bytes, where: str) -> RenderManifest:
        """Read it again. Raises ProblemsError for what smtp_config never wrote."""
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise _not_ours(where, "It is not JSON.") from None
        if not isinstance(found, dict) or found.get("written_by") != WRITTEN_BY:
            raise _not_ours(where, "It is another program's.")
        version = found.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise _not_ours(where, "It has no version.")
        if found["version"] > VERSION:
            what = f"It has version {found['version']}, and this release of smarthost.mail knows {VERSION}."
            raise ProblemsError(
                [Problem(where, what, "manifest-newer", "Use the release that wrote it, or render to another folder.")]
            )
        return _typed(found, where)


def _typed(found: dict[str, t.Any], where: str) -> RenderManifest:
    try:
        files = tuple(_file(item) for item in found["files"])
        manifest = RenderManifest(found["host"], found["salt"], tuple(found["folders"]), files)
    except (KeyError, TypeError, AttributeError):
        raise _not_ours(where, "It was changed by somebody else.") from None
    names = [*manifest.folders, *(file.file for file in files)]
    if not all(isinstance(value, str) for value in (manifest.host, manifest.salt, *names)) or not _is_salt(
        manifest.salt
    ):
        raise _not_ours(where, "It was changed by somebody else.")
    if any(not is_below(name) for name in names):
        raise _not_ours(where, "It names a file outside of the folder.")
    return manifest


def _file(item: dict[str, t.Any]) -> ManifestFile:
    values = {field.name: item[field.name] for field in dataclasses.fields(ManifestFile)}
    return ManifestFile(
        **{**values, "apps": tuple(map(_text, values["apps"])), "readers": tuple(map(_text, values["readers"]))}
    )


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _is_salt(salt: str) -> bool:
    return len(salt) >= 32 and all(char in "0123456789abcdef" for char in salt)


def is_below(name: str) -> bool:
    """Whether a name is one of a file or folder below the folder, spelled without detours."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


def _not_ours(where: str, why: str) -> ProblemsError:
    return ProblemsError(
        [Problem(where, f"This is not a manifest that smtp_config wrote. {why}", "manifest-damaged", _ANOTHER_FOLDER)]
    )
