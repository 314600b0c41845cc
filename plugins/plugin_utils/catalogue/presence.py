# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Presence: what to look for of one application on its host, by its entry and by what the user says of it; and our own drop-in."""

from __future__ import annotations

import posixpath
import re
import typing as t

from ...module_utils._host.services import units
from ..declaration.model import Application, ApplicationRequest, Detect, FilePlan, Form, Presence, Ways
from .platforms import Platform


def presence_of(
    request: ApplicationRequest, application: Application, form: Form, platform: Platform | None, path: str
) -> Presence:
    """Of an application in one form, at one path."""
    ways = _ways(request, application, form, platform)
    folder = path if form.files[0].path or form.files[0].command else posixpath.dirname(path)
    ways = ways._replace(
        beside=tuple(_filled(place, path, folder) for place in ways.beside),
        add=_replaced(ways.add, path, folder) if ways.add else None,
        line=_line(ways.line, path, folder) if ways.line else None,
    )
    native = platform is None and not ways.container and not ways.manual
    detect = _detect(request, form, ways, path, folder)
    moved = request.path is not None and request.path != form.path.replace("{name}", request.name)
    usual = not (moved or request.tool or request.project or _named_unit(request))
    # An API is asked wherever it is.
    says_how = not (form.files[0].command or {}).get("token") and any(
        (form.detect.units, form.detect.packages, form.detect.commands, form.detect.folders)
    )
    unit = units.full_name(ways.unit) if ways.unit and _ours(form, platform, ways) else None
    return Presence(
        path=path,
        detect=detect._replace(images=()) if native else detect,
        ways=ways,
        native=native,
        usual=usual,
        findable=usual and says_how and not request.installed,
        dropin=units.drop_in(unit) if unit else None,
        required_unit=None if request.installed else unit,
    )


def unit_of(request: ApplicationRequest, form: Form) -> str | None:
    """The unit that an application runs as: the user's word, then how it is activated, then the entry's."""
    given = _named_unit(request) or form.ways.unit or form.activate.get("systemd")
    return str(given) if given else None


def activation(request: ApplicationRequest, form: Form, platform: Platform | None) -> t.Mapping[str, t.Any]:
    """How a change comes into force: as the user says, or as where it runs says, or as its entry does."""
    usual = {"how": "none", "reason": platform.reason} if platform else form.activate
    if request.activate:
        return request.activate
    at_start = usual.get("how") != "none" or form.files[0].dialect in ("docker_env", "systemd_env")
    if request.project and at_start:
        return {"compose": dict(request.project)}
    if request.unit and at_start:
        return (
            {"how": usual["how"], "systemd": request.unit}
            if "systemd" in usual
            else {"how": "restart", "systemd": request.unit}
        )
    return usual


def _named_unit(request: ApplicationRequest) -> str | None:
    named = request.unit or (request.activate or {}).get("systemd")
    return str(named) if named else None


def dropin_file(presence: Presence) -> FilePlan | None:
    """The drop-in that makes a unit read the file, where that is for us to write."""
    if presence.dropin is None:
        return None
    tree = {"Service": {"EnvironmentFile": presence.path}}
    return FilePlan(
        path=presence.dropin,
        dialect="systemd_unit",
        shared=False,
        tree=tree,
        owns=(),
        secrets=frozenset(),
        owner="root",
        group="root",
        mode="0644",
        group_if_open=None,
    )


def _ours(form: Form, platform: Platform | None, ways: Ways) -> bool:
    return platform is None and bool(ways.unit) and [file.dialect for file in form.files] == ["systemd_env"]


def _ways(request: ApplicationRequest, application: Application, form: Form, platform: Platform | None) -> Ways:
    """What the entry says; else what follows from the kind of form. A unit that the user names is meant wherever the entry names one."""
    if platform is not None:
        return Ways(compose_file=True) if platform.name == "compose" else Ways(manual=platform.reason)
    ways, first = form.ways, form.files[0]
    if first.command:
        return Ways(tool=True)
    if ways == Ways():
        if first.dialect == "systemd_env":
            ways = Ways(unit=unit_of(request, form))
        elif first.dialect == "docker_env":
            ways = Ways(container=True, unit=unit_of(request, form))
        elif first.dialect == "sheet" or (first.dialect == "json" and not first.shared):
            ways = Ways(manual=f"see {application.entry['docs']}")
    named = _named_unit(request)
    return ways._replace(unit=ways.unit and (named or ways.unit), argument=ways.argument and (named or ways.argument))


def _detect(request: ApplicationRequest, form: Form, ways: Ways, path: str, folder: str) -> Detect:
    given = form.detect
    named = _named_unit(request)
    names = (named,) if named else given.units
    names += (ways.unit,) if ways.unit and (not names or _ours(form, None, ways) and ways.unit not in names) else ()
    version = dict(given.version or {})
    if "file" in version:
        version["file"] = _filled(version["file"], path, folder)
    if "run" in version:
        version["run"] = [_replaced(word, path, folder) for word in version["run"]]
    return given._replace(
        units=names, folders=tuple(_filled(place, path, folder) for place in given.folders), version=version or None
    )


def _line(given: t.Mapping[str, str], path: str, folder: str) -> dict[str, str]:
    """The line of another file that names ours; in an expression a path stands for itself."""
    line = {"file": _filled(given["file"], path, folder), "add": _replaced(given["add"], path, folder)}
    return {**line, "find": _replaced(given["find"], re.escape(path), re.escape(folder))} if "find" in given else line


def _replaced(text: str, path: str, folder: str) -> str:
    return text.replace("{path}", path).replace("{dir}", folder)


def _filled(place: str, path: str, folder: str) -> str:
    return posixpath.normpath(_replaced(place, path, folder))


def question(
    name: str, presence: Presence, project: t.Mapping[str, t.Any] | None, files: t.Sequence[str], refuses: bool
) -> dict[str, t.Any]:
    """What the host is asked (one element of the option ``detect`` of smtp_deploy)."""
    detect, ways = presence.detect, presence.ways
    more = (
        {presence.dropin: f"[Service]\nEnvironmentFile={presence.path.replace('%', '%%')}\n"} if presence.dropin else {}
    )
    return {
        "app": name,
        "units": list(detect.units),
        "packages": list(detect.packages),
        "commands": list(detect.commands),
        "places": list(detect.folders),
        "images": list(detect.images),
        "version": dict(detect.version or {}),
        "compose": {"folder": project["folder"], "services": project["services"]} if project else None,
        "wiring": {
            "path": presence.path,
            "unit": ways.unit,
            "more": more,
            "argument": ways.argument,
            "line": ways.line,
            "beside": list(ways.beside),
            "container": ways.container,
            "compose_file": ways.compose_file,
            "project": {"folder": project["folder"], "files": list(project.get("files", ()))} if project else None,
        },
        "required": presence.native and presence.findable and refuses,
        "required_unit": presence.required_unit if refuses else None,
        "paths": list(files),
    }
