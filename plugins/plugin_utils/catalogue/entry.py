# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the schema cannot say of a catalogue entry: dialects that exist, expressions that work, words for every mode."""

from __future__ import annotations

import re
import string
import typing as t

from ...module_utils._shared.visible import visible
from ..declaration.model import Application, FileForm, Form
from ..dialects._registry import can_share, dialect, dialect_names
from ..dialects.base import CannotCarry
from ..problems import Problem, did_you_mean, one_of
from .command import PLACES
from .context import CONTEXT_NAMES
from .expressions import SECRET_NAMES, ExpressionError, is_expression, names_in, names_in_tree

INVALID = "entry-invalid"
PLACE = re.compile(r"\{\w*\}")
_ENDLESS = re.compile(r"\([^()]*[*+}?|][^()]*\)\??[*+{]")
FLATTEN_FIELDS = ("section", "key", "SECTION", "KEY")


def entry_problems(application: Application, where: str) -> list[Problem]:
    """Everything wrong with an entry of the right shape; ``where`` names its file."""
    problems = []
    for name, form in application.forms.items():
        problems += _form_problems(form, application, f"{where}: forms.{name}")
    for number, rule in enumerate(application.rules):
        at = f"{where}: refuse[{number}]"
        problems += _expression_problems(f"={rule.when}", f"{at}.when")
        for name in rule.forms:
            if name not in application.forms:
                problems.append(
                    Problem(
                        f"{at}.forms", f'there is no form "{name}".{did_you_mean(name, application.forms)}', INVALID
                    )
                )
    return list(dict.fromkeys(problems))


def flatten_problems(pattern: str, where: str) -> list[Problem]:
    """What is wrong with a ``flatten`` pattern."""
    try:
        pieces = [
            (field, spec, conversion)
            for _text, field, spec, conversion in string.Formatter().parse(pattern)
            if field is not None
        ]
    except ValueError:
        pieces = [("", "", None)]
    if any(spec or conversion for _field, spec, conversion in pieces):
        return [
            Problem(
                where,
                "the pattern has a width or a conversion.",
                INVALID,
                one_of(f"{{{field}}}" for field in FLATTEN_FIELDS),
            )
        ]
    if all(field in FLATTEN_FIELDS for field, _spec, _conversion in pieces):
        return []
    return [
        Problem(
            where,
            "the pattern names something else than section and key.",
            INVALID,
            one_of(f"{{{field}}}" for field in FLATTEN_FIELDS),
        )
    ]


def _form_problems(form: Form, application: Application, where: str) -> list[Problem]:
    problems = _detect_problems(form, where)
    for file in form.files:
        at = where if len(form.files) == 1 and not file.path else f"{where}.files.{file.label}"
        problems += _file_problems(file, at)
    problems += _tree_problems(dict(form.environment), f"{where}.environment")
    if _names(dict(form.environment)) & SECRET_NAMES:
        problems.append(
            Problem(
                f"{where}.environment",
                "a secret is named, but the environment is only reported.",
                INVALID,
                "Put it into a file.",
            )
        )
    for capability, gap in form.lacks.items():
        if gap.instead is not None and gap.instead not in application.security:
            what = f"there is no word for {gap.instead} under security."
            problems.append(Problem(f"{where}.lacks.{capability}.instead", what, INVALID, one_of(application.security)))
    return problems


def _detect_problems(form: Form, where: str) -> list[Problem]:
    """Expressions that compile, one group for the version, and where it is looked for in what."""
    problems = []
    version = form.detect.version or {}
    if ("file" in version or "run" in version) and _groups(version.get("find", "")) != 1:
        what = "file and run need find, a regular expression with one group: the version."
        problems.append(Problem(f"{where}.detect.version.find", what, INVALID, 'Such as: "version ([0-9.]+)"'))
    if form.ways.line and _groups(form.ways.line.get("find", "")) is None:
        problems.append(
            Problem(f"{where}.wiring.line.find", "this is not a regular expression, or one without an end.", INVALID)
        )
    return problems


def _groups(expression: str) -> int | None:
    """How many groups a regular expression has; None where it is none, or one that may search for ever (a repetition of repetitions)."""
    if _ENDLESS.search(expression):
        return None
    try:
        return re.compile(expression.replace("{path}", "path").replace("{dir}", "dir")).groups
    except (re.error, RecursionError, OverflowError):
        return None


def _file_problems(file: FileForm, where: str) -> list[Problem]:
    if file.dialect not in dialect_names():
        what = f'there is no dialect "{file.dialect}".{did_you_mean(file.dialect, dialect_names())}'
        return [Problem(f"{where}.dialect", what, INVALID, one_of(sorted(dialect_names())))]
    problems = _tree_problems(file.settings, f"{where}.settings") + _tree_problems(file.mail_off, f"{where}.mail_off")
    if file.command:
        problems += _command_problems(file, where)
    if file.by_file is not None:
        problems += _tree_problems(file.by_file, f"{where}.secret_file")
        if not problems and _names(file.by_file) & SECRET_NAMES:
            problems.append(
                Problem(
                    f"{where}.secret_file",
                    "some setting still holds the secret itself.",
                    INVALID,
                    "Set it to null, or to =secret_file.",
                )
            )
    problems = problems or _shape_problems(file, where)
    if file.shared and not can_share(file.dialect):
        problems.append(
            Problem(
                f"{where}.shared",
                f"files of dialect {file.dialect} are always ours alone.",
                INVALID,
                "Leave shared out.",
            )
        )
    return problems


