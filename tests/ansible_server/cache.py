# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zip files that Ansible makes of modules (AnsiballZ), which it keeps for one run: for all runs that find the same modules.

Every run has a folder of its own for them, with links to those that are there already. What it adds is copied when it has ended, whole or
not at all, so runs at the same time do not see each other's unfinished files, whichever way Ansible writes them.

A module's process compiles everything it imports from its zip file, which is more than half of the processor time that it takes. So the copy has
the compiled code beside each source, for this Python; any other passes over it and reads the source.

Ansible compiles the plugins of collections, too, each time that it imports them, and reads its own long list of where plugins have moved to: what
comes of that is kept beside the zip files.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.util
import io
import marshal
import os
import pickle
import shutil
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
    """Has Ansible take from a folder what it compiles of collections, and what it has read in their files of meta data: of its own, a long one."""
    from ansible.utils.collection_loader import _collection_finder

    folder = kept + "-collections"
    os.makedirs(folder, exist_ok=True)

    def code(source: t.Any, filename: str, **more: t.Any) -> t.Any:
        return once(folder, marshal, (source, filename, more), lambda: compile(source, filename, **more))

    def meta(text: t.Any, about: t.Any) -> t.Any:
        return once(folder, pickle, (text, about), lambda: read(text, about))

    read: t.Any = getattr(_collection_finder, "_meta_yml_to_dict", None)
    setattr(_collection_finder, "compile", code)  # there in place of Python's own
    if read is not None:
        setattr(_collection_finder, "_meta_yml_to_dict", meta)


def once(folder: str, form: t.Any, of: t.Any, make: t.Callable[[], t.Any]) -> t.Any:
    """What was made of the same before by any run, or else what is made now, kept in this form for the others."""
    path = os.path.join(folder, hashlib.sha256(repr(of).encode("utf-8", "surrogateescape")).hexdigest())
    if os.path.exists(path):
        with open(path, "rb") as file:
            return form.load(file)
    made = make()
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "wb") as new:
        form.dump(made, new)
    os.rename(unfinished, path)
    return made
