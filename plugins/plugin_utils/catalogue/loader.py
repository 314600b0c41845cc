# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: one folder an application, ``<name>/app.yml``, looked for in the user's folders first."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

from ..declaration.model import Application, Detect, FileForm, Form, Gap, RefusalRule, Ways
from ..declaration.validation import problems_of
from ..dialects._registry import dialect, dialect_names
from ..dialects.base import NotValid
from ..problems import Problem, ProblemsError, did_you_mean, one_of
from .entry import entry_problems, flatten_problems

SHIPPED = pathlib.Path(__file__).resolve().parent.parent / "apps"

CODES = {
    "none": "no-plain",
    "opportunistic": "no-opportunistic",
    "starttls": "no-starttls",
    "tls": "no-tls",
    "verify": "no-verify",
    "no_verify": "always-verifies",
    "ca_path": "no-ca-path",
    "tls_server_name": "no-server-name",
    "client_cert": "no-client-cert",
    "secret_file": "no-secret-file",
    "login": "no-login",
    "anonymous": "needs-login",
    "oauth2": "no-oauth2",
    "ms_graph": "no-ms-graph",
    "mail_off": "no-off",
}
LARGEST, DEEPEST = 200_000, 40
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Catalogue:
    """Entries by name, each read once and only when asked for."""

    def __init__(self, folders: t.Sequence[str] = ()) -> None:
        """``folders`` are the user's. Raises ProblemsError for one that is not there."""
        self._folders = [*map(pathlib.Path, folders), SHIPPED]
        missing = [
            Problem(str(folder), "this folder of the catalogue is not there.", "catalogue-folder")
            for folder in self._folders
            if not folder.is_dir()
        ]
        if missing:
            raise ProblemsError(missing)
        self._entries: dict[str, Application] = {}

    def names(self) -> list[str]:
        """Every application there is, sorted."""
        return sorted({path.parent.name for folder in self._folders for path in folder.glob("*/app.yml")})

    def find(self, name: str, where: str) -> Application:
        """The entry of that name. Raises ProblemsError: unknown, or broken (file, key and reason)."""
        if name not in self._entries:
            folder = next((folder for folder in self._folders if (folder / name / "app.yml").is_file()), None)
            if folder is None:
                names = self.names()
                what = f'there is no application "{name}" in the catalogue.{did_you_mean(name, names)}'
                raise ProblemsError(
                    [
                        Problem(
                            where,
                            what,
                            "unknown-application",
                            "Known: " + ", ".join(names) + ".\nYour own go into smtp_relay_catalogue.",
                        )
                    ]
                )
            self._entries[name] = load_entry(folder / name / "app.yml", checked=folder == SHIPPED)
        return self._entries[name]