def _command_problems(file: FileForm, where: str) -> list[Problem]:
    problems = []
    if file.dialect != "json" or file.shared or not isinstance(file.settings, dict):
        problems.append(
            Problem(
                where,
                "a tool is handed the keys of dialect json, of which nothing is shared.",
                INVALID,
                "Leave out shared, or command.",
            )
        )
    if (file.command or {}).get("token") and [
        len((file.command or {})[name]) for name in ("tool", "read", "write")
    ] != [1, 3, 2]:
        what = "for an API these are an address; a method, a key and a value; a method and a key."
        problems.append(Problem(f"{where}.command", what, INVALID, "Or leave token out."))
    for name in ("tool", "read", "write"):
        for word in (file.command or {})[name]:
            if not set(PLACE.findall(word)) <= set(PLACES):
                problems.append(
                    Problem(
                        f"{where}.command.{name}",
                        f'"{word}" names something that is not there.',
                        INVALID,
                        one_of(PLACES),
                    )
                )
    return problems


def _tree_problems(tree: t.Any, where: str) -> list[Problem]:
    if isinstance(tree, dict):
        problems = [
            Problem(f"{where}.{key}", "YAML reads this key as something else than text.", INVALID, "Put it in quotes.")
            for key in tree
            if not isinstance(key, str)
        ]
        problems += [
            Problem(
                where,
                "a key holds a control character (or a line break), which could end it.",
                INVALID,
                "Write it on one line.",
            )
            for key in tree
            if isinstance(key, str) and visible(key) != key
        ]
        return problems + [problem for key, item in tree.items() for problem in _tree_problems(item, f"{where}.{key}")]
    if isinstance(tree, list):
        return [problem for number, item in enumerate(tree) for problem in _tree_problems(item, f"{where}[{number}]")]
    return _expression_problems(tree, where) if is_expression(tree) else []


def _shape_problems(file: FileForm, where: str) -> list[Problem]:
    """Whether the dialect can write trees like these at all: sections where it has sections, keys where it has keys."""
    for what, tree in (("settings", file.settings), ("mail_off", file.mail_off)):
        if tree is None:
            continue
        try:
            dialect(file.dialect).write(_sample(tree))
        except CannotCarry:
            pass  # of a value, and this one is only a sample; a real one is refused where it is written
        except (AttributeError, TypeError, ValueError, LookupError, RecursionError):
            hint = f'What it writes stands after "Tree:" at the top of plugins/plugin_utils/dialects/{file.dialect}.py.'
            return [
                Problem(
                    f"{where}.{what}", f"dialect {file.dialect} cannot write settings of this shape.", INVALID, hint
                )
            ]
        if not _reads_back(file.dialect, _sample(tree)):
            hint = f"A key is written as it is: name it as {file.dialect} spells one, without what ends it there (such as = or ])."
            return [
                Problem(
                    f"{where}.{what}",
                    f"its keys are not read from a file of dialect {file.dialect} as they are written.",
                    INVALID,
                    hint,
                )
            ]
    return []


def _reads_back(name: str, tree: t.Any) -> bool:
    """Whether a written file has just the keys that it was written with."""
    spoken = dialect(name)
    if not isinstance(tree, dict):
        return True
    tree = _on(tree)
    try:
        return _keys(spoken.read(spoken.write(tree))) == _keys(tree)
    except CannotCarry:
        return True
    except ValueError:
        return False


def _on(tree: t.Any) -> t.Any:
    """The tree with everything switched on: what is off, a dialect may leave out."""
    return {key: _on(item) for key, item in tree.items()} if isinstance(tree, dict) else tree is False or tree


def _keys(tree: t.Any) -> set[tuple[str, ...]]:
    """The paths of all values."""
    found: set[tuple[str, ...]] = set()
    todo: list[tuple[tuple[str, ...], t.Any]] = [((), tree)]
    while todo:
        above, item = todo.pop()
        if isinstance(item, dict):
            todo += [((*above, str(key)), value) for key, value in item.items()]
        else:
            found.add(above)
    return found


def _sample(tree: t.Any) -> t.Any:
    """The tree with some text for every expression, and without what is left out."""
    if isinstance(tree, dict):
        return {key: _sample(item) for key, item in tree.items() if item is not None}
    if isinstance(tree, list):
        return [_sample(item) for item in tree if item is not None]
    return "sample" if is_expression(tree) else tree


def _expression_problems(value: str, where: str) -> list[Problem]:
    try:
        unknown = sorted(names_in(value[1:]) - CONTEXT_NAMES)
    except ExpressionError as error:
        return [Problem(where, f"{error}.", INVALID)]
    return [
        Problem(where, f'expressions know no "{name}".{did_you_mean(name, CONTEXT_NAMES)}', INVALID) for name in unknown
    ]


def _names(tree: t.Any) -> frozenset[str]:
    """The names in a tree; none where an expression does not parse, which is said elsewhere."""
    try:
        return names_in_tree(tree)
    except ExpressionError:
        return frozenset()
