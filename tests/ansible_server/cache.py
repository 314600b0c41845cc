# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zip files that Ansible makes of modules (AnsiballZ), which it keeps for one run: for all runs that find the same modules.

Every run has a folder of its own for them, with links to those that are there already. What it adds is copied when it has ended, whole or
not at all, so runs at the same time do not see each other's unfinished files, whichever way Ansible writes them.

A module's process compiles everything it imports from its zip file, which is more than half of the processor time that it takes. So the copy has
the compiled code beside each source, for this Python; any other passes over it and reads the source.

Ansible compiles the plugins of collections, too, each time that it imports them, and keeps nothing: their code is kept beside the zip files.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.util
import io
import marshal
import os
import shutil
import types
import typing as t
import zipfile

NOT_MODULES = (".lock", "-part")
UNCHECKED = b"\1\0\0\0"  # PEP 552: by the hash of its source, which is not compared


def lend(kept: str, folder: str) -> None:
    """Makes the folder of one run."""
    os.makedirs(kept, exist_ok=True)
    os.mkdir(folder)
    for name in os.listdir(kept):
        os.symlink(os.path.join(kept, name), os.path.join(folder, name))


def keep(folder: str, kept: str) -> None:
    """Keeps what a run has added to its folder."""
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_file(follow_symlinks=False) and not entry.name.endswith(NOT_MODULES):
            unfinished = f"{kept}.{os.getpid()}"  # beside the folder, so that nobody takes it for a module
            copy(entry.path, unfinished)
            os.rename(unfinished, os.path.join(kept, entry.name))


def copy(source: str, target: str) -> None:
    """Copies one module, with its compiled code where this version of Ansible keeps it in a form that we know."""
    from ansible.executor import module_common

    form: t.Any = getattr(module_common, "_CachedModule", None)
    if form is None:
        shutil.copyfile(source, target)
    else:
        module = form.load(source)
        dataclasses.replace(module, zip_data=base64.b64encode(compiled(base64.b64decode(module.zip_data)))).dump(target)


def compiled(data: bytes) -> bytes:
    """The same zip file with the compiled code beside each source."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            text = old.read(entry)
            new.writestr(entry, text)
            if entry.filename.endswith(".py"):
                code = compile(text, entry.filename, "exec", dont_inherit=True)
                head = importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(text)
                new.writestr(entry.filename + "c", head + marshal.dumps(code))
    return made.getvalue()


def keep_plugins(kept: str) -> None:
    """Has Ansible take what it compiles of collections from this folder."""
    from ansible.utils.collection_loader import _collection_finder

    folder = kept + "-compiled"
    os.makedirs(folder, exist_ok=True)

    def kept_code(source: bytes, filename: str, **more: t.Any) -> types.CodeType:
        text = source.encode() if isinstance(source, str) else bytes(source)
        path = os.path.join(folder, hashlib.sha256(repr((filename, more)).encode() + text).hexdigest())
        if os.path.exists(path):
            with open(path, "rb") as file:
                return t.cast(types.CodeType, marshal.load(file))
        code = compile(source, filename, **more)
        unfinished = f"{path}.{os.getpid()}"
        with open(unfinished, "wb") as made:
            marshal.dump(code, made)
        os.rename(unfinished, path)
        return t.cast(types.CodeType, code)

    setattr(_collection_finder, "compile", kept_code)  # there in place of Python's own