def load_entry(path: pathlib.Path, checked: bool = False) -> Application:
    """Read one ``app.yml``. Raises ProblemsError naming file, key and reason; a test has checked the shipped ones."""
    where = f"{path.parent.name}/{path.name}" if checked else str(path)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode("utf-8")
        if not checked:
            _check_size(text, where)
        raw = yaml.load(text, _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemsError(
            [Problem(where, f"this cannot be read ({type(error).__name__}).", "entry-unreadable")]
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise ProblemsError(
            [Problem(where, f"this is not valid YAML:{line} {getattr(error, 'problem', '')}.", "entry-invalid")]
        ) from None
    except (ValueError, RecursionError) as error:
        raise ProblemsError(
            [
                Problem(
                    where,
                    f"this is not an entry ({type(error).__name__}).",
                    "entry-invalid",
                    "Write it as the shipped ones are.",
                )
            ]
        ) from None
    if checked:
        return _application(path.parent.name, raw)
    _raise_any(problems_of(raw, "app", "entry", f"{where}: entry"))
    _raise_any(_patterns(raw, where))
    application = _application(path.parent.name, raw)
    _raise_any(entry_problems(application, where))
    return application


def _check_size(text: str, where: str) -> None:
    """No entry is as large as this, nor as deep, nor are its aliases. Raises ProblemsError, and what YAML's parser raises."""
    problem = ""
    if len(text) > LARGEST:
        problem = f"an entry has at most {LARGEST} characters."
    elif _depth(text) > DEEPEST:
        problem = f"an entry is nested at most {DEEPEST} levels deep."
    else:
        try:
            dialect("yaml").read(text)
        except NotValid as error:
            if "alias" in error.why:
                problem = f"{error.why}."
    if problem:
        raise ProblemsError(
            [Problem(where, problem, "entry-invalid", "Write it as the shipped ones are: about 20 lines.")]
        )


def _depth(text: str) -> int:
    depth = deepest = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
    return deepest


def _raise_any(problems: list[Problem]) -> None:
    if problems:
        raise ProblemsError(problems)


def _patterns(raw: dict[str, t.Any], where: str) -> list[Problem]:
    """What is wrong where a form or file has neither settings of its own kind nor a pattern that fits them."""
    problems: list[Problem] = []
    for name, form in raw["forms"].items():
        given = form.get("files")
        for at, file in (
            {f"forms.{name}.files.{label}": file for label, file in given.items()}.items()
            if given
            else [(f"forms.{name}", form)]
        ):
            if "dialect" not in file:
                problems.append(
                    Problem(
                        f"{where}: {at}.dialect", "dialect is missing.", "missing-key", one_of(sorted(dialect_names()))
                    )
                )
            if "flatten" in file:
                problems += flatten_problems(file["flatten"], f"{where}: {at}.flatten")
                for key in ("settings", "mail_off"):
                    if not isinstance(file.get(key, raw.get(key)) or {}, dict):
                        problems.append(
                            Problem(
                                f"{where}: {at}.flatten", f"only {key} with keys can be flattened.", "entry-invalid"
                            )
                        )
            if not _overlays(file.get("settings", raw["settings"]), form.get("secret_file", raw.get("secret_file"))):
                problems.append(
                    Problem(f"{where}: {at}.secret_file", "it has keys where the settings have none.", "entry-invalid")
                )
    return problems


def _overlays(settings: t.Any, changes: t.Any) -> bool:
    """Whether the changes of secret_file fit the settings: keys stand only where there are keys, or nothing."""
    if not isinstance(changes, dict):
        return True
    return isinstance(settings, dict) and all(_overlays(settings.get(key, {}), item) for key, item in changes.items())


def _application(name: str, raw: dict[str, t.Any]) -> Application:
    return Application(
        name=name,
        title=raw["title"],
        security=raw["security"],
        activate=raw["activate"],
        evidence=raw["evidence"],
        test=raw["test"],
        entry=raw,
        forms={form: _form(form, given, raw) for form, given in raw["forms"].items()},
        rules=tuple(
            RefusalRule(rule["when"], _gap("rule", rule), tuple(rule.get("forms", raw["forms"])))
            for rule in raw.get("refuse", ())
        ),
    )


def _form(name: str, given: dict[str, t.Any], raw: dict[str, t.Any]) -> Form:
    lacks = {**raw.get("lacks", {}), **given.get("lacks", {})}
    files = given.get("files") or {"file": {**given, "path": ""}}
    by_file = given.get("secret_file", raw.get("secret_file"))
    return Form(
        name,
        given["path"],
        tuple(_file(label, file, raw, by_file) for label, file in files.items()),
        {capability: _gap(capability, gap) for capability, gap in lacks.items()},
        {**raw.get("environment", {}), **given.get("environment", {})},
        given.get("activate", raw["activate"]),
        "own" if by_file == "own" else "file" if by_file else "",
        given.get("secret_live", raw.get("secret_live", False)),
        given.get("secret_group", raw.get("secret_group")),
        _detect({**raw.get("detect", {}), **given.get("detect", {})}),
        _ways(given.get("wiring", raw.get("wiring"))),
    )


def _detect(given: dict[str, t.Any]) -> Detect:
    lists = {name: tuple(given.get(name, ())) for name in ("units", "packages", "commands", "folders", "images")}
    return Detect(**lists, version=given.get("version"))


def _ways(given: dict[str, t.Any] | None) -> Ways:
    named: dict[str, t.Any] = {name: tuple(way) if name == "beside" else way for name, way in (given or {}).items()}
    return Ways(**named)


def _file(label: str, given: dict[str, t.Any], raw: dict[str, t.Any], by_file: t.Any) -> FileForm:
    pattern = given.get("flatten")
    settings, off = given.get("settings", raw["settings"]), given.get("mail_off", raw.get("mail_off"))
    return FileForm(
        label,
        given["dialect"],
        given["path"],
        flattened(settings, pattern) if pattern else settings,
        flattened(off, pattern) if pattern and off else off,
        given.get("shared", False),
        given.get("owner"),
        given.get("group"),
        given.get("mode"),
        given.get("command"),
        _referring(settings, by_file, pattern) if isinstance(by_file, dict) else None,
    )


def _referring(settings: dict[str, t.Any], changes: dict[str, t.Any], pattern: str | None) -> dict[str, t.Any]:
    changed = _overlaid(settings, changes)
    return flattened(changed, pattern) if pattern else changed


def _overlaid(settings: dict[str, t.Any], changes: dict[str, t.Any]) -> dict[str, t.Any]:
    """The settings with some of them changed; what is null then is left out."""
    both = {
        key: _overlaid(settings.get(key, {}), item) if isinstance(item, dict) else item for key, item in changes.items()
    }
    return {**settings, **both}


def flattened(tree: dict[str, t.Any], pattern: str) -> dict[str, t.Any]:
    """Sections and keys as one level of names, such as ``GITEA__mailer__PASSWD`` by ``GITEA__{section}__{key}``."""
    flat: dict[str, t.Any] = {}
    for section, keys in tree.items():
        for key, value in keys.items() if isinstance(keys, dict) else [(section, keys)]:
            flat[pattern.format(section=section, key=key, SECTION=str(section).upper(), KEY=str(key).upper())] = value
    return flat


def _gap(capability: str, given: str | dict[str, t.Any]) -> Gap:
    if isinstance(given, str):
        given = {"why": given}
    return Gap(
        capability,
        given.get("code", CODES.get(capability, "")),
        given["why"],
        given.get("hint", ""),
        given.get("instead"),
    )
